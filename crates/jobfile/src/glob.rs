//! Which files a path, a directory or a pattern stands for. Directories are walked to the
//! bottom except those named `.git` and `target`; the files come sorted by name.

use std::io;
use std::path::{Path, PathBuf};

use crate::files::{EntryKind, Files};
use crate::limits;

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// A directory, a file, or a pattern with `*`, `?`, `[...]` or, for any depth, `**`.
    pub path: String,
    /// The directory that a relative path starts from.
    pub base: PathBuf,
    /// A pattern that names of files must match.
    pub name: Option<String>,
    /// Whether to leave out what is not text.
    pub text: bool,
}

/// Why files could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// A file or directory could not be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// There is no such file or directory.
    #[error("there is no file or directory {}", path.display())]
    Missing {
        /// What was looked for.
        path: PathBuf,
    },
    /// There are more files than the limit.
    #[error("there are more than each_file_files_max = {} files", limits::EACH_FILE_FILES_MAX)]
    TooMany,
}

/// Directories that are never walked: what is in them is made, not written.
const SKIPPED: [&str; 2] = [".git", "target"];

/// The files that a search stands for, relative as its path and base are, sorted.
///
/// # Errors
/// Where a directory or file on the way cannot be read, or there are too many.
pub fn find(search: &Search, files: &dyn Files) -> Result<Vec<PathBuf>, SearchError> {
    let path = search.path.strip_prefix("./").unwrap_or(&search.path);
    let parts: Vec<&str> = path.split('/').collect();
    let plain = parts.iter().take_while(|part| !is_pattern(part)).count();
    let root = if path == "." { String::new() } else { parts[..plain].join("/") };
    let root = if root.is_empty() && path.starts_with('/') { "/".to_owned() } else { root };
    let root = search.base.join(root);
    let mut walk = Walk { files, search, found: Vec::new() };
    if plain < parts.len() {
        walk.descend(&root, &parts[plain..])?;
    } else if files.is_directory(&root) {
        walk.descend(&root, &["**", "*"])?;
    } else if files.is_file(&root) {
        walk.keep(root)?;
    } else {
        return Err(SearchError::Missing { path: root });
    }
    walk.found.sort();
    walk.found.dedup();
    Ok(walk.found)
}

struct Walk<'a> {
    files: &'a dyn Files,
    search: &'a Search,
    found: Vec<PathBuf>,
}

impl Walk<'_> {
    /// Follows the rest of a pattern below a directory. Each level of the walk is one level of
    /// directories, so it is as deep as the file system lets paths be.
    fn descend(&mut self, directory: &Path, pattern: &[&str]) -> Result<(), SearchError> {
        let Some((&part, rest)) = pattern.split_first() else { return Ok(()) };
        if part == "**" && !rest.is_empty() {
            self.descend(directory, rest)?;
        }
        let entries = self.files.list(directory);
        let entries =
            entries.map_err(|error| SearchError::Read { path: directory.into(), error })?;
        for entry in entries {
            let path = directory.join(&entry.name);
            let name = entry.name.as_encoded_bytes();
            let deep = part == "**";
            match entry.kind {
                EntryKind::Directory if SKIPPED.iter().any(|skip| skip.as_bytes() == name) => {}
                EntryKind::Directory if deep => self.descend(&path, pattern)?,
                EntryKind::Directory if !rest.is_empty() && matches(part.as_bytes(), name) => {
                    self.descend(&path, rest)?;
                }
                EntryKind::File if rest.is_empty() && matches(part.as_bytes(), name) => {
                    self.keep(path)?;
                }
                EntryKind::File | EntryKind::Directory | EntryKind::Other => {}
            }
        }
        Ok(())
    }

    fn keep(&mut self, path: PathBuf) -> Result<(), SearchError> {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        if self.search.name.as_ref().is_some_and(|wanted| !matches(wanted.as_bytes(), name)) {
            return Ok(());
        }
        let read = |error| SearchError::Read { path: path.clone(), error };
        if self.search.text && !self.files.is_text(&path).map_err(read)? {
            return Ok(());
        }
        if self.found.len() as u64 >= limits::EACH_FILE_FILES_MAX {
            return Err(SearchError::TooMany);
        }
        self.found.push(path);
        Ok(())
    }
}

