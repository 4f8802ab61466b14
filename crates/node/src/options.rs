//! What a cluster inside one process is made of.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_engine::limits::Limits;
use bary_executor::cached::desk::Desk;
use bary_executor::config::{Addresses, ExecutorConfig};
use bary_model::id::NodeId;
use bary_model::node::{NodeInfo, Offers};
use bary_model::resources::Resources;
use bary_model::time::Span;
use bary_policy::preset::Policy;
use bary_ports::cache::ResultCache;
use bary_ports::function::Functions;
use bary_ports::store::Store;
use bary_store::spill::StoreConfig;

use crate::meter::{Machine, Meter};
use crate::peers::roster::Peers;
use crate::replicas::Reign;

/// A cluster inside one process.
#[derive(Clone, Debug)]
pub struct ClusterOptions {
    /// Its nodes, at least one. Jobs are submitted to the first.
    pub nodes: Vec<NodeOptions>,
    /// How long messages between them take.
    pub latency: Latency,
    /// How tasks are placed.
    pub policy: Policy,
    /// From which all dice are made.
    pub seed: u64,
    /// What the engines never exceed.
    pub limits: Limits,
    /// How tasks run; node, speed and clock are set for each node.
    pub executor: ExecutorConfig,
    /// Where large results are kept.
    pub store: StoreConfig,
    /// The functions that tasks may call.
    pub functions: Functions,
    /// Most batches of news that the listener may be behind before nodes take in no more
    /// completions. Defaults to 1,024.
    pub news_max: usize,
    /// Whether nodes offer no functions but those that they have, so that a task that calls another
    /// waits for a node that has it, rather than fails. Defaults to false.
    pub offers_own: bool,
    /// Whether nodes tell what they run, besides what comes of it. Defaults to false.
    pub tells_runs: bool,
    /// Where results are kept for tasks that take those of equal work. Each runs without.
    pub cache: Option<Arc<dyn ResultCache>>,
    /// How many bytes a journal on a disk has before it is looked at for what counts no more; it is
    /// rewritten where that is at least half. Defaults to 16 MiB.
    pub compact_after_bytes: u64,
    /// The runtime, of several threads, on which its nodes run beside whoever asks them. Without
    /// one they have a thread of their own. Defaults to none.
    pub threads: Option<tokio::runtime::Handle>,
    /// Whether workers may join it, so that a function that its nodes do not know waits for one
    /// instead of failing there. Defaults to false.
    pub awaits_workers: bool,
    /// What tells how busy the machines of its nodes are, where a policy looks at that. Defaults to
    /// this machine, for all of them.
    pub meter: Arc<dyn Meter>,
    /// The cluster that the process is a member of. Defaults to none.
    pub peers: Option<Membership>,
    /// The reign under which the first node is home of its shard, where other members keep that as
    /// well. Defaults to none.
    pub reign: Option<Reigning>,
}

/// The reign of a home whose shard is replicated.
#[derive(Clone, Debug)]
pub struct Reigning(pub(crate) Reign);

/// A process's place in a cluster of several.
#[derive(Clone, Debug)]
pub struct Membership(pub(crate) Arc<Peers>);

/// One node of the cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeOptions {
    /// Its name, for people.
    pub name: Box<str>,
    /// Where it is; only [`Latency`] and policies care.
    pub region: Box<str>,
    /// How many tasks of one core it runs at a time.
    pub slots: u32,
    /// Its speed relative to the others; the slower ones are slowed down.
    pub speed: f64,
    /// All that it has.
    pub resources: Resources,
    /// Labels that tasks may ask for.
    pub labels: BTreeMap<Box<str>, Box<str>>,
}

/// How long a message from one node to another takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Latency {
    /// The same between any two.
    Same(Span),
    /// By the regions of both, in either order; `within` where none is given.
    Regions {
        /// One way between two regions.
        between: BTreeMap<(Box<str>, Box<str>), Span>,
        /// One way inside a region, and between regions that are not listed.
        within: Span,
    },
}

