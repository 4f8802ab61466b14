//! Who is here, as members tell each other in sealed datagrams: each learns of all others from any
//! one that it knows, and of who has gone. It decides whom to open streams to and what is shown;
//! whether a member's nodes may hold anything is for its stream to say.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bary_gossip::config::GossipConfig;
use bary_gossip::event::{Event, Input, Output};
use bary_gossip::gossip::Gossip;
use bary_gossip::identity::{Address, Identity, Name as Number};
use bary_identity::name::Name;
use bary_membership::seal::Sealer;
use bary_membership::socket::{Come, SealedSocket};
use bary_model::time::{Moment, Span};
use tokio::sync::watch;
use tokio::time::sleep_until;

use super::place::ADDRESSES_MAX;
use super::roster::{Peers, lock};
use super::secrets::BEFORE_SPAN;
use crate::access::chance;
use crate::serve::log::Level;

/// Waits until then; for ever where that is never.
async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// Under which key a member says what it is called and where it is.
const WHO: &str = "who";

/// How a member stands with the others.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Standing {
    /// Whether it is there.
    pub(super) here: bool,
    /// Since when.
    pub(super) since: SystemTime,
    /// How sure this member is that it is in trouble, where it suspects that: the decimal
    /// logarithm of the odds against it.
    pub(super) phi: Option<f64>,
}

/// How all stand that were heard of since this process began.
pub(super) type Standings = BTreeMap<u64, Standing>;

/// What a member says of itself.
type Who = (Box<str>, Vec<SocketAddr>);

