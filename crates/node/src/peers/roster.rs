//! Which members are there: it opens streams to all that it knows of, tells the nodes here who has
//! come and gone, and hands on what nodes say to each other. A member that says nothing for four
//! beats is taken as gone until it is heard again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bary_identity::name::Name;
use bary_model::id::NodeId;
use bary_model::node::{NodeInfo, Peer};
use bary_model::time::{Moment, Span};
use bary_ports::store::Store;
use bary_transport::memory::Network;
use bary_transport::mesh::{Ears, Mesh, MeshLimits};
use bary_transport::tls::CredentialsError;
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::blobs::Blobs;
use super::book::{Book, BookError, Known};
use super::card::Card;
use super::clocks::Clock;
use super::envelope;
use super::hearing::Hearing;
use super::papers::Papers;
use super::place::Place;
use crate::audit::Audit;
use crate::crew::Crew;
use crate::serve::log::{Level, Log};

/// How often each member says that it is there.
pub(crate) const BEAT: Duration = Duration::from_millis(300);
/// After how many beats without a word a member is taken as gone.
pub(crate) const SILENT_BEATS_MAX: u32 = 4;
/// How long nodes that held something before a restart have to come back.
pub(crate) const RETURN_SPAN: Duration = Duration::from_secs(10);
/// How often a member is tried that was not reached for [`RETURN_SPAN`].
const SELDOM: Duration = Duration::from_secs(5);

/// The other members.
pub(crate) struct Peers {
    pub(super) me: u64,
    pub(super) papers: Arc<Papers>,
    pub(super) place: Place,
    pub(super) version: Box<str>,
    pub(super) log: Log,
    pub(super) book: Book,
    pub(super) mesh: Mesh,
    pub(super) on: Handle,
    pub(super) inside: OnceLock<Inside>,
    pub(super) links: Mutex<BTreeMap<u64, Link>>,
    pub(super) away: Mutex<BTreeMap<u64, Away>>,
    /// Nodes that held something before this process began, and have not come back.
    pub(super) awaited: Mutex<BTreeSet<NodeId>>,
    pub(super) began: Instant,
    /// Whether the own card has changed since it was told.
    pub(super) changed: AtomicBool,
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
}

/// A stream to a member.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) heard: Instant,
    pub(super) card: Option<Box<Card>>,
    pub(super) clock: Option<Clock>,
    /// The nodes that the ones here know of, and how far they were told that they are.
    pub(super) met: BTreeMap<NodeId, (NodeInfo, Span)>,
}

/// A member that there is no stream to.
#[derive(Debug)]
pub(super) struct Away {
    pub(super) since: Instant,
    pub(super) tried: Option<Instant>,
    /// Whether it was told why.
    pub(super) told: bool,
}

