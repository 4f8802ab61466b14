//! What a run is judged by. Each measure has one definition, and this table is what every form
//! of output is made from.

use crate::lab::scenario::Scenario;

/// One measure.
#[derive(Debug)]
pub struct Measure {
    /// Its key in documents.
    pub name: &'static str,
    /// Its head in tables.
    pub head: &'static str,
    /// What it is counted in; empty for a plain number.
    pub unit: &'static str,
    /// How many digits stand behind the point in tables.
    pub digits: usize,
    /// Which value is better.
    pub better: Better,
    /// Whether tables show it though nobody asks for all.
    pub usual: bool,
    /// What it is.
    pub doc: &'static str,
    /// It, of a run.
    pub of: fn(&Measures) -> f64,
}

/// Which value of a measure is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// The higher one.
    High,
    /// The lower one.
    Low,
}

/// The measures of one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measures {
    pub(super) balance: f64,
    pub(super) makespan: f64,
    pub(super) bound: f64,
    pub(super) wait: Spread,
    pub(super) response: Spread,
    pub(super) slowdown: Spread,
    pub(super) messages: f64,
    pub(super) claims: f64,
    pub(super) duplicates: f64,
    pub(super) steals: f64,
    pub(super) stolen: f64,
    pub(super) moved: f64,
    pub(super) utilisation: f64,
    pub(super) fairness: f64,
    pub(super) bytes: f64,
    pub(super) between: f64,
    pub(super) off: f64,
    pub(super) failed: f64,
    pub(super) left: f64,
    pub(super) done: f64,
    pub(super) node_hours: f64,
    pub(super) changes: f64,
    pub(super) cost: f64,
}

/// The mean, the median and the 99th percentile of many values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Spread {
    pub(super) mean: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
}

