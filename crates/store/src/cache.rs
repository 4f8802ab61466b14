//! A result cache: in the files of a directory, which the next process finds again, or in memory.
//!
//! It never fails: what cannot be written is not kept, and what is not as it was written is a miss
//! and goes. Nothing is synced, since a lost result costs one more run. One process has a directory
//! at a time.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bary_model::time::{Span, Wall};
use bary_ports::cache::{Kept, Key, ResultCache};

use crate::cache::index::{Entry, Index};

mod file;
mod index;

/// How much a result cache keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheConfig {
    /// Most bytes of all results, heads of files included. Defaults to 1 GiB.
    pub cache_bytes_max: u64,
    /// As `cache_bytes_max`, of a cache that has no directory. Defaults to 64 MiB.
    pub cache_memory_bytes_max: u64,
    /// Most results. Defaults to 100,000.
    pub cache_entries_max: u64,
    /// Most bytes of one result; larger ones are not kept. Defaults to 64 MiB, as much as is kept
    /// of what a command prints.
    pub cache_entry_bytes_max: u64,
    /// How old a result grows before it goes, whatever tasks ask for. Defaults to 7 days.
    pub cache_keep_for: Span,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            cache_bytes_max: 1 << 30,
            cache_memory_bytes_max: 64 << 20,
            cache_entries_max: 100_000,
            cache_entry_bytes_max: 64 << 20,
            cache_keep_for: Span::secs(7 * 86_400),
        }
    }
}

/// The cache's limits as the documentation lists them: name, default and meaning.
pub const TABLE: &[(&str, &str, &str)] = &[
    ("cache_bytes_max", "1 GiB", "bytes of the result cache of a state"),
    ("cache_memory_bytes_max", "64 MiB", "bytes of the result cache of a node without a state"),
    ("cache_entries_max", "100,000", "results in the cache; the least recently used go first"),
    ("cache_entry_bytes_max", "64 MiB", "bytes of one result in the cache; larger ones run again"),
    ("cache_keep_for", "7 days", "how long a result stays in the cache"),
];

/// How a cache is and what it did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// How many results it has.
    pub entries: u64,
    /// How many bytes they take.
    pub bytes: u64,
    /// How many tasks were answered since the process began.
    pub hits: u64,
    /// How many ran since there was no result for them, or one that was too old.
    pub misses: u64,
    /// How many results were put in.
    pub kept: u64,
    /// How many were not: they were too large, or the disk took none.
    pub unkept: u64,
    /// How many went for want of room or for their age, or were damaged.
    pub evicted: u64,
}

/// Keeps results.
#[derive(Debug)]
pub struct Cache {
    config: CacheConfig,
    /// Where the files are; in memory where there is none.
    dir: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What there is; a directory is looked through when it is first needed.
    index: Option<Index>,
    drafts: u64,
    figures: Figures,
}

impl Cache {
    /// The cache of a directory, which is made when something is kept. It may have files of an
    /// earlier process.
    #[must_use]
    pub fn of_dir(config: CacheConfig, dir: &Path) -> Self {
        Self { config, dir: Some(dir.to_owned()), state: Mutex::default() }
    }

    /// A cache that goes with the process.
    #[must_use]
    pub fn in_memory(config: CacheConfig) -> Self {
        let state = Mutex::new(State { index: Some(Index::default()), ..State::default() });
        Self { config, dir: None, state }
    }

    /// How it is, and what it did so far. May read a directory.
    #[must_use]
    pub fn figures(&self, now: Wall) -> Figures {
        let mut state = self.state();
        self.bound(&mut state, now);
        let (entries, bytes) = self.index(&mut state).size();
        Figures { entries, bytes, ..state.figures }
    }

