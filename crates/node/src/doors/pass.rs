//! Requests for the home of another member: the caller is known and has the role here, and the
//! request goes on to that member as it came. What it answers comes back the same way. A member
//! takes the word of another for who asks; nobody else's: see `visitors`.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::body::Body;
use axum::http::header::{
    ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, TE, USER_AGENT,
};
use axum::http::{HeaderMap, Request, Response, Uri};
use bary_api::home::{CONSISTENT, CONSISTENT_PARAMETER, HOME, HOME_PARAMETER};
use bary_api::problem::{Kind, Refused};
use bary_api::sse;
use bary_api::verb::Verb;
use bary_identity::name::Name;
use bary_transport::mesh::pass::{PassError, Passed};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::timeout;
use tonic::Status;
use tower::Service as _;

use crate::doors::gate::{Gate, is_long, keep};
use crate::doors::http::late;
use crate::doors::limits::full;
use crate::doors::{answer, visitors};
use crate::peers::homes::Home;
use crate::service::caller::{Caller, Door};

/// By which a member tells another who asks, and with what role.
pub(super) const CALLER: HeaderName = HeaderName::from_static("bary-caller");
pub(super) const ROLE: HeaderName = HeaderName::from_static("bary-role");
/// By which a member says whose home it means, where that is not the one that it asks.
pub(crate) const STOOD_IN: HeaderName = HeaderName::from_static("bary-stood-in");
/// What of a request's headers goes on; nothing by which its caller has proved who it is.
const TAKEN: [HeaderName; 11] = [
    ACCEPT,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    USER_AGENT,
    HeaderName::from_static(CONSISTENT),
    HeaderName::from_static("grpc-accept-encoding"),
    HeaderName::from_static("grpc-encoding"),
    HeaderName::from_static("grpc-timeout"),
    HeaderName::from_static("grpc-message-type"),
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("last-event-id"),
];
/// Seconds after which a member that is away may be back.
const AWAY_SECONDS: f64 = 1.0;

/// Whether a request is to see all that was acknowledged before it.
///
/// # Errors
/// Where that is neither said nor denied.
pub(crate) fn is_consistent(headers: &HeaderMap) -> Result<bool, Refused> {
    let mut said = headers.get_all(CONSISTENT).iter().map(HeaderValue::as_bytes);
    let first = said.next().unwrap_or(b"false");
    match (first, said.all(|other| other == first)) {
        (b"true", true) => Ok(true),
        (b"false" | b"", true) => Ok(false),
        _ => Err(invalid(format!("`{CONSISTENT_PARAMETER}` is true or false"))),
    }
}

/// The home that a request names, which is taken out of it; none where it is for this member.
///
/// # Errors
/// Where it names several, or what is no name.
pub(crate) fn home<B>(request: &mut Request<B>) -> Result<Option<Box<str>>, Refused> {
    let mut named: Vec<Box<str>> = Vec::new();
    for value in request.headers().get_all(HOME) {
        named.push(String::from_utf8_lossy(value.as_bytes()).trim().into());
    }
    request.headers_mut().remove(HOME);
    if !answer::is_grpc(request.headers()) {
        named.extend(of_query(request.uri_mut(), HOME_PARAMETER)?);
        for value in of_query(request.uri_mut(), CONSISTENT_PARAMETER)? {
            let value = HeaderValue::from_str(&value).map_err(|_| invalid("the query is wrong"))?;
            request.headers_mut().append(CONSISTENT, value);
        }
    }
    named.retain(|name| !name.is_empty());
    let Some(first) = named.first() else { return Ok(None) };
    if named.iter().any(|other| other != first) {
        return Err(invalid("the request names several homes"));
    }
    match Name::new(first) {
        Ok(name) => Ok(Some(name.as_str().into())),
        Err(error) => Err(invalid(format!("`{}` is no home: {error}", first.escape_default()))),
    }
}

/// The values of a parameter of an address, which are taken out of it.
fn of_query(uri: &mut Uri, name: &str) -> Result<Vec<Box<str>>, Refused> {
    let is_meant = |pair: &&str| pair.split('=').next() == Some(name);
    let query = uri.query().unwrap_or_default();
    if !query.split('&').any(|pair| is_meant(&pair)) {
        return Ok(Vec::new());
    }
    let values = query.split('&').filter(is_meant);
    let values = values.map(|pair| pair.split_once('=').map_or("", |(_, value)| value).into());
    let values = values.collect();
    let rest: Vec<&str> = query.split('&').filter(|pair| !is_meant(pair)).collect();
    let path = match rest.as_slice() {
        [] => uri.path().to_owned(),
        rest => format!("{}?{}", uri.path(), rest.join("&")),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path.parse().map_err(|_| invalid("the query is wrong"))?);
    *uri = Uri::from_parts(parts).map_err(|_| invalid("the query is wrong"))?;
    Ok(values)
}

fn invalid(title: impl Into<String>) -> Refused {
    Refused::new(Kind::Invalid, title)
}

