//! The states of other members' shards, which this one keeps copies of.

use std::ops::ControlFlow;
use std::path::Path;

use bary_disk::file::FileDisk;
use bary_journal::config::LogConfig;
use bary_journal::log::Log;
use bary_journal::recovery::Entry;
use bary_ledger::record::Record;
use bary_model::payload::{Kept, Payload};

use super::{JOURNAL, State, StateError, Tell, birth, not_opened};

impl State {
    /// The state of another member's shard, which this one keeps a copy of, for its home to be
    /// here. What its records say of a store without saying whose is that member's.
    pub(crate) fn open_for(dir: &Path, home: u64, tell: Tell<'_>) -> Result<Self, StateError> {
        Self::open_whose(dir, |disk| Box::new(disk), Some(home), tell)
    }

    /// The journal of a directory alone, as far as it goes; nothing of it is recalled.
    pub(crate) fn log(dir: &Path) -> Result<Log, StateError> {
        let disk = FileDisk::open(&dir.join(JOURNAL)).map_err(|error| not_opened(dir, error))?;
        let birth = birth(dir, &disk)?;
        let mut visit = |_: Entry<'_>| ControlFlow::Continue(());
        let opened = Log::open(Box::new(disk), LogConfig::default(), birth.shard.0, &mut visit);
        let told = |cause| StateError::Journal { dir: dir.to_owned(), cause };
        opened.map(|(log, _)| log).map_err(told)
    }
}

/// Has what a record says of a store be that of a member. What it is nobody else can tell, so that
/// it is read from that member only.
pub(super) fn of_member(member: u64, record: &mut Record) {
    let named: Result<(), std::convert::Infallible> = record.payloads(|payload| {
        if let Payload::Stored(blob) = *payload {
            let hash = Default::default();
            *payload = Payload::Kept(Box::new(Kept { member, blob, hash }));
        }
        Ok(())
    });
    let Ok(()) = named;
}
