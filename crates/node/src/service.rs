//! What a node does for whoever asks: one method for each verb of the contract. A method checks
//! the role, writes the audit line, translates, and asks the home or reads the board.

use std::fmt;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::SystemTime;

use bary_api::problem::{Kind, Refused};
use bary_engine::input::Request;
use bary_identity::token::Token;
use bary_model::decree::Decree;
use bary_model::id::{JobNo, ShardId};
use bary_model::time::Wall;
use bary_policy::preset::{Policy, PolicyError};
use bary_ports::store::Store;
use bary_store::cache::Cache;
use tokio::sync::{Semaphore, watch};
use tokio_stream::Stream;

use crate::access::{Access, DrawError, OpenError as AccessError};
use crate::audit::{Audit, OpenError as AuditError};
use crate::board::Board;
use crate::board::clock::{self, Clock};
use crate::board::learning::Learning;
use crate::cluster::{Cluster, StartError};
use crate::crew::JoinError;
use crate::listener::Listener;
use crate::peers::decisions::Followed;
use crate::scaler::record::Record;
use crate::service::options::{ServiceLimits, ServiceOptions};
use crate::service::staging::Staging;
use crate::state::{CACHE, State, StateError};
use crate::worker::suspects::Suspects;

pub mod caller;
pub mod options;

