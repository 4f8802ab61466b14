//! What a node does for whoever asks: one method for each verb of the contract. A method checks
//! the role, writes the audit line, translates, and asks the home or reads the board.

use std::fmt;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::SystemTime;

use bary_api::problem::Refused;
use bary_engine::input::Request;
use bary_identity::token::Token;
use bary_model::id::{JobNo, ShardId};
use bary_model::time::Wall;
use bary_ports::store::Store;
use tokio::sync::{Semaphore, watch};
use tokio_stream::Stream;

use crate::access::{Access, DrawError, OpenError as AccessError};
use crate::audit::{Audit, OpenError as AuditError};
use crate::board::Board;
use crate::board::clock::{self, Clock};
use crate::cluster::{Cluster, StartError};
use crate::listener::Listener;
use crate::options::ClusterOptions;
use crate::service::options::{ServiceLimits, ServiceOptions};
use crate::state::{State, StateError};
use crate::worker::suspects::Suspects;

pub mod caller;
pub mod options;

mod admit;
mod ask;
mod backup;
mod cell;
mod change;
mod choice;
mod emit;
mod events;
mod files;
mod filter;
mod info;
mod job_list;
mod jobs;
mod keys;
mod logs;
mod nodes;
mod policies;
mod refusal;
mod results;
mod session;
mod submit;
mod task_list;
mod task_view;
mod tasks;
mod tokens;
mod trial;
mod wait;
mod why;
mod work;

/// A stream of answers. Dropping it ends it; a reader that falls too far behind gets an error last.
pub type Streamed<T> = Pin<Box<dyn Stream<Item = Result<T, Refused>> + Send>>;

/// Does what callers ask of a node. Clones are the same service.
#[derive(Clone)]
pub struct Service(Arc<Inner>);

struct Inner {
    cluster: Cluster,
    board: Arc<Board>,
    store: Arc<dyn Store>,
    access: Arc<Access>,
    audit: Audit,
    limits: ServiceLimits,
    version: Box<str>,
    shard: ShardId,
    started: Wall,
    /// What is followed by now.
    policy: Mutex<bary_policy::preset::Policy>,
    /// Tasks with which workers have gone.
    suspects: Arc<Suspects>,
    /// The directory of the state, where there is one.
    dir: Option<Box<Path>>,
    tickets: AtomicU64,
    in_flight: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    ending: watch::Sender<Option<Ending>>,
    folding: Mutex<Option<JoinHandle<()>>>,
}

/// How a node ends, or why it has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nothing more starts; what runs is waited for.
    Drain,
    /// What runs is killed.
    Now,
    /// It failed, as this says: nothing more is decided, and what was not told is not true.
    Failed(Box<str>),
}

