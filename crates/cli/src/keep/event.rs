//! An event as one line of JSON. `bary why` reads these, and so may any other program; the form
//! is that of the schema `bary.events/1`.

use std::sync::Arc;

use bary_model::event::{Cause, Considered, Ended, Event, EventKind};
use bary_model::id::{SpecNo, TaskId, TaskRange};
use bary_model::outcome::{End, Stopped};
use bary_model::roster::{Roster, shown_index};
use bary_model::task::TaskSpec;
use bary_ports::store::Store;
use serde_json::{Value, json};

use crate::desk;
use crate::signals;

/// An event and what is needed to tell it.
pub(crate) struct Line<'a> {
    pub(crate) event: &'a Event,
    pub(crate) roster: &'a Roster,
    pub(crate) store: &'a dyn Store,
}

impl Line<'_> {
    /// The event as JSON; times are seconds since the nodes started.
    pub(crate) fn json(&self) -> Value {
        let mut line = self.body();
        line["t"] = json!(seconds(self.event.at.0));
        line
    }

    fn body(&self) -> Value {
        match &self.event.kind {
            EventKind::Submitted { first, specs, .. } => {
                let specs = (first.0..).zip(specs.iter());
                let specs: Vec<Value> = specs.map(|(no, spec)| self.spec(no, spec)).collect();
                json!({ "event": "submitted", "specs": specs })
            }
            EventKind::Closed { .. } => json!({ "event": "closed" }),
            EventKind::Retried { .. } => json!({ "event": "retried" }),
            EventKind::Held { held, reason, .. } => {
                json!({ "event": if *held { "held" } else { "released" }, "reason": reason })
            }
            EventKind::Prioritised { priority, .. } => {
                json!({ "event": "prioritised", "priority": priority })
            }
            EventKind::Stopping { reason, .. } => {
                json!({ "event": "stopping", "reason": reason })
            }
            EventKind::Arrived { upstream, good, .. } => json!({
                "event": "arrived",
                "shard": format!("{:016x}", upstream.shard.0),
                "job": upstream.job.0,
                "good": good,
            }),
            EventKind::Forgotten { .. } => json!({ "event": "forgotten" }),
            EventKind::Ran(items) => ran(items),
            EventKind::Decreed(decree) => {
                json!({ "event": "decreed", "decree": decree.to_string() })
            }
            EventKind::Drained { node, drain } => {
                json!({ "event": if *drain { "drained" } else { "undrained" }, "node": node.0 })
            }
            EventKind::Checkpointed { task, node, step, payload } => json!({
                "event": "checkpointed",
                "range": range(TaskRange::one(*task)),
                "node": node.0,
                "step": step,
                "bytes": payload.len(),
            }),
            EventKind::Granted { node, ranges, considered, .. } => json!({
                "event": "granted",
                "node": node.0,
                "ranges": all(ranges),
                "considered": considered.as_ref().map(told),
            }),
            EventKind::Retracted { node, ranges } => {
                json!({ "event": "retracted", "node": node.0, "ranges": all(ranges) })
            }
            EventKind::Retrying { task, node, attempt, failure, until } => json!({
                "event": "retrying",
                "range": range(TaskRange::one(*task)),
                "node": node.0,
                "attempt": attempt,
                "failure": signals::named(failure),
                "until": seconds(until.0),
            }),
            EventKind::Ended(ended) => self.ended(ended),
            EventKind::Dropped { range: of, end, because } => json!({
                "event": "dropped",
                "range": range(*of),
                "outcome": end.name(),
                "because": because.map(|spec| spec.0),
            }),
            EventKind::Superseded { range: of, node } => {
                json!({ "event": "superseded", "range": range(*of), "node": node.0 })
            }
            EventKind::Finished { .. } => json!({ "event": "finished" }),
        }
    }

    fn spec(&self, no: u32, spec: &Arc<TaskSpec>) -> Value {
        let task = |index| TaskId { spec: SpecNo(no), index, ..TaskId::default() };
        let first = shown_index(spec, task(0));
        let step = if spec.count > 1 { shown_index(spec, task(1)) - first } else { 1 };
        let after = spec.after.iter().map(|after| json!([after.spec.0, after.aligned]));
        json!({
            "spec": no,
            "name": spec.name,
            "count": spec.count,
            "array": spec.array,
            "number": self.roster.number(task(0)),
            "first_index": first,
            "index_step": step,
            "weight": spec.weight.units(),
            "retries": spec.body.retries,
            "after": after.collect::<Vec<_>>(),
        })
    }

    fn ended(&self, ended: &Ended) -> Value {
        let mut line = json!({
            "event": "ended",
            "range": range(ended.range),
            "node": ended.node.0,
            "slot": ended.usage.slot,
            "attempt": ended.attempt,
            "outcome": ended.end.name(),
            "began": seconds(ended.usage.began.0),
            "busy": ended.usage.busy.as_secs_f64(),
            "cpu": ended.usage.cpu.as_secs_f64(),
            "peak_memory": ended.usage.peak_memory,
        });
        if let End::Failed(failure) | End::Quarantined(failure) = &ended.end {
            line["failure"] = json!(signals::named(failure));
            line["exit"] = json!(failure.code());
            line["stderr"] = json!(desk::last_line(self.store, &ended.stderr));
        }
        line
    }
}

fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

fn range(range: TaskRange) -> Value {
    json!([range.spec.0, range.first, range.count])
}

fn all(ranges: &[TaskRange]) -> Vec<Value> {
    ranges.iter().map(|of| range(*of)).collect()
}

fn told(considered: &Arc<Considered>) -> Value {
    let cause = match considered.cause {
        Cause::Asked => "asked",
        Cause::Pushed => "pushed",
        Cause::Stolen => "stolen",
    };
    let candidates = considered.candidates.iter().map(|candidate| {
        json!({
            "node": candidate.node.0,
            "score": candidate.score as f64 / 1e3,
            "reason": candidate.reason,
        })
    });
    json!({
        "cause": cause,
        "ready": considered.ready,
        "candidates": candidates.collect::<Vec<_>>(),
    })
}

/// What ran of a job when it was cancelled.
fn ran(items: &[Stopped]) -> Value {
    let ranges: Vec<TaskRange> = items.iter().map(|one| one.range).collect();
    json!({ "event": "ran", "ranges": all(&ranges) })
}
