//! The process of a node that stays: opens the state, lets callers in, does as signals say, and
//! sees everything out.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bary_identity::token::Token;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::doors::entrance::Entrance;
use crate::doors::gate::Gate;
use crate::doors::limits::DoorLimits;
#[cfg(unix)]
use crate::doors::socket::{Socket, SocketError};
use crate::doors::{self, DescribeError};
use crate::options::Reigning;
use crate::replicas::Reign;
use crate::serve::address::{AddressFile, ListenError};
use crate::serve::keeper::Keeper;
use crate::serve::log::{Log, LogFormat};
use crate::serve::member::keeping::Waited;
use crate::serve::member::{Member, MemberError, MemberOptions};
use crate::serve::notify::Notify;
use crate::serve::signals::Signals;
use crate::service::options::ServiceOptions;
use crate::service::{Ending, OpenError, Service};

pub mod address;
pub mod log;
pub mod member;

mod keeper;
mod late;
mod notify;
mod signals;

/// A node that stays.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// The directory of its state, which is made where there is none. A node without one keeps
    /// nothing.
    pub state: Option<PathBuf>,
    /// Where it listens, if it is to; an address of this machine's loopback. With port 0 the system
    /// chooses one.
    pub listen: Option<SocketAddr>,
    /// Its Unix socket, if it is to have one.
    pub socket: Option<PathBuf>,
    /// What it is made of.
    pub service: ServiceOptions,
    /// What its doors never exceed.
    pub doors: DoorLimits,
    /// How long what runs may go on once the node is asked to end; then it is stopped, and goes on
    /// with the state. Defaults to what the caller says: there is no good value for all.
    pub drain_timeout: Duration,
    /// Whether it ends, at once, when its standard input does: with whoever started it.
    pub until_eof: bool,
    /// How it writes its log.
    pub log: LogFormat,
    /// Reads again what may change while it runs, when it is asked to.
    pub reload: Option<Reload>,
    /// Whether and how it is a member of a cluster.
    pub member: MemberOptions,
}

/// Reads again what may change while a node runs.
#[derive(Clone)]
pub struct Reload(pub Arc<dyn Fn() -> Result<Reloaded, String> + Send + Sync>);

impl std::fmt::Debug for Reload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reload")
    }
}

/// What holds from now on.
#[derive(Clone, Debug)]
pub struct Reloaded {
    /// See [`ServeOptions::drain_timeout`].
    pub drain_timeout: Duration,
    /// See [`ServeOptions::log`].
    pub log: LogFormat,
    /// See [`crate::service::options::ServiceLimits::audit_bytes_max`].
    pub audit_bytes_max: u64,
    /// The settings that are other than the node's by now, and that it takes only when it starts.
    pub at_start: Vec<String>,
}

/// How the node came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Served {
    /// Everything that ran has ended.
    Drained,
    /// What still ran was stopped: the drain took too long, or somebody wanted it.
    Stopped,
    /// A second signal of this number ended it at once.
    Killed(i32),
    /// The node has failed, as this says.
    Failed(Box<str>),
}