/// Why a service could not be opened. Nothing runs, and nothing that a state holds was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The state was not opened.
    #[error(transparent)]
    State(#[from] StateError),
    /// The nodes were not started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The tokens were not read.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The audit log was not opened.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// No token was drawn.
    #[error(transparent)]
    Draw(#[from] DrawError),
    /// The machine gave no thread.
    #[error("the machine refused: {0}")]
    Machine(#[from] std::io::Error),
}

/// What a service is put together from.
struct Parts {
    started: (Cluster, Listener),
    board: Board,
    access: Access,
    audit: Audit,
    dir: Option<Box<Path>>,
}

impl Service {
    /// Opens the state of a directory, or makes one, and goes on with what is in it. Blocks while
    /// it recalls what happened.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(options: ServiceOptions, dir: &Path) -> Result<Self, OpenError> {
        let board = Board::since(SystemTime::now(), &options.board);
        let state = State::open(dir, &mut |event| board.recall(event))?;
        board.write().clock = Clock::since(state.origin());
        let now = clock::now();
        let (access, audit) = (Access::open(dir, now)?, Audit::open(dir, now)?);
        let started = Cluster::resume(prepared(&options.cluster), state)?;
        let dir = Some(dir.into());
        Self::run(&options, Parts { started, board, access, audit, dir })
    }

    /// Starts a service that keeps nothing, and gives its one token.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn in_memory(options: ServiceOptions) -> Result<(Self, Token), OpenError> {
        let cluster = prepared(&options.cluster);
        let age = cluster.executor.origin.elapsed();
        let origin = SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
        let board = Board::since(origin, &options.board);
        let (access, token) = Access::in_memory(clock::now())?;
        let started = Cluster::start(cluster)?;
        let parts = Parts { started, board, access, audit: Audit::in_memory(), dir: None };
        Ok((Self::run(&options, parts)?, token))
    }

    fn run(options: &ServiceOptions, parts: Parts) -> Result<Self, OpenError> {
        let Parts { started: (cluster, listener), board, access, audit, dir } = parts;
        let limits = options.limits.clone();
        let inner = Arc::new(Inner {
            store: cluster.store(),
            shard: cluster.shard(),
            cluster,
            board: Arc::new(board),
            access: Arc::new(access),
            audit,
            version: options.version.clone(),
            started: clock::now(),
            policy: Mutex::new(options.cluster.policy.clone()),
            suspects: Arc::default(),
            dir,
            tickets: AtomicU64::new(0),
            in_flight: Arc::new(Semaphore::new(limits.requests_in_flight_max)),
            streams: Arc::new(Semaphore::new(limits.streams_max)),
            limits,
            ending: watch::Sender::new(None),
            folding: Mutex::default(),
        });
        let folded = Arc::downgrade(&inner);
        let (board, store) = (Arc::clone(&inner.board), inner.store());
        let named = std::thread::Builder::new().name("bary-board".into());
        let thread = named.spawn(move || {
            board.follow(listener, &*store, &mut |job| {
                if let Some(inner) = folded.upgrade() {
                    inner.forget(job);
                }
            });
            if let Some(inner) = folded.upgrade() {
                inner.on_stopped();
            }
        })?;
        *inner.folding.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(Self(inner))
    }

    /// Who may do what.
    #[must_use]
    pub fn access(&self) -> &Arc<Access> {
        &self.0.access
    }

    /// The audit log.
    #[must_use]
    pub fn audit_log(&self) -> &Audit {
        &self.0.audit
    }

    /// What is never exceeded.
    #[must_use]
    pub fn limits(&self) -> &ServiceLimits {
        &self.0.limits
    }

    /// The nodes.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.0.cluster
    }

    /// Waits until somebody wants the end, or the node has failed.
    pub async fn ending(&self) -> Ending {
        let mut wanted = self.0.ending.subscribe();
        let ending = wanted.wait_for(Option::is_some).await;
        // The sender lives as long as the service.
        ending.ok().and_then(|ending| ending.clone()).unwrap_or(Ending::Now)
    }

    /// Says that the end is wanted, where nobody has said so.
    pub(crate) fn want(&self, how: Ending) {
        self.0.ending.send_if_modified(|ending| {
            let unknown = ending.is_none();
            ending.get_or_insert(how);
            unknown
        });
    }

    /// Ends the nodes and returns when that is done. A second call, by another thread, with
    /// [`Ending::Now`] cuts a drain short.
    pub fn end(&self, how: &Ending) {
        match how {
            Ending::Drain => self.0.cluster.drain(),
            Ending::Now | Ending::Failed(_) => self.0.cluster.kill_now(),
        }
        let folding = self.0.folding.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(folding) = folding {
            // A panic there was printed when it happened.
            drop(folding.join());
        }
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("shard", &self.0.shard).finish_non_exhaustive()
    }
}

impl Inner {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// Asks the home to forget a job. Nobody waits for the answer: a job that runs again by now is
    /// refused, and told again when it has finished.
    fn forget(&self, job: JobNo) {
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        // A cluster that has stopped forgets everything by itself.
        drop(self.cluster.ask(ticket, Request::Forget(job)));
    }

    /// The nodes tell nothing more.
    fn on_stopped(&self) {
        let why = self.board.read().over.clone().unwrap_or_default();
        self.ending.send_if_modified(|ending| {
            let unknown = ending.is_none();
            ending.get_or_insert(Ending::Failed(why));
            unknown
        });
    }
}

/// The options of a cluster whose board is to know everything.
fn prepared(options: &ClusterOptions) -> ClusterOptions {
    let mut options = options.clone();
    options.tells_runs = true;
    options.awaits_workers = true;
    options.offers_own = true;
    options.limits.explain = true;
    options.limits.retains_finished = true;
    options
}
