//! One member's part in a group: it keeps a copy, answers the others, and where it is the one who
//! writes, has all agree on what it writes.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use openraft::Instant as _;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::errors::{ClientWriteError, InitializeError, RaftError};
use openraft::type_config::alias::WatchReceiverOf;
use openraft::{
    ChangeMembers, Config, EmptyNode, Raft, RaftMetrics, ReadPolicy, ServerState, SnapshotPolicy,
};

use crate::answering::Answering;
use crate::carrier::Carrier;
use crate::copy::Copy;
use crate::limits::{ENTRIES_AT_ONCE_MAX, ENTRIES_KEPT, ENTRIES_MAX, Patience};
use crate::machine::Machine;
use crate::proposal::{Proposal, Types};
use crate::sending::Ways;
use crate::store::Store;

/// For how many beats a majority may be silent when it is asked who writes.
const PATIENT: u32 = 10;
/// How long a journal may take to be synced.
const LEAVE_OUT_SPAN: Duration = Duration::from_secs(60);
/// The file of a group's log.
const FILE: &str = "group.redb";

/// What a part in a group is made of.
pub struct GroupOptions {
    /// The directory of its log.
    pub dir: PathBuf,
    /// The number of this member.
    pub me: u64,
    /// How the others are asked.
    pub carrier: Arc<dyn Carrier>,
    /// The journal.
    pub copy: Arc<dyn Copy>,
    /// How long the one who writes may be silent.
    pub patience: Patience,
}

/// How a group stands, as one member knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Who writes, where that is known.
    pub leader: Option<u64>,
    /// Whether that is this member.
    pub leads: bool,
    /// The number of the last reign that this member has heard of.
    pub reign: u64,
    /// Whose copies count.
    pub voters: BTreeSet<u64>,
    /// Who has all or most of the journal, where this member writes it: by how many entries each is
    /// behind.
    pub behind: BTreeMap<u64, u64>,
    /// How long ago each of them answered last.
    pub silent: BTreeMap<u64, Duration>,
    /// Why this part has failed, where it has.
    pub failed: Option<String>,
}

/// Why something was not done in a group.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// Another member writes, or nobody does now.
    #[error("another member writes this journal")]
    NotLeader,
    /// The reign is over.
    #[error("another reign has begun")]
    Deposed,
    /// Members cannot be changed now. It is safe to try again.
    #[error("the members of the group cannot be changed now: {0}")]
    Members(String),
    /// Its disk, or its journal, has failed.
    #[error("the copy has failed: {0}")]
    Failed(String),
    /// The system refused.
    #[error("the copy cannot be opened: {0}")]
    Refused(#[from] io::Error),
}

/// A part in a group. Dropping it without [`Group::close`] leaves it running.
pub struct Group {
    me: u64,
    raft: Raft<Types, Machine>,
    answering: Answering,
    machine: Machine,
    beat: Duration,
}

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Group").field("me", &self.me).finish_non_exhaustive()
    }
}

/// Tells when how a group stands may be different.
pub struct Changes(WatchReceiverOf<Types, RaftMetrics<Types>>);

impl std::fmt::Debug for Changes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Changes")
    }
}

impl Changes {
    /// Waits until it may be; false where the part was closed.
    pub async fn next(&mut self) -> bool {
        self.0.changed().await.is_ok()
    }
}

fn config(patience: &Patience) -> Config {
    let ms = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    Config {
        cluster_name: "bary".to_owned(),
        heartbeat_interval: ms(patience.beat),
        election_timeout_min: ms(patience.silence_min),
        election_timeout_max: ms(patience.silence_max),
        max_payload_entries: ENTRIES_AT_ONCE_MAX,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(ENTRIES_MAX),
        max_in_snapshot_log_to_keep: ENTRIES_KEPT,
        purge_batch_size: ENTRIES_KEPT,
        replication_lag_threshold: ENTRIES_MAX,
        // A whole journal takes as long as it takes.
        install_snapshot_timeout: 600_000,
        enable_pre_vote: Some(true),
        ..Config::default()
    }
}

impl Group {
    /// Whether a directory has a part in a group.
    #[must_use]
    pub fn is_in(dir: &std::path::Path) -> bool {
        dir.join(FILE).exists()
    }

    /// Opens a part in a group, or makes one. It is in no group until it founds one or is taken
    /// into one.
    ///
    /// # Errors
    /// Where its log cannot be read or written, or is damaged.
    pub async fn open(options: GroupOptions) -> Result<Self, GroupError> {
        let GroupOptions { dir, me, carrier, copy, patience } = options;
        std::fs::create_dir_all(&dir)?;
        let file = dir.join(FILE);
        let store = tokio::task::spawn_blocking(move || Store::open(&file)).await;
        let store = store.map_err(io::Error::other)??;
        let machine = Machine::open(copy, store.clone(), dir)?;
        let config = config(&patience).validate().map_err(io::Error::other)?;
        let ways = Ways { carrier, patience };
        let raft = Raft::new(me, Arc::new(config), ways, store, machine.clone()).await;
        let raft = raft.map_err(|error| GroupError::Failed(error.to_string()))?;
        let answering = Answering::new(raft.clone(), machine.clone());
        Ok(Self { me, raft, answering, machine, beat: patience.beat })
    }

