//! Why a task of a kept run waited, went where it went, and how it ended: a fold of its events.

use serde_json::Value;

pub(crate) mod array;
pub(crate) mod show;
pub(crate) mod task;

/// The life of one task.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Life {
    /// When it was submitted.
    pub(crate) submitted: f64,
    /// What it waited for: the name, when the last of it ended, and how.
    pub(crate) after: Vec<Awaited>,
    pub(crate) steps: Vec<Happening>,
}

/// A spec that the task waits for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Awaited {
    pub(crate) spec: u64,
    pub(crate) name: String,
    aligned: bool,
    pub(crate) ended: Option<f64>,
    /// Tasks of it that did not succeed.
    pub(crate) unsuccessful: u64,
}

/// Something that happened to the task.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Happening {
    pub(crate) at: f64,
    /// The event as it was kept.
    pub(crate) event: Value,
}

/// How long a task waited for what, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Waits {
    pub(crate) dependencies: f64,
    pub(crate) room: f64,
    pub(crate) backoff: f64,
}

impl Life {
    /// Begins the life of a task when its spec is submitted.
    pub(crate) fn begin(spec: &Value, at: f64) -> Self {
        let after = spec["after"].as_array().into_iter().flatten().map(|after| Awaited {
            spec: after[0].as_u64().unwrap_or(0),
            aligned: after[1].as_bool().unwrap_or(false),
            ..Awaited::default()
        });
        Self { submitted: at, after: after.collect(), steps: Vec::new() }
    }

    /// Folds an event in.
    pub(crate) fn on_event(&mut self, event: &Value, task: task::Place) {
        let at = event["t"].as_f64().unwrap_or(0.0);
        self.note_awaited(event, task, at);
        let single = std::iter::once(&event["range"]);
        let several = event["ranges"].as_array().into_iter().flatten();
        if single.chain(several).any(|range| task.is_in(range)) {
            self.steps.push(Happening { at, event: event.clone() });
        }
    }

    fn note_awaited(&mut self, event: &Value, task: task::Place, at: f64) {
        if !matches!(event["event"].as_str(), Some("ended" | "dropped")) {
            return;
        }
        let range = &event["range"];
        for after in &mut self.after {
            let same = range[0].as_u64() == Some(after.spec);
            let place = task::Place { spec: after.spec, index: task.index };
            if same && (!after.aligned || place.is_in(range)) {
                after.ended = Some(at);
                if event["outcome"] != "succeeded" {
                    after.unsuccessful += range[2].as_u64().unwrap_or(1);
                }
            }
        }
    }

    /// When all that it waited for had ended.
    pub(crate) fn ready(&self) -> f64 {
        let ends = self.after.iter().filter_map(|after| after.ended);
        ends.fold(self.submitted, f64::max)
    }

    /// How long it waited for what. Room is a slot that is free: from when it could run, through
    /// its grant, until it began. Back-off counts from a failure to when it could run again.
    pub(crate) fn waits(&self) -> Waits {
        let mut waits = Waits { dependencies: self.ready() - self.submitted, ..Waits::default() };
        let mut since = self.ready();
        for step in &self.steps {
            // When an attempt that failed began is not kept; its grant is the nearest that is.
            let started = match step.event["event"].as_str() {
                Some("granted") => step.at,
                Some("ended") => step.event["began"].as_f64().unwrap_or(step.at),
                Some("retracted") => step.at,
                Some("retrying") => {
                    let until = step.event["until"].as_f64().unwrap_or(step.at);
                    waits.backoff += until - step.at;
                    since = until;
                    continue;
                }
                _ => continue,
            };
            waits.room += (started - since).max(0.0);
            since = since.max(started);
        }
        waits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn waiting_is_told_apart_by_its_cause() {
        let task = task::Place { spec: 1, index: 2 };
        let spec = json!({ "after": [[0, false]] });
        let mut life = Life::begin(&spec, 1.0);
        let events = [
            json!({ "t": 2.0, "event": "ended", "range": [0, 0, 5], "outcome": "failed" }),
            json!({ "t": 2.5, "event": "granted", "ranges": [[1, 0, 3]], "node": 0 }),
            json!({ "t": 2.6, "event": "granted", "ranges": [[1, 3, 3]], "node": 0 }),
            json!({ "t": 3.0, "event": "retrying", "range": [1, 2, 1], "until": 3.25 }),
            json!({ "t": 3.5, "event": "granted", "ranges": [[1, 2, 1]], "node": 1 }),
            json!({ "t": 4.0, "event": "ended", "range": [1, 2, 1], "outcome": "succeeded",
                    "began": 3.75 }),
        ];
        for event in &events {
            life.on_event(event, task);
        }
        assert_eq!(life.steps.len(), 4, "what happened to others is left out");
        assert_eq!((life.after[0].ended, life.after[0].unsuccessful), (Some(2.0), 5));
        let waits = life.waits();
        assert_eq!(waits, Waits { dependencies: 1.0, room: 1.0, backoff: 0.25 });
    }
}
