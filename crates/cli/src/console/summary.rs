//! What a session came to.

use bary_model::time::Span;
use serde_json::{Value, json};

use crate::console::phrases::{Phrases, fill};
use crate::console::seconds;
use crate::console::state::lasting;

/// Counts and means of a session.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) time: Span,
    pub(crate) done: usize,
    pub(crate) running: usize,
    pub(crate) waiting: usize,
    /// From submission to start and to end, in seconds; of tasks that are done.
    pub(crate) means: Option<(f64, f64)>,
    pub(crate) servers: Vec<Share>,
}

/// What a server did; those that have left too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Share {
    pub(crate) number: usize,
    pub(crate) done: usize,
    /// How much of the time that it was there it was busy, from 0 to 1.
    pub(crate) busy: f64,
}

impl Summary {
    /// As lines for people.
    pub(crate) fn lines(&self, phrases: &Phrases) -> Vec<String> {
        let count = |number: usize| number.to_string();
        let mut lines = vec![fill(
            phrases.summary,
            &[
                ("time", &lasting(phrases, self.time)),
                ("done", &count(self.done)),
                ("running", &count(self.running)),
                ("waiting", &count(self.waiting)),
            ],
        )];
        if let Some((wait, response)) = self.means {
            let unit = |about: f64| fill(phrases.left_of, &[("seconds", &seconds::about(about))]);
            let values = [("wait", &*unit(wait)), ("response", &unit(response))];
            lines.push(fill(phrases.means, &values));
        }
        for share in &self.servers {
            let percent = (share.busy * 100.0).round().to_string();
            let name = phrases.server(share.number);
            let values = [("server", &*name), ("count", &count(share.done)), ("percent", &percent)];
            lines.push(format!("    {}", fill(phrases.share, &values)));
        }
        lines
    }

    /// As a document.
    pub(crate) fn document(&self) -> Value {
        let servers = self
            .servers
            .iter()
            .map(|share| json!({ "server": share.number, "done": share.done, "busy": share.busy }));
        json!({
            "schema": "bary.console/1", "seconds": self.time.as_secs_f64(), "done": self.done,
            "running": self.running, "waiting": self.waiting,
            "wait_mean_seconds": self.means.map(|(wait, _)| wait),
            "response_mean_seconds": self.means.map(|(_, response)| response),
            "servers": servers.collect::<Value>(),
        })
    }
}
