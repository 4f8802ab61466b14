//! Asks the other members of the cluster for a caller, all at a time, each for no longer than it
//! may take: what they answer, and who did not.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, Uri};
use bary_api::home::CONSISTENT;
use bary_api::problem::Refused;
use bary_api::v1::Unreached;
use bary_api::v1::node_client::NodeClient;
use bary_transport::mesh::pass::{PassError, Passed};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tonic::Status;

use crate::doors::gate::keep;
use crate::doors::pass::{self, STOOD_IN};
use crate::doors::visitors;
use crate::peers::homes::{Home, Other};
use crate::peers::roster::Peers;
use crate::scaler::decider::number;
use crate::service::Inner;
use crate::service::beside::{GUEST, Guest};
use crate::service::caller::{Caller, Door};

/// How long each of them may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// How many are asked at a time.
const AT_ONCE_MAX: usize = 64;
/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Why a member was not asked, or did not answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum WayError {
    /// It was not reached.
    #[error(transparent)]
    Pass(#[from] PassError),
    /// It is not the home that was meant.
    #[error("{}", .0.title)]
    Refused(#[from] Refused),
}

/// The calls of another member.
pub(super) type Calls = NodeClient<Way>;

/// The way to another member, for a caller.
#[derive(Clone)]
pub(super) struct Way {
    peers: Arc<Peers>,
    member: u64,
    /// The member whose home is meant, where that one is away and another stands in.
    stood_in: Option<u64>,
    /// The task of this home that it is about, where it is about one that runs there.
    guest: Option<HeaderValue>,
    caller: Arc<Caller>,
}

impl tower::Service<Request<tonic::body::Body>> for Way {
    type Response = Response<Body>;
    type Error = WayError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, WayError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WayError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
        let mut request = pass::carried(request.map(Body::new), &self.caller, true);
        if self.caller.consistent {
            request.headers_mut().insert(CONSISTENT, HeaderValue::from_static("true"));
        }
        let Self { peers, member, stood_in, guest, caller } = self.clone();
        request.headers_mut().extend(guest.map(|guest| (GUEST, guest)));
        Box::pin(async move {
            if let Some(home) = stood_in {
                if member == peers.me() {
                    let name = peers.member_name(home).unwrap_or_default();
                    let caller = (Caller::clone(&caller), &*name);
                    return Ok(visitors::here(&peers, home, caller, request).await?);
                }
                request.headers_mut().insert(STOOD_IN, home.into());
            }
            let Passed { answer, place } = peers.mesh().pass(member, request).await?;
            Ok(keep(answer, place))
        })
    }
}

impl Inner {
    /// The calls of a member of this name, where it is another that is there.
    pub(super) fn calls_of(&self, name: &str, caller: &Caller) -> Option<Calls> {
        let peers = self.cluster.peers()?;
        let (member, stood_in) = match peers.home(name) {
            Home::There(member) => (member, None),
            Home::At { home, member } => (member, Some(home)),
            Home::Away(_) | Home::Unknown => return None,
        };
        let (peers, caller) = (Arc::clone(peers), Arc::new(caller.clone()));
        let way = Way { peers, member, stood_in, guest: None, caller };
        Some(NodeClient::with_origin(way, Uri::from_static("http://member")))
    }

    /// The calls of a member about a task of this home that runs there; none where this process is
    /// a member no more.
    pub(super) fn calls_about(&self, member: u64, guest: &Guest, caller: &Caller) -> Option<Calls> {
        // A home's name and numbers are plain words.
        let guest = Some(HeaderValue::from_str(&guest.to_string()).ok()?);
        let (peers, caller) = (Arc::clone(self.cluster.peers()?), Arc::new(caller.clone()));
        let way = Way { peers, member, stood_in: None, guest, caller };
        Some(NodeClient::with_origin(way, Uri::from_static("http://member")))
    }

    /// What all other members that are there answer, by their names, and who did not. What was
    /// handed on by one goes no further.
    pub(super) async fn ask_others<T, F>(
        &self,
        caller: &Caller,
        ask: impl Fn(Calls) -> F,
    ) -> (Vec<(Box<str>, T)>, Vec<Unreached>)
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Status>> + Send + 'static,
    {
        let Some(peers) = self.cluster.peers().filter(|_| caller.door != Door::Member) else {
            return (Vec::new(), Vec::new());
        };
        let (places, caller) = (Arc::new(Semaphore::new(AT_ONCE_MAX)), Arc::new(caller.clone()));
        let (mut asked, mut unreached) = (JoinSet::new(), Vec::new());
        for other in peers.others() {
            // One that the autoscaler has stopped is home of nothing.
            let is_stopped = number(&other.name).is_some() && other.unfinished == Some((0, 0));
            if other.there.is_none() && is_stopped {
                continue;
            }
            let Some(member) = other.stand_in.or(other.there) else {
                unreached.push(missing(&other, &other.why));
                continue;
            };
            let stood_in = other.stand_in.is_some().then_some(other.number);
            let (peers, caller) = (Arc::clone(peers), Arc::clone(&caller));
            let way = Way { peers, member, stood_in, guest: None, caller };
            let calls = NodeClient::with_origin(way, Uri::from_static("http://member"));
            let answer = ask(calls.max_decoding_message_size(ANSWER_BYTES_MAX));
            let places = Arc::clone(&places);
            asked.spawn(async move {
                // It is never closed.
                let _place = places.acquire_owned().await;
                (other, timeout(PATIENCE, answer).await)
            });
        }
        let mut answers = Vec::new();
        while let Some(one) = asked.join_next().await {
            // One that panicked has said so.
            let Ok((other, answer)) = one else { continue };
            match answer {
                Ok(Ok(answer)) => answers.push((other.name, answer)),
                Ok(Err(status)) => {
                    unreached.push(missing(&other, &Refused::of_status(&status).title));
                }
                Err(_) => {
                    let why = format!("it has not answered in {} s", PATIENCE.as_secs());
                    unreached.push(missing(&other, &why));
                }
            }
        }
        answers.sort_by(|a, b| a.0.cmp(&b.0));
        unreached.sort_by(|a, b| a.member.cmp(&b.member));
        (answers, unreached)
    }
}

/// What is told of a member that gave no answer.
fn missing(other: &Other, why: &str) -> Unreached {
    let (jobs, tasks) = other.unfinished.unwrap_or_default();
    Unreached {
        member: other.name.to_string(),
        why: why.to_owned(),
        away_seconds: other.away.map_or(0.0, |away| away.as_secs_f64()),
        known: other.unfinished.is_some(),
        jobs,
        tasks,
    }
}
