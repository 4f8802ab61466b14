//! Nodes inside one process that speak through the in-memory transport: asks, grants and steals
//! are the same as between machines.

use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use bary_engine::input::{Input, Refusal, Reply, Request};
use bary_model::id::{Incarnation, JobNo, NodeId};
use bary_model::job::JobSpec;
use bary_model::node::NodeInfo;
use bary_model::task::TaskSpec;
use bary_model::time::Span;
use bary_policy::preset::Policy;
use bary_ports::store::Store;
use bary_store::durable::DurableStore;
use bary_store::spill::SpillStore;
use bary_transport::count::MessageCounts;
use bary_transport::memory::Network;
use tokio::sync::mpsc::UnboundedSender;

use crate::host::Host;
use crate::inbox::Control;
use crate::listener::{Listener, Poker};
use crate::maker::Maker;
use crate::options::{ClusterOptions, NodeOptions};
use crate::state::State as Shard;

/// Why a cluster could not be started. Nothing runs.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The options cannot be.
    #[error("{}", .0.join("; "))]
    Options(Vec<String>),
    /// The machine gave no thread or no file.
    #[error("the machine refused: {0}")]
    Machine(#[from] std::io::Error),
}

/// Why a request was not done.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RequestError {
    /// The home refused it; nothing was changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The cluster has stopped; nothing was changed.
    #[error("the cluster has stopped")]
    Stopped,
}

/// Running nodes.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<NodeInfo>,
    doors: Vec<UnboundedSender<Control>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    results: Results,
    network: Network,
    poker: Poker,
}

/// Where large results are kept.
#[derive(Clone, Debug)]
enum Results {
    /// As long as the process lives.
    Passing(Arc<SpillStore>),
    /// In a state.
    Lasting(Arc<DurableStore>),
}

impl Results {
    fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Passing(store) => Arc::clone(store) as Arc<dyn Store>,
            Self::Lasting(store) => Arc::clone(store) as Arc<dyn Store>,
        }
    }
}

/// What an acknowledgement is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// What was acknowledged lives as long as the process.
    Memory,
    /// What was acknowledged had been synced to a disk before.
    Disk,
}

impl Durability {
    /// Its name, as acknowledgements and reports give it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Disk => "disk",
        }
    }
}

impl Cluster {
    /// Starts the nodes; they run until they are stopped or the cluster is dropped. What they know
    /// goes with them.
    ///
    /// # Errors
    /// Where the options cannot be, or the machine gives no thread.
    pub fn start(options: ClusterOptions) -> Result<(Self, Listener), StartError> {
        let store = Arc::new(SpillStore::new(options.store.clone()));
        Self::run(&options, Results::Passing(store), None)
    }