/// The verb of a request; none where it is about the contract itself, or about nothing.
pub(crate) fn verb<B>(request: &Request<B>) -> Option<Verb> {
    let path = request.uri().path();
    let method = request.method().as_str();
    Verb::of_grpc(path).or_else(|| Verb::of_http(method, path))
}

impl Gate {
    /// Answers a request for the home of a member of this name, wherever that is.
    pub(crate) async fn route(
        &self,
        mut router: Router,
        home: &str,
        request: Request<Body>,
    ) -> Result<Response<Body>, Infallible> {
        let is_own = self.peers().is_some_and(|peers| peers.own_name() == home);
        // The contract is the same everywhere.
        let Some(verb) = verb(&request).filter(|_| !is_own) else {
            return router.call(request).await;
        };
        let is_grpc = answer::is_grpc(request.headers());
        let answered = self.hand_on(verb, home, request, is_grpc).await;
        Ok(answered.unwrap_or_else(|refused| answer::refusal(is_grpc, refused)))
    }

    /// Has another member answer a request.
    async fn hand_on(
        &self,
        verb: Verb,
        home: &str,
        request: Request<Body>,
        is_grpc: bool,
    ) -> Result<Response<Body>, Refused> {
        let door = if is_grpc { Door::Grpc } else { Door::Http };
        let (caller, room) = self.let_through(&request, verb, door, home)?;
        let peers = self.peers().ok_or_else(|| unknown(home))?;
        let (member, stood_in) = match peers.home(home) {
            Home::There(member) => (member, None),
            Home::At { home, member } => (member, Some(home)),
            Home::Away(away) => return Err(is_away(&away.words(home))),
            Home::Unknown => return Err(unknown(home)),
        };
        let mut request = carried(request, &caller, is_grpc);
        if let Some(stood_in) = stood_in {
            if member == peers.me() {
                let answer = visitors::here(peers, stood_in, (caller, home), request).await?;
                return Ok(keep(answer, room));
            }
            request.headers_mut().insert(STOOD_IN, stood_in.into());
        }
        let passed = peers.mesh().pass(member, request);
        let passed = match is_long(Some(verb)) {
            true => passed.await,
            false => {
                let most = self.service.request_timeout;
                timeout(most, passed).await.map_err(|_| late(most))?
            }
        };
        let Passed { answer, place } = passed.map_err(|error| unanswered(home, error))?;
        let form = Form::of(answer.headers());
        let told = answer.map(|body| Told::over(body, form, home));
        Ok(keep(told, (room, place)))
    }
}

/// The request as it goes on, with who asks.
pub(crate) fn carried(request: Request<Body>, caller: &Caller, is_grpc: bool) -> Request<Body> {
    let (mut head, body) = request.into_parts();
    let given = std::mem::take(&mut head.headers);
    for name in TAKEN {
        for value in given.get_all(&name) {
            head.headers.append(name.clone(), value.clone());
        }
    }
    if is_grpc {
        head.headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    // Names are plain words; one that is not is nobody's there.
    if let Ok(name) = HeaderValue::from_str(&caller.name) {
        head.headers.insert(CALLER, name);
    }
    head.headers.insert(ROLE, HeaderValue::from_static(caller.role.name()));
    head.extensions = axum::http::Extensions::new();
    Request::from_parts(head, body)
}

fn unknown(home: &str) -> Refused {
    let title = format!("there is no member `{home}`");
    Refused::new(Kind::NotFound, title).help("bary node ls lists the members")
}

pub(super) fn is_away(words: &str) -> Refused {
    let title = format!("{words}; nothing was changed");
    let help = "its jobs wait for it; bary node ls shows when it is back";
    Refused::new(Kind::Unavailable, title).help(help).retry_after(AWAY_SECONDS)
}

/// Why there is no answer from a member.
fn unanswered(home: &str, error: PassError) -> Refused {
    match error {
        PassError::Unknown => unknown(home),
        PassError::Dial(error) => is_away(&format!("{home} is not reached: {error}")),
        PassError::Full(most) => full("passes_max", most, AWAY_SECONDS),
        PassError::Broken(_) | PassError::Gone => gone(home, &error.to_string()),
        PassError::Malformed(error) => invalid(format!("the request is wrong: {error}")),
    }
}

/// A member was asked, and has gone before all of its answer came.
fn gone(home: &str, why: &str) -> Refused {
    let title = format!("{home} has gone before it had answered: {why}");
    let help = "it may have been done: look before you repeat it";
    Refused::new(Kind::Unavailable, title).help(help).retry_after(AWAY_SECONDS)
}

/// How an answer says at its end that something went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// As the trailers of gRPC.
    Grpc,
    /// As an event of a page's stream.
    Events,
    /// As a last line of JSON.
    Lines,
    /// Not at all: it breaks off.
    Whole,
}

