//! The files of a log: each is named by the number of its first line, so their order is known.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What follows the number in a name.
const ENDING: &str = ".jsonl";
/// How many digits a name has: enough for any number, so that names sort as numbers.
const DIGITS: usize = 20;

/// The name of the file whose first line has this number.
pub(super) fn name(first: u64) -> String {
    format!("{first:0DIGITS$}{ENDING}")
}

/// The file whose first line has this number.
pub(super) fn path(dir: &Path, first: u64) -> PathBuf {
    dir.join(name(first))
}

/// The numbers of the first lines of all files in a directory, in order. Others are passed over.
pub(super) fn list(dir: &Path) -> io::Result<Vec<u64>> {
    let mut firsts = Vec::new();
    for found in fs::read_dir(dir)? {
        let found = found?.file_name();
        let first = found.to_str().and_then(|found| found.strip_suffix(ENDING));
        let first = first.and_then(|digits| digits.parse().ok());
        firsts.extend(first.filter(|first| found.to_str() == Some(&name(*first))));
    }
    firsts.sort_unstable();
    Ok(firsts)
}
