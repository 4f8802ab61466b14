//! The flags of verbs about settings of the whole cluster.

use clap::Args;

use crate::args::reach::Reach;

/// The flags of `bary config get` and `history`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ConfigGetArgs {
    /// The settings; all where none is named
    #[arg(value_name = "KEY")]
    pub(crate) keys: Vec<String>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary config set`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
It holds at every member that is there at once, at the others when they come back, and goes before
flags and files. Examples:
  bary config set policy gravity,order=fifo
  bary config set drain-timeout 5m --reason 'long tasks'")]
pub(crate) struct ConfigSetArgs {
    /// The setting: policy, drain-timeout, audit-max, autoscale, autoscale-command or capability
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    /// What it is to be
    #[arg(value_name = "VALUE")]
    pub(crate) value: String,
    /// Why, for the audit log and the history
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary config unset`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ConfigUnsetArgs {
    /// The setting
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    /// Why, for the audit log and the history
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}
