//! What happened, for people and for the log.

use bary_model::time::{Moment, Span};
use serde_json::{Value, json};

use crate::console::phrases::{Phrases, fill};
use crate::console::seconds;

/// Something that happened. Tasks and servers count from 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Notice {
    pub(crate) at: Moment,
    pub(crate) what: What,
}

/// A task as notices name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) number: usize,
    pub(crate) work: Span,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    /// A task is at a server that runs it, or holds it for later.
    Sent(Named, usize),
    Queued(Named),
    /// A task is done, well or not.
    Finished(Named, usize),
    /// A server that had begun a task will not end it.
    Returned(Named, usize),
    Joined(usize, f64),
    Left(usize),
    SpeedSet(usize, f64),
    PolicySet(String),
}

impl Notice {
    /// In the words of a language.
    pub(crate) fn said(&self, phrases: &Phrases) -> String {
        let of_task = |phrase, task: &Named, server: Option<usize>| {
            let server = server.map(|server| phrases.server(server)).unwrap_or_default();
            fill(phrase, &[("task", &phrases.task(task.work)), ("server", &server)])
        };
        let of_server = |phrase, server: usize, speed: f64| {
            let values = [("server", &*phrases.server(server)), ("speed", &speed.to_string())];
            fill(phrase, &values)
        };
        match &self.what {
            What::Sent(task, server) => of_task(phrases.sent, task, Some(*server)),
            What::Queued(task) => of_task(phrases.queued, task, None),
            What::Finished(task, server) => of_task(phrases.finished, task, Some(*server)),
            What::Returned(task, server) => of_task(phrases.returned, task, Some(*server)),
            What::Joined(server, speed) => of_server(phrases.joined, *server, *speed),
            What::Left(server) => of_server(phrases.left, *server, 0.0),
            What::SpeedSet(server, speed) => of_server(phrases.speed_set, *server, *speed),
            What::PolicySet(policy) => fill(phrases.policy_set, &[("policy", policy)]),
        }
    }

    /// As a line of the log.
    pub(crate) fn record(&self) -> Value {
        let at = seconds::number(self.at);
        let of_task = |event: &str, task: &Named, server: Option<usize>| {
            let work = task.work.as_secs_f64();
            json!({
                "at": at, "event": event, "task": task.number, "seconds": work, "server": server,
            })
        };
        match &self.what {
            What::Sent(task, server) => of_task("sent", task, Some(*server)),
            What::Queued(task) => of_task("queued", task, None),
            What::Finished(task, server) => of_task("finished", task, Some(*server)),
            What::Returned(task, server) => of_task("returned", task, Some(*server)),
            What::Joined(server, speed) => {
                json!({ "at": at, "event": "joined", "server": server, "speed": speed })
            }
            What::Left(server) => json!({ "at": at, "event": "left", "server": server }),
            What::SpeedSet(server, speed) => {
                json!({ "at": at, "event": "speed", "server": server, "speed": speed })
            }
            What::PolicySet(policy) => json!({ "at": at, "event": "policy", "policy": policy }),
        }
    }
}
