//! An array as a whole: how its tasks ended, which failed, and which began last.

use serde_json::{Value, json};

use crate::why::show::{several, waited};
use crate::why::task::{Place, shown_index};
use crate::why::{Life, show};

/// What is told of an array, as a fold of the events of its run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Summary {
    spec: Value,
    no: u64,
    /// How many ended how.
    succeeded: u64,
    failed: u64,
    skipped: u64,
    /// Ranges without success, by first index and count.
    bad: Vec<(u64, u64)>,
    retries: u64,
    /// The task that began last, as far as is known, and when.
    last: Option<(u64, f64)>,
}

/// The most ranges of failed indices that are listed.
const SHOWN: usize = 20;

impl Summary {
    /// Begins the summary of an array.
    pub(crate) fn begin(spec: &Value) -> Self {
        let no = spec["spec"].as_u64().unwrap_or(0);
        Self { spec: spec.clone(), no, ..Self::default() }
    }

    /// Folds an event in.
    pub(crate) fn on_event(&mut self, event: &Value) {
        let range = &event["range"];
        if range[0].as_u64() != Some(self.no) {
            return;
        }
        let (first, count) = (range[1].as_u64().unwrap_or(0), range[2].as_u64().unwrap_or(1));
        match event["event"].as_str() {
            Some("retrying") => self.retries += 1,
            Some("ended" | "dropped") => {
                match event["outcome"].as_str() {
                    Some("succeeded") => self.succeeded += count,
                    Some("failed" | "quarantined") => {
                        self.failed += count;
                        self.bad.push((first, count));
                    }
                    _ => self.skipped += count,
                }
                let began = event["began"].as_f64();
                if let Some(began) = began.filter(|at| self.last.is_none_or(|(_, last)| *at > last))
                {
                    self.last = Some((first, began));
                }
            }
            _ => {}
        }
    }

    /// The task that began last, whose life tells of the longest wait.
    pub(crate) fn last(&self) -> Option<Place> {
        self.last.map(|(index, _)| Place { spec: self.no, index })
    }

    /// The summary for people; `life` is that of the task that began last.
    pub(crate) fn text(&self, run: &str, life: Option<&Life>) -> String {
        let name = self.spec["name"].as_str().unwrap_or_default();
        let count = self.spec["count"].as_u64().unwrap_or(0);
        let mut lines = vec![format!("array {name} of run {run}: {}", several(count, "task"))];
        let (good, bad, never) = (self.succeeded, self.failed, self.skipped);
        let open = count.saturating_sub(good + bad + never);
        let mut ended = format!("{good} succeeded, {bad} failed, {never} never ran");
        if open > 0 {
            ended += &format!(", {open} did not end");
        }
        lines.push(ended + &format!("; {} tried again", several(self.retries, "failed attempt")));
        if !self.bad.is_empty() {
            lines.push(format!("failed: {}", self.listed()));
        }
        if let (Some(place), Some(life)) = (self.last(), life) {
            let index = shown_index(&self.spec, place.index);
            let waited = waited(&life.waits());
            lines.push(format!("the longest wait was that of {name}[{index}]: {waited}"));
            lines.push(format!("bary why '{name}[{index}]' tells its life"));
        }
        lines.join("\n") + "\n"
    }

    /// The same for programs.
    pub(crate) fn document(&self, run: &str, life: Option<&Life>) -> Value {
        let last = self.last().map(|place| shown_index(&self.spec, place.index));
        json!({
            "schema": "bary.why-array/1",
            "task": self.spec["name"],
            "run": run,
            "count": self.spec["count"],
            "succeeded": self.succeeded,
            "failed": self.failed,
            "never_ran": self.skipped,
            "retried": self.retries,
            "failed_indices": self.ranges(),
            "longest_wait": life.map(|life| json!({
                "index": last,
                "waited_seconds": show::waited_document(&life.waits()),
            })),
        })
    }

    /// The failed indices as people see them: first and last of each run of neighbours.
    fn ranges(&self) -> Vec<(i64, i64)> {
        let mut sorted = self.bad.clone();
        sorted.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::new();
        for (first, count) in sorted {
            match joined.last_mut() {
                Some((start, len)) if *start + *len == first => *len += count,
                _ => joined.push((first, count)),
            }
        }
        let shown = |at| shown_index(&self.spec, at);
        joined.iter().map(|(first, count)| (shown(*first), shown(first + count - 1))).collect()
    }

    fn listed(&self) -> String {
        let ranges = self.ranges();
        let one = |(first, last): &(i64, i64)| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        };
        let text = ranges.iter().take(SHOWN).map(one).collect::<Vec<_>>().join(", ");
        match ranges.len().saturating_sub(SHOWN) {
            0 => text,
            more => format!("{text} and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_told_by_its_ends() {
        let spec = json!({
            "spec": 1, "name": "a", "count": 10, "first_index": 5, "index_step": 5, "array": true,
        });
        let mut summary = Summary::begin(&spec);
        let ended = |range: [u64; 3], how: &str, began: f64| {
            let (event, outcome) = ("ended", how);
            json!({ "event": event, "range": range, "outcome": outcome, "began": began })
        };
        let events = [
            ended([0, 0, 1], "failed", 99.0),
            ended([1, 0, 4], "succeeded", 1.0),
            ended([1, 5, 1], "failed", 3.0),
            json!({ "event": "retrying", "range": [1, 4, 1] }),
            ended([1, 4, 1], "quarantined", 2.0),
            json!({ "event": "dropped", "range": [1, 8, 1], "outcome": "cancelled" }),
            ended([1, 7, 1], "failed", 2.5),
        ];
        events.iter().for_each(|event| summary.on_event(event));
        assert_eq!(summary.last(), Some(Place { spec: 1, index: 5 }));
        let text = summary.text("today", None);
        let ends =
            "4 succeeded, 3 failed, 1 never ran, 2 did not end; 1 failed attempt tried again";
        assert!(text.contains(ends), "{text}");
        assert!(text.contains("failed: 25-30, 40\n"), "{text}");
        assert_eq!(summary.document("today", None)["failed_indices"], json!([[25, 30], [40, 40]]));
    }
}