    /// Removes what is so old or older; how many results that were, and how many bytes.
    pub fn clear(&self, age: Span, now: Wall) -> (u64, u64) {
        let mut state = self.state();
        let before = self.index(&mut state).size();
        // The clock may have gone back since; all is all.
        let latest = if age == Span::ZERO { u64::MAX } else { now.0.saturating_sub(age.0) };
        while let Some((key, entry)) = self.index(&mut state).take_old(Wall(latest)) {
            self.remove_file(&key, &entry);
        }
        let after = self.index(&mut state).size();
        (before.0 - after.0, before.1 - after.1)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What the lock guards is changed in whole steps, so that a panic leaves it good.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn index<'a>(&self, state: &'a mut State) -> &'a mut Index {
        state.index.get_or_insert_with(|| self.dir.as_deref().map(found).unwrap_or_default())
    }

    /// Lets go what is too old or too much.
    fn bound(&self, state: &mut State, now: Wall) {
        let CacheConfig { cache_entries_max, cache_keep_for, .. } = self.config;
        let bytes_max = match self.dir {
            Some(_) => self.config.cache_bytes_max,
            None => self.config.cache_memory_bytes_max.min(self.config.cache_bytes_max),
        };
        let oldest = Wall(now.0.saturating_sub(cache_keep_for.0));
        loop {
            let index = self.index(state);
            let gone = index.take_surplus(cache_entries_max, bytes_max);
            let Some((key, entry)) = gone.or_else(|| index.take_old(oldest)) else { return };
            state.figures.evicted += 1;
            self.remove_file(&key, &entry);
        }
    }

    fn remove_file(&self, key: &Key, entry: &Entry) {
        if let Some(dir) = &self.dir {
            // One that stays is found by the next process, and goes then.
            drop(fs::remove_file(dir.join(file::name(key, entry.made, entry.bytes))));
        }
    }

    /// Writes a file that is not named yet; none where the disk takes none.
    fn draft(&self, dir: &Path, bytes: &[u8]) -> Option<PathBuf> {
        let number = {
            let mut state = self.state();
            // Drafts of an earlier process are removed before one is made.
            self.index(&mut state);
            state.drafts += 1;
            state.drafts
        };
        let draft = dir.join(format!("{number}{}", file::DRAFT));
        let written = fs::create_dir_all(dir).and_then(|()| fs::write(&draft, bytes));
        if written.is_err() {
            // It may not even be there.
            drop(fs::remove_file(&draft));
            return None;
        }
        Some(draft)
    }

    /// Puts a result in; whether it is there.
    fn keep(&self, key: &Key, kept: &Kept, now: Wall) -> bool {
        let bytes = (file::HEAD_BYTES + kept.output.len() + kept.stderr.len()) as u64;
        if bytes > self.config.cache_entry_bytes_max.min(self.config.cache_bytes_max) {
            return false;
        }
        let mut entry = Entry { made: now, bytes, kept: None };
        let named = match &self.dir {
            None => {
                entry.kept = Some(kept.clone());
                None
            }
            Some(dir) => match self.draft(dir, &file::write(key, now, kept)) {
                Some(draft) => Some((draft, dir.join(file::name(key, now, bytes)))),
                None => return false,
            },
        };
        let mut state = self.state();
        if let Some((draft, name)) = named
            && fs::rename(&draft, name).is_err()
        {
            drop(fs::remove_file(&draft));
            return false;
        }
        let (made, bytes) = (entry.made, entry.bytes);
        if let Some(before) = self.index(&mut state).insert(*key, entry)
            && (before.made, before.bytes) != (made, bytes)
        {
            self.remove_file(key, &before);
        }
        self.bound(&mut state, now);
        true
    }

    fn read(&self, key: &Key, entry: Entry) -> Option<Kept> {
        let Some(dir) = &self.dir else { return entry.kept };
        let path = dir.join(file::name(key, entry.made, entry.bytes));
        let kept = fs::read(path).ok().and_then(|bytes| file::read(key, entry.made, bytes));
        if kept.is_none() {
            let mut state = self.state();
            if let Some(entry) = self.index(&mut state).remove_made(key, entry.made) {
                state.figures.evicted += 1;
                self.remove_file(key, &entry);
            }
        }
        kept
    }
}

impl ResultCache for Cache {
    fn get(&self, key: &Key, age: Span, now: Wall) -> Option<Kept> {
        let found = self.index(&mut self.state()).find(key).cloned();
        let age = age.min(self.config.cache_keep_for);
        let fresh = found.filter(|entry| now.since(entry.made) <= age);
        fresh.and_then(|entry| self.read(key, entry))
    }

    fn put(&self, key: &Key, kept: &Kept, now: Wall) {
        let there = self.keep(key, kept, now);
        let figures = &mut self.state().figures;
        match there {
            true => figures.kept += 1,
            false => figures.unkept += 1,
        }
    }

    fn count(&self, hits: u64, misses: u64) {
        let figures = &mut self.state().figures;
        figures.hits += hits;
        figures.misses += misses;
    }
}

/// What an earlier process left in a directory, the oldest used first; what it had not finished
/// is removed.
fn found(dir: &Path) -> Index {
    let names = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut found = Vec::new();
    for name in names.filter_map(|entry| entry.file_name().into_string().ok()) {
        if name.ends_with(file::DRAFT) {
            // One that stays takes room, and is tried again by the next process.
            drop(fs::remove_file(dir.join(name)));
        } else if let Some((key, made, bytes)) = file::read_name(&name) {
            found.push((made, key, bytes));
        }
    }
    found.sort_unstable();
    let mut index = Index::default();
    for (made, key, bytes) in found {
        if let Some(before) = index.insert(key, Entry { made, bytes, kept: None }) {
            drop(fs::remove_file(dir.join(file::name(&key, before.made, before.bytes))));
        }
    }
    index
}

#[cfg(test)]
mod tests;