/// Why no node came up. Nothing has run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It cannot listen.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// It has no socket.
    #[cfg(unix)]
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The state or the service cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It is no member of the cluster that it is to be in.
    #[error(transparent)]
    Member(#[from] MemberError),
    /// The doors cannot be made.
    #[error(transparent)]
    Describe(#[from] DescribeError),
    /// The machine refused something.
    #[error("{what}: {cause}")]
    Machine {
        /// What was wanted.
        what: &'static str,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

/// Most threads that serve the doors and the nodes; there are two at least, so that one who asks
/// for much does not keep all others waiting.
const WORKERS_MAX: usize = 4;

/// Where callers come in.
struct Ways {
    tcp: Option<(TcpListener, SocketAddr)>,
    #[cfg(unix)]
    socket: Option<Socket>,
}

/// Runs a node until it is asked to end. Tells on standard error how to reach it, once it can be.
///
/// # Errors
/// Where it does not come up; see [`ServeError`].
pub fn serve(options: &ServeOptions) -> Result<Served, ServeError> {
    let mut options = options.clone();
    let input = Input::watched(options.until_eof).map_err(refused("no thread was given"))?;
    loop {
        if let Some(served) = serve_once(&mut options, &input)? {
            return Ok(served);
        }
    }
}

/// As [`serve`]; nothing where another member has taken over its shard, so that it is to begin
/// again, as one that keeps a copy, where callers have found it before.
fn serve_once(options: &mut ServeOptions, input: &Input) -> Result<Option<Served>, ServeError> {
    let runtime = runtime().map_err(refused("no thread was given"))?;
    let _here = runtime.enter();
    let mut signals = Signals::listen().map_err(refused("signals cannot be listened to"))?;
    let ways = ways(options)?;
    options.listen = ways.tcp.as_ref().map(|(_, at)| *at);
    let options = &*options;
    let log = Log { format: options.log };
    if let Some(state) = &options.state {
        make(state).map_err(refused("the directory of the state cannot be made"))?;
    }
    let about = (&*options.service.version, options.service.cluster.compact_after_bytes);
    let (closing, closed) = watch::channel(false);
    let mut member = Member::of(&options.member, options.state.as_deref(), about, log, &runtime)?;
    let reign = match &mut member {
        Some(member) => match member.reign(&runtime, (&mut signals, input.over()), &closed)? {
            Waited::Reigns(reign) => reign,
            Waited::Ended => return Ok(Some(Served::Stopped)),
        },
        None => None,
    };
    let (service, token) = open(options, &runtime, member.as_ref(), reign.clone())?;
    let gate = Arc::new(Gate::new(&service, options.doors.clone()));
    let (router, health) = doors::router(service.clone(), &gate)?;
    let at = ways.tcp.as_ref().map(|(_, at)| *at);
    let address = note(options, at)?;
    let entrance = Entrance::new(router.clone(), gate, closed.clone());
    let mut words = vec![reach(options, at, token)];
    words.extend(member.iter().flat_map(Member::words));
    if member.is_none() && options.member.scale.plan.is_some() {
        let why = "nothing is scaled: the node is in no cluster; found one with --cluster NAME";
        words.push(why.to_owned());
    }
    if member.is_none() && options.member.replicas.is_some_and(|replicas| replicas > 1) {
        let why = "nobody else keeps its jobs: the node is in no cluster; found one with --cluster";
        words.push(why.to_owned());
    }
    let (over, want) = (input.over(), service.wants_later());
    // It ends with the runtime.
    drop(runtime.spawn(async move {
        over.await;
        want(Ending::Now);
    }));
    let mut inside = let_in(&runtime, entrance, ways);
    inside.extend(
        member
            .into_iter()
            .flat_map(|member| member.live(&runtime, (&service, router.clone()), options, &closed)),
    );
    let notify = Notify::from_environment();
    let (reload, drain) = (options.reload.clone(), options.drain_timeout);
    let audit_max = options.service.limits.audit_bytes_max;
    let keeper = Keeper { service, health, log, notify, signals, reload, drain, audit_max };
    let served = runtime.block_on(async {
        let served = keeper.over(&words).await;
        closing.send_replace(true);
        for door in inside {
            // A door that panicked has said so.
            drop(door.await);
        }
        served
    });
    drop(address);
    Ok(served)
}

fn refused(what: &'static str) -> impl FnOnce(io::Error) -> ServeError {
    move |cause| ServeError::Machine { what, cause }
}

fn runtime() -> io::Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder
        .worker_threads(cores.clamp(2, WORKERS_MAX))
        .thread_name("bary-doors")
        .enable_all()
        .build()
}

/// Takes the places at which the node will listen, before anything else is begun.
fn ways(options: &ServeOptions) -> Result<Ways, ServeError> {
    #[cfg(unix)]
    let socket = options.socket.as_deref().map(Socket::bind).transpose()?;
    Ok(Ways {
        tcp: options.listen.map(listen).transpose()?,
        #[cfg(unix)]
        socket,
    })
}

fn listen(wanted: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let tcp = address::listen(wanted)?;
    let at = tcp.local_addr().map_err(refused("the address is not known"))?;
    let tcp = TcpListener::from_std(tcp).map_err(refused("the port cannot be listened on"))?;
    Ok((tcp, at))
}

/// Standard input, where a node is to end with it.
struct Input(Option<watch::Receiver<bool>>);

impl Input {
    /// Reads it to its end on a thread of its own, in all lives of the node.
    fn watched(is_wanted: bool) -> io::Result<Self> {
        if !is_wanted {
            return Ok(Self(None));
        }
        let (over, heard) = watch::channel(false);
        let wait = move || {
            // An input that fails has ended too.
            drop(io::copy(&mut io::stdin().lock(), &mut io::sink()));
            over.send_replace(true);
        };
        std::thread::Builder::new().name("bary-input".into()).spawn(wait)?;
        Ok(Self(Some(heard)))
    }

    /// Waits until it is over; for ever where the node does not end with it.
    fn over(&self) -> impl Future<Output = ()> + Send + 'static {
        let heard = self.0.clone();
        async move {
            match heard {
                // A thread that panicked has said so.
                Some(mut heard) => drop(heard.wait_for(|over| *over).await),
                None => std::future::pending().await,
            }
        }
    }
}

fn open(
    options: &ServeOptions,
    runtime: &Runtime,
    member: Option<&Member>,
    reign: Option<Reign>,
) -> Result<(Service, Option<Token>), ServeError> {
    let mut service = options.service.clone();
    service.cluster.reign = reign.map(Reigning);
    service.cluster.threads = Some(runtime.handle().clone());
    if let Some(member) = member {
        member.adopt(&mut service.cluster);
    }
    match &options.state {
        Some(state) => Ok((Service::open(service, state)?, None)),
        None => {
            let (service, token) = Service::in_memory(service)?;
            Ok((service, Some(token)))
        }
    }
}

/// Makes the directory of a state, which nobody else may look into.
fn make(state: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    if state.exists() { Ok(()) } else { builder.create(state) }
}

fn note(options: &ServeOptions, at: Option<SocketAddr>) -> Result<Option<AddressFile>, ServeError> {
    let (Some(state), Some(at)) = (&options.state, at) else { return Ok(None) };
    let file = AddressFile::write(state, at, options.socket.as_deref());
    // Callers find a node without it by what they are told; one that cannot start helps nobody.
    if file.as_ref().is_err_and(address::is_full) {
        return Ok(None);
    }
    file.map(Some).map_err(refused("the file `address` of the state cannot be written"))
}

/// One line for people: where the node is, and what opens it.
fn reach(options: &ServeOptions, at: Option<SocketAddr>, token: Option<Token>) -> String {
    let tcp = at.map(|at| format!("http://{at}"));
    let socket = options.socket.as_ref().map(|socket| socket.display().to_string());
    let ways: Vec<String> = tcp.into_iter().chain(socket).collect();
    let mut text = format!("up at {}", ways.join(" and "));
    match (&options.state, token) {
        (Some(state), _) => {
            text.push_str(&format!("; token in {}", state.join("token").display()));
        }
        (None, Some(token)) => {
            text.push_str(&format!("; nothing is kept; BARY_TOKEN={}", token.reveal()));
        }
        (None, None) => {}
    }
    text
}

fn let_in(runtime: &Runtime, entrance: Entrance, ways: Ways) -> Vec<tokio::task::JoinHandle<()>> {
    let mut inside = Vec::new();
    #[cfg(unix)]
    if let Some(socket) = ways.socket {
        inside.push(runtime.spawn(entrance.clone().socket(socket)));
    }
    if let Some((tcp, _)) = ways.tcp {
        inside.push(runtime.spawn(entrance.tcp(tcp)));
    }
    inside
}
