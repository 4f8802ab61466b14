//! The flags of `bary up` and `bary dev`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use bary_identity::name::{Name, NameError};
use bary_model::time::Span;
use bary_node::serve::address::PORT;
use clap::ValueEnum;

use crate::args::cluster::ClusterArgs;
use crate::args::value::{size, some_time, time};

/// What stands below the flags of `bary up`.
const NOTES: &str = "\
SIGTERM or Ctrl-C drains: nothing more starts, what runs may end, and a second one ends it at once.
What has not ended goes on when the node comes up again. SIGHUP reads tokens and settings again,
and says which settings need a restart.

Examples:
  bary up
  bary up --state /var/lib/bary --log-format json
  curl -H \"Authorization: Bearer $(cat ~/.local/state/bary/token)\" localhost:9876/v1/info";

/// A node that stays.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = NOTES)]
pub(crate) struct UpArgs {
    /// The directory of the node's state; $XDG_STATE_HOME/bary where absent
    #[arg(long, value_name = "DIR", env = "BARY_STATE", hide_env_values = true)]
    pub(crate) state: Option<PathBuf>,
    /// Found a cluster of this name, and print the line by which others join it; where the state is
    /// in that cluster already, come back to it
    #[arg(long = "cluster", value_name = "NAME", value_parser = name, help_heading = "Cluster")]
    pub(crate) found: Option<Name>,
    #[command(flatten)]
    pub(crate) member: MemberArgs,
    #[command(flatten)]
    pub(crate) doors: DoorArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// What stands below the flags of `bary join`.
const JOIN_NOTES: &str = "\
The node becomes a member for good: bary up on the same state comes back to the cluster.

Examples:
  bary join lab@10.0.0.5:8471/bary_.../...
  bary auth join-line --state DIR | ssh other bary join -";

/// A node that joins a cluster and stays.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = JOIN_NOTES)]
pub(crate) struct JoinArgs {
    /// The join line, as bary up --cluster and bary auth join-line print it; - reads it from
    /// standard input
    #[arg(value_name = "LINE")]
    pub(crate) line: String,
    /// The directory of the node's state; $XDG_STATE_HOME/bary where absent
    #[arg(long, value_name = "DIR", env = "BARY_STATE", hide_env_values = true)]
    pub(crate) state: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) member: MemberArgs,
    #[command(flatten)]
    pub(crate) doors: DoorArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// What a member of a cluster is called and where it is.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct MemberArgs {
    /// What the member is called; this machine's name where absent
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(crate) name: Option<Name>,
    /// Where to listen for other members; 0.0.0.0:8471, or where it did before, where absent
    #[arg(long, value_name = "ADDR")]
    pub(crate) cluster_listen: Option<SocketAddr>,
    /// Where other members reach this one; where it listens where absent
    #[arg(long, value_name = "ADDR,..", value_delimiter = ',')]
    pub(crate) advertise: Vec<SocketAddr>,
}

fn name(text: &str) -> Result<Name, NameError> {
    Name::new(text)
}

/// A node that keeps nothing.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DevArgs {
    /// Listen on the Unix socket only, whatever --listen, the environment or a file says
    #[arg(long, conflicts_with = "no_socket", requires = "socket")]
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
    #[arg(env = "BARY_LISTEN", hide_env_values = true)]
    pub(crate) listen: SocketAddr,
    /// The Unix socket; bary.sock in $XDG_RUNTIME_DIR, else in the state, else in a temporary
    /// directory of this user's own, where absent
    #[arg(long, value_name = "PATH", env = "BARY_SOCKET", hide_env_values = true)]
    pub(crate) socket: Option<PathBuf>,
    /// Have no Unix socket, whatever --socket, the environment or a file says
    #[arg(long)]
    pub(crate) no_socket: bool,
    /// How long what runs may go on once the node is asked to end
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time)]
    #[arg(env = "BARY_DRAIN_TIMEOUT", hide_env_values = true)]
    pub(crate) drain_timeout: Span,
    /// Keep at most so many finished jobs; the oldest are forgotten, as by bary prune
    #[arg(long, value_name = "N", default_value = "1000000")]
    pub(crate) keep_jobs: usize,
    /// Forget finished jobs after this time
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = some_time)]
    pub(crate) keep_for: Span,
    /// How large the result cache grows before the least recently used results go; without a state
    /// it has 64MiB at most
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = size)]
    pub(crate) cache_max: u64,
    /// How long a result stays in the result cache, whatever tasks ask for
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = some_time)]
    pub(crate) cache_keep_for: Span,
    /// How to write the log on standard error
    #[arg(long, value_name = "FORM", default_value = "text")]
    #[arg(env = "BARY_LOG_FORMAT", hide_env_values = true)]
    pub(crate) log_format: LogForm,
    /// How large the audit log of a state grows before its oldest files are removed
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = size)]
    #[arg(env = "BARY_AUDIT_MAX", hide_env_values = true)]
    pub(crate) audit_max: u64,
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
