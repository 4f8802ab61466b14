//! The JSON door: the routes of the verb table, with the same messages as gRPC.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, Query, RawPathParams, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use axum::http::{HeaderMap, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use bary_api::bind::{self, Parts};
use bary_api::problem::{Kind, Refused};
use bary_api::verb::{Method, Route, TABLE, Verb};
use bary_api::{sse, v1};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::doors::gate::{Gate, Visit, is_long, keep};
use crate::doors::http::flow::Form;
use crate::doors::{answer, body};
use crate::service::Service;
use crate::service::caller::Door;

mod flow;

/// The header that makes a submission safe to repeat.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// What every handler has.
#[derive(Clone)]
pub(crate) struct Http {
    pub(crate) service: Service,
    pub(crate) gate: Arc<Gate>,
}

/// The place of a verb.
#[derive(Clone, Copy)]
struct Place {
    verb: Verb,
    route: Route,
}

/// All routes of the verb table.
pub(crate) fn routes(http: &Http) -> Router {
    let mut router = Router::new();
    for row in &TABLE {
        for &route in row.http {
            let place = Place { verb: row.verb, route };
            if let Some(handler) = handler(http, place) {
                router = router.route(route.path, handler);
            }
        }
    }
    router
}

/// A route that hands a message to a call of the service, and gives what `$answer` makes of it.
macro_rules! route {
    ($http:expr, $place:expr, $call:ident, $ask:ident, $head:expr, $answer:expr) => {{
        let (http, place) = ($http.clone(), $place);
        let handler = move |request: Request| {
            let http = http.clone();
            async move {
                let form = Form::of(request.headers());
                let work = async {
                    let taken = http.take::<v1::$ask>(place, request, $head).await?;
                    let (visit, message) = taken;
                    let said = http.service.$call(&visit.caller, message).await?;
                    Ok(keep($answer(said, form), visit.room))
                };
                http.bounded(place.verb, work).await
            }
        };
        Some(on(filter($place.route.method), handler))
    }};
}

/// A route whose answer is one message.
macro_rules! single {
    ($http:expr, $place:expr, $call:ident, $ask:ident) => {
        single!($http, $place, $call, $ask, |_, _| Ok(()))
    };
    ($http:expr, $place:expr, $call:ident, $ask:ident, $head:expr) => {
        route!($http, $place, $call, $ask, $head, |said, _| answer::json(&said))
    };
}

/// A route whose answer is a stream.
macro_rules! stream {
    ($http:expr, $place:expr, $call:ident, $ask:ident) => {
        stream!($http, $place, $call, $ask, |_, _| Ok(()))
    };
    ($http:expr, $place:expr, $call:ident, $ask:ident, $head:expr) => {
        route!($http, $place, $call, $ask, $head, flow::answer)
    };
}

/// What answers at a place; nothing for what has no place over HTTP.
#[rustfmt::skip]
fn handler(http: &Http, place: Place) -> Option<MethodRouter> {
    match place.verb {
        Verb::Session | Verb::Exec | Verb::Work => None,
        Verb::Info => single!(http, place, info, InfoRequest),
        Verb::Submit => single!(http, place, submit, SubmitRequest, keyed),
        Verb::Begin => single!(http, place, begin, BeginRequest),
        Verb::Chunk => single!(http, place, chunk, ChunkRequest),
        Verb::Commit => single!(http, place, commit, CommitRequest),
        Verb::Extend => single!(http, place, extend, ExtendRequest),
        Verb::Close => single!(http, place, close, JobsRequest),
        Verb::Cancel => single!(http, place, cancel, CancelRequest),
        Verb::Hold => single!(http, place, hold, JobsRequest),
        Verb::Release => single!(http, place, release, JobsRequest),
        Verb::SetPriority => single!(http, place, set_priority, SetPriorityRequest),
        Verb::Retry => single!(http, place, retry, JobsRequest),
        Verb::Prune => single!(http, place, prune, PruneRequest),
        Verb::ListJobs => single!(http, place, list_jobs, ListJobsRequest),
        Verb::ListTasks => single!(http, place, list_tasks, ListTasksRequest),
        Verb::Wait => single!(http, place, wait, WaitRequest),
        Verb::Events => stream!(http, place, events, EventsRequest, |ask, headers| {
            go_on(&mut ask.after, headers)
        }),
        Verb::Logs => stream!(http, place, logs, LogsRequest),
        Verb::Results => stream!(http, place, results, ResultsRequest),
        Verb::Why => single!(http, place, why, WhyRequest),
        Verb::ListNodes => single!(http, place, list_nodes, ListNodesRequest),
        Verb::Graph => single!(http, place, graph, GraphRequest),
        Verb::Scale => single!(http, place, scale, ScaleRequest),
        Verb::ChangeNode => single!(http, place, change_node, ChangeNodeRequest),
        Verb::ListPolicies => single!(http, place, list_policies, ListPoliciesRequest),
        Verb::SetPolicy => single!(http, place, set_policy, SetPolicyRequest),
        Verb::TryPolicy => single!(http, place, try_policy, TryPolicyRequest),
        Verb::Cache => single!(http, place, cache, CacheRequest),
        Verb::ClearCache => single!(http, place, clear_cache, ClearCacheRequest),
        Verb::Audit => stream!(http, place, audit, AuditRequest, |ask, headers| {
            go_on(&mut ask.after, headers)
        }),
        Verb::ListTokens => single!(http, place, list_tokens, ListTokensRequest),
        Verb::CreateToken => single!(http, place, create_token, CreateTokenRequest),
        Verb::RevokeToken => single!(http, place, revoke_token, RevokeTokenRequest),
        Verb::Backup => single!(http, place, backup, BackupRequest),
        Verb::Shutdown => single!(http, place, shutdown, ShutdownRequest),
        Verb::ListSettings => single!(http, place, list_settings, ListSettingsRequest),
        Verb::SetSetting => single!(http, place, set_setting, SetSettingRequest),
    }
}

