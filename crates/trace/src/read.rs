//! Reads a trace of any format, packed or not: the whole of it, or the first fault.

pub mod dax;
pub mod estee;
pub mod own;
pub mod stg;
pub mod swf;
pub mod wf;

use std::borrow::Cow;

use crate::fault::{Fault, Reason};
use crate::format::Format;
use crate::trace::Trace;
use crate::unpack::unpack;

/// Reads a trace. `name` is the file's, which helps to know the format and becomes the trace's
/// name where the file has none; `from` forces the format.
///
/// # Errors
/// Where the bytes are packed wrongly, are of no known format, or break its rules or a limit; with
/// the line and the reason. Nothing is kept then.
pub fn read(name: &str, bytes: &[u8], from: Option<Format>) -> Result<Trace, Fault> {
    let unpacked = unpack(bytes)?;
    let (inner, bytes) = match &unpacked {
        Some(unpacked) => (unpacked.name.as_deref(), &unpacked.bytes[..]),
        None => (None, bytes),
    };
    if bytes.len() > crate::limits::BYTES_MAX {
        let most = crate::limits::BYTES_MAX as u64;
        return Err(Fault::whole(Reason::TooMany { what: "bytes", most }));
    }
    let loose = String::from_utf8_lossy(bytes);
    let told = from.or_else(|| Format::of(inner.unwrap_or(name), &loose));
    let format = told.or_else(|| Format::of(name, &loose));
    let format = match format {
        Some(format) => format,
        None if loose.trim().is_empty() => return Err(Fault::whole(Reason::Empty("text"))),
        None => return Err(Fault::whole(Reason::Unrecognised)),
    };
    // Old logs have names of people and places in older encodings, in comments only.
    if format != Format::Swf && matches!(loose, Cow::Owned(_)) {
        return Err(Fault::whole(Reason::NotText));
    }
    let text = loose.trim_start_matches('\u{feff}');
    match format {
        Format::Bary => own::read(text),
        Format::Stg => stg::read(stem(name), text),
        Format::Wf => wf::read(text),
        Format::Estee => estee::read(stem(name), text),
        Format::Swf => swf::read(stem(name), text),
        Format::Dax => dax::read(stem(name), text),
    }
}

/// A file's name without folders and endings.
fn stem(name: &str) -> &str {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let ends = [".gz", ".zip", ".stg", ".swf", ".dax", ".xml", ".json", ".jsonl", ".trace"];
    let mut stem = file;
    while let Some(shorter) = ends.iter().find_map(|end| stem.strip_suffix(end)) {
        stem = shorter;
    }
    stem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_loses_its_folders_and_endings() {
        assert_eq!(stem("a/b/LCG-head.swf.gz"), "LCG-head");
        assert_eq!(stem("x"), "x");
    }

    #[test]
    fn what_is_nothing_is_told() {
        assert_eq!(read("x", b"", None), Err(Fault::whole(Reason::Empty("text"))));
        assert_eq!(read("x", b"hello", None), Err(Fault::whole(Reason::Unrecognised)));
        let fault = read("x.stg", b"\xff\xfe", None);
        assert_eq!(fault, Err(Fault::whole(Reason::NotText)));
    }
}
