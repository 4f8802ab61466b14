//! The flags of `bary sim` and its verbs.

use std::path::PathBuf;

use bary_engine::flaw::{Flaw, Flaws};
use bary_model::time::Span;
use bary_policy::preset;
use bary_sim::hunt::case::Case;
use bary_sim::hunt::cut::Cut;
use bary_sim::lab::limits::SEEDS_MAX;
use bary_sim::plan::Plan;
use bary_sim::plan::faults::Faults;
use bary_sim::plan::swarm::Sizes;
use clap::{Args, Subcommand};

use crate::args::value::{self, ValueError};
use crate::complaint::Complaint;
use crate::limits;

/// One simulated run, or a verb.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true, allow_negative_numbers = true)]
pub(crate) struct SimArgs {
    #[command(subcommand)]
    pub(crate) verb: Option<SimVerb>,
    #[command(flatten)]
    pub(crate) lab: LabArgs,
    #[command(flatten)]
    pub(crate) one: OneArgs,
}

/// A scenario whose policies are compared.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Comparison")]
pub(crate) struct LabArgs {
    /// A scenario; without it and without flags of a drawn world, the default scenario
    #[arg(value_name = "SCENARIO.toml")]
    pub(crate) file: Option<PathBuf>,
    /// How many seeds each policy lives, instead of those that the scenario says
    #[arg(long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=SEEDS_MAX as i64))]
    pub(crate) seeds: Option<u32>,
    /// Live a trace instead of the scenario's work, on its nodes, or on ten that can run its tasks
    #[arg(long, value_name = "FILE", conflicts_with = "init")]
    pub(crate) trace: Option<PathBuf>,
    /// Draw the comparison into a file of its own, as SVG or as PNG
    #[arg(long, value_name = "FILE.svg|png")]
    pub(crate) plot: Option<PathBuf>,
    /// Write a report with all charts, one HTML file that needs nothing else
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
    /// Write a scenario to begin with, with comments, to NAME.toml or the given file
    #[arg(long, value_name = "NAME", conflicts_with = "seeds")]
    pub(crate) init: Option<String>,
    /// Runs at a time; one for each core where absent
    #[arg(short = 'j', long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_024))]
    pub(crate) jobs: Option<u32>,
    /// Tell how long each run took on this machine, which is not the same each time
    #[arg(long)]
    pub(crate) time: bool,
}

/// What else can be done with simulations.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum SimVerb {
    /// Run one drawn world after another until an invariant breaks, and make that world small
    Hunt(HuntArgs),
    /// Check the invariants on a recorded history, of a simulated run or a real one
    Judge(JudgeArgs),
    /// Search the parameters of a policy for a scenario or a trace
    Tune(TuneArgs),
}

/// What is searched, on what.
#[derive(Clone, Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct TuneArgs {
    /// The policy whose parameters are searched; what it says is where the search begins
    #[arg(value_name = "POLICY")]
    pub(crate) policy: String,
    /// The scenario; the default scenario where neither this nor --trace is given
    #[arg(long, value_name = "SCENARIO.toml")]
    pub(crate) scenario: Option<PathBuf>,
    /// A trace, on the nodes of the scenario, or on ten that can run its tasks
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
    /// A parameter and its range, such as alpha=0.1..1; may be given several times. All of the
    /// policy's where absent
    #[arg(long, value_name = "KEY=A..B")]
    pub(crate) param: Vec<String>,
    /// What is to become better
    #[arg(long = "for", value_name = "GOAL", default_value = "makespan")]
    pub(crate) goal: Goal,
    /// On how many other seeds the best is judged, instead of as many as the scenario says
    #[arg(long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=SEEDS_MAX as i64))]
    pub(crate) seeds: Option<u32>,
    /// At most how many texts are tried; each lives one seed, and the better half ever more
    #[arg(long, value_name = "N", default_value_t = 40)]
    #[arg(value_parser = clap::value_parser!(u32).range(2..=1_000))]
    pub(crate) tries: u32,
    /// Runs at a time; one for each core where absent
    #[arg(short = 'j', long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_024))]
    pub(crate) jobs: Option<u32>,
}

