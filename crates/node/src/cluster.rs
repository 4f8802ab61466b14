//! Nodes inside one process that speak through the in-memory transport: asks, grants and steals
//! are the same as between machines.

use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use bary_engine::input::{Refusal, Request};
use bary_model::id::{Incarnation, NodeId, ShardId};
use bary_model::node::{NodeInfo, Offers};
use bary_model::time::Span;
use bary_policy::preset::Policy;
use bary_ports::executor::Executor;
use bary_ports::store::Store;
use bary_store::durable::DurableStore;
use bary_store::spill::SpillStore;
use bary_transport::count::MessageCounts;
use bary_transport::memory::Network;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use crate::crew::{Crew, JoinError, Member, Newcomer};
use crate::inbox::{Answer, CompletionDoor, Control};
use crate::listener::{Listener, Poker};
use crate::maker::Maker;
use crate::options::{ClusterOptions, NodeOptions};
use crate::state::State as Shard;
use crate::worker::seat::Seat;

mod requests;

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
    /// What it was started with.
    options: ClusterOptions,
    nodes: Vec<NodeInfo>,
    doors: Vec<UnboundedSender<Control>>,
    crew: Arc<Crew>,
    life: Incarnation,
    thread: Mutex<Option<JoinHandle<()>>>,
    results: Results,
    /// The shard of the first node.
    shard: ShardId,
    network: Arc<Network>,
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
        let nodes = infos(options);
        let (news, heard) = sync_channel(options.news_max);
        let network = Arc::new(network(options));
        let (newcomers, coming) = unbounded_channel();
        let crew = Crew::new(&nodes, options.policy.clone(), Arc::clone(&network), newcomers);
        let crew = Arc::new(crew);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        // All nodes live and die with the process, and only a state outlives it.
        let life = state.as_ref().map_or(0, |state| state.ledger.epoch().0) + 1;
        let mut states = std::iter::once(state).chain(std::iter::repeat_with(|| None));
        let (life, store) = (Incarnation(life), results.store());
        let maker = Maker { options, infos: &nodes, network: &network, store, news: &news, life };
        let mut doors = Vec::new();
        let mut hosts = Vec::new();
        for (node, info) in nodes.iter().enumerate() {
            let state = states.next().flatten();
            let (host, first, door) = maker.host(node, state, crew.guests())?;
            hosts.push((host, first));
            crew.found(info.id, door.clone());
            doors.push(door);
        }
        let shard = hosts[0].0.shard;
        let poker = Poker::new(news);
        let all = Arc::clone(&crew);
        let thread = std::thread::Builder::new().name("bary-nodes".into()).spawn(move || {
            let local = tokio::task::LocalSet::new();
            local.block_on(&runtime, live(hosts, coming, &all));
        })?;
        let (options, thread) = (options.clone(), Mutex::new(Some(thread)));
        let cluster =
            Self { options, nodes, doors, crew, life, thread, results, shard, network, poker };
        Ok((cluster, Listener::new(heard)))
    }

    /// What its acknowledgements are worth.
    #[must_use]
    pub fn durability(&self) -> Durability {
        match self.results {
            Results::Passing(_) => Durability::Memory,
            Results::Lasting(_) => Durability::Disk,
        }
    }

    /// Has a node join whose tasks run where `executor` says, which is given the place to report
    /// to. It is home of nothing, and gets an id and a name of its own.
    ///
    /// # Errors
    /// See [`JoinError`].
    pub(crate) fn join(
        &self,
        info: NodeInfo,
        executor: impl FnOnce(Arc<CompletionDoor>) -> Box<dyn Executor>,
    ) -> Result<Seat, JoinError> {
        let news = self.poker.news().ok_or(JoinError::Stopped)?;
        let (options, infos, life) = (&self.options, &*self.nodes, self.life);
        let (network, store) = (&*self.network, self.results.store());
        let maker = Maker { options, infos, network, store, news: &news, life };
        let joined =
            self.crew.join(info, |info, policy| Ok(maker.guest(info, policy, executor)))?;
        let (info, (control, into)) = joined;
        let (crew, origin) = (Arc::clone(&self.crew), options.executor.origin);
        Ok(Seat::new(info, control, into, crew, origin))
    }

    /// All nodes, those that joined later and those that have left and are still remembered
    /// included, by their ids.
    #[must_use]
    pub fn members(&self) -> Vec<Member> {
        self.crew.members()
    }

    /// What a node says of itself, or said before it left.
    #[must_use]
    pub fn info(&self, node: NodeId) -> Option<NodeInfo> {
        self.crew.info(node)
    }

    /// The nodes that joined later follow a policy from now on.
    pub(crate) fn guests_follow(&self, policy: &Policy) {
        self.crew.follow(policy);
    }

    /// Asks the first node's home for something, without waiting: the answer comes among the news,
    /// as [`crate::listener::News::Replied`] under this ticket.
    ///
    /// # Errors
    /// Where the cluster has stopped; no answer comes then.
    pub fn ask(&self, ticket: u64, request: Request) -> Result<(), RequestError> {
        self.ask_node(0, ticket, request)
    }

    /// As [`Cluster::ask`], of the node of this number.
    ///
    /// # Errors
    /// As [`Cluster::ask`], or where there is no such node.
    pub fn ask_node(&self, node: usize, ticket: u64, request: Request) -> Result<(), RequestError> {
        let door = self.doors.get(node).ok_or(RequestError::Stopped)?;
        let asked = door.send(Control::Request { request, answer: Answer::Told(ticket) });
        asked.map_err(|_| RequestError::Stopped)
    }

    /// Where large results are kept.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        self.results.store()
    }

    /// The shard that jobs are submitted to.
    #[must_use]
    pub fn shard(&self) -> ShardId {
        self.shard
    }

    /// The nodes that it was started with, by their ids.
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

    /// Starts nothing more, waits for what runs, and ends all threads. What has not started stays
    /// as it is.
    pub fn drain(&self) {
        self.end(|| Control::Drain);
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
        self.crew.tell_all(true, control);
        let thread = self.thread.lock().map(|mut thread| thread.take());
        if let Ok(Some(thread)) = thread {
            // A panic of the loop was printed when it happened.
            drop(thread.join());
        }
    }
}