fn is_pattern(part: &str) -> bool {
    part.contains(['*', '?', '['])
}

/// Whether a name matches a pattern: `*` is any bytes, `?` any one, `[a-z]` or `[!a-z]` a set.
/// A set that is not closed stands for itself.
#[must_use]
pub fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut here) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while here < name.len() {
        if pattern.get(at) == Some(&b'*') {
            star = Some((at, here));
            at += 1;
        } else if let Some(len) = one(&pattern[at..], name[here]) {
            at += len;
            here += 1;
        } else if let Some((star_at, star_here)) = star {
            star = Some((star_at, star_here + 1));
            (at, here) = (star_at + 1, star_here + 1);
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

/// How many bytes of the pattern match one byte of the name, where they do.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match *pattern.first()? {
        b'?' => Some(1),
        b'[' => match pattern.iter().skip(2).position(|&end| end == b']') {
            Some(len) => in_set(&pattern[1..len + 2], byte).then_some(len + 3),
            None => (byte == b'[').then_some(1),
        },
        letter => (letter == byte).then_some(1),
    }
}

fn in_set(set: &[u8], byte: u8) -> bool {
    let (set, not) = match set.split_first() {
        Some((b'!' | b'^', rest)) if !rest.is_empty() => (rest, true),
        _ => (set, false),
    };
    let mut inside = false;
    let mut at = 0;
    while at < set.len() {
        if at + 2 < set.len() && set[at + 1] == b'-' {
            inside |= (set[at]..=set[at + 2]).contains(&byte);
            at += 3;
        } else {
            inside |= set[at] == byte;
            at += 1;
        }
    }
    inside != not
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Disk;
    use std::fs;

    #[test]
    fn names_match_as_in_a_shell() {
        let yes =
            [("*.rs", "a.rs"), ("a?c", "abc"), ("[a-c]x", "bx"), ("[!a]*", "b"), ("*a*b", "xaab")];
        let no =
            [("*.rs", "a.rs2"), ("a?c", "ac"), ("[a-c]x", "dx"), ("[!a]*", "a"), ("*a*b", "xaa")];
        for (pattern, name) in yes {
            assert!(matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
        for (pattern, name) in no {
            assert!(!matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
        assert!(matches(b"[x", b"[x") && matches(b"[]]", b"]"));
    }

    #[test]
    fn directories_are_walked_and_patterns_followed() {
        let root = tempfile::tempdir().expect("a temporary directory can be made");
        for name in ["a.txt", "b.rs", "d/c.txt", "d/e/f.txt", ".git/x.txt", "target/y.txt"] {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
            fs::write(&path, if name == "b.rs" { "\0" } else { "text" })
                .expect("it can be written");
        }
        let search = |path: &str, name: Option<&str>, text| {
            let base = root.path().to_owned();
            let search = Search { path: path.into(), base, name: name.map(str::to_owned), text };
            let found = find(&search, &Disk).expect("the directory can be read");
            let relative = |path: &PathBuf| {
                path.strip_prefix(root.path()).expect("it is below").display().to_string()
            };
            found.iter().map(relative).collect::<Vec<_>>()
        };
        assert_eq!(search(".", None, false), ["a.txt", "b.rs", "d/c.txt", "d/e/f.txt"]);
        assert_eq!(search(".", None, true), ["a.txt", "d/c.txt", "d/e/f.txt"]);
        assert_eq!(search("d", Some("c*"), false), ["d/c.txt"]);
        assert_eq!(search("*.txt", None, false), ["a.txt"]);
        assert_eq!(search("**/*.txt", None, false), ["a.txt", "d/c.txt", "d/e/f.txt"]);
        assert_eq!(search("d/*/*.txt", None, false), ["d/e/f.txt"]);
        assert_eq!(search("./a.txt", None, false), ["a.txt"]);
        let missing = Search { path: "no/*".into(), ..Search::default() };
        assert!(matches!(find(&missing, &Disk), Err(SearchError::Read { .. })));
    }
}
