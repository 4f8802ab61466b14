//! The file `state` of a state's directory: its version, which shard lives there, and when its
//! clock was zero. It is written before anything else and never again,
//! or last where a state is made of a copy.

use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bary_model::id::ShardId;
use bary_model::time::{Moment, Span};

/// The file's name.
pub(crate) const NAME: &str = "state";
/// The name under which it is written.
const DRAFT: &str = "state.draft";
/// What it begins with.
const MAGIC: &str = "bary-state";
/// The version that is written and the newest that is read.
const VERSION: u32 = 1;

/// Who lives in a state, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Birth {
    pub(crate) shard: ShardId,
    /// When its clock was zero.
    pub(crate) at: SystemTime,
}

/// Why there is none.
#[derive(Debug)]
pub(crate) enum BirthError {
    /// A newer program wrote it.
    Newer(u32),
    /// It is not what was written.
    Damaged,
    Refused(io::Error),
}

impl Birth {
    /// The one of a directory, where it has one.
    pub(crate) fn of(dir: &Path) -> Result<Option<Self>, BirthError> {
        match fs::read_to_string(dir.join(NAME)) {
            Ok(text) => Self::parse(&text).map(Some),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) if cause.kind() == io::ErrorKind::InvalidData => Err(BirthError::Damaged),
            Err(cause) => Err(BirthError::Refused(cause)),
        }
    }

    /// A new one for a directory that has none.
    pub(crate) fn make(dir: &Path) -> Result<Self, BirthError> {
        let born = Self::now();
        born.write(dir).map_err(BirthError::Refused)?;
        Ok(born)
    }

    /// The instant at which its clock was zero, and no later than lets `latest` be in the past.
    pub(crate) fn origin(self, latest: Moment) -> Instant {
        let age = SystemTime::now().duration_since(self.at).unwrap_or_default();
        // The calendar's clock may have been set back meanwhile; the state's never goes back.
        let age = age.max(Span(latest.0).to_std());
        let now = Instant::now();
        now.checked_sub(age).unwrap_or(now)
    }

    /// Another shard on the same clock, which nobody takes for this one.
    pub(crate) fn again(self) -> Self {
        Self { at: self.at, ..Self::now() }
    }

    fn now() -> Self {
        // A new state's keys are drawn by the system.
        let drawn = RandomState::new().build_hasher().finish();
        Self { shard: ShardId(drawn), at: SystemTime::now() }
    }

    pub(crate) fn write(self, dir: &Path) -> io::Result<()> {
        let since = self.at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let (shard, nanos) = (self.shard.0, since.as_nanos());
        let text = format!("{MAGIC} {VERSION}\nshard {shard:016x}\nsince {nanos}\n");
        let mut file = File::create(dir.join(DRAFT))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(dir.join(DRAFT), dir.join(NAME))?;
        if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
    }

    fn parse(text: &str) -> Result<Self, BirthError> {
        let mut lines = text.lines();
        let mut value = |name: &str| {
            let line = lines.next().unwrap_or_default();
            line.strip_prefix(name)?.strip_prefix(' ')
        };
        let version: u32 = value(MAGIC).and_then(|v| v.parse().ok()).ok_or(BirthError::Damaged)?;
        if version > VERSION {
            return Err(BirthError::Newer(version));
        }
        let shard = value("shard").and_then(|v| u64::from_str_radix(v, 16).ok());
        let since = value("since").and_then(|v| v.parse::<u64>().ok());
        let (Some(shard), Some(since)) = (shard, since) else { return Err(BirthError::Damaged) };
        Ok(Self { shard: ShardId(shard), at: UNIX_EPOCH + Duration::from_nanos(since) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_born_once() {
        let dir = tempfile::tempdir().expect("there is room");
        assert_eq!(Birth::of(dir.path()).expect("it can be read"), None);
        let first = Birth::make(dir.path()).expect("it can be written");
        assert_eq!(Birth::of(dir.path()).expect("it can be read"), Some(first));
        let other = tempfile::tempdir().expect("there is room");
        let other = Birth::make(other.path()).expect("it can be written");
        assert_ne!(other.shard, first.shard);
    }

    #[test]
    fn what_is_no_state_or_a_later_one_is_told() {
        assert!(matches!(Birth::parse("bary-state 2\nnew things"), Err(BirthError::Newer(2))));
        for text in ["", "bary-state x", "bary-state 1\n", "bary-state 1\nshard g\nsince 1\n"] {
            assert!(matches!(Birth::parse(text), Err(BirthError::Damaged)), "{text}");
        }
    }
}
