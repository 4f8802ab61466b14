//! Nodes inside one process that speak through the in-memory transport: asks, grants and steals
//! are the same as between machines.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};

use bary_engine::input::{Refusal, Request};
use bary_executor::beside::Beside;
use bary_executor::cached::desk::Desk;
use bary_executor::config::Addresses;
use bary_model::id::{Incarnation, NodeId, ShardId};
use bary_model::node::NodeInfo;
use bary_model::time::Span;
use bary_policy::preset::Policy;
use bary_ports::executor::{Completions, Executor};
use bary_store::spill::SpillStore;
use bary_transport::count::MessageCounts;
use bary_transport::memory::Network;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::cluster::results::Results;
use crate::crew::{Crew, JoinError, Member, live};
use crate::ground::Ground;
use crate::inbox::{Answer, Control};
use crate::journal::JournalPulse;
use crate::listener::{Listener, Poker};
use crate::maker::{Held, Maker};
use crate::options::{ClusterOptions, Membership};
use crate::peers::about::About;
use crate::peers::roster::{Inside, Peers};
use crate::state::State as Shard;
use crate::surveyor;
use crate::telling;
use crate::worker::seat::Seat;

mod graph;
mod requests;
mod results;
mod standing_in;

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
    held: Vec<Held>,
    crew: Arc<Crew>,
    /// Where results of equal work are looked up.
    desk: Option<Arc<Desk>>,
    life: Incarnation,
    ground: Mutex<Option<Ground>>,
    results: Results,
    /// The shard of the first node.
    shard: ShardId,
    network: Arc<Network>,
    poker: Poker,
}

/// What an acknowledgement is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// What was acknowledged lives as long as the process.
    Memory,
    /// What was acknowledged had been synced to a disk before.
    Disk,
    /// What was acknowledged had been synced to the disks of a majority of the members that keep
    /// it.
    Replicated,
}

