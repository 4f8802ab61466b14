//! Finding the file of a program along `PATH`, with the last finds remembered.

use std::collections::BTreeMap;
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bary_model::outcome::Failure;

/// Remembers where programs are.
#[derive(Default)]
pub(crate) struct Lookup {
    found: BTreeMap<Vec<u8>, CString>,
}

/// How many programs are remembered; past it all are forgotten.
const REMEMBERED_MAX: usize = 256;

impl Lookup {
    /// The file of a program. A name with a slash is a path already.
    pub(crate) fn find(&mut self, name: &[u8], path: &OsStr) -> Result<CString, Failure> {
        if name.contains(&b'/') {
            return CString::new(name).map_err(|_| holds_zero(name));
        }
        if let Some(found) = self.found.get(name) {
            return Ok(found.clone());
        }
        let found = search(name, path)?;
        if self.found.len() >= REMEMBERED_MAX {
            self.found.clear();
        }
        self.found.insert(name.to_vec(), found.clone());
        Ok(found)
    }

    /// Forgets all, since a file is no longer where it was found or the path is another.
    pub(crate) fn forget(&mut self) {
        self.found.clear();
    }
}

fn search(name: &[u8], path: &OsStr) -> Result<CString, Failure> {
    let mut unusable = None;
    for directory in std::env::split_paths(path) {
        let file = directory.join(OsStr::from_bytes(name));
        match std::fs::metadata(&file) {
            Ok(there) if there.is_file() && there.permissions().mode() & 0o111 != 0 => {
                let bytes = file.into_os_string().into_vec();
                return CString::new(bytes).map_err(|_| holds_zero(name));
            }
            Ok(there) if there.is_file() => unusable = unusable.or(Some(file)),
            Ok(_) | Err(_) => {}
        }
    }
    Err(unusable.map_or_else(|| not_found(name), |file| not_executable(&file)))
}

/// The failure of a program that is not there.
pub(crate) fn not_found(name: &[u8]) -> Failure {
    let name = String::from_utf8_lossy(name);
    let fix = if name.contains('/') { "check its path" } else { "install it, or give its path" };
    Failure::NotStarted(format!("program `{name}` was not found; {fix}").into())
}

/// The failure of a file that nobody may execute.
pub(crate) fn not_executable(file: &Path) -> Failure {
    let name = file.display();
    Failure::NotStarted(format!("`{name}` is not executable; chmod +x it").into())
}

/// The failure of a word that no system can take.
pub(crate) fn holds_zero(word: &[u8]) -> Failure {
    let word = String::from_utf8_lossy(word);
    Failure::NotStarted(format!("{word:?} holds a zero byte, which no argument can").into())
}
