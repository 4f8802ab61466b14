//! Idempotency: the key and the content of a submission as the ledger keeps them.

use bary_api::problem::{Kind, Refused};
use bary_api::v1::SubmitRequest;
use bary_model::job::SubmissionKey;
use prost::Message;

/// The most bytes that a key may have.
const KEY_BYTES_MAX: usize = 255;

/// The key of a submission, where it has one. Callers do not meet in their keys.
pub(super) fn of(request: &SubmitRequest, caller: &str) -> Result<Option<SubmissionKey>, Refused> {
    let text = &request.idempotency_key;
    if text.is_empty() {
        return Ok(None);
    }
    if text.len() > KEY_BYTES_MAX {
        let title = format!("an idempotency key has at most {KEY_BYTES_MAX} bytes");
        return Err(Refused::new(Kind::Invalid, title));
    }
    let mut named = blake3::Hasher::new();
    named.update(&(caller.len() as u64).to_le_bytes());
    named.update(caller.as_bytes()).update(text.as_bytes());
    let (mut key, mut content) = ([0; 16], [0; 8]);
    key.copy_from_slice(&named.finalize().as_bytes()[..16]);
    content.copy_from_slice(&blake3::hash(&request.encode_to_vec()).as_bytes()[..8]);
    Ok(Some(SubmissionKey { key: u128::from_le_bytes(key), content: u64::from_le_bytes(content) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_of_its_caller_and_its_content() {
        let request = |key: &str, name: &str| SubmitRequest {
            idempotency_key: key.to_owned(),
            name: name.to_owned(),
            ..SubmitRequest::default()
        };
        let of = |request: &SubmitRequest, caller| of(request, caller).expect("it is short");
        let first = of(&request("a", "x"), "me").expect("there is one");
        assert_eq!(of(&request("a", "x"), "me"), Some(first));
        let other = of(&request("a", "y"), "me").expect("there is one");
        assert!(other.key == first.key && other.content != first.content);
        assert_ne!(of(&request("a", "x"), "you").map(|key| key.key), Some(first.key));
        assert_eq!(of(&request("", "x"), "me"), None);
        assert!(super::of(&request(&"a".repeat(256), "x"), "me").is_err());
    }
}
