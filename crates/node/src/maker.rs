//! Makes the nodes of a cluster: each with its engine, its hands and its shard.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bary_engine::engine::{Engine, EngineConfig};
use bary_engine::flaw::Flaws;
use bary_engine::input::Input;
use bary_executor::beside::Beside;
use bary_executor::cached::desk::Desk;
use bary_executor::cached::{CachedEnds, CachedExecutor};
use bary_executor::config::ExecutorConfig;
use bary_executor::local::LocalExecutor;
use bary_ledger::ledger::Ledger;
use bary_model::id::{Incarnation, Lsn, NodeId, ShardId};
use bary_model::machine::Machine;
use bary_model::node::{NodeInfo, Peer};
use bary_model::time::{Span, Wall};
use bary_policy::dice::Dice;
use bary_policy::preset::Policy;
use bary_ports::executor::{Completions, Executor};
use bary_ports::journal::{Completion, Journal, MemoryJournal, Room};
use bary_ports::store::Store;
use bary_ports::transport::Transport;
use bary_transport::memory::Network;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::host::{Host, State};
use crate::inbox::{CompletionDoor, Control, MessageDoor};
use crate::journal::compacting::Compactable;
use crate::journal::{FileJournal, JournalPulse};
use crate::options::{ClusterOptions, Membership, Reigning};
use crate::peers::blobs::Blobs;
use crate::peers::clocks::Clock;
use crate::peers::post::Post;
use crate::replicas::Reign;
use crate::replicas::journal::ReplicatedJournal;
use crate::replicas::stand_in::StandInDoor;
use crate::state::{JOURNAL, State as Shard};
use crate::surveyor::Surveyor;
use crate::telling::NewsDoor;

/// What the nodes of a cluster are made of.
pub(crate) struct Maker<'a> {
    pub(crate) options: &'a ClusterOptions,
    pub(crate) infos: &'a [NodeInfo],
    pub(crate) network: &'a Arc<Network>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) news: &'a NewsDoor,
    pub(crate) life: Incarnation,
    /// When the clock of this process's nodes was zero.
    pub(crate) origin: Instant,
    /// Where results of equal work are looked up.
    pub(crate) desk: Option<Arc<Desk>>,
    /// The results of this member, where the process is one.
    pub(crate) blobs: Option<Arc<Blobs>>,
}

/// A node, what it is told first, and the door to it.
pub(crate) type Made = (Host, Vec<Input>, UnboundedSender<Control>);

/// A node of this process, with what is held of it besides its door.
pub(crate) type MadeHere = (Made, Held);

/// What is held of a node.
#[derive(Debug)]
pub(crate) struct Held {
    /// What starts commands beside its own.
    pub(crate) beside: Beside,
    /// What tells whether its journal goes on, where it has one.
    pub(crate) journal: Option<JournalPulse>,
}

/// The doors to a node that joined later, for whoever runs its tasks.
pub(crate) struct Doors {
    pub(crate) control: UnboundedSender<Control>,
    /// Where ends of runs are reported.
    pub(crate) ends: Arc<dyn Completions>,
    /// Where all else is.
    pub(crate) into: Arc<CompletionDoor>,
}

/// A journal, and what tells whether it goes on.
type Writing = (Box<dyn Journal>, Option<JournalPulse>);

/// The calendar's moment at which a clock began, by what the calendar says now.
fn calendar(origin: Instant) -> Wall {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall((Span::from(now) - Span::from(origin.elapsed())).0)
}

/// A node that was there once and holds nothing any more, taken for one like another.
fn ghost(id: NodeId, like: &NodeInfo) -> [Input; 2] {
    let info = NodeInfo { id, ..like.clone() };
    let (round_trip, machine) = (Span::ZERO, Machine::default());
    [Input::Joined(Box::new(Peer { info, round_trip, machine })), Input::Left(id)]
}

