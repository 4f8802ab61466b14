//! Which members are there: it opens streams to all that it knows of, tells the nodes here who has
//! come and gone, and hands on what nodes say to each other. A member that says nothing for some
//! beats is taken as gone until it is heard again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use bary_identity::name::Name;
use bary_model::id::NodeId;
use bary_model::machine::Machine;
use bary_model::node::{NodeInfo, Peer};
use bary_model::time::{Moment, Span};
use bary_transport::memory::Network;
use bary_transport::mesh::{Ears, Mesh};
use bary_transport::tls::CredentialsError;
use bytes::Bytes;
use tokio::runtime::Handle;

use super::beat::Beating;
use super::blobs::Blobs;
use super::book::{Book, BookError, Known};
use super::card::Card;
use super::clocks::Clock;
use super::decisions::Followed;
use super::dropped::Dropped;
use super::envelope;
use super::found::Found;
use super::hearing::Hearing;
use super::load::Load;
use super::pace::Pace;
use super::papers::Papers;
use super::place::Place;
use super::presence::Standings;
use super::revoked::{Revoked, RevokedError};
use super::secrets::{Secrets, SecretsError};
use super::settings::{Settings, SettingsError};
use super::sight::Own;
use super::trips::Trips;
use super::vitals::Vitals;
use crate::access::wrong::Wrong;
use crate::audit::Audit;
use crate::board::Board;
use crate::crew::Crew;
use crate::replicas::Replicas;
use crate::serve::log::{Level, Log};

/// How long nodes that held something before a restart have to come back.
pub(crate) const RETURN_SPAN: Duration = Duration::from_secs(10);

/// The other members.
pub(crate) struct Peers {
    pub(super) me: u64,
    pub(super) papers: Arc<Papers>,
    pub(super) place: Place,
    pub(super) version: Box<str>,
    pub(super) log: Log,
    pub(super) book: Book,
    pub(super) revoked: Revoked,
    pub(super) settings: Settings,
    pub(super) followed: Arc<Followed>,
    pub(super) secrets: Secrets,
    pub(super) mesh: Mesh,
    pub(super) on: Handle,
    pub(super) inside: OnceLock<Inside>,
    pub(super) links: Mutex<BTreeMap<u64, Link>>,
    pub(super) away: Mutex<BTreeMap<u64, Away>>,
    /// Nodes that held something before this process began, and have not come back.
    pub(super) awaited: Mutex<BTreeSet<NodeId>>,
    pub(super) began: Instant,
    pub(crate) pace: Pace,
    /// Where others may be, besides those that are known.
    pub(super) seeds: Vec<SocketAddr>,
    /// Where others may be, as was found by searching.
    pub(super) found: Found,
    /// How the others stand, as members tell each other.
    pub(super) standings: Mutex<Standings>,
    pub(crate) dropped: Dropped,
    /// The number of this life.
    life: OnceLock<u32>,
    /// When this member looked, and how busy it said that it is, last.
    pub(super) beating: Beating,
    /// What else it told, and its part in the election of a leader.
    pub(super) own: Mutex<Own>,
    /// Who was refused of late.
    pub(super) refused: Mutex<Wrong>,
    /// Whether the own card has changed since it was told.
    pub(super) changed: AtomicBool,
    /// The members that this one stands in for.
    pub(super) stands_in_for: Mutex<Vec<u64>>,
    /// The shards that this member keeps besides, or with others.
    pub(super) replicas: OnceLock<Weak<Replicas>>,
}

/// The nodes of this process, as they are reached.
pub(crate) struct Inside {
    pub(crate) crew: Arc<Crew>,
    pub(crate) network: Arc<Network>,
    pub(crate) blobs: Arc<Blobs>,
    pub(crate) origin: Instant,
    /// Whom the nodes that are awaited are taken for where they do not come back.
    pub(crate) ghost: NodeInfo,
    pub(crate) audit: OnceLock<Audit>,
    /// What tells how busy they are.
    pub(crate) board: OnceLock<Arc<Board>>,
}

/// A stream to a member.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) heard: Instant,
    pub(super) card: Option<Box<Card>>,
    pub(super) clock: Option<Clock>,
    /// How busy it said that it is.
    pub(super) load: Option<Load>,
    /// How far it finds the others, and how it is.
    pub(super) trips: Trips,
    pub(super) vitals: Vitals,
    /// The nodes that the ones here know of, and how far they were told that they are.
    pub(super) met: BTreeMap<NodeId, Peer>,
}

