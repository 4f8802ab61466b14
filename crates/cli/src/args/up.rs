//! The flags of `bary up` and `bary dev`.

use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;

use bary_identity::name::{Name, NameError};
use bary_model::time::Span;
use bary_node::peers::finding::{self, Finding};
use bary_node::peers::pace::{Pace, USUAL};
use bary_node::replicas::REPLICAS_MAX;
use bary_node::scaler;
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
  bary up --local 3
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
    /// Bring up so many nodes as processes of this machine that are one cluster, each with a state
    /// and a port of its own; Ctrl-C ends all
    #[arg(long, value_name = "N", value_parser = locals(), help_heading = "Cluster")]
    #[arg(conflicts_with_all = ["name", "cluster_listen", "advertise"])]
    pub(crate) local: Option<u32>,
    /// Which of the nodes of --local this process is
    #[arg(long, value_name = "K", hide = true, requires = "local")]
    pub(crate) local_node: Option<u32>,
    #[command(flatten)]
    pub(crate) member: MemberArgs,
    #[command(flatten)]
    pub(crate) doors: DoorArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// How many nodes `--local` brings up at most.
pub(crate) const LOCALS_MAX: u32 = 64;

fn locals() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=i64::from(LOCALS_MAX))
}

/// What stands below the flags of `bary join`.
const JOIN_NOTES: &str = "\
The node becomes a member for good: bary up on the same state comes back to the cluster.

Examples:
  bary join lab@10.0.0.5:8471/bary_.../...
  bary join lab/bary_.../...
  bary join --find none --dht 10.0.0.5:8474 lab/bary_.../...
  bary auth join-line --state DIR | ssh other bary join -
  bary auth invite > lab.invitation; bary join lab.invitation";

/// A node that joins a cluster and stays.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = JOIN_NOTES)]
pub(crate) struct JoinArgs {
    /// The join line, as bary up --cluster and bary auth join-line print it, or the file of an
    /// invitation; - reads either from standard input
    #[arg(value_name = "LINE|FILE")]
    pub(crate) line: String,
    /// How long to look for members where the line has no address
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = some_time)]
    #[arg(help_heading = "Cluster")]
    pub(crate) find_for: Span,
    /// Read one line of the standard input, and end when that does
    #[arg(long, hide = true)]
    pub(crate) until_eof: bool,
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
#[derive(Clone, Debug, clap::Args)]
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
    /// How often to say that it is there, and after how long a silence others are gone: lan, wan,
    /// pids or hidrs
    #[arg(long, value_name = "NAME", default_value = USUAL, value_parser = pace)]
    pub(crate) pace: Pace,
    /// How long the certificates are good that this member signs; each member has its own renewed
    /// at half of that
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = some_time)]
    pub(crate) certificates_for: Span,
    /// Where members may be, besides those that it knows: addresses, or a file with one on each
    /// line
    #[arg(long, value_name = "ADDR,..|FILE", value_parser = bootstrap)]
    pub(crate) bootstrap: Option<Bootstrap>,
    /// How to be found on the local networks and to find others there where no address is known:
    /// lan, beacon, mdns or none
    #[arg(long, value_name = "WAY", default_value = finding::USUAL, value_parser = find)]
    pub(crate) find: Finding,
    /// Nodes of the cluster's DHT: tell it where this member is, and find others there
    #[arg(long, value_name = "ADDR,..", value_parser = dht_nodes)]
    pub(crate) dht: Option<DhtNodes>,
    /// Be a node of the cluster's DHT, at this address
    #[arg(long, value_name = "ADDR")]
    pub(crate) dht_listen: Option<SocketAddrV4>,
    /// How many members keep the jobs that are submitted here, this one included: 1, 3, 5 or 7.
    /// Where this one is gone, another goes on with them. As many as before where absent
    #[arg(long, value_name = "N", value_parser = replicas)]
    pub(crate) replicas: Option<u8>,
    #[command(flatten)]
    pub(crate) scale: ScaleArgs,
}

/// A number of members of which a majority has to be there.
fn replicas(text: &str) -> Result<u8, String> {
    match text.parse() {
        Ok(count) if count <= REPLICAS_MAX && count % 2 == 1 => Ok(count),
        Ok(count) if count > 0 && count < REPLICAS_MAX => {
            let fewer: u8 = count - 1;
            Err(format!("{count} outlive no more than {fewer} do; there are 1, 3, 5 and 7"))
        }
        _ => Err("there are 1, 3, 5 and 7".to_owned()),
    }
}

/// What a member that leads does about how many there are.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct ScaleArgs {
    /// Add and remove members by a rule where this one leads, as queue,most=8,driver=local; the
    /// cluster's setting of this name goes before it
    #[arg(long, value_name = "PLAN", value_parser = plan)]
    pub(crate) autoscale: Option<String>,
    /// The command that starts and stops members where the driver is `command`
    #[arg(long, value_name = "COMMAND")]
    pub(crate) autoscale_command: Option<String>,
}

