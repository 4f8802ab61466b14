//! Everything that a seed decides, as plain data: it can be printed, and faults, jobs and nodes
//! can be taken out one by one to find what a break needs.

pub mod bodies;
pub mod chores;
mod deadline;
pub mod decrees;
pub mod faults;
pub(crate) mod gangs;
pub mod graphs;
pub mod machines;
pub(crate) mod moves;
pub(crate) mod placing;
pub mod presence;
pub(crate) mod protocols;
pub mod ready;
pub mod replay;
pub mod scaling;
pub mod steering;
pub(crate) mod swaps;
pub mod swarm;
pub(crate) mod ties;
pub mod world;

use std::sync::Arc;

use bary_engine::flaw::Flaws;
use bary_engine::limits::Limits;
use bary_model::job::JobSpec;
use bary_model::node::NodeInfo;
use bary_model::task::TaskSpec;
use bary_model::time::{Moment, Span};

use crate::fates::Fates;
use crate::freight::Bandwidth;
use crate::network::{NetworkPlan, Shape};
use crate::plan::chores::Chores;
use crate::plan::decrees::DecreePlan;
use crate::plan::machines::Probe;
use crate::plan::presence::PresencePlan;
use crate::plan::steering::DrainPlan;

/// A world and all that will happen to it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// From which all dice of the world are made.
    pub seed: u64,
    /// The nodes; a node's number is its position.
    pub nodes: Vec<NodePlan>,
    /// Which of them come and go, and at whose word.
    pub crew: scaling::CrewPlan,
    /// Whether every node knows every other; otherwise only homes do, and all know the homes.
    pub acquainted: bool,
    /// By which policy all nodes decide at first.
    pub policy: String,
    /// The limits of all engines.
    pub limits: Limits,
    /// How nodes find each other; without it each is told of the others as the world has it.
    pub presence: Option<PresencePlan>,
    /// Bugs put back on purpose.
    pub flaws: Flaws,
    /// The network until all is healed.
    pub network: NetworkPlan,
    /// How many bytes a second go between regions; where it is absent, bytes take no time.
    pub bandwidth: Option<Bandwidth>,
    /// How far nodes take each other to be, one way, before they have measured it; as it is, where
    /// nothing is said.
    pub guess: Option<Span>,
    /// The disks under the journals.
    pub disk: DiskPlan,
    /// Whether every frame is turned into bytes and back.
    pub wire: bool,
    /// What becomes of attempts.
    pub fates: Fates,
    /// How many times longer each task takes than its weight says, by the row that it reads;
    /// as it says where there is nothing.
    pub efforts: Option<Arc<[f64]>>,
    /// How long a unit of weight takes at speed 1.
    pub unit: Span,
    /// What is submitted.
    pub jobs: Vec<JobPlan>,
    /// The same where every task can run on the first node, if that is not so in `jobs`.
    pub tame: Option<Vec<JobPlan>>,
    /// Tasks that arrive one by one, where there are any.
    pub stream: Option<Stream>,
    /// Changes of policy: when, at which node, to which.
    pub changes: Vec<(Moment, usize, String)>,
    /// Who is drained, and when.
    pub drains: Vec<DrainPlan>,
    /// What is decreed, and when.
    pub decrees: Vec<DecreePlan>,
    /// How many of a hundred runs leave a checkpoint, and then perhaps another.
    pub checkpoints: u64,
    /// What goes wrong, and when.
    pub faults: Vec<Fault>,
    /// How many of a hundred replies a client does not hear; it repeats what may be repeated.
    pub deaf: u64,
    /// When all faults are over.
    pub calm: Moment,
    /// How long after that, beyond the work's own time, everything must have ended.
    pub patience: Span,
    /// After how many steps the stepped engine is checked as a whole; 0 for never.
    pub check_every: u64,
    /// After how many events a run is given up.
    pub events_max: u64,
}

/// One node.
#[derive(Clone, Debug)]
pub struct NodePlan {
    /// What it says of itself; its id is its position.
    pub info: NodeInfo,
    /// Its row in the network's matrix of latencies.
    pub region: u16,
    /// Whether it has a shard of its own from the start.
    pub home: bool,
    /// By how many millionths its clock runs fast.
    pub drift: i32,
    /// What its machine does besides.
    pub chores: Chores,
    /// What its machine is found to be.
    pub probe: Probe,
}

/// The disks.
#[derive(Clone, Debug)]
pub struct DiskPlan {
    /// How long a sync takes; drawn between half and twice of it. Zero is at once.
    pub sync: Span,
    /// What journals keep.
    pub keeping: Keeping,
}

/// What a shard's journal keeps of what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// Nothing: no home can be opened again, so no fault may be planned that ends one.
    Nothing,
    /// The batches as they are, of which a crash takes some.
    Model,
    /// Bytes in a real log on a simulated disk.
    Bytes {
        /// How many bytes a segment has.
        segment: u64,
        /// After how many bytes a snapshot is wanted.
        snapshot: u64,
    },
}

/// A job and what its client does with it.
#[derive(Clone, Debug)]
pub struct JobPlan {
    /// When it is submitted.
    pub at: Moment,
    /// To the shard of this node.
    pub home: usize,
    /// What.
    pub spec: JobSpec,
    /// The jobs that it waits for, by their positions, which are before its own.
    pub after: Vec<usize>,
    /// What follows, one after another, each so long after the answer to the one before.
    pub then: Vec<(Span, Act)>,
}

