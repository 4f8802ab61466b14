//! The node as a member of a cluster: which one it becomes or comes back to, where it listens for
//! the others, and how they are let in.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use bary_identity::authority::MEMBER_SPAN;
use bary_identity::join_line::JoinLine;
use bary_identity::name::{Name, NameError};
use bary_model::time::Span;
use bary_replica::group::GroupError;
use bary_transport::mesh::output::Prints;
use bary_transport::mesh::renewal::{self, Renews};
use bary_transport::mesh::{entry, output, shelf};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::ServeOptions;
use super::address::ListenError;
use super::log::Log;
use crate::doors::visitors::Visitors;
use crate::options::{ClusterOptions, Membership};
use crate::peers::finding::Finding;
use crate::peers::gate::{self, Gate};
use crate::peers::invites::{self, FIRST_SPAN, LineError, Terms};
use crate::peers::pace::Pace;
use crate::peers::papers::{Papers, PapersError, Who};
use crate::peers::place::{PORT, Place};
use crate::peers::roster::{Peers, PeersError};
use crate::replicas::{Reign, Replicas};
use crate::scaler::{ScaleOptions, Scaler};
use crate::service::Service;

pub(super) mod keeping;

use keeping::Early;

/// How a node is a member of a cluster.
#[derive(Clone, Debug)]
pub struct MemberOptions {
    /// How it becomes one; none where it only comes back to the one that it is in, if any.
    pub way: Option<Way>,
    /// What the member is called. Defaults to this machine's name.
    pub name: Option<Name>,
    /// Where it listens for the others. Defaults to where it did before, else to `usual_listen`.
    pub listen: Option<SocketAddr>,
    /// Where it listens the first time where nobody says. Defaults to port 8471 on all addresses.
    pub usual_listen: SocketAddr,
    /// Where the others reach it. Defaults to where it listens.
    pub advertise: Vec<SocketAddr>,
    /// How often it says that it is there. Defaults to that for machines of one site.
    pub pace: Pace,
    /// Where members may be, besides those that it knows.
    pub seeds: Vec<SocketAddr>,
    /// How it is found and finds others where no address is known. Defaults to not at all.
    pub finding: Finding,
    /// How long the certificates are good for that this member signs. Defaults to a week.
    pub certificate_span: Span,
    /// What the autoscaler is told where the cluster's settings say nothing. Defaults to nothing.
    pub scale: ScaleOptions,
    /// Whether a founder makes a line by which others join, and tells it. Defaults to true.
    pub tells_line: bool,
    /// How many members keep the jobs of this one, itself included, at most
    /// [`REPLICAS_MAX`](crate::replicas::REPLICAS_MAX). Defaults to as many as before, and to
    /// itself alone at first.
    pub replicas: Option<u8>,
}

impl Default for MemberOptions {
    fn default() -> Self {
        Self {
            way: None,
            name: None,
            listen: None,
            usual_listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), PORT),
            advertise: Vec::new(),
            pace: Pace::usual(),
            seeds: Vec::new(),
            finding: Finding::nowhere(),
            certificate_span: MEMBER_SPAN,
            scale: ScaleOptions::default(),
            tells_line: true,
            replicas: None,
        }
    }
}

/// How a node becomes a member. One that is in that cluster comes back to it.
#[derive(Clone, Debug)]
pub enum Way {
    /// It founds a cluster of this name.
    Found(Name),
    /// It is let in.
    Enter(Arc<JoinLine>),
}

