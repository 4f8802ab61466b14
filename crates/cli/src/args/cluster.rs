//! The flags that make the nodes: how many, how fast, where, and how tasks are placed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bary_model::resources::Resources;
use bary_node::options::{ClusterOptions, Latency, NodeOptions};
use bary_policy::preset;

use crate::args::latency;
use crate::args::pair::{Countable, Pair, countable, pair};
use crate::args::slots::Slots;
use crate::args::value::{milli_or_none, positive, size};
use crate::complaint::Complaint;

/// The nodes of the run and how they place tasks.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Nodes and placement")]
pub(crate) struct ClusterArgs {
    /// Tasks that one node runs at a time: a number, a share of the cores (50%), more or fewer
    /// than there are (+2, -1), or 0 for 256. All cores where absent; with several nodes their
    /// share of them
    #[arg(short = 'j', long, value_name = "N", allow_hyphen_values = true)]
    #[arg(visible_alias = "jobs", visible_short_alias = 'P', alias = "max-procs")]
    pub(crate) slots: Option<Slots>,
    /// Run so many nodes in this process, which ask, grant and steal as between machines
    #[arg(long, value_name = "N", default_value_t = 1, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_024))]
    pub(crate) nodes: u32,
    /// Speeds of the nodes, at most one for each; fewer are repeated in turn. Slower ones are
    /// slowed down
    #[arg(long, value_name = "S,S,..", value_delimiter = ',', value_parser = positive)]
    pub(crate) speeds: Vec<f64>,
    /// Regions of the nodes, at most one for each; fewer are repeated in turn
    #[arg(long, value_name = "R,R,..", value_delimiter = ',')]
    pub(crate) regions: Vec<String>,
    /// How long a message takes one way: 1ms, or by region as eu-us=40ms,1ms
    #[arg(long, value_name = "TIME")]
    pub(crate) latency: Option<String>,
    /// Labels of every node
    #[arg(long, value_name = "L=V,..", value_delimiter = ',', value_parser = pair)]
    pub(crate) labels: Vec<Pair>,
    /// Memory of each node; this machine's where absent
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) node_memory: Option<u64>,
    /// GPUs of each node
    #[arg(long, value_name = "N", value_parser = milli_or_none)]
    pub(crate) node_gpus: Option<u64>,
    /// Other countable things of each node
    #[arg(long, value_name = "NAME=N", value_parser = countable)]
    pub(crate) node_resource: Vec<Countable>,
    /// How tasks are placed: a preset, parts such as order=fifo, or both (see bary policy ls)
    #[arg(long, value_name = "POLICY")]
    pub(crate) policy: Option<String>,
    /// Most bytes kept of what one command prints, 64M where absent; a run in which more was
    /// printed fails
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) output_max: Option<u64>,
    /// From which every random choice is made
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(crate) seed: u64,
    /// Make --memory and `memory` of a job file a hard limit on each command's data
    #[arg(long)]
    pub(crate) limit_memory: bool,
}

/// What is kept and shown of a run, and its parameters.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Run")]
pub(crate) struct KeepArgs {
    /// Give the parameter KEY a value; {KEY} stands for it
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) set: Vec<Pair>,
    /// Keep what happened, for bary why
    #[arg(long)]
    pub(crate) keep: bool,
    /// Keep the run in this directory, so that it survives whatever happens to this process: the
    /// same command again goes on where it ended. --keep keeps what happened there too
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Write what ran as a trace that bary sim and bary trace read
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
    /// Of a finished run in --state, run once more what did not succeed
    #[arg(long, requires = "state")]
    pub(crate) resume_failed: bool,
    /// Print the report at the end: tasks and busy time by node, balance, makespan, messages
    #[arg(long)]
    pub(crate) report: bool,
    /// Show progress on standard error even where it is no terminal
    #[arg(long, overrides_with = "no_progress", visible_aliases = ["bar", "eta"])]
    pub(crate) progress: bool,
    /// Show no progress
    #[arg(long)]
    pub(crate) no_progress: bool,
}

impl KeepArgs {
    /// The parameters as pairs.
    pub(crate) fn params(&self) -> Vec<(String, String)> {
        self.set.iter().map(|pair| (pair.name.clone(), pair.value.clone())).collect()
    }
}

