//! What strangers send to a node: connections, requests of the JSON door, messages of gRPC. The
//! nodes behind the doors have ended by then, so that nothing which comes in is run.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bary_api::chunks::Format;
use bary_api::problem::Kind;
use bary_api::role::Role;
use bary_api::v1;
use bary_api::verb::TABLE;
use bary_node::board::limits::BoardLimits;
use bary_node::doors::handed::Doors;
use bary_node::doors::limits::DoorLimits;
use bary_node::options::{ClusterOptions, NodeOptions};
use bary_node::service::caller::{Caller, Door};
use bary_node::service::options::{ServiceLimits, ServiceOptions};
use bary_node::service::{Ending, Service};
use bary_policy::preset;
use bytes::Bytes;
use prost::Message as _;
use tokio::io::{AsyncRead, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

/// How many inputs one service takes before it is made anew.
const USES_MAX: u32 = 1_000;
/// Bytes that wait at either end of a connection; more than any input has.
const WAITING: usize = 4 << 20;
/// How often everything that can go on does so without a word, before a connection is given up.
const TURNS: u32 = 8;
/// What HTTP/2 begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// An empty frame of settings.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

/// A service whose nodes have ended, and its doors.
struct House {
    runtime: Runtime,
    service: Service,
    doors: Doors,
    uses: u32,
}

thread_local! {
    static HOUSE: RefCell<Option<House>> = const { RefCell::new(None) };
}

/// Any bytes on a connection are answered or not, and end it in order.
///
/// # Panics
/// Where a handler panics.
pub fn connection(bytes: &[u8]) {
    drop(answer(bytes));
}

/// Any request gets one answer that is not the node's own fault. The input is a line `METHOD PATH`,
/// headers, an empty line and the body, with plain line ends.
///
/// # Panics
/// Where it gets none, or an internal error.
pub fn request(bytes: &[u8]) {
    let (head, body) = match bytes.windows(2).position(|two| two == b"\n\n") {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (bytes, &[][..]),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let mut said = lines.next().unwrap_or_default().to_vec();
    said.extend(b" HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    said.extend(b"content-type: application/json\r\n");
    said.extend(format!("content-length: {}\r\n", body.len()).bytes());
    for line in lines {
        said.extend([line, b"\r\n"].concat());
    }
    said.extend(b"\r\n");
    said.extend(body);
    let answer = answer(&said);
    let status = answer.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3));
    if let Some(status) = status {
        assert_ne!(status, b"500", "{}", String::from_utf8_lossy(&answer));
    }
}

/// Any bytes are no message, or one that the service takes or refuses for a reason of its sender.
///
/// # Panics
/// Where the reason is an internal error.
pub fn message(bytes: &[u8]) {
    drop(v1::SessionRequest::decode(bytes));
    drop(v1::FromWorker::decode(bytes));
    drop(v1::ExtendRequest::decode(bytes));
    drop(v1::ChunkRequest::decode(bytes));
    for (format, _) in Format::ALL {
        // What came in chunks is submitted as what came whole.
        drop(format.job(Bytes::copy_from_slice(bytes), None));
    }
    let Ok(request) = v1::SubmitRequest::decode(bytes) else { return };
    within(|house| {
        let (name, role, door) = ("ann".into(), Role::Admin, Door::Grpc);
        let caller = Caller { name, role, door, consistent: false };
        let taken = house.runtime.block_on(house.service.submit(&caller, request));
        let refused = taken.expect_err("its nodes have ended");
        assert_ne!(refused.kind, Kind::Internal, "{refused:?}");
    });
}

/// What the doors say to bytes on a connection.
fn answer(bytes: &[u8]) -> Vec<u8> {
    within(|house| {
        house.runtime.block_on(async {
            let (mut near, far) = duplex(WAITING);
            let serving = tokio::spawn(house.doors.serve(far));
            // A connection that was closed meanwhile takes no more, as it should.
            drop(near.write_all(bytes).await);
            let mut said = heard(&mut near).await;
            drop(near.shutdown().await);
            said.extend(heard(&mut near).await);
            drop(near);
            serving.abort();
            match serving.await {
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Ok(()) | Err(_) => said,
            }
        })
    })
}

/// Lets everything go on that can, and gives what has come by then.
async fn heard(near: &mut DuplexStream) -> Vec<u8> {
    let mut said = Vec::new();
    let mut silent = 0;
    while silent < TURNS {
        yield_now().await;
        let before = said.len();
        std::future::poll_fn(|context| {
            let mut room = [0; 4_096];
            loop {
                let mut read = ReadBuf::new(&mut room);
                match Pin::new(&mut *near).poll_read(context, &mut read) {
                    Poll::Ready(Ok(())) if !read.filled().is_empty() => {
                        said.extend_from_slice(read.filled());
                    }
                    Poll::Ready(_) | Poll::Pending => return Poll::Ready(()),
                }
            }
        })
        .await;
        silent = if said.len() == before { silent + 1 } else { 0 };
    }
    said
}

fn within<T>(act: impl FnOnce(&House) -> T) -> T {
    HOUSE.with_borrow_mut(|house| {
        let house = match house.take().filter(|house| house.uses < USES_MAX) {
            Some(used) => house.insert(used),
            None => house.insert(House::new()),
        };
        house.uses += 1;
        act(house)
    })
}

impl House {
    /// A service with a finished job, whose nodes are gone.
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("it needs nothing but memory");
        let policy = preset::parse("gravity").expect("it is the default");
        let mut cluster = ClusterOptions::new(vec![NodeOptions::local("n0", 1)], policy);
        cluster.functions = [("noop".into(), noop())].into();
        let limits =
            ServiceLimits { request_timeout: Duration::from_secs(5), ..ServiceLimits::default() };
        let board = BoardLimits::default();
        let options =
            ServiceOptions { cluster, policy_chosen: false, limits, board, version: "fuzz".into() };
        let (service, _) = Service::in_memory(options).expect("it starts");
        runtime.block_on(async {
            let (name, role, door) = ("ann".into(), Role::Admin, Door::Node);
            let caller = Caller { name, role, door, consistent: false };
            let job = service.submit(&caller, submission()).await.expect("it can run").job;
            let asked = v1::WaitRequest { jobs: vec![job], timeout: 60.0 };
            service.wait(&caller, asked).await.expect("it is there");
        });
        service.end(&Ending::Now);
        let doors = {
            let _inside = runtime.enter();
            Doors::new(&service, DoorLimits::default()).expect("the contract can be described")
        };
        Self { runtime, service, doors, uses: 0 }
    }
}