/// Why a node is no member. It does not run.
#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    /// It would have to keep what makes it a member.
    #[error("a node that keeps nothing cannot be in a cluster")]
    NoState,
    /// It has no name: this machine's is none that a member can have.
    #[error("this machine has no name that a member can have; give one with --name: {0}")]
    Name(#[from] NameError),
    /// Its papers cannot be used, or it has none.
    #[error(transparent)]
    Papers(#[from] PapersError),
    /// It cannot listen.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Where it is cannot be kept.
    #[error("`{}`: {cause}", file.display())]
    File {
        /// The directory.
        file: Box<Path>,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The others cannot be reached.
    #[error("the cluster's members cannot be reached: {0}")]
    Peers(String),
    /// Nobody can be invited.
    #[error(transparent)]
    Line(#[from] LineError),
    /// Its own jobs, which others keep as well, cannot be had.
    #[error(transparent)]
    Replicas(#[from] GroupError),
}

impl From<PeersError> for MemberError {
    fn from(error: PeersError) -> Self {
        Self::Peers(error.to_string())
    }
}

/// A node that is a member, before it speaks to the others.
pub(super) struct Member {
    papers: Arc<Papers>,
    pub(super) peers: Arc<Peers>,
    listener: Option<TcpListener>,
    certificate_span: Span,
    finding: Finding,
    scaling: (PathBuf, ScaleOptions, Log),
    /// For datagrams, at the same port.
    datagrams: UdpSocket,
    /// What lets others in, where it has just founded the cluster.
    line: Option<JoinLine>,
    /// The shards that it keeps with others.
    replicas: Arc<Replicas>,
    /// What answers the others once there is a service, where they have to be let in before.
    early: Option<Early>,
    living: Option<JoinHandle<()>>,
    reign: Option<Reign>,
    wanted: Option<u8>,
}

impl Member {
    /// The member that the node of a state is, or is to become; none where it is in no cluster and
    /// is to be in none.
    pub(super) fn of(
        options: &MemberOptions,
        state: Option<&Path>,
        (version, after_bytes): (&str, u64),
        log: Log,
        runtime: &Runtime,
    ) -> Result<Option<Self>, MemberError> {
        let Some(state) = state else {
            return if options.way.is_none() { Ok(None) } else { Err(MemberError::NoState) };
        };
        let before = Papers::of(state)?;
        let dir = state.join(crate::peers::papers::DIR);
        let failed = |cause| MemberError::File { file: dir.as_path().into(), cause };
        if before.is_none() && options.way.is_none() {
            return Ok(None);
        }
        let before = still_good(before, options)?;
        let kept = if before.is_some() { Place::read(&dir).map_err(failed)? } else { None };
        let before_this = kept.as_ref().map_or(options.usual_listen, |kept| kept.listen);
        let (listener, datagrams, at) = listen(options.listen.unwrap_or(before_this))?;
        let towards = match &options.way {
            Some(Way::Enter(line)) => line.addresses.first().copied(),
            _ => None,
        };
        let place = match kept.filter(|kept| kept.listen == at && options.advertise.is_empty()) {
            Some(kept) => kept,
            None => Place::of(at, &options.advertise, towards),
        };
        let is_new = before.is_none();
        let papers = match before {
            Some(papers) => papers,
            None => become_one(options, state, &place, (runtime, log))?,
        };
        place.write(&dir).map_err(failed)?;
        let line = match &options.way {
            Some(Way::Found(_)) if is_new && options.tells_line => Some(first_line(state)?),
            _ => None,
        };
        let papers = Arc::new(papers);
        let on = runtime.handle().clone();
        let ways = (options.pace.clone(), options.seeds.clone());
        let peers = Peers::new(Arc::clone(&papers), place, version, log, on, ways)?;
        let (certificate_span, finding) = (options.certificate_span, options.finding.clone());
        let scaling = (state.to_owned(), options.scale.clone(), log);
        let on = runtime.handle().clone();
        let replicas = Replicas::new(Arc::clone(&peers), state.to_owned(), after_bytes, log, on);
        peers.keeps(&replicas);
        Ok(Some(Self {
            replicas,
            early: None,
            living: None,
            reign: None,
            wanted: options.replicas,
            papers,
            peers,
            listener: Some(listener),
            certificate_span,
            finding,
            scaling,
            datagrams,
            line,
        }))
    }

    /// Has the nodes be this member's: named after it, and numbered as its own.
    pub(super) fn adopt(&self, cluster: &mut ClusterOptions) {
        let name = self.papers.name().as_str();
        let several = cluster.nodes.len() > 1;
        for (at, node) in cluster.nodes.iter_mut().enumerate() {
            node.name = if several { format!("{name}-{at}").into() } else { name.into() };
        }
        cluster.limits.lease = self.peers.pace.lease(cluster.limits.lease);
        cluster.peers = Some(Membership(Arc::clone(&self.peers)));
    }

    /// What people are told about it.
    pub(super) fn words(&self) -> Vec<String> {
        let (cluster, name) = (self.papers.cluster(), self.papers.name());
        let mut words = vec![format!("member {name} of the cluster {cluster}")];
        if let Some(line) = &self.line {
            words.push(format!("for a day, others join with: bary join {}", line.reveal()));
        }
        words
    }

    /// Lets others in, to the doors of the service as well, and goes to them, until `closing` turns
    /// true.
    pub(super) fn live(
        mut self,
        runtime: &Runtime,
        (service, router): (&Service, Router),
        options: &ServeOptions,
        closing: &watch::Receiver<bool>,
    ) -> Vec<JoinHandle<()>> {
        let (audit, peers) = (service.audit_log().clone(), Arc::clone(&self.peers));
        peers.serves(audit.clone(), Arc::clone(service.board()));
        let members = match service.cluster().blobs() {
            Some(blobs) => shelf::router(blobs),
            None => Router::new(),
        };
        let (papers, span) = (Arc::clone(&self.papers), self.certificate_span);
        let (known, handing) = (Arc::clone(&peers), gate::places());
        let gate = Arc::new(Gate { papers, peers: known, audit, span, handing });
        let members = renewal::router(members, Arc::clone(&gate) as Arc<dyn Renews>);
        let members = entry::router_for_members(members, Arc::clone(&gate) as _);
        let members = output::router(members, Arc::clone(service.board()) as Arc<dyn Prints>);
        let visitors = Visitors { router, peers: Arc::clone(&peers) };
        let members = members.fallback_service(visitors);
        let newcomers = entry::router(gate);
        self.let_in_early(runtime, closing);
        let mut inside = Vec::new();
        if let Some(early) = self.early.take() {
            early.members.open(members);
            early.newcomers.open(newcomers);
            inside.push(early.serving);
        }
        inside.extend(self.keep_shards(runtime, service, options, closing));
        let mingling = Arc::clone(&peers).mingle(self.datagrams, closing.clone());
        let certified = Arc::clone(&peers).stay_certified(span, closing.clone());
        inside.extend([runtime.spawn(mingling), runtime.spawn(certified)]);
        inside.push(runtime.spawn(Arc::clone(&peers).be_found(self.finding, closing.clone())));
        // It ends with the service.
        drop(runtime.spawn(service.learn_runs(None)));
        let (state, scale, log) = self.scaling;
        let scaler = Scaler::new(service.clone(), Arc::clone(&peers), state, scale, log);
        inside.push(runtime.spawn(scaler.live(closing.clone())));
        let living = self.living.take();
        inside.push(living.unwrap_or_else(|| runtime.spawn(peers.live(closing.clone()))));
        inside
    }
}

/// The papers that a node has had before, where it need not be let in anew.
fn still_good(
    before: Option<Papers>,
    options: &MemberOptions,
) -> Result<Option<Papers>, MemberError> {
    let Some(papers) = before else { return Ok(None) };
    match &options.way {
        Some(Way::Found(cluster)) => papers.check(cluster, None)?,
        Some(Way::Enter(line)) => papers.check(&line.cluster, Some(line.fingerprint))?,
        None => {}
    }
    if papers.has_run_out() && !matches!(options.way, Some(Way::Enter(_))) {
        papers.sign_own(options.certificate_span)?;
    }
    Ok(Some(papers).filter(|papers| !papers.has_run_out()))
}

/// Has the node become a member in the way that it is to.
fn become_one(
    options: &MemberOptions,
    state: &Path,
    place: &Place,
    (runtime, log): (&Runtime, Log),
) -> Result<Papers, MemberError> {
    let name = options.name.clone().map_or_else(machine, Ok)?;
    Ok(match &options.way {
        Some(Way::Enter(line)) => {
            let at: Vec<SocketAddr> =
                line.addresses.iter().chain(&options.seeds).copied().collect();
            let who = Who { name, addresses: place.addresses.clone() };
            match at.is_empty() && !options.finding.is_nowhere() {
                true => runtime.block_on(Papers::seek(state, line, &options.finding, &who, log))?,
                false => runtime.block_on(Papers::enter(state, line, &at, &who))?,
            }
        }
        Some(Way::Found(cluster)) => {
            Papers::found(state, cluster, &name, options.certificate_span)?
        }
        None => return Err(MemberError::NoState),
    })
}

/// The line that a founder prints.
fn first_line(state: &Path) -> Result<JoinLine, LineError> {
    let terms = Terms { name: None, uses: None, span: Some(FIRST_SPAN), admits: true };
    invites::invite(state, &terms)
}

/// What this machine is called, as far as that is a name.
fn machine() -> Result<Name, NameError> {
    let told = machine_name();
    let fits: String = told
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
        .collect();
    Name::new(fits.trim_start_matches(['.', '_', '-']))
}

#[cfg(unix)]
fn machine_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn machine_name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

/// How many ports are tried that the system chooses, until one is free for datagrams as well.
const PORTS_TRIED_MAX: usize = 16;

/// Listens at an address, for streams and for datagrams.
fn listen(at: SocketAddr) -> Result<(TcpListener, UdpSocket, SocketAddr), ListenError> {
    let listen = || {
        let listener = std::net::TcpListener::bind(at)?;
        listener.set_nonblocking(true)?;
        let at = listener.local_addr()?;
        Ok((TcpListener::from_std(listener)?, UdpSocket::bind(at)?, at))
    };
    let taken = |cause: &io::Error| cause.kind() == io::ErrorKind::AddrInUse;
    let tries = if at.port() == 0 { PORTS_TRIED_MAX } else { 1 };
    let mut listening = listen();
    for _ in 1..tries {
        if !listening.as_ref().is_err_and(taken) {
            break;
        }
        listening = listen();
    }
    listening.map_err(|cause: io::Error| match taken(&cause) {
        true => ListenError::Taken(at),
        false => ListenError::Refused { at, cause },
    })
}
