//! Small files that only their owner may read: written whole under another name, then renamed, so
//! that none is ever there in part.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

/// How many bytes of such a file are read at most.
pub(super) const BYTES_MAX: u64 = 4 << 20;

/// What a file holds; none where there is no such file.
pub(super) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(cause),
    };
    let mut bytes = Vec::new();
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(Some(bytes))
}

/// As [`read`], of text.
pub(super) fn read_text(path: &Path) -> io::Result<Option<String>> {
    let text = read(path)?.map(String::from_utf8).transpose();
    text.map_err(|_| io::ErrorKind::InvalidData.into())
}

/// What a file holds that may be of any length; none where there is no such file.
pub(crate) fn read_all(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(cause),
    }
}

/// Has a file hold these bytes and nothing else, durably.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("draft");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    match path.parent() {
        Some(dir) if cfg!(unix) => File::open(dir)?.sync_all(),
        _ => Ok(()),
    }
}

/// Makes a directory that nobody else may look into, where there is none.
pub(super) fn directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::{read, write};

    #[test]
    fn a_file_is_read_as_it_was_written_last_and_by_its_owner_only() {
        let dir = tempfile::tempdir().expect("there is room");
        let path = dir.path().join("key");
        assert_eq!(read(&path).expect("it can be looked for"), None);
        for bytes in [&b"first"[..], b"2"] {
            write(&path, bytes).expect("there is room");
            assert_eq!(read(&path).expect("it is there").as_deref(), Some(bytes));
        }
        #[cfg(unix)]
        {
            let mode = std::fs::metadata(&path).expect("it is there");
            let mode = std::os::unix::fs::PermissionsExt::mode(&mode.permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
