//! Bytes of numbers, identities and records. Numbers that are mostly small take seven bits a byte.

use crate::identity::{Address, Identity, Name};
use crate::record::{Record, Standing};

/// Why bytes are no message. The message is dropped whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    /// The bytes end too early.
    #[error("the bytes end too early")]
    Short,
    /// A part has a value that no version of this code writes, or that breaks a limit.
    #[error("no such {part}")]
    Value {
        /// Which part.
        part: &'static str,
    },
}

/// Reads from the front of bytes.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(DecodeError::Short)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(DecodeError::Short)?;
        self.rest = rest;
        Ok(*bytes)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(crate) fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(DecodeError::Value { part: "number" })
    }

    /// A small number that must fit a narrower type.
    pub(crate) fn narrow<T: TryFrom<u64>>(&mut self) -> Result<T, DecodeError> {
        T::try_from(self.varint()?).map_err(|_| DecodeError::Value { part: "number" })
    }

    pub(crate) fn identity(&mut self) -> Result<Identity, DecodeError> {
        let name = Name(self.u64()?);
        let (incarnation, renewal) = (self.varint()?, self.narrow()?);
        let address = match self.u8()? {
            0 => Address::Number(self.varint()?),
            1 => Address::V4(self.array()?, self.u16()?),
            2 => Address::V6(self.array()?, self.u16()?),
            _ => return Err(DecodeError::Value { part: "address" }),
        };
        Ok(Identity { name, address, incarnation, renewal })
    }

    pub(crate) fn record(&mut self) -> Result<Record, DecodeError> {
        let identity = self.identity()?;
        let refutations = self.narrow()?;
        let standing = match self.u8()? {
            0 => Standing::Up,
            1 => Standing::Suspect,
            2 => Standing::Down,
            _ => return Err(DecodeError::Value { part: "standing" }),
        };
        Ok(Record { identity, refutations, standing })
    }
}

pub(crate) fn put_varint(mut number: u64, to: &mut Vec<u8>) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

pub(crate) fn put_identity(identity: &Identity, to: &mut Vec<u8>) {
    to.extend_from_slice(&identity.name.0.to_le_bytes());
    put_varint(identity.incarnation, to);
    put_varint(identity.renewal.into(), to);
    match identity.address {
        Address::Number(number) => {
            to.push(0);
            put_varint(number, to);
        }
        Address::V4(ip, port) => {
            to.push(1);
            to.extend_from_slice(&ip);
            to.extend_from_slice(&port.to_le_bytes());
        }
        Address::V6(ip, port) => {
            to.push(2);
            to.extend_from_slice(&ip);
            to.extend_from_slice(&port.to_le_bytes());
        }
    }
}

pub(crate) fn put_record(record: &Record, to: &mut Vec<u8>) {
    put_identity(&record.identity, to);
    put_varint(record.refutations.into(), to);
    to.push(match record.standing {
        Standing::Up => 0,
        Standing::Suspect => 1,
        Standing::Down => 2,
    });
}

#[cfg(test)]
mod tests {
    use super::{DecodeError, Reader, put_record, put_varint};
    use crate::identity::{Address, Identity, Name};
    use crate::record::{Record, Standing};
    use proptest::prelude::{any, prop_assert_eq, proptest};

    #[test]
    fn a_number_that_does_not_fit_is_refused() {
        let mut reader = Reader::new(&[0xff; 12]);
        assert_eq!(reader.varint(), Err(DecodeError::Value { part: "number" }));
        assert_eq!(Reader::new(&[0x80]).varint(), Err(DecodeError::Short));
        assert_eq!(Reader::new(&[0x80, 2]).narrow::<u8>().ok(), None);
    }

    proptest! {
        #[test]
        fn numbers_and_records_come_back(
            number in any::<u64>(), incarnation in any::<u64>(), renewal in any::<u32>(),
            refutations in any::<u16>(), ip in any::<[u8; 16]>(), port in any::<u16>(),
            kind in 0..3,
        ) {
            let mut bytes = Vec::new();
            put_varint(number, &mut bytes);
            let address = match kind {
                0 => Address::Number(number),
                1 => Address::V4([ip[0], ip[1], ip[2], ip[3]], port),
                _ => Address::V6(ip, port),
            };
            let identity = Identity { name: Name(number), address, incarnation, renewal };
            let record = Record { identity, refutations, standing: Standing::Suspect };
            put_record(&record, &mut bytes);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.varint(), Ok(number));
            prop_assert_eq!(reader.record(), Ok(record));
            prop_assert_eq!(reader.rest(), &[] as &[u8]);
        }
    }
}
