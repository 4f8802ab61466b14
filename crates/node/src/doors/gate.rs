//! What every request passes before any of it is read: who asks is known, and there is room for
//! one more. Which role a verb needs is the service's business.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Request, Response};
use bary_api::problem::{Kind, Refused};
use bary_api::verb::Verb;
use bary_identity::audit::{Entry, Outcome};
use bary_model::time::Wall;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::access::{Access, Bearer, WhoError};
use crate::audit::Audit;
use crate::board::clock;
use crate::doors::body::{Keeping, Pool, Share};
use crate::doors::limits::{DoorLimits, full};
use crate::doors::{answer, origin, pass};
use crate::peers::roster::Peers;
use crate::service::Service;
use crate::service::caller::{Caller, Door};
use crate::service::options::ServiceLimits;

/// Who is at the other end of a connection, as far as the kernel knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Somebody on this machine.
    Tcp(SocketAddr),
    /// This user of it, who may use the node.
    User(u32),
    /// Another member of the cluster, which answers for this caller.
    Through(Arc<Caller>),
}

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) access: Arc<Access>,
    pub(crate) audit: Audit,
    pub(crate) limits: DoorLimits,
    /// What the service never exceeds; the doors hold to it before they read anything.
    pub(crate) service: ServiceLimits,
    requests: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    pool: Pool,
    behind: Service,
}

/// A request that was let in: whose it is, and the room that it takes until this is dropped.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) caller: Arc<Caller>,
    pub(crate) share: Arc<Share>,
    pub(crate) room: Room,
}

/// The room that a request takes.
#[derive(Debug)]
pub(crate) struct Room(
    #[expect(dead_code, reason = "held until it is dropped")] OwnedSemaphorePermit,
);

impl Gate {
    /// A gate in front of a service.
    pub(crate) fn new(service: &Service, limits: DoorLimits) -> Self {
        let (access, audit) = (Arc::clone(service.access()), service.audit_log().clone());
        let (behind, service) = (service.clone(), service.limits().clone());
        let requests = Arc::new(Semaphore::new(service.requests_in_flight_max));
        let streams = Arc::new(Semaphore::new(service.streams_max));
        let pool = Pool::new(limits.requests_bytes_max.max(service.request_bytes_max));
        Self { access, audit, limits, service, requests, streams, pool, behind }
    }

    /// Whether a request is meant for this node at all.
    ///
    /// # Errors
    /// Where it is not.
    pub(crate) fn check<B>(&self, request: &Request<B>) -> Result<(), Refused> {
        match peer(request)? {
            // No page reaches a socket, and what its requests name as host is anyone's guess.
            Peer::User(_) | Peer::Through(_) => Ok(()),
            Peer::Tcp(_) => origin::check(request.uri(), request.headers()),
        }
    }

    /// Lets a request in; one without a verb is about the contract itself.
    ///
    /// # Errors
    /// Where it is not known who asks, or there is no room.
    pub(crate) fn enter<B>(
        &self,
        request: &Request<B>,
        verb: Option<Verb>,
        door: Door,
    ) -> Result<Visit, Refused> {
        let caller = Arc::new(self.caller(request, door)?);
        if verb.is_some_and(brings_work) {
            self.behind.check_open()?;
        }
        let room = self.room(is_long(verb))?;
        Ok(Visit { caller, share: self.pool.share(), room })
    }

    /// Lets a request through that another member is to answer.
    ///
    /// # Errors
    /// Where it is not known who asks, the role is too low, or there is no room.
    pub(crate) fn let_through<B>(
        &self,
        request: &Request<B>,
        verb: Verb,
        door: Door,
        home: &str,
    ) -> Result<(Caller, Room), Refused> {
        let caller = self.caller(request, door)?;
        self.behind.check_role(&caller, verb, &format!("home {home}"))?;
        Ok((caller, self.room(is_long(Some(verb)))?))
    }

    /// Passes through the home where a caller wants to read all that was acknowledged before.
    ///
    /// # Errors
    /// Where the home does not answer.
    pub(crate) async fn settle(&self, caller: &Caller, verb: Verb) -> Result<(), Refused> {
        match caller.consistent && !verb.row().changes {
            true => self.behind.pass_home().await,
            false => Ok(()),
        }
    }