fn noop() -> bary_ports::function::Function {
    bary_ports::function::Function::Blocking(std::sync::Arc::new(|_| Ok(Bytes::new())))
}

fn submission() -> v1::SubmitRequest {
    let tasks = v1::Tasks { function: "noop".into(), array: "1-3".into(), ..v1::Tasks::default() };
    let tags = [("team".to_owned(), "x".to_owned())].into();
    let job = Some(v1::submit_request::Job::Tasks(tasks));
    v1::SubmitRequest { name: "first".into(), tags, job, ..v1::SubmitRequest::default() }
}

/// The texts of all requests that the contract knows.
#[must_use]
pub fn request_seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for route in TABLE.iter().flat_map(|row| row.http) {
        let filled = route.params().fold(route.path.to_owned(), |path, name| {
            let value = match name {
                "job" | "jobs" => "1",
                "node" => "n0",
                "action" => "drain",
                "policy" => "gravity",
                "task" => "2",
                other => other,
            };
            path.replace(&format!("{{{name}}}"), value)
        });
        let body = if route.method.has_body() { "\n\n{}" } else { "" };
        seeds.push(format!("{} {filled}{body}", route.method.name()).into_bytes());
    }
    let more = [
        r#"POST /v1/jobs
idempotency-key: k

{"tasks":{"function":"noop","array":"1-3","retries":2,"env":{"A":"b"}},"tags":{"a":"b"}}"#,
        r#"POST /v1/jobs

{"file":"[[task]]\ncommand = ['true']\n","priority":3,"at":"2026-01-31T13:00:00Z"}"#,
        r#"POST /v1/jobs

{"file":"{\"task\":[{\"function\":\"noop\",\"array\":\"1-9\"}]}","open":true,"hold":true}"#,
        "GET /v1/jobs?filter=state=failed&filter=name~a&sort=-submitted&limit=5",
        "GET /v1/jobs/1/tasks?filter=exit>0&limit=2&offset=1",
        "GET /v1/events?follow=true&after=3\nlast-event-id: 4\naccept: application/x-ndjson",
        "GET /v1/policies/gravity/try?load=10&weight=5.2&distance=1",
        "GET /openapi.json",
        "GET /healthz",
    ];
    seeds.extend(more.map(|text| text.as_bytes().to_vec()));
    seeds
}

/// The same as they are on the wire, two after another, and the beginning of HTTP/2.
#[must_use]
pub fn connection_seeds() -> Vec<Vec<u8>> {
    let plain = b"GET /v1/info HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let post = b"POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                 transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    // Literal fields without names in any table: `:method POST` and so on, as RFC 7541 has them.
    let field = |name: &str, value: &str| {
        let length = |text: &str| text.len() as u8;
        [&[0x10, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
    };
    let fields = [
        field(":method", "POST"),
        field(":scheme", "http"),
        field(":path", "/bary.v1.Node/Submit"),
        field(":authority", "localhost"),
        field("content-type", "application/grpc"),
        field("te", "trailers"),
    ]
    .concat();
    let message = submission().encode_to_vec();
    let grpc = [&[0][..], &(message.len() as u32).to_be_bytes(), &message].concat();
    let frame = |kind: u8, flags: u8, body: &[u8]| {
        let length = (body.len() as u32).to_be_bytes();
        [&length[1..], &[kind, flags, 0, 0, 0, 1], body].concat()
    };
    let call = [PREFACE, SETTINGS, &frame(1, 4, &fields), &frame(0, 1, &grpc)].concat();
    vec![plain.to_vec(), [&plain[..], post].concat(), [PREFACE, SETTINGS].concat(), call]
}

/// Submissions of each kind.
#[must_use]
pub fn message_seeds() -> Vec<Vec<u8>> {
    use v1::submit_request::Job;
    let file = crate::job::file_seeds()
        .into_iter()
        .map(|text| Job::File(String::from_utf8(text).expect("it is a text")));
    let json = r#"{"task":[{"function":"noop","array":"1-9","args":{"a":[1,null]}}]}"#;
    let specs = crate::job::spec_seeds().into_iter().map(|bytes| Job::Spec(bytes.into()));
    let jobs = file.chain(specs).chain([Job::File(json.to_owned())]);
    let write = |job| v1::SubmitRequest { job: Some(job), ..submission() }.encode_to_vec();
    jobs.map(write).chain([submission().encode_to_vec()]).collect()
}