/// Why members do not hear of each other by datagrams. They still do by their streams.
#[derive(Debug, thiserror::Error)]
enum PresenceError {
    #[error("the socket cannot be used: {0}")]
    Socket(#[from] std::io::Error),
    #[error(transparent)]
    Gossip(#[from] bary_gossip::gossip::NewError),
    #[error("what this member says of itself is too long: {0}")]
    Who(#[from] bary_gossip::values::SetError),
    #[error("no address of this member is known")]
    NoAddress,
}

/// One life of this member among the others.
struct Presence {
    peers: Arc<Peers>,
    socket: SealedSocket,
    gossip: Gossip,
    began: Instant,
}

impl Peers {
    /// Speaks with all other members until `closing` turns true, and takes its leave then.
    pub(crate) async fn mingle(
        self: Arc<Self>,
        socket: UdpSocket,
        mut closing: watch::Receiver<bool>,
    ) {
        let mut presence = match Presence::new(&self, socket) {
            Ok(presence) => presence,
            Err(error) => {
                let text = format!("members are not told apart by datagrams: {error}");
                return self.log.say(Level::Warning, &text, &[]);
            }
        };
        presence.step([Input::Join { seeds: self.whom_to_ask() }]);
        // Whoever would say so may have gone.
        let mut closed = pin!(async { drop(closing.wait_for(|closing| *closing).await) });
        let mut secrets = self.secrets.news();
        // Until when the secret before the last is taken.
        let mut before = None;
        loop {
            let wake = presence.gossip.wake().map(|wake| presence.instant(wake));
            let wake = wake.unwrap_or_else(|| Instant::now() + self.pace.beat);
            tokio::select! {
                come = presence.socket.next() => match come {
                    Ok(Come::Said(from, said)) => {
                        let from = Address::from(from);
                        presence.step([Input::Datagram { from, bytes: said.bytes }]);
                    }
                    Ok(Come::Dropped(_, why)) => self.dropped.count(why),
                    Err(error) => {
                        let text = format!("members are not told apart by datagrams: {error}");
                        return self.log.say(Level::Warning, &text, &[]);
                    }
                },
                () = sleep_until(wake.into()) => presence.step([]),
                // The sender is of this very member.
                Ok(()) = secrets.changed() => {
                    presence.socket.seal_with(&self.secrets.in_use());
                    before = Some(Instant::now() + BEFORE_SPAN);
                }
                () = until(before) => {
                    self.secrets.forget_before();
                    presence.socket.seal_with(&self.secrets.in_use());
                    before = None;
                }
                () = self.found.news.notified() => {
                    presence.step([Input::Join { seeds: self.whom_to_ask() }]);
                }
                () = &mut closed => return presence.step([Input::Leave]),
            }
        }
    }

    /// Where others may be: first what was found last, as that is where they are.
    fn whom_to_ask(&self) -> Vec<Address> {
        let known = self.book.all().into_iter().flat_map(|(_, known)| known.addresses);
        let found = self.found.all().into_iter();
        found.chain(self.seeds.iter().copied()).chain(known).map(Address::from).collect()
    }

    /// How a member stands.
    pub(super) fn standing(&self, member: u64) -> Option<Standing> {
        lock(&self.standings).get(&member).cloned()
    }

    fn on_presence(&self, event: Event) {
        match event {
            Event::Joined(life) => self.stands(life.name, true),
            Event::Left { name, .. } => self.stands(name, false),
            Event::Suspected { name, phi } => self.doubt(name, Some(phi)),
            Event::Trusted { name } => self.doubt(name, None),
            Event::Changed { name, key, value } if &*key == WHO => {
                let who = value.and_then(|value| postcard::from_bytes::<Who>(&value).ok());
                let Some((called, addresses)) = who else { return };
                if let Ok(called) = Name::new(&called)
                    && addresses.len() <= ADDRESSES_MAX
                {
                    self.expect(name.0, &called, &addresses);
                }
            }
            Event::Changed { .. } | Event::Risen { .. } => {}
            Event::Superseded { .. } => {
                let text = "another process is this member too, from a copy of its state: end one";
                self.log.say(Level::Error, text, &[]);
            }
        }
    }

    fn stands(&self, Number(member): Number, here: bool) {
        if member != self.me {
            let standing = Standing { here, since: SystemTime::now(), phi: None };
            lock(&self.standings).insert(member, standing);
        }
    }

    fn doubt(&self, Number(member): Number, phi: Option<f64>) {
        if let Some(standing) = lock(&self.standings).get_mut(&member) {
            (standing.phi, standing.since) = (phi, SystemTime::now());
        }
    }
}

impl Presence {
    fn new(peers: &Arc<Peers>, socket: UdpSocket) -> Result<Self, PresenceError> {
        let life = peers.life().into();
        let sealer = Sealer::new(peers.me, life, &peers.secrets.in_use());
        let socket = SealedSocket::of(socket, sealer)?;
        let at = peers.place.addresses.first().ok_or(PresenceError::NoAddress)?;
        let me = Identity::new(Number(peers.me), Address::from(*at), life);
        let cluster = peers.papers.fingerprint().number();
        let config = GossipConfig { cluster, ..peers.pace.gossip.clone() };
        let seed = u64::from_le_bytes(chance::draw()?.first_chunk().copied().unwrap_or_default());
        let mut gossip = Gossip::new(config, me, seed)?;
        let name: Box<str> = peers.papers.name().as_str().into();
        // Nothing in it refuses to be written, and a vector takes all.
        let who = postcard::to_allocvec(&(name, &peers.place.addresses)).unwrap_or_default();
        gossip.set(WHO, Some(&who))?;
        Ok(Self { peers: Arc::clone(peers), socket, gossip, began: Instant::now() })
    }

    fn instant(&self, at: Moment) -> Instant {
        self.began + at.since(Moment(0)).to_std()
    }

    fn step(&mut self, inputs: impl IntoIterator<Item = Input>) {
        let now = Moment(0) + Span::from(self.began.elapsed());
        let mut outputs = Vec::new();
        self.gossip.step(now, inputs, &mut outputs);
        for output in outputs {
            match output {
                Output::Send { to, bytes } => {
                    if let Some(to) = to.socket() {
                        // What is lost at once is as what is lost on the way.
                        let _sent = self.socket.send(to, &bytes);
                    }
                }
                Output::Tell(event) => self.peers.on_presence(event),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, UdpSocket};
    use std::sync::Arc;
    use std::time::Duration;

    use bary_identity::authority::MEMBER_SPAN;
    use bary_identity::key::Key;
    use bary_identity::name::Name;
    use bary_membership::seal::Sealer;
    use bary_transport::mesh::entry::Papers as Given;
    use tokio::runtime::Handle;
    use tokio::sync::watch;

    use crate::board::clock;
    use crate::peers::pace::Pace;
    use crate::peers::papers::Papers;
    use crate::peers::place::Place;
    use crate::peers::roster::Peers;
    use crate::serve::log::{Log, LogFormat};

    fn name(text: &str) -> Name {
        Name::new(text).expect("the test names them well")
    }

    /// A founder's papers, and those of others that it let in.
    fn papers(dir: &std::path::Path) -> [Arc<Papers>; 3] {
        let founded = Papers::found(&dir.join("a"), &name("lab"), &name("a"), MEMBER_SPAN);
        let founder = founded.expect("there is room");
        let other = |seed: u8, called: &str| {
            let key = Key::new([seed; 32]).expect("32 bytes are a key");
            let request = key.request(&name(called)).expect("a key can ask");
            let authority = founder.admits.as_ref().expect("a founder signs");
            let signed = authority.sign(&request, [seed; 16], clock::now(), MEMBER_SPAN);
            let given = Given {
                certificate: signed.expect("all is good").der,
                authority: authority.certificate().to_vec(),
                authority_key: None,
                secret: founder.secret.clone(),
                members: Vec::new(),
            };
            Papers::keep(&dir.join(called), &key, &given).expect("there is room")
        };
        let (b, c) = (other(7, "b"), other(8, "c"));
        [founder, b, c].map(Arc::new)
    }

    /// A member that knows where these are, and nobody's name.
    fn member(papers: Arc<Papers>, seeds: Vec<SocketAddr>) -> (Arc<Peers>, UdpSocket) {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has a port");
        let at = socket.local_addr().expect("it is bound");
        let log = Log { format: LogFormat::Text };
        let ways = (Pace::usual(), seeds);
        let peers = Peers::new(papers, Place::of(at, &[], None), "0", log, Handle::current(), ways);
        let peers = peers.expect("the papers are good");
        peers.begin_life(0).expect("there is room");
        (peers, socket)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_member_learns_of_all_others_from_the_one_that_it_knows() {
        let dir = tempfile::tempdir().expect("there is room");
        let [a, b, c] = papers(dir.path());
        let (a, at_a) = member(a, Vec::new());
        let seed = vec![at_a.local_addr().expect("it is bound")];
        let (b, at_b) = member(b, seed.clone());
        let (c, at_c) = member(c, seed);
        let (closing, closed) = watch::channel(false);
        let all = [(a.clone(), at_a), (b.clone(), at_b), (c.clone(), at_c)];
        let living = all.map(|(peers, at)| tokio::spawn(peers.mingle(at, closed.clone())));
        let here = |one: &Peers, other: &Peers| {
            one.standing(other.me()).is_some_and(|standing| standing.here)
        };
        let learnt = async {
            while !(here(&b, &c) && here(&c, &b) && b.book.has(c.me()) && c.book.has(b.me())) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), learnt).await.expect("they meet in a minute");
        assert_eq!(c.member_name(b.me()).as_deref(), Some("b"));
        closing.send_replace(true);
        for one in living {
            one.await.expect("nobody panics");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_nobody_made_and_what_comes_twice_is_dropped_and_counted() {
        let dir = tempfile::tempdir().expect("there is room");
        let [papers, _, _] = papers(dir.path());
        let (peers, at) = member(papers, Vec::new());
        let to = at.local_addr().expect("it is bound");
        let (closing, closed) = watch::channel(false);
        let living = tokio::spawn(Arc::clone(&peers).mingle(at, closed));
        let wire = UdpSocket::bind("127.0.0.1:0").expect("loopback has a port");
        let other = Sealer::new(77, 1, &peers.secrets.in_use());
        let sealed = other.seal(b"nothing that gossip reads").expect("it is short");
        let mut changed = sealed.clone();
        changed[sealed.len() - 1] ^= 1;
        let counts = || (peers.dropped.forged(), peers.dropped.replayed());
        for (said, right) in
            [(&sealed[..], (0, 0)), (b"x", (1, 0)), (&changed, (2, 0)), (&sealed, (2, 1))]
        {
            wire.send_to(said, to).expect("loopback takes it");
            let counted = async {
                while counts() != right {
                    tokio::task::yield_now().await;
                }
            };
            let within = tokio::time::timeout(Duration::from_secs(60), counted).await;
            assert!(within.is_ok(), "{right:?} and not {:?}", counts());
        }
        closing.send_replace(true);
        living.await.expect("nobody panics");
    }
}