/// Runs all hosts to their end, those too that come later. One that panics takes the others with
/// it: whoever waits for the cluster then hears that it has stopped, rather than nothing for ever.
async fn live(hosts: Vec<Newcomer>, mut coming: UnboundedReceiver<Newcomer>, crew: &Arc<Crew>) {
    let mut tasks = JoinSet::new();
    let begin = |tasks: &mut JoinSet<()>, (mut host, first): Newcomer| {
        let crew = Arc::clone(crew);
        tasks.spawn_local(async move {
            host.run(first).await;
            // A worker that hears of its end has left by then, as far as anybody can tell.
            crew.on_ended(host.node);
            host.close();
        });
    };
    hosts.into_iter().for_each(|host| begin(&mut tasks, host));
    loop {
        tokio::select! {
            biased;
            Some(newcomer) = coming.recv() => begin(&mut tasks, newcomer),
            ended = tasks.join_next() => match ended {
                Some(Ok(())) => {}
                Some(Err(error)) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => return,
                },
                None => return,
            },
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill_now();
    }
}

fn infos(options: &ClusterOptions) -> Vec<NodeInfo> {
    let own = options.offers_own.then(|| options.functions.keys().cloned().collect());
    let offers = Offers { functions: own, ..Offers::default() };
    let nodes = options.nodes.iter().enumerate();
    let info = |(at, node): (usize, &NodeOptions)| NodeInfo {
        offers: offers.clone(),
        ..node.info(NodeId(at as u32))
    };
    nodes.map(info).collect()
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
