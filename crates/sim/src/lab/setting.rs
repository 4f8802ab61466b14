//! A run with all that is known of it, from which its measures are taken.

use bary_model::time::{Moment, Span};

use crate::lab::log::Log;
use crate::lab::measures::{Measures, Spread};
use crate::lab::scenario::Scenario;
use crate::lab::shape::{Load, longest_path};
use crate::report::Report;

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
        let messages: u64 = self.log.sent.messages.iter().sum();
        let makespan = self.log.tasks.iter().map(|task| task.end).max().unwrap_or_default();
        let makespan = makespan.0 as f64 / 1e9;
        let busy: f64 = self.log.busy.iter().map(|busy| busy.as_secs_f64()).sum();
        let slots: usize =
            self.scenario.nodes.iter().map(|group| group.count * group.slots as usize).sum();
        let hours = |span: Span| span.as_secs_f64() / 3_600.0;
        let scaled = !self.scenario.scalings.is_empty();
        let there = if scaled {
            self.report.node_time.as_secs_f64() * slots as f64 / self.scenario.count() as f64
        } else {
            slots as f64 * makespan
        };
        let node_hours = if scaled {
            hours(self.report.node_time)
        } else {
            self.scenario.count() as f64 * makespan / 3_600.0
        };
        let waited: f64 = waits.iter().sum::<f64>() / 3_600.0;
        let prices = self.scenario.prices;
        let shares: Vec<f64> = self.log.busy.iter().map(|busy| busy.as_secs_f64()).collect();
        Measures {
            balance: self.report.balance,
            makespan,
            bound: bound(self.scenario, self.load).as_secs_f64(),
            done: waits.len() as f64,
            node_hours,
            changes: self.report.scalings as f64,
            cost: prices.node_hour * node_hours + prices.wait_hour * waited,
            wait: spread(waits),
            response: spread(responses),
            slowdown: spread(slowdowns),
            messages: messages as f64 / tasks,
            claims: self.log.sent.placing() as f64 / tasks,
            duplicates: self.log.repeated as f64 / tasks,
            steals: self.log.steals as f64,
            stolen: self.log.stolen as f64,
            moved: self.log.moved as f64,
            utilisation: 100.0 * busy / there.max(1e-9),
            fairness: jain(if by_owner.len() > 1 { &by_owner } else { &shares }),
            bytes: self.bytes() as f64 / 1e6,
            between: self.report.crossed as f64 / 1e6,
            off: self.report.predicted.0 * 100.0,
            failed: self.log.failed as f64 / tasks,
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
}
