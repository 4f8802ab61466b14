//! The members that one has heard of, and where they are reached: a file, so that a member that
//! comes back finds the others again.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bary_identity::name::Name;
use bary_identity::sheet::{Sheet, SheetError};

use super::file;
use super::place::ADDRESSES_MAX;

/// The file's name.
const NAME: &str = "members";
/// Its kind of text.
const SHEET: Sheet = Sheet { magic: "bary-members", version: 1, what: "list of members" };
/// How many members are kept.
pub(super) const MEMBERS_MAX: usize = 1_024;

/// A member as it was heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) name: Name,
    pub(super) addresses: Vec<SocketAddr>,
}

/// All that were heard of.
#[derive(Debug)]
pub(super) struct Book {
    path: PathBuf,
    members: Mutex<BTreeMap<u64, Known>>,
    changed: AtomicBool,
    /// Held by whoever writes the file.
    saving: Mutex<()>,
}

/// Why a book cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BookError {
    #[error(transparent)]
    File(#[from] io::Error),
    #[error(transparent)]
    Sheet(#[from] SheetError),
    #[error("line {0} is not `NUMBER NAME ADDRESS,..`")]
    Line(usize),
}

impl Book {
    /// The book of a directory; an empty one where there is none.
    pub(super) fn open(dir: &Path) -> Result<Self, BookError> {
        let path = dir.join(NAME);
        let text = file::read_text(&path)?;
        let members = text.map_or_else(|| Ok(BTreeMap::new()), |text| parse(&text))?;
        let (members, changed) = (Mutex::new(members), AtomicBool::new(false));
        Ok(Self { path, members, changed, saving: Mutex::default() })
    }

    /// Notes where a member is reached; true where that was not known. One too many is not kept.
    pub(super) fn note(&self, number: u64, name: &Name, addresses: &[SocketAddr]) -> bool {
        let addresses = addresses.iter().take(ADDRESSES_MAX).copied().collect();
        let known = Known { name: name.clone(), addresses };
        let mut members = self.members();
        let is_full = members.len() >= MEMBERS_MAX && !members.contains_key(&number);
        if is_full || members.get(&number) == Some(&known) {
            return false;
        }
        members.insert(number, known);
        self.changed.store(true, Ordering::Relaxed);
        true
    }

    /// All, by their numbers.
    pub(super) fn all(&self) -> Vec<(u64, Known)> {
        self.members().iter().map(|(number, known)| (*number, known.clone())).collect()
    }

    /// A member is none any more.
    pub(super) fn remove(&self, number: u64) {
        if self.members().remove(&number).is_some() {
            self.changed.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn has(&self, number: u64) -> bool {
        self.members().contains_key(&number)
    }

    pub(super) fn name(&self, number: u64) -> Option<Name> {
        self.members().get(&number).map(|known| known.name.clone())
    }

    /// Whether there is something to save.
    pub(super) fn is_changed(&self) -> bool {
        self.changed.load(Ordering::Relaxed)
    }

    /// Writes the file where something has changed. All that was noted before is in it then,
    /// whoever writes it.
    pub(super) fn save(&self) -> io::Result<()> {
        let _saving = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.changed.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let lines = self.all().into_iter().map(|(number, known)| {
            let addresses: Vec<String> =
                known.addresses.iter().map(SocketAddr::to_string).collect();
            format!("{number:010x} {} {}", known.name, addresses.join(","))
        });
        let written = file::write(&self.path, SHEET.print(lines).as_bytes());
        if written.is_err() {
            self.changed.store(true, Ordering::Relaxed);
        }
        written
    }

    fn members(&self) -> MutexGuard<'_, BTreeMap<u64, Known>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse(text: &str) -> Result<BTreeMap<u64, Known>, BookError> {
    let lines = SHEET.lines(text)?.into_iter();
    lines.map(|(at, line)| one(line).ok_or(BookError::Line(at))).collect()
}

fn one(line: &str) -> Option<(u64, Known)> {
    let mut words = line.split(' ');
    let (number, name, addresses) = (words.next()?, words.next()?, words.next()?);
    let number = u64::from_str_radix(number, 16).ok()?;
    let addresses = addresses.split(',').filter(|text| !text.is_empty());
    let addresses = addresses.map(|text| text.parse().ok()).collect::<Option<Vec<_>>>()?;
    Some((number, Known { name: Name::new(name).ok()?, addresses }))
}

#[cfg(test)]
mod tests {
    use bary_identity::name::Name;

    use super::Book;

    #[test]
    fn members_are_known_again_as_they_were_noted() {
        let dir = tempfile::tempdir().expect("there is room");
        let book = Book::open(dir.path()).expect("there is none yet");
        let name = |text: &str| Name::new(text).expect("the test names them well");
        let at = |text: &str| text.parse().expect("it is an address");
        assert!(book.note(7 << 36, &name("a"), &[at("10.0.0.5:1"), at("[::1]:2")]));
        assert!(book.note(9 << 36, &name("b"), &[]));
        assert!(!book.note(9 << 36, &name("b"), &[]), "that was known");
        book.save().expect("there is room");
        let again = Book::open(dir.path()).expect("it was written as one");
        assert_eq!(again.all(), book.all());
        assert!(!again.is_changed());
    }

    #[test]
    fn whoever_saves_at_a_time_finds_what_he_noted_in_the_file() {
        let dir = tempfile::tempdir().expect("there is room");
        let book = Book::open(dir.path()).expect("there is none yet");
        let name = Name::new("a").expect("it is one");
        std::thread::scope(|scope| {
            for number in 1..=16 {
                let (book, name, dir) = (&book, &name, &dir);
                scope.spawn(move || {
                    assert!(book.note(number << 36, name, &[]));
                    book.save().expect("there is room");
                    let written = Book::open(dir.path()).expect("it was written as one");
                    assert!(written.has(number << 36), "it was saved");
                });
            }
        });
    }
}
