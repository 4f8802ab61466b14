//! The flags of `bary up` and `bary dev`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use bary_model::time::Span;
use bary_node::serve::address::PORT;
use clap::ValueEnum;

use crate::args::cluster::ClusterArgs;
use crate::args::value::time;

/// What stands below the flags of `bary up`.
const NOTES: &str = "\
SIGTERM or Ctrl-C drains: nothing more starts, what runs may end, and a second one ends it at once.
What has not ended goes on when the node comes up again. SIGHUP reads the tokens again.

Examples:
  bary up
  bary up --state /var/lib/bary --log-format json
  curl -H \"Authorization: Bearer $(cat ~/.local/state/bary/token)\" localhost:9876/v1/info";

/// A node that stays.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = NOTES)]
pub(crate) struct UpArgs {
    /// The directory of the node's state; $XDG_STATE_HOME/bary where absent
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) doors: DoorArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// A node that keeps nothing.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DevArgs {
    /// Listen on the Unix socket only
    #[arg(long, conflicts_with_all = ["no_socket", "listen"], requires = "socket")]
    pub(crate) no_listen: bool,
    /// End, at once, when standard input ends: with whoever started the node
    #[arg(long)]
    pub(crate) until_eof: bool,
    #[command(flatten)]
    pub(crate) doors: DoorArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// Where a node is reached, and how it ends.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Node")]
pub(crate) struct DoorArgs {
    /// Where to listen for gRPC and HTTP, on this machine only; 127.0.0.1:9876 where absent
    #[arg(long, value_name = "ADDR", default_value_t = usual(), hide_default_value = true)]
    pub(crate) listen: SocketAddr,
    /// The Unix socket; bary.sock in $XDG_RUNTIME_DIR, else in the state, where absent
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    /// Have no Unix socket
    #[arg(long, conflicts_with = "socket")]
    pub(crate) no_socket: bool,
    /// How long what runs may go on once the node is asked to end
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time)]
    pub(crate) drain_timeout: Span,
    /// How to write the log on standard error
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(crate) log_format: LogForm,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogForm {
    #[default]
    Text,
    Json,
}

fn usual() -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT)
}
