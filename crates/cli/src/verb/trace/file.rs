//! The file that a trace is written to.

use std::fs;
use std::path::Path;

use crate::complaint::Complaint;

/// Writes a file whole or not at all.
pub(crate) fn put(text: &str, path: &Path) -> Result<(), Complaint> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        // What was begun is of no use to anybody; that it may not be there is no second fault.
        drop(fs::remove_file(&beside));
        Complaint::failed(format!("{}: {error}", path.display()))
    })
}