impl Durability {
    /// Its name, as acknowledgements and reports give it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Disk => "disk",
            Self::Replicated => "replicated",
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
        let results = Results::of(&state, options.peers.as_ref())?;
        Self::run(&options, results, Some(state))
    }

    fn run(
        options: &ClusterOptions,
        results: Results,
        state: Option<Shard>,
    ) -> Result<(Self, Listener), StartError> {
        options.sound().map_err(StartError::Options)?;
        let nodes = options.infos();
        let (news, heard) = telling::queue(options.news_max);
        let network = Arc::new(Network::new(surveyor::ways(options)));
        let (newcomers, coming) = unbounded_channel();
        let peers = options.peers.as_ref().map(|Membership(peers)| Arc::clone(peers));
        let net = Arc::clone(&network);
        let crew = Arc::new(Crew::new(&nodes, options, net, newcomers, peers.clone()));
        // All nodes live and die with the process, and only a state outlives it.
        let life = state.as_ref().map_or(0, |state| state.ledger.epoch().0) + 1;
        let life = peers.as_ref().map_or(Ok(life), |peers| peers.begin_life(life))?;
        let mut states = std::iter::once(state).chain(std::iter::repeat_with(|| None));
        let (life, store) = (Incarnation(life), results.store());
        let desk = options.desk(&store);
        let maker = Maker {
            options,
            infos: &nodes,
            network: &network,
            store,
            news: &news,
            life,
            origin: options.executor.origin,
            desk: desk.clone(),
            blobs: results.blobs().cloned(),
        };
        let (mut doors, mut held) = (Vec::new(), Vec::new());
        let (mut hosts, mut awaited) = (Vec::new(), BTreeSet::new());
        for (node, info) in nodes.iter().enumerate() {
            let state = states.next().flatten();
            let ((host, first, door), of_it) =
                maker.host(node, state, crew.guests(), &mut awaited)?;
            held.push(of_it);
            hosts.push((host, first));
            crew.found(info.id, door.clone());
            doors.push(door);
        }
        let shard = hosts[0].0.shard;
        let poker = Poker::new(news);
        if let (Some(peers), Some(blobs)) = (&peers, results.blobs()) {
            let blobs = Arc::clone(blobs);
            let (crew, network) = (Arc::clone(&crew), Arc::clone(&network));
            let (audit, board) = (OnceLock::new(), OnceLock::new());
            let (origin, ghost) = (options.executor.origin, nodes[0].clone());
            peers.open(Inside { crew, network, blobs, origin, ghost, audit, board }, awaited);
        }
        let all = Arc::clone(&crew);
        let living = async move { live(hosts, coming, &all).await };
        let ground = Ground::start(options.threads.as_ref(), living)?;
        let (options, ground) = (options.clone(), Mutex::new(Some(ground)));
        let cluster = Self {
            options,
            nodes,
            doors,
            held,
            crew,
            desk,
            life,
            ground,
            results,
            shard,
            network,
            poker,
        };
        Ok((cluster, Listener::new(heard)))
    }

    /// What it was started with.
    pub(crate) fn options(&self) -> &ClusterOptions {
        &self.options
    }

    /// Has a node join whose tasks run where `executor` says, which is given the place to report
    /// to. It is home of nothing, and gets an id and a name of its own.
    ///
    /// # Errors
    /// See [`JoinError`].
    pub(crate) fn join(
        &self,
        info: NodeInfo,
        executor: impl FnOnce(Arc<dyn Completions>) -> Box<dyn Executor>,
    ) -> Result<Seat, JoinError> {
        let news = self.poker.news().ok_or(JoinError::Stopped)?;
        let (options, infos, life) = (&self.options, &*self.nodes, self.life);
        let (network, store) = (&self.network, self.results.store());
        let desk = self.desk.clone();
        let (origin, blobs) = (options.executor.origin, self.blobs());
        let maker =
            Maker { options, infos, network, store, news: &news, life, origin, desk, blobs };
        let joined =
            self.crew.join(info, |info, policy| Ok(maker.guest(info, policy, executor)))?;
        let (info, doors) = joined;
        let crew = Arc::clone(&self.crew);
        Ok(Seat::new(info, doors, crew, origin))
    }

    /// All nodes, those that joined later and those that have left and are still remembered
    /// included, by their ids.
    #[must_use]
    pub fn members(&self) -> Vec<Member> {
        self.crew.members()
    }

    /// Looks what the machines of the nodes here are by now, as their meter says, and has tasks
    /// placed by that.
    pub fn probe(&self) {
        self.crew.probe(self.ways());
    }

    /// What a node says of itself, or said before it left.
    #[must_use]
    pub fn info(&self, node: NodeId) -> Option<NodeInfo> {
        self.crew.info(node)
    }

    /// What is known of a node of the cluster that this process is a member of; nothing where it is
    /// in none.
    pub(crate) fn about(&self, node: NodeId) -> About {
        self.peers().map(|peers| peers.about(node)).unwrap_or_default()
    }

    /// The other members of the cluster, where this process is in one.
    pub(crate) fn peers(&self) -> Option<&Arc<Peers>> {
        self.options.peers.as_ref().map(|Membership(peers)| peers)
    }

    /// Under which addresses nodes are reached.
    pub(crate) fn addresses(&self) -> Addresses {
        self.options.addresses()
    }

    /// What starts commands beside those of a node; none for one that joined later.
    pub(crate) fn beside(&self, node: NodeId) -> Option<Beside> {
        let at = node.0.checked_sub(self.options.id(0).0)?;
        self.held.get(usize::try_from(at).ok()?).map(|held| held.beside.clone())
    }

    /// Whether every node's loop goes round, and no journal is at the write still at which it was
    /// before. Waits for the loops.
    pub(crate) async fn goes_on(&self, before: &mut Vec<u64>) -> bool {
        let asked: Vec<_> = self
            .doors
            .iter()
            .map(|door| {
                let (say, said) = oneshot::channel();
                // A loop that has ended says nothing.
                drop(door.send(Control::Pulse(say)));
                said
            })
            .collect();
        let journals = self.held.iter().filter_map(|held| held.journal.as_ref());
        let turns: Vec<u64> = journals.map(JournalPulse::turn).collect();
        let hangs = turns.iter().zip(&*before).any(|(now, before)| now == before && now % 2 == 1);
        *before = turns;
        for said in asked {
            if said.await.is_err() {
                return false;
            }
        }
        !hangs
    }

    /// The nodes that joined later follow a policy from now on.
    pub(crate) fn guests_follow(&self, policy: &Policy) {
        if !self.is_stand_in() {
            self.crew.follow(policy);
        }
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
        let request = Box::new(request);
        let asked = door.send(Control::Request { request, answer: Answer::Told(ticket) });
        asked.map_err(|_| RequestError::Stopped)
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
        if !self.is_stand_in() {
            self.results.give_up();
        }
        self.end(|| Control::Kill);
    }

    fn end(&self, control: impl Fn() -> Control) {
        self.poker.end();
        if self.is_stand_in() {
            // The other nodes of the process go on. One that has ended wants to know nothing.
            self.doors.iter().for_each(|door| drop(door.send(control())));
            return;
        }
        self.crew.tell_all(true, control);
        let ground = self.ground.lock().map(|mut ground| ground.take());
        if let Ok(Some(ground)) = ground {
            ground.wait();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill_now();
    }
}
