//! Unlinked files that hold blobs one after another; a file goes when its last blob does.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// A stretch of a file.
#[derive(Clone)]
pub(crate) struct Extent {
    pub(crate) segment: u64,
    pub(crate) file: Arc<File>,
    pub(crate) offset: u64,
    pub(crate) len: u64,
}

/// The files, the newest of which is written to.
#[derive(Default)]
pub(crate) struct Segments {
    segments: BTreeMap<u64, Segment>,
    next: u64,
}

struct Segment {
    file: Arc<File>,
    end: u64,
    blobs: u64,
}

impl Segments {
    /// Sets a stretch of `len` bytes aside, in a new file once the newest has `most` bytes.
    pub(crate) fn reserve(&mut self, len: u64, most: u64, dir: &Path) -> io::Result<Extent> {
        let has_room = |segment: &Segment| segment.end == 0 || segment.end + len <= most;
        if !self.segments.last_key_value().is_some_and(|(_, newest)| has_room(newest)) {
            let file = Arc::new(tempfile::tempfile_in(dir)?);
            self.segments.insert(self.next, Segment { file, end: 0, blobs: 0 });
            self.next += 1;
        }
        let Some((&segment, newest)) = self.segments.iter_mut().next_back() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let extent = Extent { segment, file: Arc::clone(&newest.file), offset: newest.end, len };
        newest.end += len;
        newest.blobs += 1;
        Ok(extent)
    }

    /// Gives a stretch back. A file without blobs is closed, which frees its space.
    pub(crate) fn release(&mut self, extent: &Extent) {
        let Some(segment) = self.segments.get_mut(&extent.segment) else { return };
        segment.blobs -= 1;
        if segment.blobs == 0 {
            self.segments.remove(&extent.segment);
        }
    }

    /// How many files there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.segments.len()
    }
}

impl Extent {
    /// Writes at a position inside the stretch.
    pub(crate) fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        assert!(at + bytes.len() as u64 <= self.len, "a blob must stay in its own stretch");
        write_all_at(&self.file, bytes, self.offset + at)
    }

    /// Reads all of it.
    pub(crate) fn read(&self) -> io::Result<Vec<u8>> {
        let len = usize::try_from(self.len).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let mut bytes = vec![0; len];
        self.read_part(0, &mut bytes)?;
        Ok(bytes)
    }

    /// Fills the buffer from a position inside the stretch.
    pub(crate) fn read_part(&self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        assert!(at + bytes.len() as u64 <= self.len, "a blob is read from its own stretch");
        read_exact_at(&self.file, bytes, self.offset + at)
    }
}

#[cfg(unix)]
pub(crate) fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(unix)]
pub(crate) fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(windows)]
pub(crate) fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = std::os::windows::fs::FileExt::seek_write(file, bytes, offset)?;
        bytes = &bytes[written..];
        offset += written as u64;
    }
    Ok(())
}

#[cfg(windows)]
pub(crate) fn read_exact_at(file: &File, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                bytes = &mut bytes[read..];
                offset += read as u64;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_with_its_last_blob() {
        let mut segments = Segments::default();
        let dir = std::env::temp_dir();
        let reserve = |segments: &mut Segments| {
            segments.reserve(60, 100, &dir).expect("a temporary file can be made")
        };
        let (first, second) = (reserve(&mut segments), reserve(&mut segments));
        assert_eq!(segments.len(), 2, "two of 60 bytes do not fit in 100");
        first.write(0, &[1; 60]).expect("a temporary file can be written");
        second.write(10, &[2; 50]).expect("a temporary file can be written");
        assert_eq!(first.read().expect("it can be read"), [1; 60]);
        segments.release(&first);
        assert_eq!(segments.len(), 1);
        assert_eq!(second.read().expect("the other stays")[10..], [2; 50]);
        segments.release(&second);
        assert_eq!(segments.len(), 0);
    }
}
