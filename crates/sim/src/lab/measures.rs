//! What a run is judged by. Each measure has one definition, and this table is what every form
//! of output is made from.

use bary_model::time::{Moment, Span};

use crate::lab::log::Log;
use crate::lab::scenario::Scenario;
use crate::lab::shape::{Load, longest_path};
use crate::report::Report;

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
    balance: f64,
    makespan: f64,
    bound: f64,
    wait: Spread,
    response: Spread,
    slowdown: Spread,
    messages: f64,
    claims: f64,
    duplicates: f64,
    steals: f64,
    stolen: f64,
    moved: f64,
    utilisation: f64,
    fairness: f64,
    bytes: f64,
    between: f64,
    left: f64,
}

/// The mean, the median and the 99th percentile of many values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Spread {
    mean: f64,
    p50: f64,
    p99: f64,
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

/// Every measure.
pub static MEASURES: [Measure; 23] = [
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
    measure(("tasks_left", "LEFT"), ("", 0), (Low, true), |m| m.left, "tasks that never ended"),
];

/// A run with all that is known of it.
pub(crate) struct Setting<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) load: &'a Load,
    pub(crate) log: &'a Log,
    pub(crate) report: &'a Report,
}

impl Setting<'_> {
    pub(crate) fn measures(&self) -> Measures {
        let tasks = self.load.tasks.len().max(1) as f64;
        let (waits, responses, slowdowns, by_owner) = self.times();
        let messages: u64 = self.report.messages.iter().sum();
        let makespan = self.log.tasks.iter().map(|task| task.end).max().unwrap_or_default();
        let makespan = makespan.0 as f64 / 1e9;
        let busy: f64 = self.log.busy.iter().map(|busy| busy.as_secs_f64()).sum();
        let slots: usize =
            self.scenario.nodes.iter().map(|group| group.count * group.slots as usize).sum();
        let shares: Vec<f64> = self.log.busy.iter().map(|busy| busy.as_secs_f64()).collect();
        Measures {
            balance: self.report.balance,
            makespan,
            bound: bound(self.scenario, self.load).as_secs_f64(),
            wait: spread(waits),
            response: spread(responses),
            slowdown: spread(slowdowns),
            messages: messages as f64 / tasks,
            claims: self.report.claims() as f64 / tasks,
            duplicates: self.log.repeated as f64 / tasks,
            steals: self.log.steals as f64,
            stolen: self.log.stolen as f64,
            moved: self.log.moved as f64,
            utilisation: 100.0 * busy / (slots as f64 * makespan).max(1e-9),
            fairness: jain(if by_owner.len() > 1 { &by_owner } else { &shares }),
            bytes: self.bytes() as f64 / 1e6,
            between: self.report.crossed as f64 / 1e6,
            left: self.log.left() as f64,
        }
    }

    /// How many bytes tasks read that another node had made.
    fn bytes(&self) -> u64 {
        let mut bytes = 0_u64;
        for job in &self.load.jobs {
            for (number, piece) in (job.first as usize..).zip(self.load.tasks_of(job)) {
                let node = self.log.tasks[number].node;
                let far = piece
                    .after
                    .iter()
                    .filter(|before| self.log.tasks[(job.first + **before) as usize].node != node);
                let each = far.map(|before| self.load.tasks[(job.first + before) as usize].output);
                bytes = each.fold(bytes, u64::saturating_add);
            }
        }
        bytes
    }

    /// Waits, responses and slowdowns of all tasks that ended, and one over each owner's mean
    /// slowdown.
    fn times(&self) -> (Vec<f64>, Vec<f64>, Vec<f64>, Vec<f64>) {
        let least = self.scenario.slowdown_floor();
        let (mut waits, mut responses, mut slowdowns) = (Vec::new(), Vec::new(), Vec::new());
        let mut owners: Vec<(f64, u64)> = Vec::new();
        for job in &self.load.jobs {
            for (number, piece) in (job.first as usize..).zip(self.load.tasks_of(job)) {
                let task = &self.log.tasks[number];
                if task.ends == 0 {
                    continue;
                }
                let before = |before: &u32| self.log.tasks[(job.first + before) as usize].end;
                let ready = piece.after.iter().map(before).fold(job.at, Moment::max);
                let response = task.end.since(ready).as_secs_f64();
                let run = task.end.since(task.start).as_secs_f64().max(1e-9);
                let slowdown = (response / run.max(least)).max(1.0);
                waits.push(task.start.since(ready).as_secs_f64());
                responses.push(response);
                slowdowns.push(slowdown);
                let owner = job.owner as usize;
                owners.resize(owners.len().max(owner + 1), (0.0, 0));
                owners[owner].0 += slowdown;
                owners[owner].1 += 1;
            }
        }
        let owners = owners.iter().filter(|(_, count)| *count > 0);
        let rates = owners.map(|(sum, count)| *count as f64 / sum).collect();
        (waits, responses, slowdowns, rates)
    }
}

fn spread(mut values: Vec<f64>) -> Spread {
    if values.is_empty() {
        return Spread::default();
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.sort_unstable_by(f64::total_cmp);
    let at = |percent: usize| values[(values.len() * percent / 100).min(values.len() - 1)];
    Spread { mean, p50: at(50), p99: at(99) }
}

/// (sum x)^2 / (n sum x^2), from 1/n to 1 (Jain, Chiu and Hawe 1984); 1 of nothing.
fn jain(values: &[f64]) -> f64 {
    let (sum, squares) =
        values.iter().fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
    if squares > 0.0 { sum * sum / (values.len() as f64 * squares) } else { 1.0 }
}

/// No schedule ends sooner: all work over all speeds, or the arrival of a job and its longest
/// path on the fastest node.
pub(crate) fn bound(scenario: &Scenario, load: &Load) -> Span {
    let (unit, fastest) = (scenario.unit.as_secs_f64(), scenario.fastest());
    let (mut work, mut paths, mut first) = (0.0, 0.0_f64, f64::MAX);
    for job in &load.jobs {
        let at = job.at.0 as f64 / 1e9;
        first = first.min(at);
        let tasks = load.tasks_of(job);
        work += tasks.iter().map(|task| task.real * task.need.milli_cpus as f64 / 1e3).sum::<f64>();
        paths = paths.max(at + longest_path(tasks) * unit / fastest);
    }
    let area = first.min(f64::MAX / 2.0) + work * unit / scenario.power();
    Span::from_secs_f64(if load.jobs.is_empty() { 0.0 } else { area.max(paths) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jains_index_is_one_where_all_have_the_same_and_one_over_n_where_one_has_all() {
        assert!((jain(&[2.0, 2.0, 2.0]) - 1.0).abs() < 1e-12);
        assert!((jain(&[9.0, 0.0, 0.0]) - 1.0 / 3.0).abs() < 1e-12);
        assert!((jain(&[]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn no_two_measures_share_a_name_or_a_head() {
        for (at, one) in MEASURES.iter().enumerate() {
            assert!(MEASURES[..at].iter().all(|m| m.name != one.name && m.head != one.head));
            assert!(!one.doc.is_empty());
        }
    }
}
