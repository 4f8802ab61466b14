//! The flags of `bary plan`.

use std::path::PathBuf;

use bary_model::time::Span;
use clap::Args;

use crate::args::pair::{Pair, pair};
use crate::args::reach::Reach;
use crate::args::value::{self, ValueError};
use crate::limits;

/// Which job, on which nodes, with which policies.
#[derive(Clone, Debug, Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct PlanArgs {
    /// The job file; - for standard input
    #[arg(value_name = "JOB.toml")]
    pub(crate) file: PathBuf,
    /// A policy to foretell; may be given several times, or presets between commas
    #[arg(long, value_name = "POLICY")]
    pub(crate) policy: Vec<String>,
    /// So many nodes like this machine, instead of those of the live node
    #[arg(long, value_name = "N", value_parser = nodes)]
    pub(crate) nodes: Option<u32>,
    /// How long a task of weight 1 takes at speed 1
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = value::some_time)]
    pub(crate) unit: Span,
    /// Give a parameter of the file another value
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) set: Vec<Pair>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

fn nodes(text: &str) -> Result<u32, ValueError> {
    value::count_to(text, "plan_nodes_max", limits::PLAN_NODES_MAX)
}
