//! How many task lives a second the engine alone decides: one engine on one thread, with hands
//! that complete everything at once. Prints one JSON line; `cargo xtask bench engine` reads it.
//!
//! Usage: engine_lives array|distinct COUNT

use std::sync::Arc;
use std::time::Instant;

use bary_engine::effect::Effect;
use bary_engine::engine::{Engine, EngineConfig};
use bary_engine::flaw::Flaws;
use bary_engine::input::{Input, Request};
use bary_engine::limits::Limits;
use bary_ledger::ledger::Ledger;
use bary_model::action::Action;
use bary_model::event::EventKind;
use bary_model::id::{Incarnation, Lsn, NodeId, ShardId};
use bary_model::job::JobSpec;
use bary_model::message::{GrantItem, OutcomeItem};
use bary_model::node::{NodeInfo, Offers};
use bary_model::outcome::{Outcome, Results, Usage};
use bary_model::payload::Payload;
use bary_model::resources::Resources;
use bary_model::task::{Body, TaskSpec};
use bary_model::time::{Moment, Span, Wall};
use bary_policy::preset;

/// What a no-op takes in this world: it decides how many go into one run.
const EACH: Span = Span(50);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let kind = args.next().ok_or("array or distinct?")?;
    let count: u32 = args.next().ok_or("how many?")?.replace('_', "").parse()?;
    let job = job(&kind, count)?;
    let mut engine = engine()?;
    let began = Instant::now();
    let ended = live(&mut engine, job);
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!(ended, u64::from(count), "every task ends once");
    #[expect(clippy::print_stdout, reason = "the figure is what this program is for")]
    {
        println!(r#"{{"kind":"{kind}","count":{count},"seconds":{seconds}}}"#);
    }
    Ok(())
}

fn job(kind: &str, count: u32) -> Result<JobSpec, Box<dyn std::error::Error>> {
    let body = Arc::new(Body::new(Action::Function { name: "noop".into(), args: Vec::new() }));
    let spec =
        |count| Arc::new(TaskSpec { count, array: count > 1, ..TaskSpec::new(Arc::clone(&body)) });
    let specs: Vec<Arc<TaskSpec>> = match kind {
        "array" => vec![spec(count)],
        "distinct" => (0..count).map(|_| spec(1)).collect(),
        other => return Err(format!("array or distinct, not {other}").into()),
    };
    Ok(JobSpec::new("lives", specs))
}

fn engine() -> Result<Engine, Box<dyn std::error::Error>> {
    let node = NodeInfo {
        id: NodeId(0),
        name: "n0".into(),
        region: "here".into(),
        resources: Resources::cpus(2),
        slots: 2,
        speed: 1.0,
        labels: std::collections::BTreeMap::new(),
        offers: Offers::default(),
    };
    let policy = preset::parse("gravity")?;
    let limits = Limits::default();
    let (incarnation, flaws) = (Incarnation(1), Flaws::default());
    let calendar = Wall::default();
    Ok(Engine::new(EngineConfig { node, incarnation, seed: 1, policy, limits, flaws, calendar }))
}

/// Steps the engine until its job is over; tells how many tasks ended.
fn live(engine: &mut Engine, job: JobSpec) -> u64 {
    let ledger = Box::new(Ledger::new(ShardId(1)));
    let mut inputs = vec![
        Input::Opened { ledger, next: Lsn(1) },
        Input::Request { ticket: 1, request: Box::new(Request::Submit(job)) },
    ];
    let mut effects = Vec::new();
    let mut now = Moment(0);
    let mut ended = 0;
    while !inputs.is_empty() {
        now = now + Span::micros(1);
        engine.step(now, inputs.drain(..), &mut effects);
        for effect in effects.drain(..) {
            match effect {
                Effect::Append { shard, lsn, .. } => inputs.push(Input::Durable { shard, lsn }),
                Effect::Start { run, items, .. } => {
                    let items = items.iter().map(outcome).collect();
                    inputs.push(Input::Ended { run, items });
                }
                Effect::Tell(event) => {
                    if let EventKind::Ended(end) = event.kind {
                        ended += u64::from(end.range.count);
                    }
                }
                Effect::Send { .. }
                | Effect::Stop { .. }
                | Effect::Plan { .. }
                | Effect::Lay { .. }
                | Effect::Gauge
                | Effect::Reply { .. } => {}
            }
        }
    }
    ended
}

fn outcome(item: &GrantItem) -> OutcomeItem {
    let busy = EACH.times(u64::from(item.range.count));
    OutcomeItem {
        fence: item.fence,
        range: item.range,
        outcome: Outcome::Succeeded(Results::Nothing),
        stderr: Payload::Empty,
        usage: Usage { busy, ..Usage::default() },
    }
}