/// How tasks are placed where nobody says so.
const USUAL_POLICY: &str = "gravity";

impl ClusterArgs {
    /// The cluster that the flags describe, on a machine with so many cores.
    pub(crate) fn options(&self, cores: u32) -> Result<ClusterOptions, Complaint> {
        self.at_most_one_each("speeds", self.speeds.len())?;
        self.at_most_one_each("regions", self.regions.len())?;
        let policy = self.policy.as_deref().unwrap_or(USUAL_POLICY);
        let policy = preset::parse(policy).map_err(Complaint::usage)?;
        let nodes = (0..self.nodes).map(|node| self.node(node as usize, cores)).collect();
        let latency = match &self.latency {
            Some(text) => latency::parse(text, &self.regions).map_err(Complaint::usage)?,
            None => Latency::Same(bary_model::time::Span::ZERO),
        };
        let mut options = ClusterOptions::new(nodes, policy);
        if let Some(most) = self.output_max {
            options.executor.output_bytes_max = most;
        }
        options.executor.limit_memory = self.limit_memory;
        Ok(ClusterOptions { latency, seed: self.seed, ..options })
    }

    fn at_most_one_each(&self, flag: &str, given: usize) -> Result<(), Complaint> {
        if given <= self.nodes as usize {
            return Ok(());
        }
        let nodes = if self.nodes == 1 { "1 node".into() } else { format!("{} nodes", self.nodes) };
        let complaint = Complaint::usage(format!("--{flag} names {given} for {nodes}"));
        Err(complaint.help(format!("write --nodes {given}, or fewer {flag}")))
    }

    /// The slots of all nodes together.
    pub(crate) fn all_slots(&self, cores: u32) -> u32 {
        self.slots_of_one(cores).saturating_mul(self.nodes)
    }

    fn slots_of_one(&self, cores: u32) -> u32 {
        match self.slots {
            Some(slots) => slots.of(cores),
            None => (cores / self.nodes).max(1),
        }
    }

    fn node(&self, at: usize, cores: u32) -> NodeOptions {
        let local = NodeOptions::local(format!("n{at}"), self.slots_of_one(cores));
        let named = |item: &Countable| (item.name.as_str().into(), item.count);
        let labels = |pair: &Pair| (pair.name.as_str().into(), pair.value.as_str().into());
        let labels: BTreeMap<_, _> = self.labels.iter().map(labels).collect();
        let resources = Resources {
            memory: self.node_memory.unwrap_or(local.resources.memory),
            milli_gpus: self.node_gpus.unwrap_or(local.resources.milli_gpus),
            named: self.node_resource.iter().map(named).collect(),
            ..local.resources
        };
        let region = nth(&self.regions, at).map_or(local.region, |region| region.as_str().into());
        let speed = nth(&self.speeds, at).copied().unwrap_or(local.speed);
        NodeOptions { region, speed, resources, labels, ..local }
    }
}

/// The item at a place of a list that starts again at its end.
fn nth<T>(list: &[T], at: usize) -> Option<&T> {
    if list.is_empty() { None } else { list.get(at % list.len()) }
}

/// The cores of this machine.
pub(crate) fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_given_to_nodes_in_turn() {
        let args = ClusterArgs {
            nodes: 3,
            speeds: vec![1.0, 2.0],
            regions: vec!["eu".into(), "us".into()],
            policy: Some("gravity".into()),
            latency: Some("eu-us=40ms,1ms".into()),
            ..ClusterArgs::default()
        };
        let options = args.options(6).expect("they are good");
        let speeds: Vec<f64> = options.nodes.iter().map(|node| node.speed).collect();
        assert_eq!(speeds, [1.0, 2.0, 1.0]);
        assert_eq!(&*options.nodes[1].region, "us");
        assert_eq!(options.nodes[2].slots, 2, "each has its share of the cores");
        assert_eq!(args.all_slots(6), 6);
        let many = ClusterArgs { speeds: vec![1.0; 4], ..args.clone() };
        let refused = many.options(6).expect_err("there are 3 nodes").to_string();
        assert!(refused.contains("--speeds names 4 for 3 nodes"), "{refused}");
        let unknown = ClusterArgs { policy: Some("graviti".into()), ..args };
        assert!(unknown.options(6).is_err());
    }
}
