//! The flags of verbs about how a node places tasks.

use clap::Args;

use crate::args::pair::{Pair, pair};
use crate::args::reach::Reach;

/// The flags of `bary policy show`.
#[derive(Clone, Debug, Args)]
pub(crate) struct PolicyShowArgs {
    /// A preset; what the node follows where absent
    #[arg(value_name = "PRESET")]
    pub(crate) preset: Option<String>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary policy set`.
#[derive(Clone, Debug, Args)]
pub(crate) struct PolicySetArgs {
    /// A preset; the one that is followed where absent
    #[arg(value_name = "PRESET", required_unless_present = "part")]
    pub(crate) preset: Option<String>,
    /// A part that is to be other than the preset's: force, order, steal or binding
    #[arg(long, value_name = "PART=NAME", value_parser = pair)]
    pub(crate) part: Vec<Pair>,
    /// At all members of the cluster, also those that are away now; the same as bary config set
    /// policy
    #[arg(long)]
    pub(crate) cluster: bool,
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary policy learnt`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "A policy with weights=learnt goes by it where nobody says how long tasks \
take. Example:\n  bary policy set gravity --part weights=learnt")]
pub(crate) struct PolicyLearntArgs {
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary policy try`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  bary policy try gravity --load 10 --weight 5.2 --distance 1")]
pub(crate) struct PolicyTryArgs {
    /// A force, as gravity or pids-classic
    #[arg(value_name = "FORCE")]
    pub(crate) force: String,
    /// The load of the node
    #[arg(long, value_name = "N")]
    pub(crate) load: f64,
    /// The weight of the task
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    pub(crate) weight: f64,
    /// The distance between them
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    pub(crate) distance: f64,
    /// The average load of all nodes; the node's own where absent
    #[arg(long, value_name = "N")]
    pub(crate) average: Option<f64>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}
