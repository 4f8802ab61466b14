//! The flags of `bary scale`.

use clap::{Args, Subcommand};

use crate::args::reach::Reach;

/// What to ask of the autoscaler.
#[derive(Debug, Subcommand)]
pub(crate) enum ScaleVerb {
    /// Show what the autoscaler is told, who decides, and which members it started
    Show(ScaleShowArgs),
    /// Print what it decided and why, the last decision at the bottom
    Log(ScaleLogArgs),
}

/// The flags of `bary scale show`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
It is told by a setting of the cluster. Examples:
  bary config set autoscale queue,per_node=4,most=8,driver=local
  bary config set autoscale wait,target=1m,most=8,driver=none --reason 'look first'
  bary scale show
  bary config unset autoscale")]
pub(crate) struct ScaleShowArgs {
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary scale log`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ScaleLogArgs {
    /// At most so many decisions, the last ones
    #[arg(long, value_name = "N", default_value_t = 100, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) reach: Reach,
}