    /// Founds a group of this member alone, which it writes for. Nothing where it is in one.
    ///
    /// # Errors
    /// Where its disk fails.
    pub async fn found(&self) -> Result<(), GroupError> {
        let alone = BTreeMap::from([(self.me, EmptyNode {})]);
        match self.raft.initialize(alone).await {
            Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))) => Ok(()),
            Err(error) => Err(GroupError::Failed(error.to_string())),
        }
    }

    /// Answers a question of another member.
    pub async fn answer(&self, question: &[u8]) -> Bytes {
        self.answering.answer(question).await
    }

    /// How it stands now.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let last = metrics.last_log_index.unwrap_or_default();
        let replication = metrics.replication.iter().flatten();
        let behind = replication.map(|(member, at)| {
            let at = at.as_ref().map_or(0, |at| at.index);
            (*member, last.saturating_sub(at))
        });
        let heard = metrics.heartbeat.iter().flatten();
        let silent = heard.filter_map(|(member, at)| Some((*member, at.as_ref()?.elapsed())));
        Standing {
            silent: silent.collect(),
            leader: metrics.current_leader,
            leads: metrics.state == ServerState::Leader,
            reign: self.machine.reign(),
            voters: metrics.membership_config.membership().voter_ids().collect(),
            behind: behind.collect(),
            failed: metrics.running_state.as_ref().err().map(ToString::to_string),
        }
    }

    /// Tells when how it stands may be different.
    #[must_use]
    pub fn changes(&self) -> Changes {
        Changes(self.raft.metrics())
    }

    /// Begins a reign of this member: all that was agreed on before is in its journal then, and
    /// nothing of reigns before will be. Gives its number.
    ///
    /// # Errors
    /// Where another member writes, and where the copy has failed.
    pub async fn reign(&self) -> Result<u64, GroupError> {
        loop {
            if !self.standing().leads {
                return Err(GroupError::NotLeader);
            }
            match self.propose(Proposal::Reign).await {
                Ok(number) => return Ok(number),
                // It was chosen, and has not heard so from its own disk.
                Err(GroupError::NotLeader) => tokio::time::sleep(self.beat).await,
                Err(error) => return Err(error),
            }
        }
    }

    /// Has the group agree on something; returns once a majority has it on disk, and the journal
    /// here has taken it. Gives its number.
    ///
    /// # Errors
    /// Where it is not agreed on. It may be later, unless the reign is over.
    pub async fn propose(&self, proposal: Proposal) -> Result<u64, GroupError> {
        match self.raft.client_write(proposal).await {
            Ok(response) if response.data.0 => Ok(response.log_id.index),
            Ok(_) => Err(GroupError::Deposed),
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(_))) => {
                Err(GroupError::NotLeader)
            }
            Err(RaftError::APIError(_)) => Err(GroupError::Deposed),
            Err(RaftError::Fatal(error)) => Err(GroupError::Failed(error.to_string())),
        }
    }

    /// Has another member keep a copy; returns once it has nearly all of the journal. The copy
    /// counts once [`Group::count`] says so.
    ///
    /// # Errors
    /// See [`GroupError::Members`]; and where another member writes.
    pub async fn send_to(&self, member: u64) -> Result<(), GroupError> {
        // What was in the journal before there was a group is in nothing else.
        self.leave_out().await?;
        let added = self.raft.add_learner(member, EmptyNode {}, true).await;
        added.map(drop).map_err(members)
    }

    /// Leaves out of the log all that is in the journal here.
    async fn leave_out(&self) -> Result<(), GroupError> {
        let failed = |error: openraft::errors::Fatal<Types>| GroupError::Failed(error.to_string());
        let metrics = self.raft.metrics().borrow_watched().clone();
        let Some(applied) = metrics.last_applied else { return Ok(()) };
        self.raft.trigger().snapshot().await.map_err(failed)?;
        let wait = self.raft.wait(Some(LEAVE_OUT_SPAN));
        let is_so = move |metrics: &RaftMetrics<Types>| {
            metrics.snapshot.is_some_and(|snapshot| snapshot.index >= applied.index)
        };
        let waited = wait.metrics(is_so, "the journal is marked").await;
        waited.map_err(|error| GroupError::Members(error.to_string()))?;
        self.raft.trigger().purge_log(applied.index).await.map_err(failed)
    }

    /// Has the copies of these members count, and no others.
    ///
    /// # Errors
    /// As [`Group::send_to`].
    pub async fn count(&self, voters: BTreeSet<u64>) -> Result<(), GroupError> {
        let change = ChangeMembers::ReplaceAllVoters(voters.clone());
        let changed = self.raft.change_membership(change, false).await;
        changed.map(drop).map_err(members)
    }

    /// Makes sure that no other member writes.
    ///
    /// # Errors
    /// Where one does, and where a majority does not answer in time.
    pub async fn confirm(&self) -> Result<(), GroupError> {
        let asked = self.raft.ensure_linearizable(ReadPolicy::ReadIndex);
        match tokio::time::timeout(self.beat * PATIENT, asked).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(RaftError::Fatal(error))) => Err(GroupError::Failed(error.to_string())),
            Ok(Err(_)) | Err(_) => Err(GroupError::NotLeader),
        }
    }

    /// Asks that another member writes from now on.
    ///
    /// # Errors
    /// Where the copy has failed.
    pub async fn hand_over(&self, to: u64) -> Result<(), GroupError> {
        let asked = self.raft.trigger().transfer_leader(to).await;
        asked.map_err(|error| GroupError::Failed(error.to_string()))
    }

    /// Ends the part; what it has is on its disk.
    pub async fn close(&self) {
        // One that has panicked has said so.
        drop(self.raft.shutdown().await);
    }
}

fn members(error: RaftError<Types, ClientWriteError<Types>>) -> GroupError {
    match error {
        RaftError::APIError(ClientWriteError::ForwardToLeader(_)) => GroupError::NotLeader,
        RaftError::APIError(error) => GroupError::Members(error.to_string()),
        RaftError::Fatal(error) => GroupError::Failed(error.to_string()),
    }
}
