//! `bary up`: a node that stays, over a state.

use std::io::{BufRead as _, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bary_client::address::{SOCKET, private_directory};
use bary_identity::join_line::JoinLine;
use bary_node::board::limits::BoardLimits;
use bary_node::doors::limits::DoorLimits;
use bary_node::peers::finding::{Finding, RendezvousConfig};
use bary_node::peers::papers::PapersError;
use bary_node::scaler::ScaleOptions;
use bary_node::serve::address::ListenError;
use bary_node::serve::log::LogFormat;
use bary_node::serve::member::{MemberError, MemberOptions, Way as Entrance};
use bary_node::serve::{ServeError, ServeOptions, Served, serve};
use bary_node::service::OpenError;
use bary_node::service::options::{ServiceLimits, ServiceOptions};

use crate::args::cluster::{ClusterArgs, cores};
use crate::args::up::{
    Bootstrap, DhtNodes, DoorArgs, JoinArgs, LogForm, MemberArgs, ScaleArgs, UpArgs,
};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::keep;

#[cfg(unix)]
mod local;
mod reload;
mod scaled;

/// Runs the node to its end.
pub(crate) fn run(args: &UpArgs) -> Result<Exit, Complaint> {
    if let Some(count) = args.local {
        return several(args, count);
    }
    let state = state_of(args.state.as_deref())?;
    let member = member(&args.member, args.found.clone().map(Entrance::Found));
    let way = Way { listens: true, until_eof: false, member };
    stay(&args.doors, &args.cluster, Some(state), way)
}

#[cfg(unix)]
fn several(args: &UpArgs, count: u32) -> Result<Exit, Complaint> {
    match args.local_node {
        Some(number) => local::node(args, count, number),
        None => local::run(args, count),
    }
}

#[cfg(not(unix))]
fn several(_: &UpArgs, _: u32) -> Result<Exit, Complaint> {
    Err(Complaint::usage("--local is there on Unix only"))
}

/// Has the node join a cluster, and runs it to its end.
pub(crate) fn join(args: &JoinArgs) -> Result<Exit, Complaint> {
    let state = state_of(args.state.as_deref())?;
    let line = match args.until_eof {
        true => first_line()?.trim().parse().map_err(Complaint::usage)?,
        false => invitation(&args.line)?,
    };
    let mut member = member(&args.member, Some(Entrance::Enter(Arc::new(line))));
    member.finding.span = args.find_for.to_std();
    let way = Way { listens: true, until_eof: args.until_eof, member };
    stay(&args.doors, &args.cluster, Some(state), way)
}

/// The first line of the standard input, whose rest goes on.
fn first_line() -> Result<String, Complaint> {
    let mut line = String::new();
    let read = std::io::stdin().lock().take(LINE_BYTES_MAX).read_line(&mut line);
    read.map(|_| line).map_err(Complaint::failed)
}

/// The join line that a word is, or that stands in the file that it names.
fn invitation(word: &str) -> Result<JoinLine, Complaint> {
    let read = match word {
        "-" => Some(std::io::read_to_string(std::io::stdin().take(LINE_BYTES_MAX))),
        path if Path::new(path).is_file() => {
            let file = std::fs::File::open(path);
            Some(file.and_then(|file| std::io::read_to_string(file.take(LINE_BYTES_MAX))))
        }
        _ => None,
    };
    let Some(read) = read else { return word.parse().map_err(Complaint::usage) };
    let text = read.map_err(|cause| Complaint::failed(format!("{word}: {cause}")))?;
    let told = |line: &&str| !(line.trim().is_empty() || line.starts_with('#'));
    let (at, line) = text.lines().enumerate().find(|(_, line)| told(line)).unwrap_or((0, ""));
    let wrong = |error| Complaint::usage(format!("{word}, line {}: {error}", at + 1));
    line.parse().map_err(wrong)
}

/// How many bytes of a join line are read at most.
const LINE_BYTES_MAX: u64 = 4_096;

fn member(args: &MemberArgs, way: Option<Entrance>) -> MemberOptions {
    let MemberArgs { name, cluster_listen: listen, advertise, pace, .. } = args.clone();
    let (certificate_span, bootstrap) = (args.certificates_for, args.bootstrap.clone());
    let seeds = bootstrap.map(|Bootstrap(seeds)| seeds).unwrap_or_default();
    let nodes = args.dht.clone().map(|DhtNodes(nodes)| nodes).unwrap_or_default();
    let dht = RendezvousConfig { listen: args.dht_listen, nodes };
    let finding = Finding { dht, ..args.find.clone() };
    let scale = scaling(&args.scale);
    let replicas = args.replicas;
    let usual = MemberOptions { scale, way, name, listen, replicas, ..MemberOptions::default() };
    MemberOptions { advertise, pace, seeds, finding, certificate_span, ..usual }
}

/// What the node is told about how many members there are.
fn scaling(args: &ScaleArgs) -> ScaleOptions {
    let ScaleArgs { autoscale, autoscale_command } = args.clone();
    ScaleOptions {
        plan: autoscale.map(Into::into),
        command: autoscale_command.map(Into::into),
        starter: Some(scaled::starter()),
    }
}

/// The directory of the state: absolute, as it is told to others, who may be somewhere else.
pub(crate) fn state_of(named: Option<&Path>) -> Result<PathBuf, Complaint> {
    let state = named.map_or_else(usual_state, Path::to_owned);
    std::path::absolute(&state).map_err(Complaint::failed)
}

/// What only some nodes do.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// Whether it listens to more than its socket.
    pub(super) listens: bool,
    /// Whether it ends with its standard input.
    pub(super) until_eof: bool,
    /// Whether and how it is a member of a cluster.
    pub(super) member: MemberOptions,
}