/// Why there are no peers.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeersError {
    #[error("the list of members cannot be read: {0}")]
    Book(#[from] BookError),
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
    ) -> Result<Arc<Self>, PeersError> {
        let (me, book) = (papers.number(), Book::open(&papers.dir)?);
        let hearing = Arc::new(Hearing::default());
        let ears = Arc::clone(&hearing) as Arc<dyn Ears>;
        let mesh = Mesh::new(me, &papers.credentials(), MeshLimits::default(), ears, on.clone())?;
        for (number, known) in book.all() {
            mesh.place(number, known.addresses);
        }
        let peers = Arc::new(Self {
            me,
            papers,
            place,
            version: version.into(),
            log,
            book,
            mesh,
            on,
            inside: OnceLock::new(),
            links: Mutex::default(),
            away: Mutex::default(),
            awaited: Mutex::default(),
            began: Instant::now(),
            changed: AtomicBool::new(false),
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
        self.papers.begin_life(least).map_err(std::io::Error::other)
    }

    /// What carries frames.
    pub(crate) fn mesh(&self) -> &Mesh {
        &self.mesh
    }

    /// What fetches results from other members into a store.
    pub(crate) fn blobs(&self, store: Arc<dyn Store>) -> Arc<Blobs> {
        Arc::new(Blobs::new(store, self.mesh.clone(), self.on.clone(), self.log))
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
    }

    /// Where refusals are noted.
    pub(crate) fn audits(&self, audit: Audit) {
        if let Some(inside) = self.inside.get() {
            // The first one stays.
            drop(inside.audit.set(audit));
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

    /// Whether a member of this name is there that has another number.
    pub(super) fn has_name(&self, name: &str, number: u64) -> bool {
        let own = self.papers.name().as_str() == name && number != self.me;
        let links = lock(&self.links);
        let there = |link: &Link| link.card.as_ref().is_some_and(|card| &*card.name == name);
        own || links.iter().any(|(member, link)| *member != number && there(link))
    }

    /// A member was let in, and is to be reached at these addresses.
    pub(super) fn expect(&self, number: u64, name: &Name, addresses: &[SocketAddr]) {
        if number != self.me && self.book.note(number, name, addresses) {
            self.mesh.place(number, addresses.to_vec());
            self.on_change();
        }
    }

    /// Keeps streams to all members that are known, until `closing` turns true.
    pub(crate) async fn live(self: Arc<Self>, mut closing: watch::Receiver<bool>) {
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Whoever would say so may have gone.
        let mut closed = pin!(async { drop(closing.wait_for(|closing| *closing).await) });
        loop {
            tokio::select! {
                _ = beat.tick() => self.on_beat().await,
                () = &mut closed => return,
            }
        }
    }

    async fn on_beat(self: &Arc<Self>) {
        let now = Instant::now();
        self.reconcile(now);
        if self.changed.swap(false, Ordering::Relaxed) {
            let card = envelope::card(&self.card());
            let there: Vec<u64> = lock(&self.links).keys().copied().collect();
            there.into_iter().for_each(|member| self.mesh.send(member, card.clone()));
        }
        for (member, _) in self.book.all() {
            if member != self.me && self.is_due(member, now) {
                self.mesh.send(member, envelope::ping(self.now()));
            }
        }
        if now.duration_since(self.began) > RETURN_SPAN {
            self.give_up();
        }
        if self.book.is_changed() {
            let peers = Arc::clone(self);
            let saved = tokio::task::spawn_blocking(move || peers.book.save()).await;
            if let Ok(Err(error)) = saved {
                let text = format!("the list of members cannot be written: {error}");
                self.log.say(Level::Warning, &text, &[]);
            }
        }
    }

    /// Whether a member is to hear from this one: always where it is there, else now and then.
    fn is_due(&self, member: u64, now: Instant) -> bool {
        if lock(&self.links).contains_key(&member) {
            return true;
        }
        let mut away = lock(&self.away);
        let new = Away { since: now, tried: None, told: false };
        let away = away.entry(member).or_insert(new);
        let often = now.duration_since(away.since) < RETURN_SPAN;
        let late = away.tried.is_none_or(|at| often || now.duration_since(at) >= SELDOM);
        if late {
            away.tried = Some(now);
        }
        late
    }

    /// Ends streams that are silent, and takes in what the mesh says of the others.
    fn reconcile(self: &Arc<Self>, now: Instant) {
        let streams: BTreeSet<u64> = self.mesh.linked().into_iter().collect();
        let (mut silent, mut lost, mut known) = (Vec::new(), Vec::new(), BTreeSet::new());
        for (member, link) in &*lock(&self.links) {
            known.insert(*member);
            if !streams.contains(member) {
                lost.push(*member);
            } else if now.duration_since(link.heard) > BEAT * SILENT_BEATS_MAX {
                silent.push(*member);
            }
        }
        streams.difference(&known).for_each(|member| self.begin(*member));
        lost.into_iter().for_each(|member| self.end(member, "its stream has ended"));
        for member in silent {
            self.end(member, "it is silent");
            self.mesh.forget(member);
            let addresses = self.book.all().into_iter().find(|(number, _)| *number == member);
            self.mesh
                .place(member, addresses.map(|(_, known)| known.addresses).unwrap_or_default());
        }
    }

    /// There is a stream to a member: it hears who this one is, and is asked the same.
    pub(super) fn begin(&self, member: u64) {
        let (card, clock, met) = (None, None, BTreeMap::new());
        let new = Link { heard: Instant::now(), card, clock, met };
        let before = lock(&self.links).insert(member, new);
        lock(&self.away).remove(&member);
        if let Some(before) = before {
            self.part(before.met.into_keys());
        }
        if let Some(inside) = self.inside.get() {
            inside.blobs.forget(member);
        }
        self.mesh.send(member, envelope::card(&self.card()));
        self.mesh.send(member, envelope::hail());
        self.mesh.send(member, envelope::ping(self.now()));
    }

    /// There is no stream to a member any more.
    pub(super) fn end(&self, member: u64, why: &str) {
        let Some(link) = lock(&self.links).remove(&member) else { return };
        let away = Away { since: Instant::now(), tried: None, told: true };
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
    fn give_up(&self) {
        let awaited = std::mem::take(&mut *lock(&self.awaited));
        if let Some(inside) = self.inside.get() {
            for id in awaited {
                let info = NodeInfo { id, ..inside.ghost.clone() };
                inside.crew.haunt(Peer { info, round_trip: Span::ZERO });
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
        }
    }

    fn known(&self) -> impl Iterator<Item = (u64, Box<str>, Vec<SocketAddr>)> + use<> {
        let all = self.book.all().into_iter();
        all.map(|(number, Known { name, addresses })| (number, name.as_str().into(), addresses))
    }

    /// What the clock of the nodes here shows.
    pub(super) fn now(&self) -> Moment {
        let origin = self.inside.get().map_or(self.began, |inside| inside.origin);
        Moment(0) + Span::from(origin.elapsed())
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
