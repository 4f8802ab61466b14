//! What it costs to write down and read back a job of a million distinct tasks: once as records,
//! half of them ended, and once as a snapshot.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "an example measures and prints"
)]

use std::sync::Arc;
use std::time::Instant;

use bary_ledger::consequences::Consequences;
use bary_ledger::ledger::Ledger;
use bary_ledger::record::{EndedTasks, Record};
use bary_model::action::Action;
use bary_model::id::{Epoch, GrantNo, JobNo, NodeId, ShardId, SpecNo, TaskRange};
use bary_model::inputs::Inputs;
use bary_model::job::About;
use bary_model::outcome::{End, Results, Usage};
use bary_model::payload::Payload;
use bary_model::task::{Body, TaskSpec};
use bary_model::template::Template;
use bary_wire::{batch, snapshot};

const TASKS: u32 = 1_000_000;
/// How many tasks one grant, and one record of ends, is about.
const TOGETHER: u32 = 1_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let records = records()?;
    let mut bytes = vec![Vec::new(); records.len()];
    let one = std::slice::from_ref;
    time("encode specs", || batch::encode(Epoch(1), None, one(&records[1]), &mut bytes[1]))?;
    time("decode specs", || batch::decode(&bytes[1]).map(drop))?;
    bytes[1].clear();
    time("encode records", || {
        let mut both = records.iter().zip(&mut bytes);
        both.try_for_each(|(record, bytes)| batch::encode(Epoch(1), None, one(record), bytes))
    })?;
    let all: usize = bytes.iter().map(Vec::len).sum();
    println!("  {all} bytes, of which {} are the submission", bytes[1].len());
    let batches = time("decode records", || {
        bytes.iter().map(|bytes| batch::decode(bytes)).collect::<Result<Vec<_>, _>>()
    })?;
    let ledger = time("replay", || {
        let mut ledger = Ledger::new(ShardId(1));
        for batch in &batches {
            let mut out = Consequences::default();
            batch.records.iter().for_each(|record| ledger.apply(record, &mut out));
        }
        ledger
    });
    drop(batches);
    let taken = time("take a snapshot", || ledger.snapshot());
    let mut bytes = Vec::new();
    time("encode it", || snapshot::encode(&taken, &mut bytes))?;
    println!("  {} bytes", bytes.len());
    let read = time("decode it", || snapshot::decode(&bytes))?;
    let restored = time("restore it", || Ledger::restore(read))?;
    println!("the restored ledger is the same: {}", restored == ledger);
    Ok(())
}

/// A job of distinct tasks with a line each; all are granted and half have ended.
fn records() -> Result<Vec<Record>, Box<dyn std::error::Error>> {
    let inputs = Inputs::lines((0..TASKS).map(|n| format!("line number {n}")).collect())?;
    let argv = vec![Template::literal("echo"), Template::values()];
    let body = Arc::new(Body::new(Action::Command { argv }));
    let spec = |n: u32| {
        let plain = TaskSpec::new(Arc::clone(&body));
        Arc::new(TaskSpec { inputs: inputs.clone(), first_row: n.into(), ..plain })
    };
    let (job, node) = (JobNo(0), NodeId(1));
    let specs = (0..TASKS).map(spec).collect();
    let (name, open, halt, key) = ("million".into(), false, None, None);
    let about = About::default().shared();
    let submitted = Record::Submitted { job, name, specs, open, halt, key, about };
    let mut records = vec![Record::Opened { epoch: Epoch(1) }, submitted];
    for first in (0..TASKS).step_by(TOGETHER as usize) {
        let range = |n| TaskRange { job, spec: SpecNo(n), first: 0, count: 1 };
        let grant = |n: u32| GrantNo(u64::from(n) + 1);
        let all = first..first + TOGETHER;
        let items = all.clone().map(|n| (grant(n), range(n))).collect();
        records.push(Record::Granted { node, items });
        let end = |n: u32| EndedTasks {
            range: range(n),
            grant: grant(n),
            node,
            end: End::Succeeded,
            attempt: 1,
            results: Results::Each(vec![Payload::Inline(format!("out {n}").into())]),
            stderr: Payload::Empty,
            usage: Usage::default(),
        };
        records.push(Record::Ended { items: all.filter(|n| n % 2 == 0).map(end).collect() });
    }
    Ok(records)
}

/// Does something and prints how long it took.
fn time<T>(what: &str, act: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let made = act();
    println!("{what:>16}: {:6.1} ms", began.elapsed().as_secs_f64() * 1e3);
    made
}
