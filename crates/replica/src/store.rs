//! The log of a group on the disk: what is agreed on before it is in the journals, for whom this
//! member has voted, and how far its journal is.

use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use openraft::storage::{IOFlushed, LogState, RaftLogStorage};
use openraft::type_config::alias::{EntryOf, LogIdOf, VoteOf};
use openraft::{OptionalSend, RaftLogReader};
use redb::{Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::limits::CACHE_BYTES_MAX;
use crate::proposal::Types;

/// How long a part that was closed may take until its log is free.
const CLOSING_SPAN: Duration = Duration::from_secs(5);
const CLOSING_LOOK: Duration = Duration::from_millis(10);
/// The entries, by their index.
const LOG: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("log");
/// What there is one of.
const ONE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("one");
/// For whom this member has voted.
const VOTE: &str = "vote";
/// The last entry that was left out.
const PURGED: &str = "purged";
/// How far the journal is for sure.
pub(crate) const MARK: &str = "mark";

/// The log. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Store(Arc<Database>);

fn failed(error: impl Into<redb::Error>) -> io::Error {
    match error.into() {
        redb::Error::Io(error) => error,
        other => io::Error::other(other),
    }
}

fn damaged(error: postcard::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl Store {
    /// Opens a log, or makes one.
    pub(crate) fn open(file: &Path) -> io::Result<Self> {
        let begun = Instant::now();
        let database = loop {
            match Builder::new().set_cache_size(CACHE_BYTES_MAX).create(file) {
                // Whoever had it here before is about to let it go.
                Err(DatabaseError::DatabaseAlreadyOpen) if begun.elapsed() < CLOSING_SPAN => {
                    std::thread::sleep(CLOSING_LOOK);
                }
                opened => break opened.map_err(failed)?,
            }
        };
        let change = database.begin_write().map_err(failed)?;
        change.open_table(LOG).map_err(failed)?;
        change.open_table(ONE).map_err(failed)?;
        change.commit().map_err(failed)?;
        Ok(Self(Arc::new(database)))
    }

    /// What was put under a name.
    pub(crate) fn one<T: DeserializeOwned>(&self, name: &str) -> io::Result<Option<T>> {
        let reading = self.0.begin_read().map_err(failed)?;
        let table = reading.open_table(ONE).map_err(failed)?;
        let bytes = table.get(name).map_err(failed)?;
        bytes.map(|bytes| postcard::from_bytes(bytes.value()).map_err(damaged)).transpose()
    }

    /// Puts something durably under a name.
    pub(crate) fn put<T: Serialize>(&self, name: &str, value: &T) -> io::Result<()> {
        let bytes = postcard::to_allocvec(value).map_err(damaged)?;
        let change = self.0.begin_write().map_err(failed)?;
        let mut table = change.open_table(ONE).map_err(failed)?;
        table.insert(name, &*bytes).map_err(failed)?;
        drop(table);
        change.commit().map_err(failed)
    }

    fn last(&self) -> io::Result<Option<EntryOf<Types>>> {
        let reading = self.0.begin_read().map_err(failed)?;
        let table = reading.open_table(LOG).map_err(failed)?;
        let last = table.last().map_err(failed)?;
        last.map(|(_, bytes)| postcard::from_bytes(bytes.value()).map_err(damaged)).transpose()
    }

    fn add(&self, entries: &[EntryOf<Types>]) -> io::Result<()> {
        let change = self.0.begin_write().map_err(failed)?;
        let mut table = change.open_table(LOG).map_err(failed)?;
        for entry in entries {
            let bytes = postcard::to_allocvec(entry).map_err(damaged)?;
            table.insert(entry.log_id.index, &*bytes).map_err(failed)?;
        }
        drop(table);
        change.commit().map_err(failed)
    }

    /// Leaves entries out; notes the last one where they are the first.
    fn leave_out(
        &self,
        range: impl RangeBounds<u64> + Clone,
        purged: Option<&LogIdOf<Types>>,
    ) -> io::Result<()> {
        let change = self.0.begin_write().map_err(failed)?;
        let mut table = change.open_table(LOG).map_err(failed)?;
        table.retain_in(range, |_, _| false).map_err(failed)?;
        drop(table);
        if let Some(purged) = purged {
            let bytes = postcard::to_allocvec(purged).map_err(damaged)?;
            let mut table = change.open_table(ONE).map_err(failed)?;
            table.insert(PURGED, &*bytes).map_err(failed)?;
        }
        change.commit().map_err(failed)
    }
}

/// Does what blocks on a thread that may.
async fn block<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

impl RaftLogReader<Types> for Store {
    async fn try_get_log_entries<RB>(&mut self, range: RB) -> io::Result<Vec<EntryOf<Types>>>
    where
        RB: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        let bounds = (range.start_bound().cloned(), range.end_bound().cloned());
        let store = self.clone();
        block(move || {
            let reading = store.0.begin_read().map_err(failed)?;
            let table = reading.open_table(LOG).map_err(failed)?;
            let entries = table.range::<u64>(bounds).map_err(failed)?;
            let read = |entry: Result<(_, redb::AccessGuard<'_, &[u8]>), _>| {
                let (_, bytes): (redb::AccessGuard<'_, u64>, _) = entry.map_err(failed)?;
                postcard::from_bytes(bytes.value()).map_err(damaged)
            };
            entries.map(read).collect()
        })
        .await
    }

    async fn read_vote(&mut self) -> io::Result<Option<VoteOf<Types>>> {
        self.one(VOTE)
    }
}

impl RaftLogStorage<Types> for Store {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> io::Result<LogState<Types>> {
        let last_purged_log_id: Option<LogIdOf<Types>> = self.one(PURGED)?;
        let last = self.last()?.map(|entry| entry.log_id);
        Ok(LogState { last_purged_log_id, last_log_id: last.or(last_purged_log_id) })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &VoteOf<Types>) -> io::Result<()> {
        let (store, vote) = (self.clone(), *vote);
        block(move || store.put(VOTE, &vote)).await
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<Types>) -> io::Result<()>
    where
        I: IntoIterator<Item = EntryOf<Types>> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let (store, entries) = (self.clone(), entries.into_iter().collect::<Vec<_>>());
        let added = block(move || store.add(&entries)).await;
        callback.io_completed(match &added {
            Ok(()) => Ok(()),
            Err(error) => Err(io::Error::other(error.to_string())),
        });
        added
    }

    async fn truncate_after(&mut self, last: Option<LogIdOf<Types>>) -> io::Result<()> {
        let store = self.clone();
        let after = last.map_or(Bound::Unbounded, |last| Bound::Excluded(last.index));
        block(move || store.leave_out((after, Bound::Unbounded), None)).await
    }

    async fn purge(&mut self, until: LogIdOf<Types>) -> io::Result<()> {
        let store = self.clone();
        block(move || store.leave_out(..=until.index, Some(&until))).await
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use bary_model::id::Lsn;
    use bytes::Bytes;
    use openraft::StorageError;
    use openraft::testing::log::{StoreBuilder, Suite};
    use tempfile::TempDir;

    use super::*;
    use crate::copy::Copy;
    use crate::machine::Machine;

    /// A journal that nothing is written to.
    struct Blank;

    impl Copy for Blank {
        fn next(&self) -> Lsn {
            Lsn(1)
        }

        fn append(&self, _: Lsn, _: &Bytes) -> io::Result<()> {
            Ok(())
        }

        fn sync(&self) -> io::Result<()> {
            Ok(())
        }

        fn pack(&self, into: &Path) -> io::Result<()> {
            std::fs::write(into, b"")
        }

        fn unpack(&self, _: &Path) -> io::Result<()> {
            Ok(())
        }
    }

    struct Builder;

    impl StoreBuilder<Types, Store, Machine, TempDir> for Builder {
        async fn build(&self) -> Result<(TempDir, Store, Machine), StorageError<Types>> {
            let dir = tempfile::tempdir().expect("there is room");
            let store = Store::open(&dir.path().join("log")).expect("there is room");
            let machine = Machine::open(Arc::new(Blank), store.clone(), dir.path().to_owned());
            Ok((dir, store, machine.expect("there is room")))
        }
    }

    #[tokio::test]
    async fn a_log_is_what_the_consensus_takes_it_for() {
        Suite::test_all(Builder).await.expect("all of it holds");
    }
}
