//! Answers that are the same for all verbs: JSON, and refusals in the words of each protocol.

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, Method, Response, StatusCode};
use bary_api::problem::{Kind, Refused};
use bary_api::v1::Problem;
use serde::Serialize;
use tonic::{Code, Status};

/// What browsers are told about every answer: it is data, no page, and not to be kept.
const CAUTIONS: [(HeaderName, HeaderValue); 3] = [
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
];

/// The kind of a refusal as JSON.
const PROBLEM: &str = "application/problem+json";

/// Whether a request speaks gRPC.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// A refusal in the words of its protocol.
pub(crate) fn refusal(grpc: bool, refused: Refused) -> Response<Body> {
    if grpc { Status::from(refused).into_http() } else { problem(&refused) }
}

/// A refusal as RFC 9457 has it.
pub(crate) fn problem(refused: &Refused) -> Response<Body> {
    let row = refused.kind.row();
    let body = serde_json::to_vec(&refused.problem()).unwrap_or_default();
    let mut answer = bytes(row.http, PROBLEM, body);
    let headers = answer.headers_mut();
    if let Some(seconds) = refused.retry_after {
        // The header takes whole seconds; casts from floats end at the bounds.
        let value = HeaderValue::from(seconds.ceil().max(1.0) as u64);
        headers.insert(RETRY_AFTER, value);
    }
    if refused.kind == Kind::Unauthenticated {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    answer
}

/// There is something at a path, but not under that method. Which there are says the header that
/// the router adds.
pub(crate) fn not_allowed(method: &Method) -> Response<Body> {
    let refused = Refused::new(Kind::Invalid, format!("{method} is not for this path"));
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let problem = Problem { status: status.as_u16().into(), ..refused.problem() };
    bytes(status.as_u16(), PROBLEM, serde_json::to_vec(&problem).unwrap_or_default())
}

/// A message as JSON.
pub(crate) fn json(message: &impl Serialize) -> Response<Body> {
    match serde_json::to_vec(message) {
        Ok(body) => bytes(200, "application/json", body),
        Err(error) => {
            problem(&Refused::new(Kind::Internal, format!("the answer is no JSON: {error}")))
        }
    }
}

/// Bytes of a kind.
pub(crate) fn bytes(status: u16, kind: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    caution(headers);
    answer
}

/// The answer to a message that could not be read: gRPC's own library says that the node is at
/// fault, when whoever sent it is. What the node itself refuses has details.
pub(crate) fn of_misread(answer: Response<Body>) -> Response<Body> {
    let headers = answer.headers();
    let is_internal = headers.get(Status::GRPC_STATUS).is_some_and(|code| code == INTERNAL);
    if !is_internal || headers.contains_key(Status::GRPC_STATUS_DETAILS) {
        return answer;
    }
    match Status::from_header_map(headers) {
        Some(status) => Status::from(misread(&status)).into_http(),
        None => answer,
    }
}

/// The number of gRPC's code for what the node is at fault of.
const INTERNAL: &str = "13";

/// A message that could not be read, as whoever sent it is told; any other status as it is.
pub(crate) fn misread(status: &Status) -> Refused {
    if status.code() != Code::Internal || !status.details().is_empty() {
        return Refused::of_status(status);
    }
    let title = format!("the message cannot be read: {}", status.message());
    Refused::new(Kind::Invalid, title)
        .help("see crates/api/proto/bary/v1/node.proto, or reflection")
}

/// Adds what browsers are told.
pub(crate) fn caution(headers: &mut HeaderMap) {
    for (name, value) in CAUTIONS {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_when_to_come_back() {
        let refused = Refused::new(Kind::Full, "busy").retry_after(0.2);
        let answer = refusal(false, refused.clone());
        assert_eq!(answer.status(), 429);
        assert_eq!(answer.headers()[RETRY_AFTER], "1");
        assert_eq!(answer.headers()[CONTENT_TYPE], "application/problem+json");
        let answer = refusal(true, refused);
        assert_eq!(answer.status(), 200, "gRPC says it in its own header");
        assert_eq!(answer.headers()["grpc-status"], "8");
    }

    #[test]
    fn a_message_that_cannot_be_read_is_its_senders_fault() {
        let library = Status::internal("failed to decode Protobuf message: invalid tag");
        let answer = of_misread(library.into_http());
        assert_eq!(answer.headers()["grpc-status"], "3");
        let told = Status::from_header_map(answer.headers()).expect("it is one");
        let refused = Refused::of_status(&told);
        assert!(refused.kind == Kind::Invalid && refused.title.ends_with("invalid tag"));
        let own = Status::from(Refused::new(Kind::Internal, "the node is at fault"));
        assert_eq!(of_misread(own.into_http()).headers()["grpc-status"], "13");
        let other = Status::not_found("no").into_http();
        assert_eq!(of_misread(other).headers()["grpc-status"], "5");
    }
}