    /// The other members of the cluster, where the node is in one.
    pub(crate) fn peers(&self) -> Option<&Arc<Peers>> {
        self.behind.cluster().peers()
    }

    /// Room for one more, on a stream or not.
    ///
    /// # Errors
    /// Where there is none.
    pub(crate) fn room(&self, long: bool) -> Result<Room, Refused> {
        let (rooms, limit, most) = match long {
            true => (&self.streams, "streams_max", self.service.streams_max),
            false => {
                (&self.requests, "requests_in_flight_max", self.service.requests_in_flight_max)
            }
        };
        let permit = Arc::clone(rooms).try_acquire_owned();
        permit.map(Room).map_err(|_| full(limit, most, 0.1))
    }

    fn caller<B>(&self, request: &Request<B>, door: Door) -> Result<Caller, Refused> {
        let now = clock::now();
        let consistent = pass::is_consistent(request.headers())?;
        let (peer, token) = match peer(request)? {
            Peer::Through(caller) => return Ok(Caller { consistent, ..Caller::clone(&caller) }),
            peer => (peer, bearer(request.headers())?),
        };
        let door = if matches!(peer, Peer::User(_)) { Door::Socket } else { door };
        let who = match (peer, token) {
            (Peer::User(user), None) => self.access.peer(user, now),
            (_, token) => self.access.who(token.unwrap_or_default(), now),
        };
        match who {
            Ok(Bearer { name, role }) => Ok(Caller { name, role, door, consistent }),
            Err(error) => {
                self.tell(&error, door, request.uri().path(), now)?;
                Err(error.into())
            }
        }
    }

    /// Has the audit log tell of somebody who is not known. Those who try too often are counted
    /// only, and told of with the next line.
    fn tell(&self, error: &WhoError, door: Door, path: &str, at: Wall) -> Result<(), Refused> {
        if error.is_shed() {
            return Ok(());
        }
        let reason = error.to_string();
        let entry = Entry {
            at,
            who: "",
            role: None,
            door: door.name(),
            verb: Verb::of_grpc(path).map_or("", |verb| verb.row().name),
            target: path,
            outcome: Outcome::Refused,
            reason: &reason,
        };
        self.audit.append(&entry)?;
        Ok(())
    }
}

/// Whether a verb is a stream, or waits for something else than the node.
pub(crate) fn is_long(verb: Option<Verb>) -> bool {
    verb.is_none_or(|verb| verb.row().streams || matches!(verb, Verb::Wait | Verb::Backup))
}

/// Whether a verb brings tasks to run, or somebody to run them.
fn brings_work(verb: Verb) -> bool {
    use Verb::{Begin, Chunk, Commit, Exec, Extend, Retry, Session, Submit, Work};
    matches!(verb, Submit | Begin | Chunk | Commit | Session | Extend | Retry | Exec | Work)
}

/// An answer that keeps the room of its request until it was sent.
pub(crate) fn keep<T>(answer: Response<Body>, room: T) -> Response<Body>
where
    T: Send + Unpin + 'static,
{
    answer.map(|body| Keeping::over(body, room))
}

/// The token of a request, where it has one.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Refused> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = given.next() else { return Ok(None) };
    let wrong = || {
        let title = "the header Authorization holds no bearer token";
        Refused::new(Kind::Unauthenticated, title).help("send `Authorization: Bearer TOKEN`")
    };
    if given.next().is_some() {
        return Err(wrong());
    }
    let (scheme, token) = value.to_str().ok().and_then(|v| v.split_once(' ')).ok_or_else(wrong)?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    if is_bearer { Ok(Some(token.trim())) } else { Err(wrong()) }
}

fn peer<B>(request: &Request<B>) -> Result<Peer, Refused> {
    let peer = request.extensions().get().cloned();
    peer.ok_or_else(|| Refused::new(Kind::Internal, "the request came through no door"))
}

/// Answers a request that was not let in, in the words of its protocol.
pub(crate) fn refuse<B>(request: &Request<B>, refused: Refused) -> Response<Body> {
    answer::refusal(answer::is_grpc(request.headers()), refused)
}
