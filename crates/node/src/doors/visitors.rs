//! The door of other members: what they hand on for those who asked them. Who that is they say in
//! headers, which count on the connection of a member only, as TLS has seen him: on all other ways
//! in they mean nothing. What came this way goes no further.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use bary_api::problem::{Kind, Refused};
use bary_api::role::Role;
use bary_transport::mesh::accept::Member;

use crate::doors::answer;
use crate::doors::gate::{Peer, refuse};
use crate::doors::pass::{CALLER, ROLE, STOOD_IN, is_away};
use crate::peers::roster::Peers;
use crate::service::beside::{GUEST, Guest, NoGuest};
use crate::service::caller::{Caller, Door};

/// The most bytes of a caller's name that another member tells.
const CALLER_BYTES_MAX: usize = 256;

/// Answers what members hand on.
#[derive(Clone)]
pub(crate) struct Visitors {
    pub(crate) router: Router,
    pub(crate) peers: Arc<Peers>,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl tower::Service<Request<Body>> for Visitors {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Answer {
        let stood_in = request.headers_mut().remove(STOOD_IN);
        let guest = request.headers_mut().remove(GUEST).map(|guest| guest_of(&guest));
        let through = request.extensions().get::<Member>().copied();
        let through = through.and_then(|Member(number)| self.peers.member_name(number));
        let who = caller(request.headers(), through.as_deref());
        let who = who.and_then(|caller| Ok((caller, guest.transpose()?)));
        match who {
            Ok((caller, _)) if stood_in.is_some() => {
                let peers = Arc::clone(&self.peers);
                let home = stood_in.as_ref().and_then(|home| home.to_str().ok()?.parse().ok());
                Box::pin(async move {
                    let is_grpc = answer::is_grpc(request.headers());
                    let name = home.and_then(|home| peers.member_name(home)).unwrap_or_default();
                    let answered = match home {
                        Some(home) => here(&peers, home, (caller, &name), request).await,
                        None => Err(Refused::new(Kind::Invalid, "no member has that number")),
                    };
                    Ok(answered.unwrap_or_else(|refused| answer::refusal(is_grpc, refused)))
                })
            }
            Ok((caller, guest)) => {
                guest.and_then(|guest| request.extensions_mut().insert(guest));
                request.extensions_mut().insert(Peer::Through(Arc::new(caller)));
                let answer = tower::Service::call(&mut self.router, request);
                Box::pin(answer)
            }
            Err(refused) => {
                let refusal = refuse(&request, refused);
                Box::pin(async { Ok(refusal) })
            }
        }
    }
}

/// Has the home of another member's shard answer, for which this member stands in.
pub(crate) async fn here(
    peers: &Peers,
    home: u64,
    (caller, name): (Caller, &str),
    mut request: Request<Body>,
) -> Result<Response<Body>, Refused> {
    let gone = || is_away(&format!("nobody stands in for {name} here any more"));
    let replicas = peers.replicas().ok_or_else(gone)?;
    let mut router = replicas.doors_of(home).await.ok_or_else(gone)?;
    let caller = Arc::new(Caller { door: Door::Member, ..caller });
    request.extensions_mut().insert(Peer::Through(caller));
    let Ok(answer) = tower::Service::call(&mut router, request).await;
    Ok(answer)
}

/// The task of its own that a member means.
fn guest_of(told: &HeaderValue) -> Result<Guest, Refused> {
    let guest = told.to_str().map_err(|_| NoGuest).and_then(str::parse);
    guest.map_err(|error| Refused::new(Kind::Invalid, error.to_string()))
}

/// Who asks, as the member says by whom the request came.
fn caller(headers: &HeaderMap, through: Option<&str>) -> Result<Caller, Refused> {
    let nobody = |title: &str| Refused::new(Kind::Unauthenticated, title);
    let through = through.ok_or_else(|| nobody("the request came from no member"))?;
    let one = |name: HeaderName| {
        let mut values = headers.get_all(name).iter();
        let value = values.next().filter(|_| values.next().is_none())?;
        value.to_str().ok().filter(|text| !text.is_empty() && text.len() <= CALLER_BYTES_MAX)
    };
    let name = one(CALLER).ok_or_else(|| nobody("the member does not say who asks"))?;
    let role = one(ROLE).and_then(|role| role.parse::<Role>().ok());
    let role = role.ok_or_else(|| nobody("the member does not say what the caller may do"))?;
    Ok(Caller {
        name: format!("{name} via {through}").into(),
        role,
        door: Door::Member,
        consistent: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_is_whom_a_member_names() {
        let mut headers = HeaderMap::new();
        headers.insert(CALLER, "ann".parse().expect("it is a value"));
        headers.insert(ROLE, "viewer".parse().expect("it is a value"));
        let ann = caller(&headers, Some("alpha")).expect("all is said");
        assert_eq!((&*ann.name, ann.role, ann.door), ("ann via alpha", Role::Viewer, Door::Member));
        assert!(caller(&headers, None).is_err(), "whoever is no member names nobody");
        headers.append(ROLE, "admin".parse().expect("it is a value"));
        assert!(caller(&headers, Some("alpha")).is_err(), "two roles are none");
        headers.insert(ROLE, "root".parse().expect("it is a value"));
        assert!(caller(&headers, Some("alpha")).is_err());
    }
}
