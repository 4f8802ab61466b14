//! Doors behind which there is nothing yet: who comes is told to come again, until there is.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, Request, Response, StatusCode};

/// What answers, once it is there. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Late(Arc<OnceLock<Router>>);

impl Late {
    /// This answers from now on.
    pub(super) fn open(&self, router: Router) {
        // It is opened once.
        drop(self.0.set(router));
    }

    /// It as a router.
    pub(super) fn router(&self) -> Router {
        Router::new().fallback_service(self.clone())
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl tower::Service<Request<Body>> for Late {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        if let Some(router) = self.0.get() {
            let mut router = router.clone();
            return Box::pin(async move { tower::Service::call(&mut router, request).await });
        }
        let mut answer = Response::new(Body::from("the node is coming up\n"));
        *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        Box::pin(async { Ok(answer) })
    }
}
