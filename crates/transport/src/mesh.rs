//! The network between members of a cluster: one stream of frames for each pair that has something
//! to say, over mutual TLS. Frames arrive in order or, when a stream ends, not at all; what stands
//! on it sends again. It decides nothing: a frame for a member that it has no stream to opens one.
//!
//! Two members that open one at the same time keep that of the lower number.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tonic::transport::Channel;

use crate::mesh::stream::{Inlet, Outlet};
use crate::tls::{Configs, Credentials, CredentialsError};

pub mod accept;
pub mod dial;
pub mod entry;
pub mod output;
pub mod pass;
pub mod renewal;
pub mod runs;
pub mod shelf;

mod stream;

/// What members say to each other, as messages.
pub(crate) mod proto {
    #![expect(
        unreachable_pub,
        unused_qualifications,
        clippy::allow_attributes,
        reason = "written by a generator"
    )]
    tonic::include_proto!("bary.peer.v1");
}

/// What a mesh never exceeds, and how patient it is.
#[derive(Clone, Debug)]
pub struct MeshLimits {
    /// Frames that wait for one member; the newest is lost where there are more. Defaults to
    /// 4,096.
    pub frames_ahead_max: usize,
    /// Bytes of all of them. Defaults to 256 MiB.
    pub bytes_ahead_max: usize,
    /// Bytes of one frame. Defaults to 64 MiB, as a submission may have.
    pub frame_bytes_max: usize,
    /// Frames that go as one message. Defaults to 256.
    pub batch_frames_max: usize,
    /// Members whose addresses are known. Defaults to 16,384.
    pub members_max: usize,
    /// Connections that have come in at a time. Defaults to 4,096.
    pub connections_max: usize,
    /// Requests that are handed on to one member at a time. Defaults to 1,024.
    pub passes_max: usize,
    /// How long connecting and the handshake may take. Defaults to 3 s.
    pub dial_timeout: Duration,
    /// How long after one attempt the next may follow. Defaults to 200 ms.
    pub dial_gap: Duration,
    /// How often a silent connection is tried, and how long it may stay silent then. Defaults to
    /// 5 s.
    pub keep_alive: Duration,
}

impl Default for MeshLimits {
    fn default() -> Self {
        Self {
            frames_ahead_max: 4_096,
            bytes_ahead_max: 256 << 20,
            frame_bytes_max: 64 << 20,
            batch_frames_max: 256,
            members_max: 16_384,
            connections_max: 4_096,
            passes_max: 1_024,
            dial_timeout: Duration::from_secs(3),
            dial_gap: Duration::from_millis(200),
            keep_alive: Duration::from_secs(5),
        }
    }
}

/// The limits of a mesh as the documentation lists them.
pub const TABLE: &[(&str, &str, &str)] = &[
    ("frames_ahead_max", "4,096", "messages that wait for one member; the newest is lost then"),
    ("bytes_ahead_max", "256 MiB", "bytes of such messages"),
    ("frame_bytes_max", "64 MiB", "bytes of one message between members"),
    ("members_max", "16,384", "members whose addresses are known"),
    ("member_connections_max", "4,096", "connections of other members at a time"),
    ("passes_max", "1,024", "requests that are handed on to one member at a time"),
];

/// What a mesh tells, and asks.
pub trait Ears: Send + Sync + 'static {
    /// The number of the member that shows this certificate, which the authority has signed; none
    /// where it is not welcome any more.
    fn welcome(&self, certificate: &[u8]) -> Option<u64>;

    /// A frame came.
    fn frame(&self, from: u64, frame: Bytes);

    /// A stream to a member began, or the last one ended.
    fn linked(&self, member: u64, there: bool);

    /// Somebody was not let in, for this reason.
    fn refused(&self, from: SocketAddr, why: &str);

    /// A member was not reached, for this reason.
    fn unreached(&self, member: u64, why: &str);
}

/// Streams to the other members. Clones are the same mesh.
#[derive(Clone)]
pub struct Mesh(Arc<Inner>);

struct Inner {
    me: u64,
    limits: MeshLimits,
    ears: Arc<dyn Ears>,
    configs: RwLock<Configs>,
    members: Mutex<BTreeMap<u64, Member>>,
    streams: AtomicU64,
    lost: AtomicU64,
    /// Who is no member any more.
    banned: watch::Sender<BTreeSet<u64>>,
    /// Connections by which members are asked for something, beside their streams.
    asking: tokio::sync::Mutex<BTreeMap<u64, Channel>>,
    passages: pass::Passages,
    on: Handle,
}

/// One other member.
#[derive(Debug, Default)]
struct Member {
    addresses: Vec<SocketAddr>,
    stream: Option<Stream>,
    /// When it was last tried to reach it.
    tried: Option<Instant>,
    /// Whether that failed.
    failed: bool,
}

/// A stream to a member, or the beginning of one.
#[derive(Debug)]
struct Stream {
    number: u64,
    opener: u64,
    /// Since when frames go; none while this node still tries to open it.
    since: Option<Instant>,
    frames: Outlet,
}

impl std::fmt::Debug for Mesh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mesh").field("me", &self.0.me).finish_non_exhaustive()
    }
}