impl Maker<'_> {
    /// What a node sends with.
    fn transport(&self, node: NodeId) -> Box<dyn Transport> {
        match &self.options.peers {
            Some(Membership(peers)) => Box::new(Post::new(node, self.network, Arc::clone(peers))),
            None => self.network.transport(node),
        }
    }

    pub(crate) fn host(
        &self,
        node: usize,
        state: Option<Shard>,
        guests: Arc<AtomicUsize>,
        awaited: &mut BTreeSet<NodeId>,
    ) -> std::io::Result<MadeHere> {
        let (options, id) = (self.options, self.options.id(node));
        let (door, control) = unbounded_channel();
        let (completed, completions) = unbounded_channel();
        self.network.join(id, Arc::new(MessageDoor { control: door.clone() }));
        let into = CompletionDoor { completions: completed, news: self.news.clone() };
        let functions = options.functions.clone();
        let config = self.executor(node);
        let origin = config.origin;
        let store = Arc::clone(&self.store);
        let (executor, beside) = self.cached(Arc::new(into), |into| {
            let executor = LocalExecutor::new(config, functions, store, into);
            let beside = executor.beside();
            (Box::new(executor), beside)
        });
        let engine = self.engine(&self.infos[node], options.policy.clone());
        let (say, journaled) = unbounded_channel();
        // Later changes are told; what is so from the beginning must be known before any request.
        let low = state.as_ref().is_some_and(|state| state.log.room() != Room::Ample);
        if let Some(state) = &state {
            let door = door.clone();
            // A host that has ended wants to know nothing.
            state.store.tell(Box::new(move |full| drop(door.send(Control::Full(full)))));
        }
        let forgotten = Arc::default();
        let (ledger, next, (journal, pulse)) = self.shard(node, state, say, &forgotten)?;
        let host = Host {
            engine,
            executor,
            transport: self.transport(id),
            surveyor: Surveyor::new(&door, &options.meter),
            journal,
            shared: self.options.reign.as_ref().and_then(|_| self.blobs.clone()),
            node: id,
            shard: ledger.shard(),
            origin,
            control,
            completions,
            journaled,
            news: self.news.clone(),
            news_max: options.news_max,
            tells_runs: options.tells_runs,
            answers: BTreeMap::new(),
            guests: Some(guests),
            state: State::new(next).counting(forgotten),
        };
        let (ghosts, shard) = (self.ghosts(&ledger, awaited), ledger.shard());
        let mut first = vec![Input::Opened { ledger: Box::new(ledger), next }];
        first.extend(low.then_some(Input::Room { shard, low }));
        first.extend(ghosts);
        first.extend(self.peers(node));
        Ok(((host, first, door), Held { beside, journal: pulse }))
    }

    /// A node that joins later: it is home of nothing, and what it runs is run elsewhere.
    pub(crate) fn guest(
        &self,
        info: &NodeInfo,
        policy: Policy,
        executor: impl FnOnce(Arc<dyn Completions>) -> Box<dyn Executor>,
    ) -> (Made, Doors) {
        let (options, id) = (self.options, info.id);
        let (door, control) = unbounded_channel();
        let (completed, completions) = unbounded_channel();
        self.network.join(id, Arc::new(MessageDoor { control: door.clone() }));
        let into = Arc::new(CompletionDoor { completions: completed, news: self.news.clone() });
        let (executor, ends) = self.cached(Arc::clone(&into), |into| {
            let ends = Arc::clone(&into);
            (executor(into), ends)
        });
        let host = Host {
            engine: self.engine(info, policy),
            executor,
            transport: self.transport(id),
            surveyor: Surveyor::new(&door, &options.meter),
            journal: Box::new(MemoryJournal),
            shared: None,
            node: id,
            shard: ShardId(0),
            origin: options.executor.origin,
            control,
            completions,
            // Nothing is written, so that nothing is said of it.
            journaled: unbounded_channel().1,
            news: self.news.clone(),
            news_max: options.news_max,
            tells_runs: options.tells_runs,
            answers: BTreeMap::new(),
            guests: None,
            state: State::new(Lsn(1)),
        };
        ((host, Vec::new(), door.clone()), Doors { control: door, ends, into })
    }

    /// The home of another member's shard: a node that runs nothing. `there` are the nodes that are
    /// known; others hold nothing any more. Besides, gives the shard and what starts commands.
    pub(crate) fn stand_in(
        &self,
        info: &NodeInfo,
        policy: Policy,
        state: Shard,
        there: &BTreeSet<NodeId>,
    ) -> std::io::Result<(Made, (ShardId, Held))> {
        let (options, id) = (self.options, info.id);
        let (door, control) = unbounded_channel();
        let (completed, completions) = unbounded_channel();
        let origin = options.executor.origin;
        // Who is younger shows less.
        let (ahead, behind) = (
            self.origin.saturating_duration_since(origin),
            origin.saturating_duration_since(self.origin),
        );
        let shows = ahead.as_nanos() as i128 - behind.as_nanos() as i128;
        let here = Arc::new(MessageDoor { control: door.clone() });
        let (clock, blobs) = (Clock::behind(shows), self.blobs.clone());
        self.network.join(id, Arc::new(StandInDoor { door: here, clock, blobs }));
        let into = CompletionDoor { completions: completed, news: self.news.clone() };
        let config = ExecutorConfig { node: id, ..options.executor.clone() };
        let (functions, store) = (options.functions.clone(), Arc::clone(&self.store));
        let executor = LocalExecutor::new(config, functions, store, Arc::new(into));
        let beside = executor.beside();
        let (say, journaled) = unbounded_channel();
        let low = state.log.room() != Room::Ample;
        let forgotten = Arc::default();
        let (ledger, next, (journal, pulse)) = self.shard(0, Some(state), say, &forgotten)?;
        let shard = ledger.shard();
        let mut gone = BTreeSet::new();
        ledger.held(|holder, _| {
            if !there.contains(&holder.node) {
                gone.insert(holder.node);
            }
        });
        let mut first = vec![Input::Opened { ledger: Box::new(ledger), next }];
        first.extend(low.then_some(Input::Room { shard, low }));
        first.extend(gone.into_iter().flat_map(|id| ghost(id, info)));
        let host = Host {
            engine: self.engine(info, policy),
            executor: Box::new(executor),
            transport: self.transport(id),
            surveyor: Surveyor::new(&door, &options.meter),
            journal,
            shared: self.blobs.clone(),
            node: id,
            shard,
            origin,
            control,
            completions,
            journaled,
            news: self.news.clone(),
            news_max: options.news_max,
            tells_runs: false,
            answers: BTreeMap::new(),
            guests: None,
            state: State::new(next).counting(forgotten),
        };
        Ok(((host, first, door), (shard, Held { beside, journal: pulse })))
    }

    /// An executor whose tasks may be answered from the cache, where there is one. `executor` is
    /// given the place to report to, and makes something besides.
    fn cached<T>(
        &self,
        into: Arc<CompletionDoor>,
        executor: impl FnOnce(Arc<dyn Completions>) -> (Box<dyn Executor>, T),
    ) -> (Box<dyn Executor>, T) {
        let Some(desk) = &self.desk else { return executor(into) };
        let ends = CachedEnds::new(Arc::clone(desk), into);
        let (inner, besides) = executor(Arc::new(ends.clone()));
        (Box::new(CachedExecutor::new(inner, ends)), besides)
    }

    fn engine(&self, info: &NodeInfo, policy: Policy) -> Engine {
        let options = self.options;
        Engine::new(EngineConfig {
            node: info.clone(),
            incarnation: self.life,
            seed: options.seed.wrapping_add(info.id.0),
            policy,
            limits: options.limits.clone(),
            flaws: Flaws::default(),
            calendar: calendar(options.executor.origin),
        })
    }

    fn executor(&self, node: usize) -> ExecutorConfig {
        let options = self.options;
        let fastest = options.nodes.iter().map(|node| node.speed).fold(0.0, f64::max);
        let speed = options.nodes[node].speed;
        let stretch = fastest / speed;
        let addresses = options.addresses();
        let node = options.id(node);
        ExecutorConfig { node, speed, stretch, addresses, ..options.executor.clone() }
    }

    /// The shard that a node is home of, and its journal: of a state where there is one.
    fn shard(
        &self,
        node: usize,
        state: Option<Shard>,
        say: UnboundedSender<Completion>,
        forgotten: &Arc<AtomicU64>,
    ) -> std::io::Result<(Ledger, Lsn, Writing)> {
        let Some(state) = state else {
            let mut shard = Dice::new(self.options.seed.wrapping_add(node as u64), "shard");
            let ledger = Ledger::new(ShardId(shard.next_u64()));
            return Ok((ledger, Lsn(1), (Box::new(MemoryJournal), None)));
        };
        let next = state.next();
        let known = state.ledger.numbers().count() as u64;
        forgotten.store(state.ledger.jobs() as u64 - known, Ordering::Relaxed);
        let store = Arc::clone(&state.store);
        let what = Compactable {
            dir: state.dir.join(JOURNAL),
            store: state.store,
            releases: state.releases,
            still: state.still,
            after_bytes: self.options.compact_after_bytes,
            forgotten: Arc::clone(forgotten),
        };
        // A result is durable before the batch that tells of it.
        let before = Box::new(move || store.sync());
        if let Some(Reigning(Reign { part, number, on })) = &self.options.reign {
            part.copy.serve(state.log, what, say.clone())?;
            let reign = (Arc::clone(part), *number);
            let last = Lsn(next.0 - 1);
            let journal = ReplicatedJournal::start(reign, last, before, say, on);
            return Ok((state.ledger, next, (Box::new(journal), None)));
        }
        // As above.
        let told = Box::new(move |completion| drop(say.send(completion)));
        let journal = FileJournal::start(state.log, before, told, Some(what))?;
        let pulse = Some(journal.pulse());
        Ok((state.ledger, next, (Box::new(journal), pulse)))
    }

    /// Nodes of an earlier run that this one has not: they hold nothing any more, except for those
    /// of other members of the cluster, which may come back.
    fn ghosts(&self, ledger: &Ledger, awaited: &mut BTreeSet<NodeId>) -> Vec<Input> {
        let mut gone = BTreeSet::new();
        let own: BTreeSet<NodeId> = self.infos.iter().map(|info| info.id).collect();
        let peers = self.options.peers.as_ref();
        ledger.held(|holder, _| {
            let node = holder.node;
            if peers.is_some_and(|Membership(peers)| peers.may_return(node)) {
                awaited.insert(node);
            } else if !own.contains(&node) {
                gone.insert(node);
            }
        });
        gone.into_iter().flat_map(|id| ghost(id, &self.infos[0])).collect()
    }

    /// Every other node, as the node at `me` meets it.
    fn peers(&self, me: usize) -> impl Iterator<Item = Input> {
        let options = self.options;
        let others = self.infos.iter().enumerate().filter(move |(other, _)| *other != me);
        others.map(move |(other, info)| {
            let way = options.latency.between(&options.nodes[me], &options.nodes[other]);
            let (info, round_trip) = (info.clone(), way.times(2));
            Input::Joined(Box::new(Peer { info, round_trip, machine: Machine::default() }))
        })
    }
}