/// What a policy is tuned for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Goal {
    /// That the last task ends early
    Makespan,
    /// That tasks wait little on average
    Wait,
    /// That tasks end soon after they could begin, on average
    Response,
    /// That nodes are busy evenly
    Balance,
}

/// Which world, and what is shown of it.
#[derive(Clone, Debug, Args)]
pub(crate) struct OneArgs {
    /// Run one drawn world, from which everything is drawn that no other flag says; with a
    /// scenario, its first seed
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) world: WorldArgs,
    /// Leave parts of the drawn plan out, as a hunt prints them: fault.3,job.0,nodes.2,loss
    #[arg(long, value_name = "PART,..", value_delimiter = ',')]
    pub(crate) without: Vec<Cut>,
    /// Print every event as a row: inputs, effects and faults
    #[arg(long)]
    pub(crate) table: bool,
    /// Write all that was seen from outside to a file, for bary sim judge
    #[arg(long, value_name = "FILE")]
    pub(crate) history: Option<PathBuf>,
    /// Check no invariant, which is faster
    #[arg(long, conflicts_with = "history")]
    pub(crate) no_check: bool,
    /// Run equal tasks without any fault, to see how placement goes
    #[arg(long, conflicts_with_all = ["faults", "gossip", "flaw", "without", "until"])]
    pub(crate) plain: bool,
}

/// What is not drawn.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "World")]
pub(crate) struct WorldArgs {
    /// How many nodes; drawn where absent
    #[arg(long, value_name = "N", value_parser = nodes)]
    pub(crate) nodes: Option<u32>,
    /// How many of them are homes; drawn where absent
    #[arg(long, value_name = "N", value_parser = nodes)]
    pub(crate) homes: Option<u32>,
    /// At least how many tasks; drawn where absent
    #[arg(long, value_name = "N", value_parser = tasks)]
    pub(crate) tasks: Option<u32>,
    /// Kinds of faults between commas, all or none; some are drawn where absent
    #[arg(long, value_name = "KIND,..", value_parser = Faults::parse)]
    pub(crate) faults: Option<Faults>,
    /// How tasks are placed at first; drawn where absent. In a comparison: presets between commas,
    /// policies with parts between semicolons, or the flag several times
    #[arg(long, value_name = "POLICY")]
    pub(crate) policy: Vec<String>,
    /// When all faults are over; drawn where absent
    #[arg(long, value_name = "TIME", value_parser = value::some_time)]
    pub(crate) until: Option<Span>,
    /// Let gossip over the simulated network decide who sees whom; drawn where absent
    #[arg(long)]
    pub(crate) gossip: bool,
    /// Put a known bug back, to see the alarm ring
    #[arg(long, value_name = "NAME", value_parser = flaw)]
    pub(crate) flaw: Option<Flaw>,
}

/// The highest seed that a hunt begins at, so that it never runs out of seeds.
const FROM_MAX: u64 = 1 << 63;

/// How long to hunt, and where.
#[derive(Clone, Debug, Args)]
pub(crate) struct HuntArgs {
    /// How many seeds to run; 1,000 where neither this nor --minutes is given
    #[arg(long, value_name = "N", conflicts_with = "minutes")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seeds: Option<u64>,
    /// How many minutes to hunt
    #[arg(long, value_name = "M", value_parser = value::positive)]
    pub(crate) minutes: Option<f64>,
    /// The first seed; where absent, the one after those that the tally has
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=FROM_MAX))]
    pub(crate) from: Option<u64>,
    #[command(flatten)]
    pub(crate) world: WorldArgs,
    /// Threads; one for each core where absent
    #[arg(short = 'j', long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_024))]
    pub(crate) jobs: Option<u32>,
    /// Runs that may be spent on making a break small
    #[arg(long, value_name = "N", default_value_t = 400)]
    pub(crate) shrink: u32,
    /// The file that adds hunts up; hunt.tally under $XDG_STATE_HOME/bary where absent
    #[arg(long, value_name = "FILE")]
    pub(crate) tally: Option<PathBuf>,
}