impl Mesh {
    /// A mesh of this node alone, which connects on a runtime.
    ///
    /// # Errors
    /// Where the credentials cannot be used.
    pub fn new(
        me: u64,
        own: &Credentials,
        limits: MeshLimits,
        ears: Arc<dyn Ears>,
        on: Handle,
    ) -> Result<Self, CredentialsError> {
        let configs = RwLock::new(Configs::new(own)?);
        let (members, streams, lost) = (Mutex::default(), AtomicU64::new(0), AtomicU64::new(0));
        let (asking, passages) = (tokio::sync::Mutex::default(), Mutex::default());
        let banned = watch::Sender::default();
        Ok(Self(Arc::new(Inner {
            me,
            limits,
            ears,
            configs,
            members,
            streams,
            lost,
            banned,
            asking,
            passages,
            on,
        })))
    }

    /// Connections that begin from now on show another certificate.
    ///
    /// # Errors
    /// Where the credentials cannot be used; the former ones stay.
    pub fn renew(&self, own: &Credentials) -> Result<(), CredentialsError> {
        let configs = Configs::new(own)?;
        *self.0.configs.write().unwrap_or_else(PoisonError::into_inner) = configs;
        Ok(())
    }

    /// A member is reached at these addresses from now on. One too many is not kept.
    pub fn place(&self, member: u64, addresses: Vec<SocketAddr>) {
        let mut members = self.0.members();
        if members.len() < self.0.limits.members_max || members.contains_key(&member) {
            members.entry(member).or_default().addresses = addresses;
        }
    }

    /// A member is no longer reached: its stream ends, and what it was asked has no answer.
    pub fn forget(&self, member: u64) {
        self.0.cut(member);
        let known = self.0.members().remove(&member);
        let stream = known.and_then(|known| known.stream);
        if stream.is_some_and(|stream| stream.since.is_some()) {
            self.0.ears.linked(member, false);
        }
    }

    /// A member is none any more: its stream and all connections that it has opened end, and no
    /// other begins for as long as the certificate that it shows is not welcome.
    pub fn ban(&self, member: u64) {
        self.0.banned.send_modify(|banned| {
            banned.insert(member);
        });
        self.forget(member);
    }

    /// Sends a frame. It is lost where the member cannot be reached, or too many wait for it.
    pub fn send(&self, to: u64, frame: Bytes) {
        let mut members = self.0.members();
        let Some(member) = members.get_mut(&to) else { return self.0.lose() };
        if member.stream.is_none() && !self.0.may_dial(member) {
            return self.0.lose();
        }
        let stream = match &mut member.stream {
            Some(stream) => stream,
            none => none.insert(self.0.dial(to, &member.addresses)),
        };
        let limits = &self.0.limits;
        let is_too_long = frame.len() > limits.frame_bytes_max;
        if is_too_long || !stream.frames.give(frame, limits.bytes_ahead_max) {
            self.0.lose();
        }
    }

    /// How many frames were lost before they left.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }

    /// The members that there is a stream to.
    #[must_use]
    pub fn linked(&self) -> Vec<u64> {
        let members = self.0.members();
        let linked = members.iter().filter(|(_, member)| {
            member.stream.as_ref().is_some_and(|stream| stream.since.is_some())
        });
        linked.map(|(number, _)| *number).collect()
    }
}

impl Inner {
    fn members(&self) -> MutexGuard<'_, BTreeMap<u64, Member>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn configs(&self) -> Configs {
        self.configs.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn lose(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    fn next(&self) -> u64 {
        self.streams.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether it is time to try again; it is noted that it was.
    fn may_dial(&self, member: &mut Member) -> bool {
        let now = Instant::now();
        let early = member.tried.is_some_and(|at| now.duration_since(at) < self.limits.dial_gap);
        if early || member.addresses.is_empty() {
            return false;
        }
        member.tried = Some(now);
        true
    }

    /// Another member has opened a stream: what goes into it, where it is the one to keep. The one
    /// before ends.
    fn accepted(&self, member: u64) -> Option<(u64, Inlet)> {
        let (frames, waiting) = stream::line(self.limits.frames_ahead_max);
        let number = self.next();
        let mut members = self.members();
        if members.len() >= self.limits.members_max && !members.contains_key(&member) {
            return None;
        }
        let known = members.entry(member).or_default();
        if self.prefers_own(known, member) {
            return None;
        }
        let since = Some(Instant::now());
        let before = known.stream.replace(Stream { number, opener: member, since, frames });
        drop(members);
        if before.is_none_or(|before| before.since.is_none()) {
            self.ears.linked(member, true);
        }
        Some((number, waiting))
    }

    /// Whether the stream that this node has opened, or is about to, is kept rather than one that
    /// the other has opened: the other cannot have known of it then.
    fn prefers_own(&self, known: &Member, member: u64) -> bool {
        let Some(stream) = &known.stream else { return false };
        let fresh = match stream.since {
            Some(since) => since.elapsed() < self.limits.dial_timeout,
            None => !known.failed,
        };
        stream.opener == self.me && self.me < member && fresh
    }

    /// A stream that this node opens is open, where it is still wanted.
    fn confirmed(&self, member: u64, number: u64) -> bool {
        let mut members = self.members();
        let Some(known) = members.get_mut(&member) else { return false };
        let own = known.stream.as_mut().filter(|stream| stream.number == number);
        let Some(stream) = own else { return false };
        stream.since = Some(Instant::now());
        known.failed = false;
        drop(members);
        self.ears.linked(member, true);
        true
    }

    /// A stream has ended, or was never opened; another may be there by now.
    fn ended(&self, member: u64, number: u64) {
        let mut members = self.members();
        let Some(known) = members.get_mut(&member) else { return };
        let Some(stream) = known.stream.take_if(|stream| stream.number == number) else { return };
        known.failed = stream.since.is_none();
        drop(members);
        if stream.since.is_some() {
            self.ears.linked(member, false);
        }
    }
}
