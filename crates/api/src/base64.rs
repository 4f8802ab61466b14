//! Bytes in JSON: base64 with the standard alphabet and padding. What is read may lack the padding.
//! For use as `#[serde(with = "crate::base64")]`.

use std::fmt;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Writes bytes.
pub(crate) fn serialize<S: Serializer>(bytes: &Bytes, to: S) -> Result<S::Ok, S::Error> {
    Text(bytes.clone()).serialize(to)
}

/// Reads bytes.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
    Text::deserialize(from).map(|text| text.0)
}

/// Bytes that are text wherever serde meets them.
struct Text(Bytes);

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Decoded)
    }
}

struct Decoded;

impl Visitor<'_> for Decoded {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes as base64 text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        let bytes =
            BASE64.decode(text).map_err(|cause| E::custom(format!("no base64: {cause}")))?;
        Ok(Text(bytes.into()))
    }
}

/// Bytes, many times.
pub(crate) mod many {
    use super::{Bytes, Deserialize, Deserializer, Serializer, Text};

    /// Writes them as a list.
    pub(crate) fn serialize<S: Serializer>(many: &[Bytes], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(many.iter().map(|bytes| Text(bytes.clone())))
    }

    /// Reads a list of them.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Bytes>, D::Error> {
        let many: Vec<Text> = Vec::deserialize(from)?;
        Ok(many.into_iter().map(|text| text.0).collect())
    }
}

/// Bytes that may be absent.
pub(crate) mod maybe {
    use super::{Bytes, Deserialize, Deserializer, Serialize, Serializer, Text};

    /// Writes them where they are there.
    pub(crate) fn serialize<S: Serializer>(
        maybe: &Option<Bytes>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        maybe.clone().map(Text).serialize(to)
    }

    /// Reads them; for fields that are there.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Bytes>, D::Error> {
        Text::deserialize(from).map(|text| Some(text.0))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Three {
        #[serde(with = "crate::base64")]
        one: Bytes,
        #[serde(with = "crate::base64::many")]
        many: Vec<Bytes>,
        #[serde(default, with = "crate::base64::maybe", skip_serializing_if = "Option::is_none")]
        maybe: Option<Bytes>,
    }

    #[test]
    fn bytes_are_base64_and_come_back() {
        let (one, many) = (Bytes::from_static(b"\xff\x00"), vec![Bytes::new(), "?".into()]);
        for maybe in [None, Some(Bytes::new()), Some("ab".into())] {
            let three = Three { one: one.clone(), many: many.clone(), maybe };
            let json = serde_json::to_string(&three).expect("it is plain data");
            assert!(json.starts_with(r#"{"one":"/wA=","many":["","Pw=="]"#), "{json}");
            assert_eq!(serde_json::from_str::<Three>(&json).expect("it is ours"), three);
        }
    }

    #[test]
    fn padding_may_lack_and_all_else_is_refused() {
        let read =
            |text: &str| serde_json::from_str::<Three>(&format!("{{\"one\":{text},\"many\":[]}}"));
        assert_eq!(read("\"/wA\"").expect("it is base64").one, &b"\xff\x00"[..]);
        for wrong in ["\"/w\\n\"", "\"_wA=\"", "\"a\"", "7", "null", "[255]"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