/// What a client does with its job.
#[derive(Clone, Debug)]
pub enum Act {
    /// Adds specs. It is not repeated when no answer comes, as it would be done twice.
    Extend(Arc<[Arc<TaskSpec>]>),
    /// Closes it.
    Close,
    /// Cancels it, with what runs or without.
    Cancel {
        /// Whether tasks that run are stopped too.
        running: bool,
    },
    /// Runs what did not succeed once more, when it has finished.
    Retry,
    /// Holds it, or releases it.
    Hold {
        /// Whether it is to be held.
        held: bool,
    },
    /// Adds this to the priority of its tasks, instead of what was added before.
    Prioritise(i32),
    /// Has it forgotten, when it has finished.
    Forget,
}

/// Tasks that arrive one by one, each a job of its own, at homes drawn by lot.
#[derive(Clone, Debug)]
pub struct Stream {
    /// How many.
    pub tasks: u32,
    /// The mean time between two of them; each is exponential.
    pub every: Span,
    /// What each is; weights are drawn evenly from 1 to 10.
    pub body: Arc<bary_model::task::Body>,
}

/// Something that goes wrong.
#[derive(Clone, Debug)]
pub struct Fault {
    /// When it begins.
    pub at: Moment,
    /// What.
    pub kind: FaultKind,
}

/// What can go wrong. Nodes and shards are named by the node's number.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    /// A process ends within its next step, when so many of the step's effects are done.
    Crash {
        /// The node.
        node: usize,
        /// How many effects are still done.
        after: u32,
        /// Whether power is lost too, and with it what was not synced.
        power: bool,
        /// How long it is down.
        down: Span,
    },
    /// A node ends and never comes back.
    Death {
        /// The node.
        node: usize,
    },
    /// A node comes that was not there before.
    Newcomer {
        /// The node.
        node: usize,
    },
    /// A node is removed for good: nobody hears it from then on, and the others know at once that
    /// it is gone. Its process does not, and goes on for a while.
    Removed {
        /// The node.
        node: usize,
        /// How long.
        lasts: Span,
    },
    /// A process stands still, as under SIGSTOP, while its clock and its runs go on.
    Pause {
        /// The node.
        node: usize,
        /// How long.
        lasts: Span,
    },
    /// A clock jumps ahead.
    Jump {
        /// The node.
        node: usize,
        /// By so much.
        by: Span,
    },
    /// Frames between nodes do not arrive.
    Partition {
        /// Which.
        shape: Shape,
        /// Whether each node is on the first side.
        first: Vec<bool>,
        /// How long.
        lasts: Span,
    },
    /// The next sync of a shard's journal fails; its home's process is dropped.
    SyncFails {
        /// The shard's first home.
        shard: usize,
        /// How long the home is down.
        down: Span,
    },
    /// The disk under a shard's journal is nearly full.
    Full {
        /// The shard's first home.
        shard: usize,
        /// How many bytes are left on it.
        left: u64,
        /// How long.
        lasts: Span,
    },
    /// A bit of a shard's journal flips; whoever opens it next refuses to.
    Rot {
        /// The shard's first home.
        shard: usize,
    },
    /// Syncs of a shard's journal take so long.
    SlowDisk {
        /// The shard's first home.
        shard: usize,
        /// How long each sync takes.
        sync: Span,
        /// How long it is slow.
        lasts: Span,
    },
    /// What a node runs takes ten times longer, and each of its frames so much.
    SlowNode {
        /// The node.
        node: usize,
        /// How much longer its frames take.
        lag: Span,
        /// How long it is slow.
        lasts: Span,
    },
    /// Another node believes that this one is gone.
    FalseLeft {
        /// The node that is there.
        node: usize,
        /// Who believes that it is not.
        by: usize,
        /// For how long.
        lasts: Span,
    },
    /// A node without a shard opens the journal of this one, whether its home is there or not.
    Takeover {
        /// The shard's first home.
        shard: usize,
        /// The node that opens it, if it has no shard then.
        by: usize,
    },
}

impl JobPlan {
    /// A job that waits for no other, and whose client does nothing more.
    #[must_use]
    pub fn new(at: Moment, home: usize, spec: JobSpec) -> Self {
        Self { at, home, spec, after: Vec::new(), then: Vec::new() }
    }
}

/// By how much a slow node is slower.
pub(crate) const SLOWNESS: u32 = 10;

impl Plan {
    /// How many tasks it has, without those that clients may add by retrying.
    #[must_use]
    pub fn tasks(&self) -> u64 {
        let of = |specs: &[Arc<TaskSpec>]| specs.iter().map(|s| u64::from(s.count)).sum::<u64>();
        let jobs = self.jobs.iter().map(|job| {
            let more = job.then.iter().map(|(_, act)| match act {
                Act::Extend(specs) => of(specs),
                _ => 0,
            });
            of(&job.spec.specs) + more.sum::<u64>()
        });
        let streamed = self.stream.as_ref().map_or(0, |stream| u64::from(stream.tasks));
        jobs.sum::<u64>() + streamed
    }

    /// Every spec of every job, those that are added later included.
    pub(crate) fn specs(&self) -> impl Iterator<Item = &Arc<TaskSpec>> {
        self.jobs.iter().flat_map(|job| {
            let more = job.then.iter().flat_map(|(_, act)| match act {
                Act::Extend(specs) => &specs[..],
                _ => &[],
            });
            job.spec.specs.iter().chain(more)
        })
    }
}
