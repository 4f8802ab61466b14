//! One kept result as a file: its name says all that a list of them needs, and its bytes say
//! whether they are those that were written.

use bary_model::time::Wall;
use bary_ports::cache::{Kept, Key};

const MAGIC: &[u8; 8] = b"baryrc1\n";
/// The magic, the key, when it was made, the lengths of both parts, and the hash of all the rest.
pub(super) const HEAD_BYTES: usize = 8 + 32 + 8 + 8 + 8 + 32;
const HASH_AT: usize = HEAD_BYTES - 32;
/// What the name of a file ends with that is not whole yet.
pub(super) const DRAFT: &str = ".draft";
const WHOLE: &str = ".result";

/// The name of a file.
pub(super) fn name(key: &Key, made: Wall, bytes: u64) -> String {
    let key = blake3::Hash::from_bytes(key.0).to_hex();
    format!("{key}-{:016x}-{bytes:x}{WHOLE}", made.0)
}

/// What the name of a file says: its key, when it was made and how many bytes it has.
pub(super) fn read_name(name: &str) -> Option<(Key, Wall, u64)> {
    let mut parts = name.strip_suffix(WHOLE)?.split('-');
    let key = blake3::Hash::from_hex(parts.next()?).ok()?;
    let made = u64::from_str_radix(parts.next()?, 16).ok()?;
    let bytes = u64::from_str_radix(parts.next()?, 16).ok()?;
    parts.next().is_none().then_some((Key(*key.as_bytes()), Wall(made), bytes))
}

/// The bytes of a file.
pub(super) fn write(key: &Key, made: Wall, kept: &Kept) -> Vec<u8> {
    let Kept { output, stderr } = kept;
    let mut bytes = Vec::with_capacity(HEAD_BYTES + output.len() + stderr.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&key.0);
    for number in [made.0, output.len() as u64, stderr.len() as u64] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    let hash = hash(&bytes, output, stderr);
    bytes.extend_from_slice(hash.as_bytes());
    bytes.extend_from_slice(output);
    bytes.extend_from_slice(stderr);
    bytes
}

/// What a file keeps; none where it is not what was written under this key.
pub(super) fn read(key: &Key, made: Wall, bytes: Vec<u8>) -> Option<Kept> {
    let bytes = bytes::Bytes::from(bytes);
    let head = bytes.get(..HEAD_BYTES)?;
    let number = |at: usize| Some(u64::from_le_bytes(head.get(at..at + 8)?.try_into().ok()?));
    let good = head.get(..8)? == MAGIC && head.get(8..40)? == key.0 && number(40)? == made.0;
    let output = usize::try_from(number(48)?).ok()?;
    let stderr = usize::try_from(number(56)?).ok()?;
    let end = HEAD_BYTES.checked_add(output)?;
    if !good || end.checked_add(stderr)? != bytes.len() {
        return None;
    }
    let kept = Kept { output: bytes.slice(HEAD_BYTES..end), stderr: bytes.slice(end..) };
    let hash = hash(head.get(..HASH_AT)?, &kept.output, &kept.stderr);
    (hash.as_bytes() == head.get(HASH_AT..)?).then_some(kept)
}

fn hash(head: &[u8], output: &[u8], stderr: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(head).update(output).update(stderr);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_it_was_made_of() {
        let said = (Key([7; 32]), Wall(u64::MAX), 1 << 40);
        let name = name(&said.0, said.1, said.2);
        assert_eq!(read_name(&name), Some(said));
        let others = ["", "a.result", "1.draft", &name[1..], &format!("{name}x"), "README"];
        for other in others {
            assert_eq!(read_name(other), None, "{other}");
        }
    }

    #[test]
    fn no_byte_may_change() {
        let (key, made) = (Key([7; 32]), Wall(9));
        let kept = Kept { output: "out".into(), stderr: "err".into() };
        let bytes = write(&key, made, &kept);
        assert_eq!(read(&key, made, bytes.clone()), Some(kept));
        assert_eq!(read(&Key([8; 32]), made, bytes.clone()), None);
        assert_eq!(read(&key, Wall(8), bytes.clone()), None);
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert_eq!(read(&key, made, other), None, "byte {at}");
            assert_eq!(read(&key, made, bytes[..at].to_vec()), None, "{at} bytes");
        }
    }
}
