//! Prints what nodes and waiting cost under each scaling rule, beside clusters that stay as they
//! are: `scale wave SEEDS`, or `scale trace FILE DAYS` for a log of a cluster, whose jobs are taken
//! for as many tasks of one core as they had processors.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "it is there to print")]

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use bary_engine::effect::Effect;
use bary_model::action::Action;
use bary_model::event::EventKind;
use bary_model::id::JobNo;
use bary_model::job::JobSpec;
use bary_model::task::{Body, TaskSpec};
use bary_model::time::{Moment, Span};
use bary_policy::scale::cost::Cost;
use bary_policy::scale::queue::Queue;
use bary_policy::scale::wait::Wait;
use bary_policy::scale::{Bounds, Rule};
use bary_sim::plan::scaling::ScalePlan;
use bary_sim::plan::{JobPlan, Plan};
use bary_sim::report::Verdict;
use bary_sim::watch::{Seen, Watch};
use bary_sim::world;
use bary_trace::read::read;
use bary_trace::trace::weight_of;

/// How long a node takes to start, and how often a rule looks.
const START_UP: Span = Span::secs(60);
const EVERY: Span = Span::secs(15);
/// Over how long arrivals are measured.
const WINDOW: Span = Span::secs(600);

/// When each job came, and how long each task waited.
#[derive(Default)]
struct Waits {
    came: BTreeMap<JobNo, Moment>,
    waits: Vec<f64>,
}

impl Watch for Waits {
    fn see(&mut self, at: Moment, _: usize, seen: Seen<'_>) {
        match seen {
            Seen::Effect(Effect::Tell(event)) => {
                if let EventKind::Submitted { job, .. } = &event.kind {
                    self.came.insert(*job, at);
                }
            }
            Seen::Effect(Effect::Start { items, .. }) => {
                for item in items.iter().filter(|item| item.attempt == 1) {
                    if let Some(came) = self.came.get(&item.range.job) {
                        let wait = at.since(*came).as_secs_f64();
                        self.waits.extend((0..item.range.count).map(|_| wait));
                    }
                }
            }
            _ => {}
        }
    }
}

/// Makes a plan of so many nodes, of which some are there at first.
type World = Box<dyn Fn(u64, usize, usize) -> Plan>;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (world, seeds, fixed, most): (World, u64, Vec<usize>, usize) = match words[..] {
        ["wave", seeds] => (Box::new(wave), seeds.parse()?, vec![14, 18, 22, 26, 30], 60),
        ["trace", file, days] => {
            let jobs = logged(file, days.parse()?)?;
            let made = move |seed, there, most| with_jobs(seed, there, most, &jobs);
            (Box::new(made), 1, vec![64, 96, 128, 192, 256], 256)
        }
        _ => return Err("say `wave SEEDS` or `trace FILE DAYS`".into()),
    };
    println!(
        "| nodes | node-hours | mean wait, s | p99 wait, s | changes |\n|---|---|---|---|---|"
    );
    for nodes in fixed {
        row(&format!("{nodes} fixed"), seeds, |seed| world(seed, nodes, nodes))?;
    }
    let rules: [(&str, Arc<dyn Rule>); 7] = [
        ("queue, 1 a node", Arc::new(Queue { per_node: 1_000 })),
        ("queue, 2 a node", Arc::new(Queue::default())),
        ("wait, 30 s", Arc::new(Wait { target: Span::secs(30) })),
        ("wait, 2 min", Arc::new(Wait::default())),
        ("wait, 10 min", Arc::new(Wait { target: Span::secs(600) })),
        ("cost, 1 : 1", Arc::new(Cost::default())),
        ("cost, waiting at 1/10", Arc::new(Cost { wait_hour: 0.1, ..Cost::default() })),
    ];
    for (name, rule) in rules {
        let bounds = Bounds { most: most as u32, ..Bounds::default() };
        let scale = ScalePlan { rule, bounds, every: EVERY, window: WINDOW, start_up: START_UP };
        row(name, seeds, |seed| {
            let mut plan = world(seed, 1, most);
            plan.crew.scale = Some(scale.clone());
            plan
        })?;
    }
    Ok(())
}

/// Prints the medians over the seeds.
fn row(name: &str, seeds: u64, plan: impl Fn(u64) -> Plan) -> Result<(), Box<dyn Error>> {
    let mut columns: [Vec<f64>; 4] = Default::default();
    for seed in 1..=seeds {
        let plan = plan(seed);
        let mut watch = Waits::default();
        let report = world::run(&plan, Some(&mut watch), None);
        if report.verdict != Verdict::Rest || report.unfinished > 0 {
            return Err(format!("{name}, seed {seed}: {:?}", report.verdict).into());
        }
        watch.waits.sort_by(f64::total_cmp);
        let waits = watch.waits;
        columns[0].push(report.node_time.as_secs_f64() / 3_600.0);
        columns[1].push(waits.iter().sum::<f64>() / waits.len().max(1) as f64);
        columns[2].push(waits.get(waits.len() * 99 / 100).copied().unwrap_or_default());
        columns[3].push(report.scalings as f64);
    }
    let [hours, mean, most, changes] = columns.map(|mut column| {
        column.sort_by(f64::total_cmp);
        column[column.len() / 2]
    });
    println!("| {name} | {hours:.0} | {mean:.1} | {most:.0} | {changes:.0} |");
    Ok(())
}

/// Three days of work for 13 nodes on average and 23 at noon.
fn wave(seed: u64, there: usize, most: usize) -> Plan {
    let mut plan = Plan::elastic(seed, there, most);
    plan.wave(60_000, 3, Span::secs(10));
    plan
}

/// The jobs of a log, of so many days.
fn logged(file: &str, days: u64) -> Result<Vec<JobPlan>, Box<dyn Error>> {
    let trace = read(file, &std::fs::read(file)?, None)?;
    let mut action = Body::new(Action::Function { name: "work".into(), args: Vec::new() });
    action.timeout = Span::secs(10_000_000);
    let body = Arc::new(action);
    let mut jobs = Vec::new();
    let mut logged: Vec<_> = trace.jobs.iter().collect();
    logged.sort_by_key(|job| job.arrival);
    let first = logged.first().map(|job| job.arrival).unwrap_or_default();
    for job in logged {
        let at = Span(job.arrival.0 - first.0);
        if at > Span::secs(86_400).times(days) {
            break;
        }
        let specs = job.tasks.iter().map(|task| {
            let count = (task.milli_cpus / 1_000).max(1) as u32;
            let weight = weight_of(task.run, Span::secs(1));
            let spec = TaskSpec::new(Arc::clone(&body));
            Arc::new(TaskSpec { count, array: count > 1, weight, ..spec })
        });
        let spec = JobSpec::new("logged", specs.collect::<Vec<_>>());
        jobs.push(JobPlan::new(Moment(0) + at, 0, spec));
    }
    Ok(jobs)
}

fn with_jobs(seed: u64, there: usize, most: usize, jobs: &[JobPlan]) -> Plan {
    let mut plan = Plan::elastic(seed, there, most);
    plan.jobs = jobs.to_vec();
    plan.patience = Span::secs(86_400 * 60);
    plan
}