fn plan(text: &str) -> Result<String, String> {
    scaler::check(text).map(|()| text.to_owned())
}

/// Where a DHT begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DhtNodes(pub(crate) Vec<SocketAddrV4>);

/// How many nodes of a DHT are named at most.
const DHT_NODES_MAX: usize = 64;

pub(crate) fn dht_nodes(text: &str) -> Result<DhtNodes, String> {
    let wrong = |text: &str| format!("`{text}` is no IPv4 address and port as 10.0.0.5:8474");
    let nodes = text.split(',').map(|text| text.trim().parse().map_err(|_| wrong(text)));
    let nodes: Vec<SocketAddrV4> = nodes.collect::<Result<_, _>>()?;
    match nodes.len() > DHT_NODES_MAX {
        true => Err(format!("there are more than {DHT_NODES_MAX} nodes")),
        false => Ok(DhtNodes(nodes)),
    }
}

fn find(text: &str) -> Result<Finding, String> {
    let words: Vec<&str> = finding::WAYS.iter().map(|(word, ..)| *word).collect();
    Finding::named(text).ok_or_else(|| format!("there are {}", words.join(", ")))
}

/// Where members may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bootstrap(pub(crate) Vec<SocketAddr>);

/// How many addresses a bootstrap list has at most.
const BOOTSTRAP_MAX: usize = 1_024;
/// How many bytes its file has at most.
const BOOTSTRAP_BYTES_MAX: u64 = 64 << 10;

fn pace(text: &str) -> Result<Pace, String> {
    let names = || Pace::all().iter().map(|pace| pace.name).collect::<Vec<_>>().join(", ");
    Pace::named(text).ok_or_else(|| format!("there are {}", names()))
}

fn bootstrap(text: &str) -> Result<Bootstrap, String> {
    let listed: Result<Vec<SocketAddr>, _> = text.split(',').map(str::parse).collect();
    if let Ok(addresses) = listed {
        return Ok(Bootstrap(addresses));
    }
    let file = std::fs::File::open(text).map_err(|cause| {
        format!("it is neither addresses, as 10.0.0.5:8471, nor a file of them: {cause}")
    })?;
    let read = std::io::read_to_string(file.take(BOOTSTRAP_BYTES_MAX));
    let read = read.map_err(|cause| cause.to_string())?;
    let mut addresses = Vec::new();
    for (at, line) in read.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            let wrong = |_| format!("line {}: `{line}` is no address as 10.0.0.5:8471", at + 1);
            addresses.push(line.parse().map_err(wrong)?);
        }
    }
    if addresses.len() > BOOTSTRAP_MAX {
        return Err(format!("it has more than {BOOTSTRAP_MAX} addresses"));
    }
    Ok(Bootstrap(addresses))
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

#[cfg(test)]
mod tests {
    use super::{Bootstrap, DhtNodes, bootstrap, dht_nodes};

    #[test]
    fn nodes_of_a_dht_are_addresses_and_never_names() {
        let at = |text: &str| text.parse().expect("it is an address");
        let two = DhtNodes(vec![at("10.0.0.5:1"), at("10.0.0.6:2")]);
        assert_eq!(dht_nodes("10.0.0.5:1, 10.0.0.6:2"), Ok(two));
        for wrong in ["router.bittorrent.com:6881", "[::1]:1", "10.0.0.5", "10.0.0.5:1,"] {
            assert!(dht_nodes(wrong).is_err(), "{wrong}");
        }
        assert!(dht_nodes(&["10.0.0.5:1"; 65].join(",")).is_err());
    }

    #[test]
    fn a_bootstrap_list_is_addresses_or_a_file_of_them() {
        let at = |text: &str| text.parse().expect("it is an address");
        let both = Bootstrap(vec![at("10.0.0.5:8471"), at("[::1]:1")]);
        assert_eq!(bootstrap("10.0.0.5:8471,[::1]:1"), Ok(both.clone()));
        let dir = tempfile::tempdir().expect("there is room");
        let file = dir.path().join("members");
        let read = |text: &str| {
            std::fs::write(&file, text).expect("there is room");
            bootstrap(file.to_str().expect("the test names it well"))
        };
        assert_eq!(read("# ours\n10.0.0.5:8471 # alpha\n\n[::1]:1\n"), Ok(both));
        let wrong = read("10.0.0.5:8471\nalpha\n").expect_err("that is none");
        assert_eq!(wrong, "line 2: `alpha` is no address as 10.0.0.5:8471");
        assert!(bootstrap("no such file").is_err());
    }
}
