//! How members of a group reach each other: a question is a request over the connection between
//! them, whose other end TLS has seen to be a member.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use bary_replica::carrier::{Answer, Carrier};
use bary_replica::limits::QUESTION_BYTES_MAX;
use bary_transport::mesh::Mesh;
use bary_transport::mesh::accept::Member;
use bytes::Bytes;

use super::Replicas;

/// Where questions go; behind it comes the member whose shard it is about.
const PATH: &str = "/bary.replica.v1/";

/// Asks members about the shard of one of them.
pub(super) struct Asking {
    pub(super) mesh: Mesh,
    pub(super) home: u64,
}

impl Carrier for Asking {
    fn ask(&self, member: u64, question: Bytes) -> Answer {
        let (mesh, home) = (self.mesh.clone(), self.home);
        Box::pin(async move {
            let request = Request::post(format!("{PATH}{home}")).body(Body::from(question));
            let request = request.map_err(|error| error.to_string())?;
            let passed = mesh.pass(member, request).await.map_err(|error| error.to_string())?;
            let (head, body) = passed.answer.into_parts();
            let bytes = to_bytes(body, QUESTION_BYTES_MAX).await;
            let bytes = bytes.map_err(|error| error.to_string())?;
            match head.status {
                StatusCode::OK => Ok(bytes),
                status => Err(format!("{status}: {}", String::from_utf8_lossy(&bytes))),
            }
        })
    }
}

/// What answers questions of members; all else goes to `others`.
pub(crate) fn router(others: Router, replicas: Arc<Replicas>) -> Router {
    let answering = post(answer).with_state(replicas);
    others.route(&format!("{PATH}{{home}}"), answering)
}

async fn answer(
    State(replicas): State<Arc<Replicas>>,
    Path(home): Path<u64>,
    request: Request<Body>,
) -> Response {
    if request.extensions().get::<Member>().is_none() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let question = match to_bytes(request.into_body(), QUESTION_BYTES_MAX).await {
        Ok(question) => question,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    match replicas.part_for(home).await {
        Ok(part) => part.group.answer(&question).await.into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
    }
}
