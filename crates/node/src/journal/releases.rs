//! Results that nothing in this state refers to any more, until the members that made them, and
//! those that may have copies, have heard so. What is to be given back once a log has taken over
//! what was prepared for it stands in a file beside the log first: a crash in between leaves the
//! one or the other.

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

/// How many copies one member is told of later that is away.
const UNHEARD_MAX: usize = 65_536;

/// What is to be given back.
#[derive(Debug)]
pub(crate) struct Releases {
    dir: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What nobody has been told of yet.
    fresh: BTreeSet<Kept>,
    /// Whether members are being told of that.
    spreading: bool,
    /// What members have not heard that were away, or did not answer.
    unheard: BTreeMap<u64, BTreeSet<Kept>>,
    /// The members that are being told.
    told: BTreeSet<u64>,
    /// What was prepared last.
    next: Vec<Kept>,
    /// Whether somebody else has the file by now.
    closed: bool,
}

impl Releases {
    /// What is to be given back of a state whose log begins after this batch.
    pub(crate) fn open(dir: &Path, adopted: Lsn) -> io::Result<Self> {
        let mut state = State::default();
        if let Some(text) = file::read_all(&dir.join(NAME))? {
            for (kept, whom) in text.lines().filter_map(read) {
                match whom {
                    Some(whom) => drop(state.unheard.entry(whom).or_default().insert(kept)),
                    None => drop(state.fresh.insert(kept)),
                }
            }
        }
        let next = file::read_all(&dir.join(NEXT))?;
        let releases = Self { dir: dir.to_owned(), state: Mutex::new(state) };
        if let Some(text) = next {
            let mut lines = text.lines();
            let until = lines.next().and_then(|line| line.parse().ok()).map(Lsn);
            if until.is_some_and(|until| until <= adopted) {
                releases.state().next = lines.filter_map(read).map(|(kept, _)| kept).collect();
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
        kept.iter().for_each(|kept| print(kept, None, &mut text));
        let mut state = self.state();
        state.next = kept;
        file::write(&self.dir.join(NEXT), text.as_bytes())
    }

    /// The log has taken it over.
    pub(crate) fn adopt(&self) -> io::Result<()> {
        let mut state = self.state();
        let next = std::mem::take(&mut state.next);
        if !next.is_empty() {
            state.fresh.extend(next);
            self.write(&state)?;
        }
        match std::fs::remove_file(self.dir.join(NEXT)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Whether there is something that nobody has been told of, nor is being; it is from now on.
    pub(crate) fn is_to_spread(&self) -> bool {
        let mut state = self.state();
        let is_to = !state.fresh.is_empty() && !state.spreading;
        state.spreading |= is_to;
        is_to
    }

    /// At most so much of what nobody has been told of.
    pub(crate) fn fresh(&self, most: usize) -> Vec<Kept> {
        self.state().fresh.iter().take(most).copied().collect()
    }

    /// All members have been told of these, and some have not heard it; of how many copies those
    /// are not told any more, as there are too many.
    pub(crate) fn spread(&self, kept: &[Kept], unheard: &[u64]) -> io::Result<u64> {
        let (mut state, mut left) = (self.state(), 0);
        for one in kept {
            state.fresh.remove(one);
            for whom in unheard {
                let all = state.unheard.entry(*whom).or_default();
                if *whom == one.member || all.len() < UNHEARD_MAX {
                    all.insert(*one);
                } else {
                    left += 1;
                }
            }
        }
        self.write(&state).map(|()| left)
    }

    /// Members are not being told of what is new any more.
    pub(crate) fn rest(&self) {
        self.state().spreading = false;
    }

    /// The members that are to give something back, and are not being told; they are from now on.
    pub(crate) fn waiting(&self) -> Vec<u64> {
        let mut state = self.state();
        let waiting = state.unheard.keys().filter(|member| !state.told.contains(member));
        let waiting: Vec<u64> = waiting.copied().collect();
        state.told.extend(&waiting);
        waiting
    }

    /// A member is not being told any more.
    pub(crate) fn rest_at(&self, member: u64) {
        self.state().told.remove(&member);
    }

    /// At most so much of what a member is to give back.
    pub(crate) fn of(&self, member: u64, most: usize) -> Vec<Kept> {
        let state = self.state();
        state.unheard.get(&member).into_iter().flatten().take(most).copied().collect()
    }

    /// A member has heard these.
    pub(crate) fn done(&self, member: u64, kept: &[Kept]) -> io::Result<()> {
        let mut state = self.state();
        if let Some(all) = state.unheard.get_mut(&member) {
            for one in kept {
                all.remove(one);
            }
            if all.is_empty() {
                state.unheard.remove(&member);
            }
        }
        self.write(&state)
    }

    /// Writes nothing any more, as another has the file from now on.
    pub(crate) fn close(&self) {
        self.state().closed = true;
    }

    fn write(&self, state: &State) -> io::Result<()> {
        if state.closed {
            return Ok(());
        }
        let mut text = String::new();
        state.fresh.iter().for_each(|kept| print(kept, None, &mut text));
        for (whom, all) in &state.unheard {
            for kept in all {
                // Who made it is told without being named, as by earlier versions.
                let whom = Some(*whom).filter(|whom| *whom != kept.member);
                print(kept, whom, &mut text);
            }
        }
        file::write(&self.dir.join(NAME), text.as_bytes())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line of the file; with the member that has not heard of it and did not make it.
fn print(kept: &Kept, whom: Option<u64>, to: &mut String) {
    let Kept { member, blob: BlobRef { id, len }, hash } = kept;
    let hash = blake3::Hash::from_bytes(*hash).to_hex();
    let whom = whom.map(|whom| format!(" {whom:x}")).unwrap_or_default();
    to.push_str(&format!("{member:x} {id:x} {len:x} {hash}{whom}\n"));
}

fn read(line: &str) -> Option<(Kept, Option<u64>)> {
    let mut parts = line.split(' ');
    let mut number = || u64::from_str_radix(parts.next()?, 16).ok();
    let (member, id, len) = (number()?, number()?, number()?);
    let hash = *blake3::Hash::from_hex(parts.next()?).ok()?.as_bytes();
    let whom = parts.next().map(|whom| u64::from_str_radix(whom, 16)).transpose().ok()?;
    let kept = Kept { member, blob: BlobRef { id, len }, hash };
    parts.next().is_none().then_some((kept, whom))
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
        let all = vec![kept(5, 1), kept(5, 2), kept(6, 3)];
        releases.prepare(Lsn(7), all.clone()).expect("there is room");
        assert!(!releases.is_to_spread(), "the log may refer to it");
        drop(releases);
        assert!(!open(6).is_to_spread(), "what was prepared was never taken over");
        let releases = open(6);
        releases.prepare(Lsn(7), all.clone()).expect("there is room");
        drop(releases);
        let releases = open(7);
        assert_eq!((releases.is_to_spread(), releases.is_to_spread()), (true, false));
        assert_eq!((releases.fresh(9), releases.fresh(1)), (all.clone(), all[..1].to_vec()));
        releases.spread(&all, &[5, 8]).expect("there is room");
        releases.rest();
        assert!(!releases.is_to_spread() && releases.fresh(9).is_empty());
        assert_eq!((releases.waiting(), releases.waiting()), (vec![5, 8], Vec::new()));
        releases.rest_at(8);
        assert_eq!(releases.waiting(), [8]);
        releases.done(5, &all).expect("there is room");
        releases.done(8, &[kept(5, 1), kept(5, 2)]).expect("there is room");
        assert_eq!((open(0).of(5, 9), open(0).of(8, 9)), (Vec::new(), vec![kept(6, 3)]));
        releases.prepare(Lsn(9), vec![kept(5, 4)]).expect("there is room");
        releases.adopt().expect("there is room");
        assert_eq!(open(0).fresh(9), [kept(5, 4)]);
        // Who made it is told anew after a restart, and with it all others.
        releases.spread(&[kept(5, 4)], &[5]).expect("there is room");
        assert_eq!((open(0).fresh(9), open(0).of(8, 9)), (vec![kept(5, 4)], vec![kept(6, 3)]));
        releases.close();
        releases.done(8, &[kept(6, 3)]).expect("nothing is written");
        assert_eq!(open(0).of(8, 9), [kept(6, 3)], "another has the file");
    }

    #[test]
    fn one_that_is_away_is_told_of_so_many_copies_and_of_all_that_it_made() {
        let dir = tempfile::tempdir().expect("there is room");
        let releases = Releases::open(dir.path(), Lsn(0)).expect("it can be read");
        let all: Vec<Kept> = (0..=UNHEARD_MAX as u64).map(|id| kept(5, id)).collect();
        assert_eq!(releases.spread(&all, &[5, 6]).expect("there is room"), 1);
        let count = |member| releases.of(member, usize::MAX).len();
        assert_eq!((count(5), count(6)), (UNHEARD_MAX + 1, UNHEARD_MAX));
    }
}
