//! Packed files: gzip, and a zip of one file. What is unpacked is bounded before it is kept.

use std::io::{Cursor, Read};

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;

use crate::fault::{Fault, Reason, shown};
use crate::limits::{BYTES_MAX, UNPACKED_FREE, UNPACKED_PER_BYTE_MAX, ZIP_FILES_MAX};

/// What a file holds, and what it is called there where that is known.
pub(crate) struct Unpacked {
    pub(crate) name: Option<String>,
    pub(crate) bytes: Vec<u8>,
}

/// Unpacks what is packed; `None` where it is not.
pub(crate) fn unpack(bytes: &[u8]) -> Result<Option<Unpacked>, Fault> {
    if bytes.len() > BYTES_MAX {
        return Err(too_large(BYTES_MAX));
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let out = bounded("gzip", MultiGzDecoder::new(bytes), bytes.len())?;
        return Ok(Some(Unpacked { name: None, bytes: out }));
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return zipped(bytes).map(Some);
    }
    Ok(None)
}

fn zipped(bytes: &[u8]) -> Result<Unpacked, Fault> {
    let wrong = |why: zip::result::ZipError| packed("zip", &why.to_string());
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(wrong)?;
    if archive.len() > ZIP_FILES_MAX {
        let most = ZIP_FILES_MAX as u64;
        return Err(Fault::whole(Reason::TooMany { what: "files in the zip", most }));
    }
    let mut files = Vec::new();
    for number in 0..archive.len() {
        if archive.by_index_raw(number).map_err(wrong)?.is_file() {
            files.push(number);
        }
    }
    let [only] = files[..] else { return Err(Fault::whole(Reason::ManyFiles(files.len()))) };
    let file = archive.by_index(only).map_err(wrong)?;
    let name = Some(String::from_utf8_lossy(file.name_raw()).into_owned());
    let out = bounded("zip", file, bytes.len())?;
    Ok(Unpacked { name, bytes: out })
}

/// Reads to the end, or to what so small a file cannot honestly hold.
fn bounded(kind: &'static str, from: impl Read, packed_len: usize) -> Result<Vec<u8>, Fault> {
    let most = packed_len.saturating_mul(UNPACKED_PER_BYTE_MAX).clamp(UNPACKED_FREE, BYTES_MAX);
    let mut out = Vec::new();
    let read = from.take(most as u64 + 1).read_to_end(&mut out);
    read.map_err(|why| packed(kind, &why.to_string()))?;
    if out.len() > most {
        return Err(too_large(most));
    }
    Ok(out)
}

fn packed(kind: &'static str, why: &str) -> Fault {
    Fault::whole(Reason::Packed { kind, why: shown(why) })
}

fn too_large(most: usize) -> Fault {
    Fault::whole(Reason::TooMany { what: "bytes", most: most as u64 })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).expect("memory takes it");
        encoder.finish().expect("memory takes it")
    }

    fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            writer.start_file(*name, SimpleFileOptions::default()).expect("a new name");
            writer.write_all(bytes).expect("memory takes it");
        }
        writer.finish().expect("memory takes it").into_inner()
    }

    #[test]
    fn what_was_packed_comes_out() {
        let out = unpack(&gzip(b"hello")).expect("it is gzip").expect("it is packed");
        assert_eq!(out.bytes, b"hello");
        let packed = zip(&[("a.swf", b"hello")]);
        let out = unpack(&packed).expect("it is a zip").expect("it is packed");
        assert_eq!((out.name.as_deref(), &out.bytes[..]), (Some("a.swf"), &b"hello"[..]));
        assert!(unpack(b"hello").expect("it is nothing").is_none());
    }

    #[test]
    fn a_cut_or_damaged_file_is_refused() {
        let whole = gzip(b"hello");
        assert!(unpack(&whole[..whole.len() - 3]).is_err());
        let whole = zip(&[("a", b"hello")]);
        assert!(unpack(&whole[..whole.len() - 3]).is_err());
    }

    #[test]
    fn a_file_that_grows_too_much_is_refused() {
        let zeros = vec![0; 4 << 20];
        assert!(matches!(
            unpack(&gzip(&zeros)).map(|_| ()).map_err(|fault| fault.reason),
            Err(Reason::TooMany { what: "bytes", .. })
        ));
        assert!(unpack(&zip(&[("a", &zeros)])).is_err());
    }

    #[test]
    fn a_zip_must_hold_one_file() {
        let packed = zip(&[("a", b"1"), ("b", b"2")]);
        let fault = unpack(&packed).map(|_| ()).expect_err("it holds two");
        assert_eq!(fault.reason, Reason::ManyFiles(2));
    }
}
