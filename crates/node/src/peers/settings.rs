//! Settings of the whole cluster. Each change has a number above all that its member had heard of,
//! and the member's own, so that of any two changes every member takes the same one for the later.
//! They are kept in a file and told to all, as removals are.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bary_identity::sheet::{Sheet, SheetError};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::decisions;
use super::envelope;
use super::file;
use super::roster::{Peers, lock};
use crate::serve::log::Level;

/// The file's name.
const NAME: &str = "settings";
/// Its kind of text: a change a line, as JSON.
const SHEET: Sheet = Sheet { magic: "bary-settings", version: 1, what: "list of settings" };
/// How many changes of one setting are kept.
const CHANGES_KEPT_MAX: usize = 32;
/// How many settings there are at most.
const KEYS_MAX: usize = 64;
/// How many things decided of nodes are kept, each as it was decided last.
const DECISIONS_MAX: usize = 1_024;
/// The most bytes of a key, a value, a name or a reason.
const TEXT_BYTES_MAX: usize = 1_024;

/// One change of a setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    /// Which setting.
    pub(crate) key: Box<str>,
    /// Its value; none where it is set no more.
    pub(crate) value: Option<Box<str>>,
    /// Above that of all changes that were known then.
    pub(crate) number: u64,
    /// The member where it was made.
    pub(crate) member: u64,
    /// What that is called.
    pub(crate) at_member: Box<str>,
    /// By whom.
    pub(crate) who: Box<str>,
    /// When, as text.
    pub(crate) at: Box<str>,
    /// Why, where somebody said so.
    pub(crate) reason: Box<str>,
}

impl Change {
    /// What orders changes.
    pub(super) fn version(&self) -> (u64, u64) {
        (self.number, self.member)
    }

    fn is_sound(&self) -> bool {
        let value = self.value.as_deref().unwrap_or_default();
        let texts = [&*self.key, value, &*self.at_member, &*self.who, &*self.at, &*self.reason];
        !self.key.is_empty() && texts.iter().all(|text| text.len() <= TEXT_BYTES_MAX)
    }
}

/// The changes of each setting, the last one at the end.
type Changes = BTreeMap<Box<str>, Vec<Change>>;

/// All changes that were heard of.
#[derive(Debug)]
pub(super) struct Settings {
    path: PathBuf,
    all: Mutex<Changes>,
    /// How often something has changed.
    news: watch::Sender<u64>,
}