impl NodeOptions {
    /// A node with so many slots and the memory of this machine.
    #[must_use]
    pub fn local(name: impl Into<Box<str>>, slots: u32) -> Self {
        let resources = Resources { memory: machine_memory(), ..Resources::cpus(slots) };
        Self {
            name: name.into(),
            region: "local".into(),
            slots,
            speed: 1.0,
            resources,
            labels: BTreeMap::new(),
        }
    }

    pub(crate) fn info(&self, id: NodeId) -> NodeInfo {
        NodeInfo {
            id,
            name: self.name.clone(),
            region: self.region.clone(),
            resources: self.resources.clone(),
            slots: self.slots,
            speed: self.speed,
            labels: self.labels.clone(),
            offers: Offers::default(),
        }
    }
}

impl Latency {
    /// How long a message takes one way.
    #[must_use]
    pub fn between(&self, from: &NodeOptions, to: &NodeOptions) -> Span {
        match self {
            Self::Same(span) => *span,
            Self::Regions { between, within } => {
                let (a, b) = (from.region.clone(), to.region.clone());
                let there = between.get(&(a.clone(), b.clone())).or_else(|| between.get(&(b, a)));
                there.copied().unwrap_or(*within)
            }
        }
    }
}

impl ClusterOptions {
    /// One node with these slots, and production's defaults.
    #[must_use]
    pub fn new(nodes: Vec<NodeOptions>, policy: Policy) -> Self {
        Self {
            nodes,
            latency: Latency::Same(Span::ZERO),
            policy,
            seed: 0,
            limits: Limits::default(),
            executor: ExecutorConfig::default(),
            store: StoreConfig::default(),
            functions: Functions::new(),
            news_max: 1_024,
            offers_own: false,
            tells_runs: false,
            cache: None,
            compact_after_bytes: 16 << 20,
            threads: None,
            awaits_workers: false,
            meter: Arc::new(Machine::default()),
            peers: None,
            reign: None,
        }
    }

    /// What its nodes say of themselves, by their ids.
    pub(crate) fn infos(&self) -> Vec<NodeInfo> {
        let own = self.offers_own.then(|| self.functions.keys().cloned().collect());
        let offers = Offers { functions: own, ..Offers::default() };
        let nodes = self.nodes.iter().enumerate();
        let info = |(at, node): (usize, &NodeOptions)| NodeInfo {
            offers: offers.clone(),
            ..node.info(self.id(at))
        };
        nodes.map(info).collect()
    }

    /// Under which addresses its nodes are reached.
    pub(crate) fn addresses(&self) -> Addresses {
        let Some(Membership(peers)) = &self.peers else { return Addresses::default() };
        let peers = Arc::clone(peers);
        Addresses::new(move |node| peers.address_of(node))
    }

    /// The id of the node at a place of the list.
    pub(crate) fn id(&self, at: usize) -> NodeId {
        let member = self.peers.as_ref().map_or(0, |Membership(peers)| peers.me());
        NodeId::of_member(member, at as u64)
    }

    /// Where its nodes look up results of equal work, where any are kept.
    pub(crate) fn desk(&self, store: &Arc<dyn Store>) -> Option<Arc<Desk>> {
        let cache = Arc::clone(self.cache.as_ref()?);
        let (cwd, origin) = (self.executor.cwd.clone(), self.executor.origin);
        Some(Arc::new(Desk::new(cache, Arc::clone(store), cwd, origin)))
    }

    /// Whether nothing is wrong with them.
    ///
    /// # Errors
    /// See [`ClusterOptions::check`].
    pub(crate) fn sound(&self) -> Result<(), Vec<String>> {
        let faults = self.check();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Everything that is wrong with them, in words.
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.nodes.is_empty() {
            faults.push("a cluster needs at least one node".to_owned());
        }
        for node in &self.nodes {
            if node.slots == 0 {
                faults.push(format!("node {} has no slots; give it at least 1", node.name));
            }
            if !(node.speed.is_finite() && node.speed > 0.0) {
                faults.push(format!("speed {} of {} is not above 0", node.speed, node.name));
            }
        }
        if self.news_max == 0 {
            faults.push("news_max must be at least 1".to_owned());
        }
        faults
    }
}

/// All memory of this machine in bytes; without bound where it cannot be read.
#[must_use]
pub fn machine_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = total.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.map_or(u64::MAX, |kib| kib * 1024)
}
