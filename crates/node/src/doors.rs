//! The doors of a node: gRPC and JSON on one TCP port and one Unix socket. They know who asks, keep
//! within their limits and translate; what is asked is the service's business.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, Response};
use axum::middleware::Next;
use axum::routing::get;
use bary_api::home::CONSISTENT;
use bary_api::problem::Refused;
use bary_api::v1;
use bary_api::v1::node_server::NodeServer;
use bary_api::v1::worker_server::WorkerServer;
use bary_api::verb::Verb;
use bytes::Bytes;
use tokio::time::timeout;

use crate::doors::body::{Metered, Share};
use crate::doors::gate::{Gate, Room, Visit, is_long, keep, refuse};
use crate::doors::grpc::Grpc;
use crate::doors::health::Health;
use crate::doors::http::{Http, late};
use crate::service::Service;
use crate::service::caller::{Caller, Door};

#[cfg(unix)]
pub mod handed;
pub mod limits;
#[cfg(unix)]
pub mod socket;

mod answer;
mod body;
pub(crate) mod entrance;
pub(crate) mod gate;
mod grpc;
pub(crate) mod health;
mod http;
mod origin;
pub(crate) mod pass;
pub(crate) mod visitors;
mod wire;
mod worker;

/// The contract could not be described to those who ask for it. Nothing listens.
#[derive(Debug, thiserror::Error)]
#[error("the contract cannot be described: {0}")]
pub struct DescribeError(#[from] tonic_reflection::server::Error);

/// Bytes of a probe's request.
const PROBE_BYTES_MAX: usize = 4 << 10;

/// Everything that can be asked of a node, with what tells probes of its health.
///
/// # Errors
/// Where the contract cannot be described.
pub(crate) fn router(
    service: Service,
    gate: &Arc<Gate>,
) -> Result<(Router, Health), DescribeError> {
    let most = gate.service.request_bytes_max;
    let (reporter, health_server) = tonic_health::server::health_reporter();
    let health = Health::new(reporter);
    let health_server = health_server.max_decoding_message_size(PROBE_BYTES_MAX);
    let http = Http { service: service.clone(), gate: Arc::clone(gate) };
    let worker = WorkerServer::new(Grpc { service: service.clone() })
        .max_decoding_message_size(most)
        .max_encoding_message_size(usize::MAX);
    let node = NodeServer::new(Grpc { service })
        .max_decoding_message_size(most)
        .max_encoding_message_size(usize::MAX);
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(v1::DESCRIPTOR)
        .build_v1()?;

    let (probes, asked) = (health.clone(), http.service.clone());
    let router = http::routes(&http)
        .route("/openapi.json", get(async || description()))
        .route("/healthz", get(async || Health::live()))
        .route("/readyz", get(async move || probes.ready(asked.is_full())))
        .route_service(
            "/bary.v1.Node/{call}",
            Gated { gate: Arc::clone(gate), service: node, open: false },
        )
        .route_service(
            "/bary.v1.Worker/{call}",
            Gated { gate: Arc::clone(gate), service: worker, open: false },
        )
        .route_service(
            "/grpc.reflection.v1.ServerReflection/{call}",
            Gated { gate: Arc::clone(gate), service: reflection, open: false },
        )
        .route_service(
            "/grpc.health.v1.Health/{call}",
            Gated { gate: Arc::clone(gate), service: health_server, open: true },
        )
        .fallback(async |request: Request| entrance::nothing(&request))
        .method_not_allowed_fallback(async |method: Method| answer::not_allowed(&method))
        .layer(axum::middleware::from_fn(say_how_sure));
    Ok((router, health))
}

/// Says of what was read whether it is all that had been acknowledged before, or what was told so
/// far.
async fn say_how_sure(request: Request, next: Next) -> Response<Body> {
    let reads = pass::verb(&request).is_some_and(|verb| !verb.row().changes);
    // What neither says nor denies it is refused further on.
    let is_consistent = pass::is_consistent(request.headers()).unwrap_or(false);
    let mut answer = next.run(request).await;
    if reads && answer.status().is_success() {
        let sure = HeaderValue::from_static(if is_consistent { "true" } else { "false" });
        answer.headers_mut().insert(CONSISTENT, sure);
    }
    answer
}

/// The contract over HTTP, written once.
fn description() -> Response<Body> {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| bary_api::openapi::text().into());
    answer::bytes(200, "application/json", TEXT.clone())
}

/// A gRPC service behind the gate.
#[derive(Clone)]
struct Gated<S> {
    gate: Arc<Gate>,
    service: S,
    /// Whether anybody may ask.
    open: bool,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl<S, B> tower::Service<Request> for Gated<S>
where
    S: tower::Service<Request, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Who has no room says so to each request by itself.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Answer {
        let verb = Verb::of_grpc(request.uri().path());
        let (room, share) = match self.let_in(&mut request, verb) {
            Ok(entered) => entered,
            Err(refused) => {
                let refusal = refuse(&request, refused);
                return Box::pin(async { Ok(refusal) });
            }
        };
        let (mut service, gate) = (self.service.clone(), Arc::clone(&self.gate));
        let most = gate.service.request_timeout;
        let work = async move {
            let caller = request.extensions().get::<Arc<Caller>>().cloned();
            if let (Some(caller), Some(verb)) = (caller, verb)
                && let Err(refused) = gate.settle(&caller, verb).await
            {
                return Ok(answer::refusal(true, refused));
            }
            service.call(request).await.map(|answer| answer.map(Body::new))
        };
        Box::pin(async move {
            let answer = match is_long(verb) {
                true => work.await?,
                false => match timeout(most, work).await {
                    Ok(answer) => answer?,
                    Err(_) => return Ok(answer::refusal(true, late(most))),
                },
            };
            drop(share);
            Ok(keep(answer::of_misread(answer), room))
        })
    }
}

impl<S> Gated<S> {
    /// Lets a request in, with its caller noted in it and its bytes counted.
    fn let_in(
        &self,
        request: &mut Request,
        verb: Option<Verb>,
    ) -> Result<(Option<Room>, Option<Arc<Share>>), Refused> {
        if self.open {
            // A probe is answered however busy the node is; one that stays is a stream.
            let stays = !request.uri().path().ends_with("/Check");
            let room = if stays { Some(self.gate.room(true)?) } else { None };
            return Ok((room, None));
        }
        let Visit { caller, share, room } = self.gate.enter(request, verb, Door::Grpc)?;
        request.extensions_mut().insert(caller);
        if is_long(verb) {
            return Ok((Some(room), None));
        }
        let body = std::mem::take(request.body_mut());
        *request.body_mut() = Metered::over(body, Arc::clone(&share));
        Ok((Some(room), Some(share)))
    }
}