fn filter(method: Method) -> MethodFilter {
    match method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Delete => MethodFilter::DELETE,
    }
}

impl Http {
    /// Lets a request in and reads its message; `head` adds what HTTP has headers for.
    async fn take<T: DeserializeOwned>(
        &self,
        place: Place,
        request: Request,
        head: impl FnOnce(&mut T, &HeaderMap) -> Result<(), Refused>,
    ) -> Result<(Visit, T), Refused> {
        let visit = self.gate.enter(&request, Some(place.verb), Door::Http)?;
        self.gate.settle(&visit.caller, place.verb).await?;
        let (mut parts, content) = request.into_parts();
        let path = RawPathParams::from_request_parts(&mut parts, &()).await;
        let path = path.map_err(|error| invalid(format!("the path is wrong: {error}")))?;
        let owned = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
        let path: Vec<_> = path.iter().map(owned).collect();
        let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let Query(query) =
            query.map_err(|error| invalid(format!("the query is wrong: {error}")))?;
        let body = match place.route.method.has_body() {
            true => self.body(&parts.headers, content, &visit).await?,
            false => Bytes::new(),
        };
        let parts_of_it = Parts { path: &path, query: &query, body: &body };
        let mut message = bind::request(place.verb.row(), &place.route, parts_of_it)?;
        head(&mut message, &parts.headers)?;
        Ok((visit, message))
    }

    async fn body(
        &self,
        headers: &HeaderMap,
        content: Body,
        visit: &Visit,
    ) -> Result<Bytes, Refused> {
        is_json(headers)?;
        let most = self.gate.limits.json_bytes_max.min(self.gate.service.request_bytes_max);
        body::read(headers, content, most, &visit.share).await
    }

    /// What came of a request, within the time that it may take.
    async fn bounded(
        &self,
        verb: Verb,
        work: impl Future<Output = Result<Response<Body>, Refused>>,
    ) -> Response<Body> {
        let most = self.gate.service.request_timeout;
        let outcome = match is_long(Some(verb)) {
            true => work.await,
            false => timeout(most, work).await.unwrap_or_else(|_| Err(late(most))),
        };
        outcome.unwrap_or_else(|refused| answer::problem(&refused))
    }
}

/// It took too long.
pub(crate) fn late(most: std::time::Duration) -> Refused {
    let title = format!("the request took longer than {} s (request_timeout)", most.as_secs());
    Refused::new(Kind::TimedOut, title).help("it may have been done: look before you repeat it")
}

/// Has a client that was cut off go on where it was, whatever its address says.
fn go_on(after: &mut u64, headers: &HeaderMap) -> Result<(), Refused> {
    let Some(last) = headers.get(sse::LAST_EVENT_ID) else { return Ok(()) };
    let last = last.to_str().ok().and_then(|text| text.parse().ok());
    let wrong = || invalid(format!("the header {} must be a whole number", sse::LAST_EVENT_ID));
    *after = last.ok_or_else(wrong)?;
    Ok(())
}

/// Takes the key of a submission from its header.
fn keyed(message: &mut v1::SubmitRequest, headers: &HeaderMap) -> Result<(), Refused> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else { return Ok(()) };
    let key = key.to_str().map_err(|_| invalid("the header Idempotency-Key is no text"))?;
    if !message.idempotency_key.is_empty() && message.idempotency_key != key {
        return Err(invalid("the header Idempotency-Key and `idempotency_key` differ"));
    }
    message.idempotency_key = key.to_owned();
    Ok(())
}

/// Whether what is sent is said to be JSON; a page cannot say so of a form.
fn is_json(headers: &HeaderMap) -> Result<(), Refused> {
    let Some(kind) = headers.get(CONTENT_TYPE) else {
        let length = headers.get(CONTENT_LENGTH).map(|length| length.as_bytes());
        let is_empty = matches!(length, None | Some(b"0"));
        return match is_empty && !headers.contains_key(TRANSFER_ENCODING) {
            true => Ok(()),
            false => Err(invalid("the header Content-Type must be application/json")),
        };
    };
    let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    match kind.eq_ignore_ascii_case("application/json") {
        true => Ok(()),
        false => Err(invalid("the header Content-Type must be application/json")),
    }
}

fn invalid(title: impl Into<String>) -> Refused {
    Refused::new(Kind::Invalid, title)
}