    /// Starts the nodes on a state: the first goes on as the home of what lives there, and what it
    /// acknowledges is on disk by then. The other nodes keep nothing.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn resume(
        mut options: ClusterOptions,
        state: Shard,
    ) -> Result<(Self, Listener), StartError> {
        options.executor.origin = state.birth.origin(state.latest);
        options.executor.family = state.family;
        options.limits.retains_finished = true;
        // What a command gave is told when it ends, not when those that would follow it in one run
        // have ended too: until then it is lost with the process.
        options.limits.command_run_span = Span::ZERO;
        Self::run(&options, Results::Lasting(Arc::clone(&state.store)), Some(state))
    }

    fn run(
        options: &ClusterOptions,
        results: Results,
        state: Option<Shard>,
    ) -> Result<(Self, Listener), StartError> {
        let faults = options.check();
        if !faults.is_empty() {
            return Err(StartError::Options(faults));
        }
        let nodes = infos(&options.nodes);
        let (news, heard) = sync_channel(options.news_max);
        let network = network(options);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        // All nodes live and die with the process, and only a state outlives it.
        let life = state.as_ref().map_or(0, |state| state.ledger.epoch().0) + 1;
        let mut states = std::iter::once(state).chain(std::iter::repeat_with(|| None));
        let (life, store) = (Incarnation(life), results.store());
        let maker = Maker { options, infos: &nodes, network: &network, store, news: &news, life };
        let mut doors = Vec::new();
        let mut hosts = Vec::new();
        for node in 0..nodes.len() {
            let (host, first, door) = maker.host(node, states.next().flatten())?;
            hosts.push((host, first));
            doors.push(door);
        }
        let poker = Poker::new(news);
        let thread = std::thread::Builder::new().name("bary-nodes".into()).spawn(move || {
            let local = tokio::task::LocalSet::new();
            local.block_on(&runtime, live(hosts));
        })?;
        let thread = Mutex::new(Some(thread));
        let cluster = Self { nodes, doors, thread, results, network, poker };
        Ok((cluster, Listener::new(heard)))
    }

    /// Submits a job to the first node's home.
    ///
    /// # Errors
    /// Where the home refuses it; nothing of it runs then.
    pub fn submit(&self, job: JobSpec) -> Result<JobNo, RequestError> {
        match self.request(Request::Submit(job))? {
            Reply::Accepted(job) => Ok(job),
            Reply::Done => Err(RequestError::Stopped),
            Reply::Refused(refusal) => Err(refusal.into()),
        }
    }

    /// Adds specs to an open job.
    ///
    /// # Errors
    /// Where the home refuses them; none is added then.
    pub fn extend(&self, job: JobNo, specs: Arc<[Arc<TaskSpec>]>) -> Result<(), RequestError> {
        self.done(Request::Extend { job, specs })
    }

    /// Says that no more specs will be added.
    ///
    /// # Errors
    /// Where there is no such open job.
    pub fn close(&self, job: JobNo) -> Result<(), RequestError> {
        self.done(Request::Close(job))
    }

    /// Runs what did not succeed of a finished job once more.
    ///
    /// # Errors
    /// Where the job has not finished, or is not kept.
    pub fn retry(&self, job: JobNo) -> Result<(), RequestError> {
        self.done(Request::Retry(job))
    }

    /// What its acknowledgements are worth.
    #[must_use]
    pub fn durability(&self) -> Durability {
        match self.results {
            Results::Passing(_) => Durability::Memory,
            Results::Lasting(_) => Durability::Disk,
        }
    }

    /// Cancels what has not ended of a job; with `running`, also what runs.
    ///
    /// # Errors
    /// Where there is no such job.
    pub fn cancel(&self, job: JobNo, running: bool) -> Result<(), RequestError> {
        self.done(Request::Cancel { job, running })
    }

    /// Makes all nodes decide by another policy from now on.
    ///
    /// # Errors
    /// Where the cluster has stopped.
    pub fn follow(&self, policy: &Policy) -> Result<(), RequestError> {
        for door in &self.doors {
            request(door, Request::Follow(policy.clone()))?;
        }
        Ok(())
    }

    /// Where large results are kept.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        self.results.store()
    }

    /// The nodes, by their ids.
    #[must_use]
    pub fn nodes(&self) -> &[NodeInfo] {
        &self.nodes
    }

    /// How many messages went between nodes so far, by kind.
    #[must_use]
    pub fn message_counts(&self) -> MessageCounts {
        self.network.counts()
    }

    /// Wakes the listener.
    #[must_use]
    pub fn poker(&self) -> Poker {
        self.poker.clone()
    }

    /// Waits until nothing runs any more, then ends all threads.
    pub fn stop(&self) {
        self.end(|| Control::Stop);
    }

    /// Starts nothing more, asks what runs to end (as a timeout does), and ends all threads. What
    /// has not ended stays as it is: where there is a state, a later run goes on with it.
    pub fn suspend(&self) {
        self.end(|| Control::Suspend);
    }

    /// Kills every process tree at once and returns when all have been reaped.
    pub fn kill_now(&self) {
        if let Results::Lasting(store) = &self.results {
            store.give_up();
        }
        self.end(|| Control::Kill);
    }

    fn end(&self, control: impl Fn() -> Control) {
        self.poker.end();
        for door in &self.doors {
            // A node that has ended needs no telling.
            drop(door.send(control()));
        }
        let thread = self.thread.lock().map(|mut thread| thread.take());
        if let Ok(Some(thread)) = thread {
            // A panic of the loop was printed when it happened.
            drop(thread.join());
        }
    }

    fn done(&self, wanted: Request) -> Result<(), RequestError> {
        match self.request(wanted)? {
            Reply::Refused(refusal) => Err(refusal.into()),
            Reply::Accepted(_) | Reply::Done => Ok(()),
        }
    }

    fn request(&self, wanted: Request) -> Result<Reply, RequestError> {
        request(&self.doors[0], wanted)
    }
}

/// Runs all hosts to their end. One that panics takes the others with it: whoever waits for the
/// cluster then hears that it has stopped, rather than nothing for ever.
async fn live(hosts: Vec<(Host, Vec<Input>)>) {
    let mut tasks = tokio::task::JoinSet::new();
    for (host, first) in hosts {
        tasks.spawn_local(host.run(first));
    }
    while let Some(end) = tasks.join_next().await {
        if let Err(panic) = end.map_err(tokio::task::JoinError::try_into_panic) {
            match panic {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => return,
            }
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill_now();
    }
}

fn request(door: &UnboundedSender<Control>, request: Request) -> Result<Reply, RequestError> {
    let (answer, answered) = sync_channel(1);
    let sent = door.send(Control::Request { request, answer });
    sent.map_err(|_| RequestError::Stopped)?;
    answered.recv().map_err(|_| RequestError::Stopped)
}

fn infos(nodes: &[NodeOptions]) -> Vec<NodeInfo> {
    nodes.iter().enumerate().map(|(at, node)| node.info(NodeId(at as u32))).collect()
}

fn network(options: &ClusterOptions) -> Network {
    let (nodes, latency) = (options.nodes.clone(), options.latency.clone());
    // A state may name nodes that only an earlier run had.
    let between = move |from: NodeId, to: NodeId| {
        let both = nodes.get(from.index()).zip(nodes.get(to.index()));
        both.map_or(Span::ZERO, |(from, to)| latency.between(from, to))
    };
    Network::new(between)
}
