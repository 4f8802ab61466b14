//! How things are at a moment: who runs what and for how long still, and what waits.

use bary_model::time::{Moment, Span};
use serde_json::{Value, json};

use crate::console::phrases::{Phrases, fill};
use crate::console::seconds;

/// All servers and the queue.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) at: Moment,
    pub(crate) servers: Vec<Server>,
    /// Tasks that wait at no server, in the order in which they came: number and work.
    pub(crate) queue: Vec<(usize, Span)>,
}

/// One server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Server {
    pub(crate) number: usize,
    pub(crate) speed: f64,
    pub(crate) running: Option<Running>,
    /// How many tasks wait at it.
    pub(crate) bound: usize,
    pub(crate) done: usize,
}

/// What a server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Running {
    pub(crate) task: usize,
    /// How long it takes there in all.
    pub(crate) takes: Span,
    pub(crate) left: Span,
}

/// How many tasks of the queue are shown.
const QUEUE_SHOWN_MAX: usize = 20;

impl State {
    /// As lines for people.
    pub(crate) fn lines(&self, phrases: &Phrases) -> Vec<String> {
        let mut lines = vec![phrases.state.to_owned()];
        if self.servers.is_empty() {
            lines.push(format!("    {}", phrases.no_servers));
        }
        for server in &self.servers {
            lines.push(format!("    {}", server.line(phrases)));
        }
        lines.push(self.queue_line(phrases));
        lines
    }

    /// What waits, in one line.
    pub(crate) fn queue_line(&self, phrases: &Phrases) -> String {
        if self.queue.is_empty() {
            return phrases.queue_none.to_owned();
        }
        let shown = self.queue.iter().take(QUEUE_SHOWN_MAX);
        let mut tasks: Vec<String> = shown.map(|(_, work)| lasting(phrases, *work)).collect();
        let more = self.queue.len().saturating_sub(QUEUE_SHOWN_MAX);
        if more > 0 {
            tasks.push(fill(phrases.and_more, &[("count", &more.to_string())]));
        }
        fill(phrases.queue, &[("tasks", &tasks.join(phrases.between))])
    }

    /// As a line of the log.
    pub(crate) fn record(&self) -> Value {
        let servers = self.servers.iter().map(|server| {
            let running = server
                .running
                .map(|running| json!({ "task": running.task, "left": running.left.as_secs_f64() }));
            json!({
                "server": server.number, "speed": server.speed, "running": running,
                "bound": server.bound, "done": server.done,
            })
        });
        let queue = self.queue.iter().map(|(task, _)| task);
        json!({
            "at": seconds::number(self.at), "event": "state",
            "servers": servers.collect::<Value>(), "queue": queue.collect::<Vec<_>>(),
        })
    }
}

impl Server {
    /// In one line.
    pub(crate) fn line(&self, phrases: &Phrases) -> String {
        let name = phrases.server(self.number);
        let mut line = match self.running {
            Some(running) => {
                let left = lasting(phrases, running.left);
                fill(phrases.busy, &[("server", &name), ("left", &left)])
            }
            None => fill(phrases.idle, &[("server", &name)]),
        };
        if self.bound > 0 {
            line += &fill(phrases.bound, &[("count", &self.bound.to_string())]);
        }
        line
    }
}

/// A time, with its unit.
pub(crate) fn lasting(phrases: &Phrases, span: Span) -> String {
    fill(phrases.left_of, &[("seconds", &seconds::shown(span))])
}