/// Why the file is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error(transparent)]
    File(#[from] io::Error),
    #[error(transparent)]
    Sheet(#[from] SheetError),
    #[error("line {0} is no change of a setting")]
    Line(usize),
}

impl Settings {
    /// Those of a directory; none where there is no file.
    pub(super) fn open(dir: &Path) -> Result<Self, SettingsError> {
        let path = dir.join(NAME);
        let mut all = Changes::new();
        if let Some(text) = file::read_text(&path)? {
            for (at, line) in SHEET.lines(&text)? {
                let change = serde_json::from_str(line).map_err(|_| SettingsError::Line(at))?;
                add(&mut all, change);
            }
        }
        Ok(Self { path, all: Mutex::new(all), news: watch::Sender::new(0) })
    }

    /// Takes in changes, durably; whether one was not known.
    fn take(&self, changes: impl IntoIterator<Item = Change>) -> io::Result<bool> {
        self.take_into(self.all(), changes)
    }

    /// Takes in a change that is made of its number, above all that are known; none where it does
    /// not fit.
    fn take_next(&self, make: impl FnOnce(u64) -> Change) -> io::Result<Option<Change>> {
        let all = self.all();
        let last = all.values().flatten().map(|change| change.number).max().unwrap_or(0);
        // One that has no number left above it is too old to be kept, or known.
        let change = make(last.saturating_add(1));
        Ok(self.take_into(all, [change.clone()])?.then_some(change))
    }

    fn take_into(
        &self,
        mut all: MutexGuard<'_, Changes>,
        changes: impl IntoIterator<Item = Change>,
    ) -> io::Result<bool> {
        let mut with = all.clone();
        let mut is_news = false;
        for change in changes {
            is_news |= add(&mut with, change);
        }
        if !is_news {
            return Ok(false);
        }
        // Nothing in a change refuses to be written.
        let lines = with.values().flatten();
        let lines = lines.map(|change| serde_json::to_string(change).unwrap_or_default());
        file::write(&self.path, SHEET.print(lines).as_bytes())?;
        *all = with;
        drop(all);
        self.news.send_modify(|news| *news += 1);
        Ok(true)
    }

    fn all(&self) -> MutexGuard<'_, Changes> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds a change; false where it is known, too old to be kept, or has no room.
fn add(all: &mut Changes, change: Change) -> bool {
    let is_decision = decisions::is_decision(&change.key);
    let (keys_max, kept_max) = match is_decision {
        true => (DECISIONS_MAX, 1),
        false => (KEYS_MAX, CHANGES_KEPT_MAX),
    };
    let alike = || all.keys().filter(|key| decisions::is_decision(key) == is_decision);
    let has_room = || alike().count() < keys_max;
    if !change.is_sound() || !(all.contains_key(&change.key) || has_room()) {
        return false;
    }
    let of_key = all.entry(change.key.clone()).or_default();
    match of_key.binary_search_by_key(&change.version(), Change::version) {
        Ok(_) => false,
        Err(0) if of_key.len() >= kept_max => false,
        Err(at) => {
            of_key.insert(at, change);
            if of_key.len() > kept_max {
                of_key.remove(0);
            }
            true
        }
    }
}

impl Peers {
    /// Sets a setting of the whole cluster, or takes it back, and tells the others. Blocks for the
    /// disk.
    ///
    /// # Errors
    /// Where it cannot be written; nothing was changed then.
    pub(crate) fn set(
        &self,
        (key, value): (&str, Option<&str>),
        (who, reason): (&str, &str),
        at: &str,
    ) -> io::Result<Change> {
        let make = |number| Change {
            key: key.into(),
            value: value.map(Into::into),
            number,
            member: self.me,
            at_member: self.own_name().into(),
            who: who.into(),
            at: at.into(),
            reason: reason.into(),
        };
        let change = self.settings.take_next(make)?;
        let change = change.ok_or(io::ErrorKind::QuotaExceeded)?;
        self.tell_settings();
        Ok(change)
    }

    /// Every change of the settings that is kept, by setting, the last one at the end.
    pub(crate) fn changes(&self) -> Vec<Vec<Change>> {
        self.settings.all().values().cloned().collect()
    }

    /// What a setting is, where it is set.
    pub(crate) fn setting(&self, key: &str) -> Option<Box<str>> {
        self.settings.all().get(key)?.last()?.value.clone()
    }

    /// Tells when a setting has changed.
    pub(crate) fn settings_news(&self) -> watch::Receiver<u64> {
        self.settings.news.subscribe()
    }

    /// Another member tells its settings.
    pub(super) fn on_settings(&self, told: Vec<Change>) {
        match self.settings.take(told) {
            Ok(true) => self.tell_settings(),
            Ok(false) => {}
            Err(error) => {
                let text = format!("settings of the cluster cannot be written: {error}");
                self.log.say(Level::Error, &text, &[]);
            }
        }
    }

    /// All settings as they are told; none where there are none.
    pub(super) fn told_settings(&self) -> Option<bytes::Bytes> {
        let all: Vec<Change> = self.settings.all().values().flatten().cloned().collect();
        (!all.is_empty()).then(|| envelope::settings(&all))
    }

    fn tell_settings(&self) {
        if let Some(told) = self.told_settings() {
            let there: Vec<u64> = lock(&self.links).keys().copied().collect();
            there.into_iter().for_each(|member| self.mesh.send(member, told.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(key: &str, number: u64, member: u64) -> Change {
        Change {
            key: key.into(),
            value: Some(format!("{number}-{member}").into()),
            number,
            member,
            at_member: "a".into(),
            who: "ann".into(),
            at: "now".into(),
            reason: "".into(),
        }
    }

    fn last(settings: &Settings, key: &str) -> Option<Box<str>> {
        settings.all().get(key)?.last()?.value.clone()
    }

    #[test]
    fn of_two_changes_all_take_the_same_for_the_later_in_whatever_order_they_hear_them() {
        let changes = [change("k", 2, 9), change("k", 2, 7), change("k", 1, 99), change("l", 1, 1)];
        for first in 0..changes.len() {
            let dir = tempfile::tempdir().expect("there is room");
            let settings = Settings::open(dir.path()).expect("there are none yet");
            let mut told = changes.to_vec();
            told.rotate_left(first);
            for one in told {
                assert!(settings.take([one.clone()]).expect("there is room"));
                assert!(!settings.take([one]).expect("there is room"), "that is known");
            }
            assert_eq!(last(&settings, "k").as_deref(), Some("2-9"));
            let again = Settings::open(dir.path()).expect("they were written");
            assert_eq!(*again.all(), *settings.all());
        }
    }

    #[test]
    fn changes_made_at_a_time_have_numbers_of_their_own() {
        let dir = tempfile::tempdir().expect("there is room");
        let settings = Settings::open(dir.path()).expect("there are none yet");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let made = settings.take_next(|number| change("k", number, 1));
                    assert!(made.expect("there is room").is_some());
                });
            }
        });
        let numbers: Vec<u64> = settings.all()["k"].iter().map(|change| change.number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert!(settings.take([change("k", u64::MAX, 1)]).expect("there is room"));
        let made = settings.take_next(|number| change("k", number, 1));
        assert!(made.expect("nothing is written").is_none(), "there is no number above it");
    }

    #[test]
    fn no_more_is_kept_than_fits() {
        let mut all = Changes::new();
        for number in 0..100 {
            assert!(add(&mut all, change("k", 100 + number, 1)));
        }
        assert_eq!(all["k"].len(), CHANGES_KEPT_MAX);
        assert!(!add(&mut all, change("k", 1, 1)), "it is older than all that are kept");
        assert!(!add(&mut all, change(&"k".repeat(TEXT_BYTES_MAX + 1), 1, 1)));
        for key in 0..KEYS_MAX {
            add(&mut all, change(&format!("key-{key}"), 1, 1));
        }
        assert_eq!(all.len(), KEYS_MAX);
        for node in 0..=DECISIONS_MAX {
            let fits = add(&mut all, change(&format!("node-drain {node}"), 1, 1));
            assert_eq!(fits, node < DECISIONS_MAX);
        }
        assert!(add(&mut all, change("node-drain 0", 2, 1)), "it is decided otherwise");
        assert!(!add(&mut all, change("node-drain 0", 1, 9)), "that was before");
        assert_eq!(all["node-drain 0"].len(), 1);
    }
}
