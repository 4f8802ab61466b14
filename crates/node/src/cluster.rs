//! Nodes inside one process that speak through the in-memory transport: asks, grants and steals
//! are the same as between machines.

use std::collections::BTreeMap;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use bary_engine::engine::{Engine, EngineConfig};
use bary_engine::input::{Input, Refusal, Reply, Request};
use bary_executor::config::ExecutorConfig;
use bary_executor::local::LocalExecutor;
use bary_model::id::{JobNo, NodeId, ShardId};
use bary_model::job::JobSpec;
use bary_model::node::{NodeInfo, Peer};
use bary_model::task::TaskSpec;
use bary_policy::dice::Dice;
use bary_policy::preset::Policy;
use bary_ports::journal::MemoryJournal;
use bary_ports::store::Store;
use bary_store::spill::SpillStore;
use bary_transport::count::MessageCounts;
use bary_transport::memory::Network;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::host::{Host, State};
use crate::inbox::{CompletionDoor, Control, MessageDoor};
use crate::listener::{Listener, News, Poker};
use crate::options::{ClusterOptions, NodeOptions};

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
    store: Arc<SpillStore>,
    network: Network,
    poker: Poker,
}

impl Cluster {
    /// Starts the nodes; they run until they are stopped or the cluster is dropped.
    ///
    /// # Errors
    /// Where the options cannot be, or the machine gives no thread.
    pub fn start(options: ClusterOptions) -> Result<(Self, Listener), StartError> {
        let faults = options.check();
        if !faults.is_empty() {
            return Err(StartError::Options(faults));
        }
        let infos = infos(&options.nodes);
        let store = Arc::new(SpillStore::new(options.store.clone()));
        let (news, heard) = sync_channel(options.news_max);
        let network = network(&options);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let mut doors = Vec::new();
        let mut hosts = Vec::new();
        for node in 0..infos.len() {
            let (host, door) = host(node, &options, &infos, &network, &store, &news);
            hosts.push((host, peers(node, &options, &infos)));
            doors.push(door);
        }
        let poker = Poker::new(news);
        let thread = std::thread::Builder::new().name("bary-nodes".into()).spawn(move || {
            let tasks = tokio::task::LocalSet::new();
            for (host, first) in hosts {
                tasks.spawn_local(host.run(first));
            }
            runtime.block_on(tasks);
        })?;
        let thread = Mutex::new(Some(thread));
        let cluster = Self { nodes: infos, doors, thread, store, network, poker };
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
        self.store.clone()
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

    /// Kills every process tree at once and returns when all have been reaped.
    pub fn kill_now(&self) {
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
    Network::new(move |from, to| latency.between(&nodes[from.index()], &nodes[to.index()]))
}

/// Every other node, as the node at `me` meets it.
fn peers(me: usize, options: &ClusterOptions, infos: &[NodeInfo]) -> Vec<Input> {
    let others = infos.iter().enumerate().filter(|(other, _)| *other != me);
    let met = others.map(|(other, info)| {
        let way = options.latency.between(&options.nodes[me], &options.nodes[other]);
        Input::Joined(Peer { info: info.clone(), round_trip: way.times(2) })
    });
    met.collect()
}

fn host(
    node: usize,
    options: &ClusterOptions,
    infos: &[NodeInfo],
    network: &Network,
    store: &Arc<SpillStore>,
    news: &SyncSender<News>,
) -> (Host, UnboundedSender<Control>) {
    let (door, control) = unbounded_channel();
    let (completed, completions) = unbounded_channel();
    let id = NodeId(node as u32);
    network.join(id, Arc::new(MessageDoor { control: door.clone() }));
    let fastest = options.nodes.iter().map(|node| node.speed).fold(0.0, f64::max);
    let speed = options.nodes[node].speed;
    let stretch = fastest / speed;
    let config = ExecutorConfig { node: id, speed, stretch, ..options.executor.clone() };
    let origin = config.origin;
    let into = CompletionDoor { completions: completed, news: news.clone() };
    let functions = options.functions.clone();
    let executor = LocalExecutor::new(config, functions, store.clone(), Arc::new(into));
    let mut shard = Dice::new(options.seed.wrapping_add(node as u64), "shard");
    let engine = Engine::new(EngineConfig {
        node: infos[node].clone(),
        shard: ShardId(shard.next_u64()),
        seed: options.seed.wrapping_add(node as u64),
        policy: options.policy.clone(),
        limits: options.limits.clone(),
    });
    let host = Host {
        engine,
        executor: Box::new(executor),
        transport: network.transport(id),
        journal: Box::new(MemoryJournal),
        origin,
        control,
        completions,
        news: news.clone(),
        news_max: options.news_max,
        answers: BTreeMap::new(),
        state: State::default(),
    };
    (host, door)
}
