//! Whether the node is well, for probes: gRPC's health service and two plain paths. They need no
//! token and say nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::http::Response;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::doors::answer::bytes;

/// The services that a probe may ask for; no name asks for all of the node.
const SERVICES: [&str; 2] = ["", "bary.v1.Node"];

/// What probes are told.
#[derive(Clone)]
pub(crate) struct Health {
    reporter: HealthReporter,
    ready: Arc<AtomicBool>,
}

impl Health {
    /// Not ready yet.
    pub(crate) fn new(reporter: HealthReporter) -> Self {
        Self { reporter, ready: Arc::default() }
    }

    /// Says from now on whether the node takes requests.
    pub(crate) async fn set(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
        let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
        for service in SERVICES {
            self.reporter.set_service_status(service, status).await;
        }
    }

    /// Answers whether the process lives.
    pub(crate) fn live() -> Response<Body> {
        bytes(200, "text/plain; charset=utf-8", "ok\n")
    }

    /// Answers whether the node takes requests. One whose disk is full does: who makes room there
    /// has to reach it.
    pub(crate) fn ready(&self, full: bool) -> Response<Body> {
        let (status, word) = match (self.ready.load(Ordering::Relaxed), full) {
            (false, _) => (503, "not ready\n"),
            (true, true) => (200, "full\n"),
            (true, false) => (200, "ready\n"),
        };
        bytes(status, "text/plain; charset=utf-8", word)
    }
}
