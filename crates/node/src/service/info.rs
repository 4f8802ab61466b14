//! Who answers, and what is under way; and the end of the node.

use bary_api::problem::Refused;
use bary_api::v1::{ChangedReply, InfoReply, InfoRequest, ShutdownRequest};
use bary_api::verb::Verb;
use bary_identity::calendar;

use crate::peers::dropped::Dropped;
use crate::service::caller::Caller;
use crate::service::keepers::Kept;
use crate::service::{Ending, Inner, Service};

/// The version of the contract.
const API: &str = "v1";

impl Service {
    /// Who answers, which version, how durable its word is, and what is under way.
    ///
    /// # Errors
    /// Where the caller may not ask.
    pub async fn info(&self, caller: &Caller, _asked: InfoRequest) -> Result<InfoReply, Refused> {
        let _leave = self.admit(caller, Verb::Info, "")?;
        Ok(self.0.info(caller))
    }

    /// Ends the node: drains it, or at once. It has not ended when this returns.
    ///
    /// # Errors
    /// Where the caller may not ask.
    pub async fn shutdown(
        &self,
        caller: &Caller,
        asked: ShutdownRequest,
    ) -> Result<ChangedReply, Refused> {
        let how = if asked.drain { "drain" } else { "now" };
        let leave = self.admit(caller, Verb::Shutdown, how)?;
        // The process may end before this call does.
        leave.settle(Ok(()))?;
        let ending = if asked.drain { Ending::Drain } else { Ending::Now };
        self.0.ending.send_replace(Some(ending));
        let note = if asked.drain { "the node drains, then ends" } else { "the node ends" };
        Ok(ChangedReply { note: note.to_owned(), ..ChangedReply::default() })
    }
}

impl Service {
    /// Whether the disk has no room for more work; what is there goes on, and may be asked about.
    pub(crate) fn is_full(&self) -> bool {
        self.0.is_full()
    }
}

impl Inner {
    fn is_full(&self) -> bool {
        let books = self.board.read();
        let full = books.full || books.low;
        drop(books);
        full || self.audit.is_full()
    }

    fn info(&self, caller: &Caller) -> InfoReply {
        let totals = self.board.read().totals;
        let status = match () {
            () if self.ending.borrow().is_some() => "draining",
            () if self.is_full() => "full",
            () => "ready",
        };
        let dropped = self.cluster.peers().map(|peers| &peers.dropped);
        let waiting = totals.tasks.saturating_sub(totals.ended + totals.running);
        let Kept { replicas, kept_by, away, lacking } = self.kept();
        InfoReply {
            version: self.version.to_string(),
            api: API.to_owned(),
            node: self
                .cluster
                .nodes()
                .first()
                .map(|node| node.name.to_string())
                .unwrap_or_default(),
            durability: self.cluster.durability().name().to_owned(),
            started: calendar::text(self.started),
            policy: self.policy().name,
            shard: format!("{:016x}", self.shard.0),
            jobs: totals.jobs,
            tasks_waiting: waiting,
            tasks_running: totals.running,
            tasks_ended: totals.ended,
            role: caller.role.name().to_owned(),
            status: status.to_owned(),
            replicas,
            kept_by,
            keepers_away: away,
            datagrams_forged: dropped.map(Dropped::forged).unwrap_or_default(),
            datagrams_replayed: dropped.map(Dropped::replayed).unwrap_or_default(),
            results_lacking: lacking.results,
            results_lacking_bytes: lacking.bytes,
            results_lacking_why: lacking.why.into(),
            placing_messages: self.cluster.message_counts().total(),
        }
    }
}