impl Link {
    /// One that is there from now on, and has said nothing.
    fn new(heard: Instant) -> Self {
        let (card, clock, load, met) = (None, None, None, BTreeMap::new());
        let (trips, vitals) = (Trips::default(), Vitals::default());
        Self { heard, card, clock, load, trips, vitals, met }
    }
}

/// A member that there is no stream to.
#[derive(Debug)]
pub(super) struct Away {
    pub(super) since: Instant,
    pub(super) tried: Option<Instant>,
    /// Why, in words.
    pub(super) why: &'static str,
    /// Why it was not reached since.
    pub(super) cause: Option<Box<str>>,
    /// Whether it was told why.
    pub(super) told: bool,
    /// How many of its jobs and of their tasks had not ended when it last said so.
    pub(super) unfinished: Option<(u64, u64)>,
}

impl Away {
    /// One that is away from now on.
    pub(super) fn new(since: Instant, why: &'static str) -> Self {
        Self { since, tried: None, why, cause: None, told: false, unfinished: None }
    }
}

/// Why there are no peers.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeersError {
    #[error("the list of members cannot be read: {0}")]
    Book(#[from] BookError),
    #[error("the list of removed members cannot be read: {0}")]
    Revoked(#[from] RevokedError),
    #[error("the settings of the cluster cannot be read: {0}")]
    Settings(#[from] SettingsError),
    #[error("the cluster's secret cannot be read: {0}")]
    Secrets(#[from] SecretsError),
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peers").field("me", &self.me).finish_non_exhaustive()
    }
}

impl Peers {
    /// The members that the papers' owner knows; nothing is sent before [`Peers::live`].
    pub(crate) fn new(
        papers: Arc<Papers>,
        place: Place,
        version: &str,
        log: Log,
        on: Handle,
        (pace, seeds): (Pace, Vec<SocketAddr>),
    ) -> Result<Arc<Self>, PeersError> {
        let (me, book) = (papers.number(), Book::open(&papers.dir)?);
        let revoked = Revoked::open(&papers.dir, papers.authority())?;
        let settings = Settings::open(&papers.dir)?;
        let followed = Arc::new(Followed::open(&papers.dir)?);
        let secrets = Secrets::open(&papers.dir, &papers.secret.0)?;
        let hearing = Arc::new(Hearing::default());
        let ears = Arc::clone(&hearing) as Arc<dyn Ears>;
        let mesh = Mesh::new(me, &papers.credentials(), pace.mesh_limits(), ears, on.clone())?;
        book.all().into_iter().for_each(|(number, known)| mesh.place(number, known.addresses));
        let peers = Arc::new(Self {
            me,
            papers,
            place,
            version: version.into(),
            log,
            book,
            revoked,
            settings,
            followed,
            secrets,
            mesh,
            on,
            inside: OnceLock::new(),
            links: Mutex::default(),
            away: Mutex::default(),
            awaited: Mutex::default(),
            began: Instant::now(),
            pace,
            seeds,
            found: Found::default(),
            standings: Mutex::default(),
            dropped: Dropped::default(),
            life: OnceLock::new(),
            beating: Beating::default(),
            own: Mutex::new(Own::new(me)),
            refused: Mutex::default(),
            changed: AtomicBool::new(false),
            stands_in_for: Mutex::default(),
            replicas: OnceLock::new(),
        });
        // It was made for this.
        drop(hearing.0.set(Arc::downgrade(&peers)));
        Ok(peers)
    }

    /// The number of this member.
    pub(crate) fn me(&self) -> u64 {
        self.me
    }

    /// The number of the life that begins now; see [`Papers::begin_life`].
    pub(crate) fn begin_life(&self, least: u32) -> std::io::Result<u32> {
        let life = self.papers.begin_life(least).map_err(std::io::Error::other)?;
        // There is one life in a process.
        Ok(*self.life.get_or_init(|| life))
    }

    /// The number of this life; 0 before it has begun.
    pub(super) fn life(&self) -> u32 {
        self.life.get().copied().unwrap_or_default()
    }

    /// What carries frames.
    pub(crate) fn mesh(&self) -> &Mesh {
        &self.mesh
    }

    /// Whether a node may come back: it is of a member that is known.
    pub(crate) fn may_return(&self, node: NodeId) -> bool {
        node.member() != self.me && self.book.has(node.member())
    }

    /// The nodes of this process are there. `awaited` held something before it began.
    pub(crate) fn open(&self, inside: Inside, awaited: BTreeSet<NodeId>) {
        *lock(&self.awaited) = awaited;
        // There is one cluster in a process, which says so once.
        drop(self.inside.set(inside));
        // What was measured before was so by another clock.
        lock(&self.links).values_mut().for_each(|link| link.clock = None);
        self.on_change();
    }

    /// Where refusals are noted, and what tells how busy the nodes here are.
    pub(crate) fn serves(&self, audit: Audit, board: Arc<Board>) {
        if let Some(inside) = self.inside.get() {
            // The first ones stay.
            drop((inside.audit.set(audit), inside.board.set(board)));
        }
    }

    /// The nodes here are others than were told.
    pub(crate) fn on_change(&self) {
        self.changed.store(true, Ordering::Relaxed);
    }

    /// Sends a member something; see [`Mesh::send`].
    pub(crate) fn send(&self, to: u64, bytes: Bytes) {
        self.mesh.send(to, bytes);
    }

    /// What a member is called, where it is known.
    pub(crate) fn member_name(&self, member: u64) -> Option<String> {
        let own = member == self.me;
        let name = if own { Some(self.papers.name().clone()) } else { self.book.name(member) };
        name.map(|name| name.to_string())
    }

    /// This member and all that it knows, for one that comes new.
    pub(super) fn members_to_tell(&self) -> Vec<(u64, Box<str>, Vec<SocketAddr>)> {
        let own = (self.me, self.papers.name().as_str().into(), self.place.addresses.clone());
        std::iter::once(own).chain(self.known()).collect()
    }

    /// A member was let in, and is to be reached at these addresses.
    pub(super) fn expect(&self, number: u64, name: &Name, addresses: &[SocketAddr]) {
        let is_other = number != self.me && !self.revoked.has(number);
        if is_other && self.book.note(number, name, addresses) {
            self.mesh.place(number, addresses.to_vec());
            self.on_change();
        }
    }

    /// There is a stream to a member: it hears who this one is, and is asked the same.
    pub(super) fn begin(&self, member: u64) {
        let new = Link::new(Instant::now());
        let before = lock(&self.links).insert(member, new);
        lock(&self.away).remove(&member);
        if let Some(before) = before {
            self.part(before.met.into_keys());
        }
        self.mesh.send(member, envelope::card(&self.card()));
        self.mesh.send(member, envelope::hail());
        self.mesh.send(member, envelope::load(&self.load()));
        self.tell_own(member);
        let revoked = self.revoked.text().map(|text| envelope::revoked(&text));
        for told in [revoked, self.told_settings(), self.told_secret()].into_iter().flatten() {
            self.mesh.send(member, told);
        }
        self.mesh.send(member, envelope::ping(self.now()));
    }

    /// There is no stream to a member any more.
    pub(super) fn end(&self, member: u64, why: &'static str) {
        let Some(link) = lock(&self.links).remove(&member) else { return };
        let unfinished = link.load.as_ref().and_then(|load| load.unfinished);
        let away = Away { told: true, unfinished, ..Away::new(Instant::now(), why) };
        lock(&self.away).insert(member, away);
        self.part(link.met.into_keys());
        if let Some(card) = link.card {
            self.log.say(Level::Info, &format!("member {} has gone: {why}", card.name), &[]);
        }
    }

    fn part(&self, nodes: impl Iterator<Item = NodeId>) {
        if let Some(inside) = self.inside.get() {
            nodes.for_each(|node| inside.crew.part(node));
        }
    }

    /// The nodes that have not come back hold nothing any more.
    pub(super) fn give_up(&self) {
        let awaited = std::mem::take(&mut *lock(&self.awaited));
        if let Some(inside) = self.inside.get() {
            for id in awaited {
                let info = NodeInfo { id, ..inside.ghost.clone() };
                let (round_trip, machine) = (Span::ZERO, Machine::default());
                inside.crew.haunt(Peer { info, round_trip, machine });
            }
        }
    }

    pub(super) fn card(&self) -> Card {
        let nodes = self.inside.get().map(|inside| inside.crew.own()).unwrap_or_default();
        Card {
            name: self.papers.name().as_str().into(),
            version: self.version.clone(),
            addresses: self.place.addresses.clone(),
            nodes,
            members: self.known().collect(),
            stands_in_for: lock(&self.stands_in_for).clone(),
        }
    }

    fn known(&self) -> impl Iterator<Item = (u64, Box<str>, Vec<SocketAddr>)> + use<> {
        let all = self.book.all().into_iter();
        all.map(|(number, Known { name, addresses })| (number, name.as_str().into(), addresses))
    }

    /// What the clock of the nodes here shows.
    pub(crate) fn now(&self) -> Moment {
        let origin = self.inside.get().map_or(self.began, |inside| inside.origin);
        Moment(0) + Span::from(origin.elapsed())
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