/// Which history.
#[derive(Clone, Debug, Args)]
pub(crate) struct JudgeArgs {
    /// The file, one fact a line; - for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Most ranges of one grant that the run allowed
    #[arg(long, value_name = "N", default_value_t = 65_536, hide_default_value = true)]
    pub(crate) grant_items_max: usize,
    /// Whether tasks were granted to any holder, so that some may have run twice
    #[arg(long)]
    pub(crate) open: bool,
    /// Whether the run came to its end, so that nothing may be left
    #[arg(long)]
    pub(crate) ended: bool,
}

impl OneArgs {
    /// The first flag of drawn worlds that is given; `--seed` alone is one.
    pub(crate) fn drawn(&self) -> Option<&'static str> {
        let WorldArgs { nodes, homes, tasks, faults, until, gossip, flaw, policy: _ } = &self.world;
        let flags = [
            (nodes.is_some(), "--nodes"),
            (homes.is_some(), "--homes"),
            (tasks.is_some(), "--tasks"),
            (faults.is_some(), "--faults"),
            (until.is_some(), "--until"),
            (*gossip, "--gossip"),
            (flaw.is_some(), "--flaw"),
            (!self.without.is_empty(), "--without"),
            (self.table, "--table"),
            (self.history.is_some(), "--history"),
            (self.no_check, "--no-check"),
            (self.plain, "--plain"),
            (self.seed.is_some(), "--seed"),
        ];
        flags.iter().find(|(given, _)| *given).map(|(_, name)| *name)
    }
}

impl WorldArgs {
    /// The case of a seed in such a world.
    pub(crate) fn case(&self, seed: u64) -> Result<Case, Complaint> {
        if let [_, second, ..] = &self.policy[..] {
            let text = format!("a drawn world has one policy at first, so not `{second}` as well");
            return Err(Complaint::usage(text).help("compare several with bary sim SCENARIO.toml"));
        }
        let policy = self.policy.first();
        policy
            .map_or(Ok(()), |policy| preset::parse(policy).map(drop))
            .map_err(Complaint::usage)?;
        if let (Some(nodes), Some(homes)) = (self.nodes, self.homes)
            && homes > nodes
        {
            let text = format!("{homes} homes cannot be among {nodes} nodes");
            return Err(Complaint::usage(text).help(format!("write --homes {nodes} or less")));
        }
        let size = |size: Option<u32>| size.map(|size| size as usize);
        let sizes = Sizes { nodes: size(self.nodes), homes: size(self.homes), tasks: self.tasks };
        Ok(Case {
            seed,
            sizes,
            faults: self.faults,
            policy: policy.cloned(),
            gossip: self.gossip,
            flaw: self.flaw,
            without: Vec::new(),
            until: self.until,
        })
    }
}

/// Refuses a world that is larger than [`limits::SIM_LINKS_MAX`].
pub(crate) fn bounded(plan: Plan) -> Result<Plan, Complaint> {
    let nodes = plan.nodes.len() as u64;
    let homes = plan.nodes.iter().filter(|node| node.home).count() as u64;
    let links = nodes * if plan.acquainted { nodes } else { homes };
    if links <= limits::SIM_LINKS_MAX {
        return Ok(plan);
    }
    let most = limits::SIM_LINKS_MAX;
    let text = format!(
        "{nodes} nodes, of which {homes} are homes, make {links} pairs that know each other, \
         more than sim_links_max = {most}"
    );
    let fewer = if plan.acquainted { "fewer --nodes, or --plain" } else { "fewer --homes" };
    Err(Complaint::usage(text).help(format!("write {fewer}")))
}

fn nodes(text: &str) -> Result<u32, ValueError> {
    value::count_to(text, "sim_nodes_max", limits::SIM_NODES_MAX)
}

fn tasks(text: &str) -> Result<u32, ValueError> {
    value::count_to(text, "sim_tasks_max", limits::SIM_TASKS_MAX)
}

/// Reads a flaw's name.
fn flaw(text: &str) -> Result<Flaw, ValueError> {
    let names = || Flaws::NAMES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let found = Flaws::NAMES.iter().find(|(name, _)| *name == text);
    let wrong = || ValueError::Flaw { given: text.to_owned(), names: names() };
    found.map(|(_, flaw)| *flaw).ok_or_else(wrong)
}