mod admit;
mod ask;
mod backup;
pub(crate) mod beside;
mod cache;
mod cell;
mod change;
mod choice;
mod chunks;
mod elsewhere;
mod emit;
mod ending;
mod events;
pub(crate) mod exec;
mod filter;
mod graph;
mod info;
mod job_list;
mod jobs;
mod keepers;
mod keys;
mod logs;
mod nodes;
mod others;
mod policies;
mod pour;
mod printed;
mod refusal;
mod results;
mod runs;
pub(crate) mod scale;
mod session;
mod settings;
mod staging;
mod stand_in;
mod submit;
mod task_list;
mod task_ranges;
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
    /// Results of work that may stand for equal work.
    cache: Arc<Cache>,
    /// What is followed by now.
    policy: Mutex<Policy>,
    /// Tasks with which workers have gone.
    suspects: Arc<Suspects>,
    /// What was decided of nodes that is followed already; none outside of a cluster.
    followed: Option<Arc<Followed>>,
    /// Held while the files of the state are copied.
    still: Arc<Mutex<()>>,
    /// The directory of the state, where there is one.
    dir: Option<Box<Path>>,
    tickets: AtomicU64,
    in_flight: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    /// Places for commands beside tasks.
    execs: Arc<Semaphore>,
    /// Whether it takes no more work, as it is about to end.
    closing: AtomicBool,
    /// For submissions on their way into the journal.
    room: Arc<Semaphore>,
    staging: Staging,
    /// What the autoscaler decided here.
    scaling: Arc<Record>,
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
    /// No node was added.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// The tokens were not read.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The audit log was not opened.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The policy that is on record is none of this version's.
    #[error("the state follows the policy `{policy}`: {cause}; say which to follow with --policy")]
    Policy {
        /// The policy.
        policy: Box<str>,
        /// What is wrong with it.
        #[source]
        cause: PolicyError,
    },
    /// No token was drawn.
    #[error(transparent)]
    Draw(#[from] DrawError),
    /// The machine gave no thread.
    #[error("the machine refused: {0}")]
    Machine(#[from] std::io::Error),
}

/// What a service is put together from.
struct Parts {
    /// What the home is called, where it is another member's.
    home: Option<Box<str>>,
    started: (Cluster, Listener),
    cache: Arc<Cache>,
    board: Board,
    access: Access,
    audit: Audit,
    dir: Option<Box<Path>>,
    still: Arc<Mutex<()>>,
}

impl Service {
    /// Opens the state of a directory, or makes one, and goes on with what is in it. Blocks while
    /// it recalls what happened.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(mut options: ServiceOptions, dir: &Path) -> Result<Self, OpenError> {
        let board = Board::since(SystemTime::now(), &options.board);
        board.write().learning = Learning::on(&options.cluster.nodes);
        let state = State::open(dir, &mut |event| board.recall(event))?;
        board.write().clock = Clock::since(state.origin());
        let decrees = state.ledger().decrees().clone();
        let still = Arc::clone(&state.still);
        let chosen = options.settle_policy(&decrees)?;
        board.write().decrees = decrees;
        let now = clock::now();
        let (access, audit) =
            (Access::open(dir, now)?, Audit::open(dir, now, options.limits.audit_bytes_max)?);
        let cache = Arc::new(Cache::of_dir(options.limits.cache.clone(), &dir.join(CACHE)));
        let started = Cluster::resume(options.prepared(&cache), state)?;
        let (home, dir) = (None, Some(dir.into()));
        let parts = Parts { home, started, cache, board, access, audit, dir, still };
        let service = Self::run(&options, parts)?;
        if let Some(policy) = chosen {
            // Nobody waits for the answer: it is followed already, and is on record with the rest.
            service.0.tell_home(Request::Decree(Decree::Follow(policy)));
        }
        Ok(service)
    }

    /// Starts a service that keeps nothing, and gives its one token.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn in_memory(options: ServiceOptions) -> Result<(Self, Token), OpenError> {
        let cache = Arc::new(Cache::in_memory(options.limits.cache.clone()));
        let cluster = options.prepared(&cache);
        let age = cluster.executor.origin.elapsed();
        let origin = SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
        let board = Board::since(origin, &options.board);
        board.write().learning = Learning::on(&options.cluster.nodes);
        let (access, token) = Access::in_memory(clock::now())?;
        let started = Cluster::start(cluster)?;
        let audit = Audit::in_memory();
        let (dir, still) = (None, Arc::default());
        let parts = Parts { home: None, started, cache, board, access, audit, dir, still };
        Ok((Self::run(&options, parts)?, token))
    }

    fn run(options: &ServiceOptions, parts: Parts) -> Result<Self, OpenError> {
        let Parts { home, started, cache, board, access, audit, dir, still } = parts;
        let ((cluster, listener), limits) = (started, options.limits.clone());
        let home = home.or_else(|| cluster.peers().map(|peers| peers.own_name().into()));
        board.write().belongs(cluster.shard(), home.unwrap_or_default());
        let followed = cluster.peers().map(|peers| match cluster.is_stand_in() {
            true => peers.followed_by_home(),
            false => peers.followed(),
        });
        let inner = Arc::new(Inner {
            followed,
            store: cluster.store(),
            shard: cluster.shard(),
            cluster,
            board: Arc::new(board),
            access: Arc::new(access),
            audit,
            version: options.version.clone(),
            started: clock::now(),
            cache,
            policy: Mutex::new(options.cluster.policy.clone()),
            suspects: Arc::default(),
            still,
            dir,
            tickets: AtomicU64::new(0),
            in_flight: Arc::new(Semaphore::new(limits.requests_in_flight_max)),
            streams: Arc::new(Semaphore::new(limits.streams_max)),
            closing: AtomicBool::new(false),
            execs: Arc::new(Semaphore::new(exec::EXECS_MAX)),
            room: Arc::new(Semaphore::new(submit::places(limits.submissions_bytes_max))),
            staging: Staging::default(),
            scaling: Arc::default(),
            limits,
            ending: watch::Sender::new(None),
            folding: Mutex::default(),
        });
        let keeping = inner.cluster.keeping(&inner.board);
        keeping.into_iter().for_each(|keeping| inner.board.keeps(keeping));
        let folded = Arc::downgrade(&inner);
        let (board, store) = (Arc::clone(&inner.board), inner.store());
        let named = std::thread::Builder::new().name("bary-board".into());
        let thread = named.spawn(move || {
            board.follow(listener, &store, &mut |job| {
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

    /// Has jobs forgotten that finished long enough ago, at most so many at a time.
    pub(crate) fn forget_old(&self) {
        const AT_ONCE: usize = 1_000;
        let old = self.0.board.write().take_old(AT_ONCE);
        old.into_iter().for_each(|job| self.0.forget(job));
    }

    /// Takes no more work from now on, on sessions that are open neither.
    pub fn shut(&self) {
        self.0.closing.store(true, Ordering::Relaxed);
    }

    /// Whether it takes work.
    ///
    /// # Errors
    /// Where it is about to end.
    pub(crate) fn check_open(&self) -> Result<(), Refused> {
        self.0.check_open()
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

    fn check_open(&self) -> Result<(), Refused> {
        if !self.closing.load(Ordering::Relaxed) {
            return Ok(());
        }
        let title = "the node is ending and takes no more work; nothing was changed";
        let refused = Refused::new(Kind::Unavailable, title).retry_after(CLOSING_SECONDS);
        Err(refused.help("try again once it is up again"))
    }

    /// Asks the home to forget a job. Nobody waits for the answer: a job that runs again by now is
    /// refused, and told again when it has finished.
    fn forget(&self, job: JobNo) {
        self.tell_home(Request::Forget(job));
    }

    /// Asks the home for something whose answer nobody waits for.
    fn tell_home(&self, request: Request) {
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        // A cluster that has stopped forgets everything by itself.
        drop(self.cluster.ask(ticket, request));
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

/// Seconds after which a node that is ending may be up again.
const CLOSING_SECONDS: f64 = 5.0;
