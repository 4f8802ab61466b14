//! The nodes of a running cluster: those that it was started with, and those that join it and leave
//! it while it runs. Every node hears of every other.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bary_engine::input::{Input, Request};
use bary_model::id::NodeId;
use bary_model::machine::Machine;
use bary_model::node::{NodeInfo, Peer};
use bary_model::time::Span;
use bary_policy::preset::Policy;
use bary_transport::memory::Network;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;

use crate::atlas::Atlas;
use crate::host::Host;
use crate::inbox::{Answer, Control};
use crate::maker::Made;
use crate::meter::Meter;
use crate::options::ClusterOptions;
use crate::peers::roster::Peers;

/// A node of a cluster, as it was last known.
#[derive(Clone, Debug)]
pub struct Member {
    /// What it says of itself.
    pub info: NodeInfo,
    /// Whether it joined while the cluster ran.
    pub guest: bool,
    /// Whether it has left.
    pub gone: bool,
    /// Since when it is there, or has left.
    pub since: SystemTime,
    /// How far it is, where it is of another member of the cluster.
    pub round_trip: Option<Span>,
    /// What its machine was found to be, as tasks are placed by it.
    pub machine: Machine,
}

/// A host, and what it is told first.
pub(crate) type Newcomer = (Host, Vec<Input>);

impl Member {
    /// It as others meet it; nodes of this process are at no distance.
    fn peer(&self) -> Peer {
        let (info, machine) = (self.info.clone(), self.machine);
        Peer { info, round_trip: self.round_trip.unwrap_or(Span::ZERO), machine }
    }
}

/// All nodes.
#[derive(Debug)]
pub(crate) struct Crew {
    state: Mutex<State>,
    network: Arc<Network>,
    newcomers: UnboundedSender<Newcomer>,
    /// How many guests are there; the others outlast them.
    guests: Arc<AtomicUsize>,
    /// The other members of the cluster, where this process is in one.
    peers: Option<Arc<Peers>>,
    /// The graph of the cluster that was drawn last.
    pub(crate) atlas: Arc<Atlas>,
}

#[derive(Debug)]
struct State {
    members: BTreeMap<NodeId, Member>,
    doors: BTreeMap<NodeId, UnboundedSender<Control>>,
    /// Guests that have left, the first to leave first.
    gone: VecDeque<NodeId>,
    /// The first node, whose home requests go to.
    home: NodeId,
    next: NodeId,
    policy: Policy,
    /// What tells what the machine of this process is.
    meter: Arc<dyn Meter>,
    closed: bool,
}

/// How many guests that have left are remembered.
pub(crate) const GONE_MAX: usize = 1_000;

/// Why no node joined. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The cluster is ending.
    #[error("the node is ending")]
    Stopped,
    /// The machine refused something.
    #[error("the machine refused: {0}")]
    Machine(#[from] io::Error),
    /// As many have joined this member of a cluster as it can number.
    #[error("{} workers have joined since the node began; restart it", NodeId::OF_MEMBER_MAX)]
    Numbers,
}

impl Crew {
    /// The nodes that a cluster is started with, in the order of their ids.
    pub(crate) fn new(
        founders: &[NodeInfo],
        options: &ClusterOptions,
        network: Arc<Network>,
        newcomers: UnboundedSender<Newcomer>,
        peers: Option<Arc<Peers>>,
    ) -> Self {
        let since = SystemTime::now();
        let (guest, gone, round_trip) = (false, false, None);
        let machine = Machine::default();
        let member = |info: &NodeInfo| {
            let info = info.clone();
            Member { info, guest, gone, since, round_trip, machine }
        };
        let home = founders.first().map_or(NodeId(0), |info| info.id);
        let state = State {
            members: founders.iter().map(|info| (info.id, member(info))).collect(),
            doors: BTreeMap::new(),
            gone: VecDeque::new(),
            home,
            next: NodeId(home.0 + founders.len() as u64),
            policy: options.policy.clone(),
            meter: Arc::clone(&options.meter),
            closed: false,
        };
        let (state, guests, atlas) = (Mutex::new(state), Arc::default(), Arc::default());
        Self { state, network, newcomers, guests, peers, atlas }
    }

    /// Takes in the door of a node that the cluster is started with.
    pub(crate) fn found(&self, node: NodeId, door: UnboundedSender<Control>) {
        self.state().doors.insert(node, door);
    }