/// Runs a node, with a state where there is one.
pub(super) fn stay(
    doors: &DoorArgs,
    cluster: &ClusterArgs,
    state: Option<PathBuf>,
    way: Way,
) -> Result<Exit, Complaint> {
    let policy_chosen = cluster.policy.is_some();
    let mut cluster = cluster.options(cores())?;
    cluster.executor.origin = std::time::Instant::now();
    cluster.functions = bary::functions::builtin();
    let version = env!("CARGO_PKG_VERSION").into();
    let options = ServeOptions {
        listen: way.listens.then_some(doors.listen),
        until_eof: way.until_eof,
        socket: socket(doors, state.as_deref()),
        service: ServiceOptions {
            cluster,
            policy_chosen,
            limits: limits(doors),
            board: BoardLimits {
                jobs_kept_max: doors.keep_jobs,
                jobs_kept_span: doors.keep_for,
                ..BoardLimits::default()
            },
            version,
        },
        doors: DoorLimits::default(),
        drain_timeout: doors.drain_timeout.to_std(),
        log: format(doors.log_format),
        reload: Some(reload::of(doors.clone(), state.clone())),
        state,
        member: way.member,
    };
    match serve(&options) {
        Ok(Served::Drained | Served::Stopped) => Ok(Exit::OK),
        Ok(Served::Killed(signal)) => Ok(Exit::of_command(128 + signal)),
        Ok(Served::Failed(why)) => Err(Complaint::failed(why)),
        Err(error) => Err(complaint(error)),
    }
}

fn limits(doors: &DoorArgs) -> ServiceLimits {
    let mut limits = ServiceLimits { audit_bytes_max: doors.audit_max, ..ServiceLimits::default() };
    limits.cache.cache_bytes_max = doors.cache_max;
    limits.cache.cache_keep_for = doors.cache_keep_for;
    limits
}

pub(super) fn format(form: LogForm) -> LogFormat {
    match form {
        LogForm::Text => LogFormat::Text,
        LogForm::Json => LogFormat::Json,
    }
}

/// The directory of the state that a user's node has where no other is named.
fn usual_state() -> PathBuf {
    let runs = keep::runs(None);
    runs.parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// Where the socket is. A node without a state, on a system that has made no directory for it,
/// makes one that nobody else can look into; where it cannot, there is no socket.
fn socket(doors: &DoorArgs, state: Option<&Path>) -> Option<PathBuf> {
    if doors.no_socket || !cfg!(unix) {
        return None;
    }
    let runtime = || std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let runtime = || runtime().filter(|directory| directory.is_absolute() && directory.is_dir());
    let usual = || runtime().or_else(|| state.map(Path::to_owned));
    let usual = || Some(usual().or_else(|| private_directory(true))?.join(SOCKET));
    doors.socket.clone().or_else(usual)
}

fn complaint(error: ServeError) -> Complaint {
    match error {
        ServeError::Open(OpenError::State(error)) => error.into(),
        ServeError::Open(OpenError::Start(error)) => error.into(),
        ServeError::Listen(ListenError::PastLoopback(_)) => {
            Complaint::usage(error).help("listen on 127.0.0.1 or [::1]")
        }
        ServeError::Member(MemberError::Papers(PapersError::NotFound(error))) => {
            Complaint::new(Exit::UNAVAILABLE, error)
                .help("name a member's address, as lab@10.0.0.5:8471, or others by --bootstrap")
        }
        ServeError::Member(error @ MemberError::NoState) => Complaint::usage(error),
        ServeError::Member(MemberError::Listen(error)) => Complaint::new(Exit::FULL, error)
            .help("name another address for other members with --cluster-listen"),
        ServeError::Listen(ListenError::Taken(_)) => Complaint::new(Exit::FULL, error)
            .help("a node may be up there: ask it with bary doctor; or name another with --listen"),
        #[cfg(unix)]
        ServeError::Socket(bary_node::doors::socket::SocketError::InUse { .. }) => {
            Complaint::new(Exit::FULL, error)
                .help("a node is up there: use it, or name another with --socket and --listen")
        }
        error => Complaint::failed(error),
    }
}