const fn measure(
    (name, head): (&'static str, &'static str),
    (unit, digits): (&'static str, usize),
    (better, usual): (Better, bool),
    of: fn(&Measures) -> f64,
    doc: &'static str,
) -> Measure {
    Measure { name, head, unit, digits, better, usual, doc, of }
}

use Better::{High, Low};

/// The measures that tables show where the number of nodes changes.
const OF_SCALING: [&str; 3] = ["node_hours", "node_changes", "cost"];

impl Measure {
    /// Whether a table of this scenario shows it though nobody asks for all.
    #[must_use]
    pub fn is_shown(&self, scenario: &Scenario) -> bool {
        let scaled = !scenario.scalings.is_empty() && OF_SCALING.contains(&self.name);
        let made = scenario.making().is_some() && self.name == "tasks_done";
        self.usual || scaled || made
    }
}

/// Every measure.
pub static MEASURES: [Measure; 29] = [
    measure(
        ("balance", "BALANCE"),
        ("%", 2),
        (High, true),
        |m| m.balance,
        "100 (1 - deviation / mean) of how long nodes were busy",
    ),
    measure(
        ("makespan_seconds", "MAKESPAN"),
        ("s", 3),
        (Low, true),
        |m| m.makespan,
        "when the last task ended",
    ),
    measure(
        ("makespan_over_bound", "/ BOUND"),
        ("", 4),
        (Low, true),
        |m| m.makespan / m.bound,
        "the makespan over the lower bound: no schedule ends before all work over all speeds, \
         the longest path on the fastest node, or a job's arrival and its longest path",
    ),
    measure(
        ("wait_mean_seconds", "WAIT"),
        ("s", 4),
        (Low, true),
        |m| m.wait.mean,
        "the mean time from when a task had arrived and all it waits for had ended to its start",
    ),
    measure(
        ("wait_p50_seconds", "WAIT P50"),
        ("s", 4),
        (Low, false),
        |m| m.wait.p50,
        "the median of that",
    ),
    measure(
        ("wait_p99_seconds", "WAIT P99"),
        ("s", 4),
        (Low, true),
        |m| m.wait.p99,
        "what 99 of a hundred tasks waited at most",
    ),
    measure(
        ("response_mean_seconds", "RESPONSE"),
        ("s", 4),
        (Low, false),
        |m| m.response.mean,
        "the mean time from the same moment to the task's end",
    ),
    measure(
        ("response_p50_seconds", "RESPONSE P50"),
        ("s", 4),
        (Low, false),
        |m| m.response.p50,
        "the median of that",
    ),
    measure(
        ("response_p99_seconds", "RESPONSE P99"),
        ("s", 4),
        (Low, true),
        |m| m.response.p99,
        "what 99 of a hundred tasks took at most",
    ),
    measure(
        ("slowdown_mean", "SLOWDOWN"),
        ("", 3),
        (Low, true),
        |m| m.slowdown.mean,
        "the mean of response over run time; of traces it is bounded: tasks below 10 s count as \
         if they took 10 s",
    ),
    measure(
        ("slowdown_p99", "SLOWDOWN P99"),
        ("", 3),
        (Low, false),
        |m| m.slowdown.p99,
        "the same of 99 of a hundred tasks at most",
    ),
    measure(
        ("messages_per_task", "MSG/TASK"),
        ("", 3),
        (Low, true),
        |m| m.messages,
        "messages between nodes for each task, outcomes and all others included",
    ),
    measure(
        ("claims_per_task", "CLAIMS/TASK"),
        ("", 4),
        (Low, true),
        |m| m.claims,
        "those of them that placing took: asks, outcomes that ask, grants, and what is taken back \
         or handed on",
    ),
    measure(
        ("duplicates_per_task", "DUPLICATES"),
        ("", 4),
        (Low, true),
        |m| m.duplicates,
        "runs to the end beyond the first of each task",
    ),
    measure(
        ("steals", "STEALS"),
        ("", 0),
        (Low, true),
        |m| m.steals,
        "how often a home asked a node for tasks that it had not started",
    ),
    measure(
        ("steals_successful", "STOLE"),
        ("", 0),
        (High, true),
        |m| m.stolen,
        "how often it got some",
    ),
    measure(
        ("tasks_moved", "MOVED"),
        ("", 0),
        (Low, false),
        |m| m.moved,
        "how many tasks were granted anew so",
    ),
    measure(
        ("utilisation", "BUSY"),
        ("%", 1),
        (High, true),
        |m| m.utilisation,
        "how much of all slots' time until the makespan went into tasks",
    ),
    measure(
        ("fairness", "FAIR"),
        ("", 3),
        (High, true),
        |m| m.fairness,
        "Jain's index (1984) over owners of one over their mean slowdown; over nodes of how long \
         they were busy where there is one owner; 1 is fair",
    ),
    measure(
        ("lower_bound_seconds", "LOWER BOUND"),
        ("s", 3),
        (Low, false),
        |m| m.bound,
        "the lower bound of the makespan",
    ),
    measure(
        ("megabytes_moved", "MOVED MB"),
        ("", 1),
        (Low, true),
        |m| m.bytes,
        "megabytes that tasks read of what tasks on other nodes left for them",
    ),
    measure(
        ("megabytes_between", "BETWEEN MB"),
        ("", 1),
        (Low, true),
        |m| m.between,
        "megabytes that went from one region to another; once to each node that reads them",
    ),
    measure(
        ("tasks_done", "DONE"),
        ("", 0),
        (High, false),
        |m| m.done,
        "tasks that ended, those that were made included",
    ),
    measure(
        ("node_hours", "NODE-HOURS"),
        ("h", 2),
        (Low, false),
        |m| m.node_hours,
        "how long all nodes were there, or on their way, until the last task ended",
    ),
    measure(
        ("node_changes", "CHANGES"),
        ("", 0),
        (Low, false),
        |m| m.changes,
        "how often nodes were added or taken away",
    ),
    measure(
        ("cost", "COST"),
        ("", 2),
        (Low, false),
        |m| m.cost,
        "what node-hours and hours of waiting cost at the scenario's prices",
    ),
    measure(
        ("prediction_error", "OFF"),
        ("%", 1),
        (Low, true),
        |m| m.off,
        "how far run times that homes had learnt to expect were off on average, over what the \
         tasks took; with weights=learnt",
    ),
    measure(
        ("failed_per_task", "FAILED"),
        ("", 4),
        (Low, true),
        |m| m.failed,
        "attempts that failed for each task",
    ),
    measure(
        ("tasks_left", "LEFT"),
        ("", 0),
        (Low, true),
        |m| m.left,
        "tasks that never ended well",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_measures_share_a_name_or_a_head() {
        for (at, one) in MEASURES.iter().enumerate() {
            assert!(MEASURES[..at].iter().all(|m| m.name != one.name && m.head != one.head));
            assert!(!one.doc.is_empty());
        }
    }
}