impl Form {
    fn of(headers: &HeaderMap) -> Self {
        let kind = headers.get(CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
        match kind {
            kind if kind.starts_with(b"application/grpc") => Self::Grpc,
            kind if kind.starts_with(b"text/event-stream") => Self::Events,
            kind if kind.starts_with(b"application/x-ndjson") => Self::Lines,
            _ => Self::Whole,
        }
    }

    /// The last words of an answer; none where it has no place for them.
    fn last(self, refused: Refused) -> Option<Frame<Bytes>> {
        if self == Self::Grpc {
            let mut trailers = HeaderMap::new();
            Status::from(refused).add_header(&mut trailers).ok()?;
            return Some(Frame::trailers(trailers));
        }
        let problem = serde_json::to_string(&refused.problem()).ok()?;
        let text = match self {
            Self::Events => format!("\n\nevent: {}\ndata: {problem}\n\n", sse::PROBLEM),
            Self::Lines => format!("\n{problem}\n"),
            Self::Grpc | Self::Whole => return None,
        };
        Some(Frame::data(text.into()))
    }
}

/// What a member answers; where it goes away meanwhile, that is said in the words of the answer.
#[derive(Debug)]
struct Told {
    body: Body,
    form: Form,
    home: Box<str>,
    over: bool,
}

impl Told {
    fn over(body: Body, form: Form, home: &str) -> Body {
        Body::new(Self { body, form, home: home.into(), over: false })
    }
}

impl http_body::Body for Told {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.over {
            return Poll::Ready(None);
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(match frame {
            Some(Err(error)) => {
                self.over = true;
                let last = self.form.last(gone(&self.home, &error.to_string()));
                Some(last.ok_or(error))
            }
            frame => frame,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match self.form {
            Form::Whole => self.body.size_hint(),
            _ => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use bary_api::problem::Kind;
    use bary_api::role::Role;

    use super::{carried, home, is_consistent};
    use crate::service::caller::{Caller, Door};

    fn named(uri: &str, headers: &[(&str, &str)]) -> Result<(Option<Box<str>>, String), Kind> {
        let builder = Request::builder().uri(uri);
        let add = |builder: axum::http::request::Builder, (name, value): &(&str, &str)| {
            builder.header(*name, *value)
        };
        let request = headers.iter().fold(builder, add).body(());
        let mut request = request.expect("the test writes good ones");
        let home = home(&mut request).map_err(|refused| refused.kind)?;
        assert!(!request.headers().contains_key("bary-home"), "it is taken out");
        Ok((home, request.uri().to_string()))
    }

    #[test]
    fn a_home_is_named_by_a_header_or_in_the_address() {
        let beta = || Some("beta".into());
        let header = [("bary-home", "beta")];
        assert_eq!(named("/v1/jobs", &[]), Ok((None, "/v1/jobs".into())));
        assert_eq!(named("/v1/jobs", &header), Ok((beta(), "/v1/jobs".into())));
        assert_eq!(named("/v1/jobs?home=beta", &header), Ok((beta(), "/v1/jobs".into())));
        let among = named("/v1/jobs?limit=2&home=beta&sort=id", &[]);
        assert_eq!(among, Ok((beta(), "/v1/jobs?limit=2&sort=id".into())));
        assert_eq!(named("/v1/jobs?home=", &[]), Ok((None, "/v1/jobs".into())));
        assert_eq!(named("/v1/jobs?homes=x", &[]), Ok((None, "/v1/jobs?homes=x".into())));
        for wrong in ["/v1/jobs?home=a&home=b", "/v1/jobs?home=a/b", "/v1/jobs?home=%20"] {
            assert_eq!(named(wrong, &[]), Err(Kind::Invalid), "{wrong}");
        }
        assert_eq!(named("/v1/jobs?home=alpha", &header), Err(Kind::Invalid));
    }

    #[test]
    fn a_read_says_how_sure_it_wants_to_be() {
        let said = |values: &[&str]| {
            let mut headers = axum::http::HeaderMap::new();
            for value in values {
                headers.append("bary-consistent", value.parse().expect("it is a value"));
            }
            is_consistent(&headers).map_err(|refused| refused.kind)
        };
        assert_eq!([said(&[]), said(&["false"]), said(&[""])], [Ok(false); 3]);
        assert_eq!([said(&["true"]), said(&["true", "true"])], [Ok(true); 2]);
        assert_eq!([said(&["yes"]), said(&["true", "false"])], [Err(Kind::Invalid); 2]);
        let asked = named("/v1/jobs?consistent=true&limit=1", &[]);
        assert_eq!(asked, Ok((None, "/v1/jobs?limit=1".into())));
    }

    #[test]
    fn nothing_by_which_a_caller_is_known_goes_on_and_nothing_that_he_says_he_is() {
        let request = Request::builder().uri("/v1/jobs").header("authorization", "Bearer bary_x");
        let request = request.header("cookie", "a=b").header("bary-role", "admin");
        let request = request.header("bary-caller", "root").header("accept", "text/plain");
        let request = request.body(Body::empty()).expect("it is good");
        let caller =
            Caller { name: "ann".into(), role: Role::Viewer, door: Door::Http, consistent: false };
        let told = carried(request, &caller, false);
        let mut told: Vec<(&str, &[u8])> =
            told.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        told.sort_unstable();
        let wanted: [(&str, &[u8]); 3] =
            [("accept", b"text/plain"), ("bary-caller", b"ann"), ("bary-role", b"viewer")];
        assert_eq!(told, wanted);
    }
}
