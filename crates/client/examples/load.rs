//! Puts load on a node and prints what came of it as JSON, for `cargo xtask bench node`.
//!
//! `load KIND ADDRESS TOKEN-FILE NUMBER`: `singles` and `queries` over 64 connections for NUMBER
//! seconds, `round-trips` and `worker-trips` NUMBER times, `batches` and `lives` of NUMBER tasks,
//! `pending` NUMBER.

#![expect(clippy::print_stdout, reason = "an example prints what it measured")]

use std::time::{Duration, Instant};

use bary_client::address::Address;
use bary_client::client::Client;
use bary_client::session::Session;
use bary_client::submission::Submission;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Connections that ask at the same time.
const CONNECTIONS: usize = 64;
/// Tasks of one submission, where there are many.
const BATCH: u64 = 100;
/// Submissions under way at a time on one session.
const UNDER_WAY: usize = 64;

/// Where the node is, and as whom it is asked.
#[derive(Clone)]
struct Target {
    address: Address,
    token: String,
}

impl Target {
    async fn connect(&self) -> Result<Client, Failure> {
        Ok(Client::connect(&self.address, Some(&self.token)).await?)
    }
}

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [kind, address, token, number] = &words[..] else {
        return Err("load KIND ADDRESS TOKEN-FILE NUMBER".into());
    };
    let token = std::fs::read_to_string(token)?.trim().to_owned();
    let target = Target { address: address.parse()?, token };
    let number: u64 = number.parse()?;
    // One caller that waits for one answer at a time needs no more than its own thread.
    let mut threads = match kind.as_str() {
        "round-trips" | "worker-trips" => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    let runtime = threads.worker_threads(2).enable_all().build()?;
    runtime.block_on(load(kind, &target, number))
}

async fn load(kind: &str, target: &Target, number: u64) -> Result<(), Failure> {
    match kind {
        "singles" | "queries" => many(target, kind == "queries", number).await,
        "round-trips" => round_trips(target, ("noop", ""), number).await,
        "worker-trips" => round_trips(target, ("scribe", "trip 0"), number).await,
        "batches" => batches(target, number, false).await,
        "lives" => batches(target, number, true).await,
        "pending" => pending(target, number).await,
        other => Err(format!("there is no load `{other}`").into()),
    }
}

/// One request after another on each of many connections.
async fn many(target: &Target, queries: bool, seconds: u64) -> Result<(), Failure> {
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut callers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let client = target.connect().await?;
        callers.spawn(async move {
            let mut spans = Vec::new();
            while Instant::now() < end {
                let begun = Instant::now();
                if queries {
                    client.info().await?;
                } else {
                    client.submit(Submission::function("noop", [""])).await?;
                }
                spans.push(begun.elapsed());
            }
            Ok::<_, Failure>(spans)
        });
    }
    let mut spans = Vec::new();
    while let Some(more) = callers.join_next().await {
        spans.extend(more??);
    }
    let rate = spans.len() as f64 / seconds as f64;
    tell(rate, &mut spans);
    Ok(())
}

/// Submission to result on an open stream, one after another.
async fn round_trips(
    target: &Target,
    (function, input): (&str, &'static str),
    count: u64,
) -> Result<(), Failure> {
    let session = target.connect().await?.session().await?;
    // Whoever offers the function may be on its way.
    let mut first = session.run(Submission::function(function, [input])).await?;
    first.next().await.ok_or("the session ended")?;
    let mut spans = Vec::new();
    let begun = Instant::now();
    for _ in 0..count {
        let begun = Instant::now();
        let mut accepted = session.run(Submission::function(function, [input])).await?;
        accepted.next().await.ok_or("the session ended")?;
        spans.push(begun.elapsed());
    }
    tell(count as f64 / begun.elapsed().as_secs_f64(), &mut spans);
    Ok(())
}

/// Distinct tasks in batches on one stream, acknowledged, or run and told.
async fn batches(target: &Target, tasks: u64, outcomes: bool) -> Result<(), Failure> {
    let session = target.connect().await?.session().await?;
    let mut under_way = JoinSet::new();
    let mut spans = Vec::new();
    let begun = Instant::now();
    for first in (0..tasks).step_by(BATCH as usize) {
        if under_way.len() >= UNDER_WAY {
            spans.extend(under_way.join_next().await.transpose()?.transpose()?);
        }
        under_way.spawn(batch(session.clone(), first, outcomes));
    }
    while let Some(span) = under_way.join_next().await {
        spans.push(span??);
    }
    tell(tasks as f64 / begun.elapsed().as_secs_f64(), &mut spans);
    Ok(())
}

async fn batch(session: Session, first: u64, outcomes: bool) -> Result<Duration, Failure> {
    let begun = Instant::now();
    let inputs = (first..first + BATCH).map(|number| number.to_string());
    let work = Submission::function("noop", inputs);
    if !outcomes {
        session.submit(work).await?;
        return Ok(begun.elapsed());
    }
    let mut accepted = session.run(work).await?;
    for _ in 0..BATCH {
        accepted.next().await.ok_or("the session ended")?;
    }
    Ok(begun.elapsed())
}

/// Distinct tasks that wait for ever.
async fn pending(target: &Target, tasks: u64) -> Result<(), Failure> {
    let client = target.connect().await?;
    let begun = Instant::now();
    let mut left = tasks;
    while left > 0 {
        let now = left.min(100_000);
        let inputs = (0..now).map(|number| number.to_string());
        client.submit(Submission::function("noop", inputs).held()).await?;
        left -= now;
    }
    tell(tasks as f64 / begun.elapsed().as_secs_f64(), &mut [begun.elapsed()]);
    Ok(())
}

fn tell(rate: f64, spans: &mut [Duration]) {
    spans.sort_unstable();
    let at = |share: f64| {
        let place = ((spans.len() as f64 * share) as usize).min(spans.len().saturating_sub(1));
        spans.get(place).map_or(0.0, |span| span.as_secs_f64() * 1e3)
    };
    let (p50, p99) = (at(0.5), at(0.99));
    println!("{{\"rate\": {rate:.1}, \"p50_ms\": {p50:.4}, \"p99_ms\": {p99:.4}}}");
}