    /// Counts the guests.
    pub(crate) fn guests(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.guests)
    }

    /// Has a node join: `make` is given the policy that is followed now. All hear of it before it
    /// hears from any.
    ///
    /// # Errors
    /// See [`JoinError`].
    pub(crate) fn join<T>(
        &self,
        mut info: NodeInfo,
        make: impl FnOnce(&NodeInfo, Policy) -> io::Result<(Made, T)>,
    ) -> Result<(NodeInfo, T), JoinError> {
        let mut state = self.state();
        if state.closed {
            return Err(JoinError::Stopped);
        }
        if self.peers.is_some() && state.next.member() != state.home.member() {
            return Err(JoinError::Numbers);
        }
        info.id = state.next;
        info.name = state.free_name(&info.name, info.id);
        let ((host, mut first, door), seat) = make(&info, state.policy.clone())?;
        let since = SystemTime::now();
        let machine = state.meter.machine(&info);
        let (guest, gone, round_trip) = (true, false, None);
        let member = Member { info: info.clone(), guest, gone, since, round_trip, machine };
        let known = state.there().chain([&member]);
        first.extend(known.map(|member| Input::Joined(Box::new(member.peer()))));
        self.guests.fetch_add(1, Ordering::Relaxed);
        if self.newcomers.send((host, first)).is_err() {
            self.guests.fetch_sub(1, Ordering::Relaxed);
            self.network.leave(info.id);
            return Err(JoinError::Stopped);
        }
        state.tell(|| Control::Joined(Box::new(member.peer())));
        state.next = NodeId(info.id.0 + 1);
        state.doors.insert(info.id, door);
        state.members.insert(info.id, member);
        self.changed();
        Ok((info, seat))
    }

    /// Has a guest leave as soon as it holds nothing any more; it is given nothing more.
    pub(crate) fn dismiss(&self, node: NodeId) {
        let state = self.state();
        state.ask_home(Request::Drain { node, drain: true });
        if let Some(door) = state.doors.get(&node) {
            // One that has left already needs no telling.
            drop(door.send(Control::Stop));
        }
    }

    /// The host of a node has ended. The others hear that it has left, behind all that it said.
    pub(crate) fn on_ended(&self, node: NodeId) {
        let mut state = self.state();
        self.network.leave(node);
        state.doors.remove(&node);
        let Some(member) = state.members.get_mut(&node).filter(|member| member.guest) else {
            return;
        };
        (member.gone, member.since) = (true, SystemTime::now());
        self.guests.fetch_sub(1, Ordering::Relaxed);
        state.tell(|| Control::Left(node));
        // Its number is not used again, and need not be remembered as drained.
        state.ask_home(Request::Drain { node, drain: false });
        state.bury(node);
        self.changed();
    }

    /// There is a node of another member, or more is known of it.
    pub(crate) fn meet(&self, peer: Peer, guest: bool) {
        let mut state = self.state();
        let Peer { info, round_trip, machine } = &peer;
        let (since, gone, round_trip) = (SystemTime::now(), false, Some(*round_trip));
        let machine = *machine;
        let known = state.members.get(&info.id).filter(|known| !known.gone);
        let since = known.map_or(since, |known| known.since);
        let member = Member { info: info.clone(), guest, gone, since, round_trip, machine };
        state.members.insert(info.id, member);
        state.gone.retain(|gone| *gone != peer.info.id);
        state.tell(|| Control::Joined(Box::new(peer.clone())));
    }

    /// Looks what the machines of the nodes here are by now; all hear of those that are others.
    /// `ways` is how long it takes from one node of this process to another and back.
    pub(crate) fn probe(&self, ways: impl Fn(NodeId, NodeId) -> Span) {
        let mut state = self.state();
        let meter = Arc::clone(&state.meter);
        let mut news = Vec::new();
        let here = |member: &&mut Member| !member.gone && member.round_trip.is_none();
        for member in state.members.values_mut().filter(here) {
            let machine = meter.machine(&member.info);
            if std::mem::replace(&mut member.machine, machine) != machine {
                news.push(member.peer());
            }
        }
        let to_all = |peer| state.doors.iter().map(move |(node, door)| (node, door, peer));
        for (node, door, peer) in news.iter().flat_map(to_all) {
            let peer = Peer { round_trip: ways(*node, peer.info.id), ..Peer::clone(peer) };
            // A node that has ended needs no telling.
            drop(door.send(Control::Joined(Box::new(peer))));
        }
    }

    /// A node of another member is gone, as far as anybody can tell.
    pub(crate) fn part(&self, node: NodeId) {
        let mut state = self.state();
        let Some(member) = state.members.get_mut(&node) else { return };
        (member.gone, member.since) = (true, SystemTime::now());
        state.tell(|| Control::Left(node));
        state.bury(node);
    }

    /// A node that held something once will not come back: whoever is its home takes that back.
    pub(crate) fn haunt(&self, ghost: Peer) {
        let state = self.state();
        let node = ghost.info.id;
        state.tell(|| Control::Joined(Box::new(ghost.clone())));
        state.tell(|| Control::Left(node));
    }

    /// The nodes of this process that are there, and whether each is a guest.
    pub(crate) fn own(&self) -> Vec<(NodeInfo, bool)> {
        let state = self.state();
        let own = state.there().filter(|member| member.round_trip.is_none());
        own.map(|member| (member.info.clone(), member.guest)).collect()
    }

    /// Other members hear that the nodes here are others.
    fn changed(&self) {
        if let Some(peers) = &self.peers {
            peers.on_change();
        }
    }

    /// Tells every node that is there something. With `closing`, none may join after it.
    pub(crate) fn tell_all(&self, closing: bool, control: impl Fn() -> Control) {
        let mut state = self.state();
        state.closed |= closing;
        state.tell(control);
    }

    /// Guests follow a policy from now on, those that come later too; but not those that run
    /// nothing: they are homes, which follow what their shards say.
    pub(crate) fn follow(&self, policy: &Policy) {
        let mut state = self.state();
        state.policy = policy.clone();
        let guests = state.members.values().filter(|member| member.guest && !member.gone);
        let guests = guests.filter(|member| member.info.slots > 0);
        for door in guests.filter_map(|member| state.doors.get(&member.info.id)) {
            let request = Request::Follow(policy.clone());
            // One that has just ended follows nothing.
            let request = Box::new(request);
            drop(door.send(Control::Request { request, answer: nobody() }));
        }
    }

    /// All nodes that are there or are remembered, by their ids.
    pub(crate) fn members(&self) -> Vec<Member> {
        self.state().members.values().cloned().collect()
    }

    /// What a node says, or said, of itself.
    pub(crate) fn info(&self, node: NodeId) -> Option<NodeInfo> {
        self.state().members.get(&node).map(|member| member.info.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn there(&self) -> impl Iterator<Item = &Member> {
        self.members.values().filter(|member| !member.gone)
    }

    /// Remembers a node that has left, for as long as not too many have left since.
    fn bury(&mut self, node: NodeId) {
        self.gone.push_back(node);
        if self.gone.len() > GONE_MAX
            && let Some(oldest) = self.gone.pop_front()
        {
            self.members.remove(&oldest);
        }
    }

    /// A name that no node has that is there: the wanted one, or that with a number behind it.
    fn free_name(&self, wanted: &str, id: NodeId) -> Box<str> {
        let base = if wanted.is_empty() { format!("worker-{}", id.0) } else { wanted.to_owned() };
        let taken = |name: &str| self.there().any(|member| &*member.info.name == name);
        let numbered = (2..).map(|number: u64| format!("{base}-{number}"));
        let mut names = std::iter::once(base.clone()).chain(numbered);
        names.find(|name| !taken(name)).unwrap_or(base).into()
    }

    fn tell(&self, control: impl Fn() -> Control) {
        for door in self.doors.values() {
            // A node that has ended needs no telling.
            drop(door.send(control()));
        }
    }

    /// Asks the home for something that it does not refuse.
    fn ask_home(&self, request: Request) {
        if let Some(door) = self.doors.get(&self.home) {
            // A home that has ended has nothing to do with it any more.
            let request = Box::new(request);
            drop(door.send(Control::Request { request, answer: nobody() }));
        }
    }
}

/// An answer that nobody waits for.
fn nobody() -> Answer {
    Answer::Here(sync_channel(1).0)
}

/// Runs all hosts to their end, those too that come later. One that panics takes the others with
/// it: whoever waits for the cluster then hears that it has stopped, rather than nothing for ever.
pub(crate) async fn live(
    hosts: Vec<Newcomer>,
    mut coming: UnboundedReceiver<Newcomer>,
    crew: &Arc<Crew>,
) {
    let mut tasks = JoinSet::new();
    let begin = |tasks: &mut JoinSet<()>, (mut host, first): Newcomer| {
        let crew = Arc::clone(crew);
        tasks.spawn(async move {
            host.run(first).await;
            // A worker that hears of its end has left by then, as far as anybody can tell.
            crew.on_ended(host.node);
            if let Err(error) = tokio::task::spawn_blocking(move || host.close()).await
                && let Ok(panic) = error.try_into_panic()
            {
                std::panic::resume_unwind(panic);
            }
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
