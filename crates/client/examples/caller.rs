//! A caller for `cargo xtask chaos node`, which speaks no gRPC: it reads requests as the JSON door
//! has them, asks over gRPC, and writes the answers as the JSON door gives them.
//!
//! `caller ADDRESS TOKEN-FILE`; it ends with its standard input. Each line of that is a request,
//! `{"method", "path", "body", "session"}`, of which the last says that a job is to be submitted on
//! a session. Each line of its output is an answer: `{"status", "retry_after", "body"}`, or
//! `{"closed"}`, `{"lost"}` or `{"silent"}` with the reason why there is none.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::io::BufRead;
use std::time::Duration;

use bary_api::bind::{self, Parts};
use bary_api::problem::{Kind, Refused};
use bary_api::v1::SubmitRequest;
use bary_api::verb::{Route, Row, TABLE, Verb};
use bary_client::address::Address;
use bary_client::call::CallError;
use bary_client::client::Client;
use bary_client::session::Session;
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error + Send + Sync>;
/// The names and texts of what a path or a query says.
type Named = Vec<(String, String)>;

// The connection is attended to while this thread waits for its input.
#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [address, token] = &words[..] else {
        return Err("caller ADDRESS TOKEN-FILE".into());
    };
    let token = std::fs::read_to_string(token)?.trim().to_owned();
    let mut caller = Caller { address: address.parse()?, token, client: None, session: None };
    for line in std::io::stdin().lock().lines() {
        let answer = match caller.ask(&serde_json::from_str(&line?)?).await {
            Ok(body) => json!({ "status": 200, "body": body }),
            Err(CallError::Refused(refused)) => json!({
                "status": refused.kind.row().http,
                "retry_after": refused.retry_after,
                "body": serde_json::to_string(&refused.problem())?,
            }),
            Err(CallError::Unreachable(why)) => json!({ "closed": why.to_string() }),
            Err(why @ CallError::Broken { .. }) => json!({ "lost": why.to_string() }),
            Err(why @ CallError::Late { .. }) => json!({ "silent": why.to_string() }),
        };
        println!("{answer}");
    }
    Ok(())
}

/// Somebody at one node, over one connection that is made anew when it breaks.
struct Caller {
    address: Address,
    token: String,
    client: Option<Client>,
    session: Option<Session>,
}

impl Caller {
    /// The body of the answer; of an answer in pieces one line for each.
    async fn ask(&mut self, request: &Value) -> Result<String, CallError> {
        let text = |key: &str| request[key].as_str().unwrap_or_default();
        let whole = text("path");
        let (path, query) = whole.split_once('?').unwrap_or((whole, ""));
        let found = TABLE.iter().find_map(|row| {
            let mut routes = row.http.iter().filter(|way| way.method.name() == text("method"));
            routes.find_map(|way| Some((row, way, params(way, path)?)))
        });
        let Some((row, route, path)) = found else {
            return Err(Refused::new(Kind::NotFound, "there is no such path").into());
        };
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let query: Named = pairs.map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        let body = Some(&request["body"]).filter(|body| !body.is_null());
        let body = body.map(Value::to_string).unwrap_or_default();
        let parts = Parts { path: &path, query: &query, body: body.as_bytes() };
        if request["session"] == true && row.verb == Verb::Submit {
            return self.submit(bind::request(row, route, parts)?).await;
        }
        call(&self.client().await?, row, route, parts).await
    }

    async fn client(&mut self) -> Result<Client, CallError> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let client = Client::connect(&self.address, Some(&self.token)).await?;
        Ok(self.client.insert(client).clone())
    }

    /// Submits on a session, which lasts until it breaks.
    async fn submit(&mut self, request: SubmitRequest) -> Result<String, CallError> {
        let session = match self.session.take() {
            Some(session) => session,
            None => self.client().await?.session().await?,
        };
        let answer = session.submit(request).await;
        if !matches!(answer, Err(CallError::Broken { .. })) {
            self.session = Some(session);
        }
        written(&answer?)
    }
}

/// Asks for what a verb does.
async fn call(
    node: &Client,
    row: &Row,
    route: &Route,
    parts: Parts<'_>,
) -> Result<String, CallError> {
    /// The request that this route makes.
    macro_rules! request {
        () => {
            bind::request(row, route, parts)?
        };
    }
    match row.verb {
        Verb::Submit => {
            let job: SubmitRequest = request!();
            written(&node.submit(job).await?)
        }
        Verb::Extend => written(&node.extend(request!()).await?),
        Verb::Close => written(&node.close(request!()).await?),
        Verb::Cancel => written(&node.cancel(request!()).await?),
        Verb::Hold => written(&node.hold(request!()).await?),
        Verb::Release => written(&node.release(request!()).await?),
        Verb::SetPriority => written(&node.set_priority(request!()).await?),
        Verb::Retry => written(&node.retry(request!()).await?),
        Verb::Prune => written(&node.prune(request!()).await?),
        Verb::ListJobs => written(&node.list_jobs(request!()).await?),
        Verb::ListTasks => written(&node.list_tasks(request!()).await?),
        Verb::Wait => {
            let wait: bary_api::v1::WaitRequest = request!();
            written(&node.wait(&wait.jobs, Duration::from_secs_f64(wait.timeout)).await?)
        }
        Verb::Results => {
            let mut lines = String::new();
            for result in node.results_of(request!()).await?.all().await? {
                lines += &written(&result)?;
                lines.push('\n');
            }
            Ok(lines)
        }
        other => Err(Refused::new(Kind::Invalid, format!("no caller asks for `{other}`")).into()),
    }
}

/// What stands in a path for the parameters of a route; none where it is another path.
fn params(route: &Route, path: &str) -> Option<Named> {
    let (wanted, given) = (route.path.split('/'), path.split('/'));
    if wanted.clone().count() != given.clone().count() {
        return None;
    }
    let mut params = Named::new();
    for (wanted, given) in wanted.zip(given) {
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => params.push((name.to_owned(), given.to_owned())),
            None if wanted == given => {}
            None => return None,
        }
    }
    Some(params)
}

/// A message as the JSON door writes it.
fn written<T: serde::Serialize>(message: &T) -> Result<String, CallError> {
    let odd = |cause: serde_json::Error| Refused::new(Kind::Internal, cause.to_string());
    Ok(serde_json::to_string(message).map_err(odd)?)
}
