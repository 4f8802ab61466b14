//! The flags of `bary backup` and `bary restore`.

use std::path::PathBuf;

use bary_identity::calendar;
use bary_model::time::{Span, Wall};
use clap::Args;

use crate::args::reach::Reach;
use crate::args::value::some_time;

/// The flags of `bary backup`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
What has not changed since the copy before is not copied again. Examples:
  bary backup /mnt/backup/bary
  bary backup /mnt/backup/bary --every 1h")]
pub(crate) struct BackupArgs {
    /// The directory of the copy, which is new, empty, or holds a copy of the same state
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
    /// Copy again and again after this time, until Ctrl-C; a copy that failed is tried again then
    #[arg(long, value_name = "TIME", value_parser = some_time)]
    pub(crate) every: Option<Span>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary restore`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
What ran at that instant runs again. Examples:
  bary restore /mnt/backup/bary --state restored
  bary restore /mnt/backup/bary --at 2026-11-21T17:19:34Z --state restored
  bary up --state restored")]
pub(crate) struct RestoreArgs {
    /// The directory of the backup, which is not changed
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
    /// As it was at this moment: as 2026-01-31T13:00:00Z, or latest
    #[arg(long, value_name = "TIME", default_value = "latest", value_parser = instant)]
    pub(crate) at: Instant,
    /// The directory of the new state, which must not be there or be empty
    #[arg(long, value_name = "NEW")]
    pub(crate) state: PathBuf,
}

/// An instant of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instant {
    /// Its end.
    Latest,
    /// After all that was written by then.
    At(Wall),
}

impl Instant {
    /// The moment, where it is one.
    pub(crate) fn moment(self) -> Option<Wall> {
        match self {
            Self::Latest => None,
            Self::At(at) => Some(at),
        }
    }
}

fn instant(text: &str) -> Result<Instant, String> {
    if text == "latest" {
        return Ok(Instant::Latest);
    }
    let at = calendar::parse(text).map(Instant::At);
    at.ok_or_else(|| "it is no moment: write 2026-01-31T13:00:00Z, or latest".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_a_moment_or_the_latest() {
        assert_eq!(instant("latest"), Ok(Instant::Latest));
        assert_eq!(instant("1970-01-01T00:00:01Z"), Ok(Instant::At(Wall(1_000_000_000))));
        assert!(instant("yesterday").is_err());
    }
}
