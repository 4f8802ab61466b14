//! Results of other members that nothing in this state refers to any more, until those members have
//! heard so. What is to be given back once a log has taken over what was prepared for it stands in
//! a file beside the log first: a crash in between leaves the one or the other.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bary_model::id::Lsn;
use bary_model::payload::{BlobRef, Kept};

use crate::peers::file;

/// The file of what is to be given back.
const NAME: &str = "releases";
/// The file of what is, as soon as the log has taken over what was prepared up to its first line.
const NEXT: &str = "releases-next";

/// What is to be given back.
#[derive(Debug)]
pub(crate) struct Releases {
    dir: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By the member that made it.
    all: BTreeMap<u64, BTreeSet<Kept>>,
    /// The members that are being told.
    told: BTreeSet<u64>,
    /// What was prepared last.
    next: Vec<Kept>,
}

impl Releases {
    /// What is to be given back of a state whose log begins after this batch.
    pub(crate) fn open(dir: &Path, adopted: Lsn) -> io::Result<Self> {
        let mut state = State::default();
        if let Some(text) = file::read_all(&dir.join(NAME))? {
            text.lines().filter_map(read).for_each(|kept| state.add(kept));
        }
        let next = file::read_all(&dir.join(NEXT))?;
        let releases = Self { dir: dir.to_owned(), state: Mutex::new(state) };
        if let Some(text) = next {
            let mut lines = text.lines();
            let until = lines.next().and_then(|line| line.parse().ok()).map(Lsn);
            if until.is_some_and(|until| until <= adopted) {
                releases.state().next = lines.filter_map(read).collect();
                releases.adopt()?;
            } else {
                std::fs::remove_file(dir.join(NEXT))?;
            }
        }
        Ok(releases)
    }

    /// Something is to be given back once the log has taken over what was prepared up to a batch.
    pub(crate) fn prepare(&self, until: Lsn, kept: Vec<Kept>) -> io::Result<()> {
        let mut text = format!("{}\n", until.0);
        kept.iter().for_each(|kept| print(kept, &mut text));
        let mut state = self.state();
        state.next = kept;
        file::write(&self.dir.join(NEXT), text.as_bytes())
    }

    /// The log has taken it over.
    pub(crate) fn adopt(&self) -> io::Result<()> {
        let mut state = self.state();
        let next = std::mem::take(&mut state.next);
        if !next.is_empty() {
            next.into_iter().for_each(|kept| state.add(kept));
            self.write(&state)?;
        }
        match std::fs::remove_file(self.dir.join(NEXT)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The members that are to give something back, and are not being told; they are from now on.
    pub(crate) fn waiting(&self) -> Vec<u64> {
        let mut state = self.state();
        let waiting = state.all.keys().filter(|member| !state.told.contains(member));
        let waiting: Vec<u64> = waiting.copied().collect();
        state.told.extend(&waiting);
        waiting
    }

    /// A member is not being told any more.
    pub(crate) fn rest(&self, member: u64) {
        self.state().told.remove(&member);
    }

    /// At most so much of what a member is to give back.
    pub(crate) fn of(&self, member: u64, most: usize) -> Vec<Kept> {
        let state = self.state();
        state.all.get(&member).into_iter().flatten().take(most).copied().collect()
    }

    /// A member has heard these.
    pub(crate) fn done(&self, member: u64, kept: &[Kept]) -> io::Result<()> {
        let mut state = self.state();
        if let Some(all) = state.all.get_mut(&member) {
            for one in kept {
                all.remove(one);
            }
            if all.is_empty() {
                state.all.remove(&member);
            }
        }
        self.write(&state)
    }

    fn write(&self, state: &State) -> io::Result<()> {
        let mut text = String::new();
        state.all.values().flatten().for_each(|kept| print(kept, &mut text));
        file::write(&self.dir.join(NAME), text.as_bytes())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, kept: Kept) {
        self.all.entry(kept.member).or_default().insert(kept);
    }
}

fn print(kept: &Kept, to: &mut String) {
    let Kept { member, blob: BlobRef { id, len }, hash } = kept;
    let hash = blake3::Hash::from_bytes(*hash).to_hex();
    to.push_str(&format!("{member:x} {id:x} {len:x} {hash}\n"));
}

fn read(line: &str) -> Option<Kept> {
    let mut parts = line.split(' ');
    let mut number = || u64::from_str_radix(parts.next()?, 16).ok();
    let (member, id, len) = (number()?, number()?, number()?);
    let hash = *blake3::Hash::from_hex(parts.next()?).ok()?.as_bytes();
    parts.next().is_none().then_some(Kept { member, blob: BlobRef { id, len }, hash })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(member: u64, id: u64) -> Kept {
        Kept { member, blob: BlobRef { id, len: 300 }, hash: [id as u8; 32] }
    }

    #[test]
    fn what_was_taken_over_is_to_be_given_back_until_it_was_heard() {
        let dir = tempfile::tempdir().expect("there is room");
        let open = |adopted| Releases::open(dir.path(), Lsn(adopted)).expect("it can be read");
        let releases = open(0);
        releases.prepare(Lsn(7), vec![kept(5, 1), kept(5, 2), kept(6, 3)]).expect("there is room");
        assert!(releases.of(5, 10).is_empty(), "the log may refer to it");
        drop(releases);
        assert!(open(6).waiting().is_empty(), "what was prepared was never taken over");
        let releases = open(6);
        releases.prepare(Lsn(7), vec![kept(5, 1), kept(5, 2), kept(6, 3)]).expect("there is room");
        drop(releases);
        let releases = open(7);
        assert_eq!((releases.waiting(), releases.waiting()), (vec![5, 6], Vec::new()));
        releases.rest(6);
        assert_eq!(releases.waiting(), [6]);
        releases.done(5, &[kept(5, 1), kept(6, 3)]).expect("there is room");
        assert_eq!(open(0).of(5, 10), [kept(5, 2)]);
        releases.prepare(Lsn(9), vec![kept(5, 4)]).expect("there is room");
        releases.adopt().expect("there is room");
        let later = open(0);
        assert_eq!((later.of(5, 1), later.of(6, 9)), (vec![kept(5, 2)], vec![kept(6, 3)]));
        assert_eq!(later.of(5, 9), [kept(5, 2), kept(5, 4)]);
    }
}
