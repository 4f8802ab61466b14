//! Prints how policies do on public sets of task graphs and logs of clusters:
//! `replay stg|graphs|traces FOLDER [POLICY..]`. The folder is laid out as docs/traces.md says.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "it is there to print")]

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::Path;

use bary_engine::effect::Effect;
use bary_model::time::{Moment, Span};
use bary_sim::plan::Plan;
use bary_sim::plan::replay::{Knowledge, Machines};
use bary_sim::report::Verdict;
use bary_sim::watch::{Seen, Watch};
use bary_sim::world;
use bary_trace::figures::{critical_path, levels, work};
use bary_trace::read::read;
use bary_trace::trace::{Job, Trace};

type Done<T> = Result<T, Box<dyn Error>>;

/// When each task began, by its number.
struct Starts(Vec<Moment>);

impl Watch for Starts {
    fn see(&mut self, at: Moment, _: usize, seen: Seen<'_>) {
        let Seen::Effect(Effect::Start { items, .. }) = seen else { return };
        for item in items.iter() {
            if let Some(start) = self.0.get_mut(item.spec.first_row as usize) {
                *start = at;
            }
        }
    }
}

/// One machine with so many processors.
fn machine(cpus: u32) -> Machines {
    Machines { nodes: 1, cpus, latency: Span::ZERO }
}

/// So many machines with one processor each, where no task is wider; messages take no time, so
/// that what is seen is the schedule.
fn machines(job: &Job, cpus: u32) -> Machines {
    let wide = job.tasks.iter().any(|task| task.milli_cpus > 1_000);
    if wide { machine(cpus) } else { Machines { nodes: cpus as usize, cpus: 1, ..machine(1) } }
}

/// How long a plain list schedule takes: whenever processors are free, the ready task with the
/// longest path below it that fits begins (Graham, 1969; Adam, Chandy and Dickson, 1974).
fn listed(job: &Job, cpus: u32) -> f64 {
    let levels = levels(job);
    let mut rest: Vec<usize> = job.tasks.iter().map(|task| task.after.len()).collect();
    let mut children = vec![Vec::new(); job.tasks.len()];
    for (number, task) in job.tasks.iter().enumerate() {
        task.after.iter().for_each(|on| children[*on as usize].push(number));
    }
    let mut ready: Vec<usize> = (0..rest.len()).filter(|task| rest[*task] == 0).collect();
    let (mut free, mut running) = (u64::from(cpus) * 1_000, BTreeSet::new());
    let mut now = Span::ZERO;
    loop {
        ready.sort_by_key(|task| (Reverse(levels[*task]), *task));
        ready.retain(|&task| {
            let fits = job.tasks[task].milli_cpus <= free;
            if fits {
                free -= job.tasks[task].milli_cpus;
                running.insert((now + job.tasks[task].run, task));
            }
            !fits
        });
        let Some(end) = running.first().map(|(end, _)| *end) else { return now.as_secs_f64() };
        now = end;
        // All that end at this moment end before anything begins.
        while running.first().is_some_and(|(next, _)| *next == end) {
            let Some((_, task)) = running.pop_first() else { break };
            free += job.tasks[task].milli_cpus;
            for &child in &children[task] {
                rest[child] -= 1;
                if rest[child] == 0 {
                    ready.push(child);
                }
            }
        }
    }
}

fn opened(path: &Path) -> Done<Trace> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let trace = read(&path.to_string_lossy(), &bytes, None);
    Ok(trace.map_err(|fault| format!("{}: {fault}", path.display()))?)
}

/// How long a trace takes from its first arrival to its last end.
fn makespan(trace: &Trace, machines: Machines, policy: &str) -> Done<Span> {
    let plan = Plan::replay(trace, Knowledge::Exact, machines, policy);
    let report = world::run(&plan, None, None);
    if report.verdict != Verdict::Rest || report.executed != trace.tasks() as u64 {
        return Err(format!("{policy}: {:?}, {} ran", report.verdict, report.executed).into());
    }
    Ok(report.makespan)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn most(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, value| value.max(most))
}

/// The ratio to the shortest makespan that is known, over all graphs, on 2 to 16 processors.
fn stg(folder: &Path, policies: &[String]) -> Done<()> {
    let known = fs::read_to_string(folder.join("stg/optimal-50.csv"))?;
    let mut rows = Vec::new();
    for line in known.lines().skip(1) {
        let words: Vec<&str> = line.split(',').collect();
        let [graph, cpus, _, best] = words[..] else { return Err(line.into()) };
        rows.push((graph, cpus.parse::<u32>()?, best.parse::<f64>()?));
    }
    let mut cases = Cases::new("stg", policies);
    for (at, policy) in policies.iter().enumerate() {
        let mut all = Vec::new();
        for cpus in [2, 4, 8, 16] {
            let mut ratios = Vec::new();
            for (graph, _, best) in rows.iter().filter(|row| row.1 == cpus) {
                let trace = opened(&folder.join("stg").join(graph))?;
                let took = makespan(&trace, machines(&trace.jobs[0], cpus), policy)?;
                cases.put(at, || format!("{graph}-on-{cpus}"), took.as_secs_f64());
                ratios.push(took.as_secs_f64() / best);
            }
            told(policy, &cpus.to_string(), &ratios);
            all.extend(ratios);
        }
        told(policy, "all", &all);
    }
    cases.told();
    Ok(())
}

fn told(policy: &str, cpus: &str, ratios: &[f64]) {
    let optimal = ratios.iter().filter(|ratio| **ratio < 1.0 + 1e-6).count();
    println!(
        "stg {policy} on {cpus} graphs {} mean {:.4} max {:.4} optimal {optimal}",
        ratios.len(),
        mean(ratios),
        most(ratios),
    );
}

/// How many of the worst cases are named.
const SHOWN_MAX: usize = 10;

/// What each policy took in each case of a set.
struct Cases<'a> {
    set: &'static str,
    policies: &'a [String],
    /// A case's name, and what each policy took.
    took: Vec<(String, Vec<f64>)>,
    /// How many cases each policy has had.
    had: Vec<usize>,
}

impl<'a> Cases<'a> {
    fn new(set: &'static str, policies: &'a [String]) -> Self {
        Self { set, policies, took: Vec::new(), had: vec![0; policies.len()] }
    }

    /// Adds what a policy took in its next case; all policies have the same cases in one order.
    fn put(&mut self, policy: usize, name: impl Fn() -> String, took: f64) {
        let at = self.had[policy];
        self.had[policy] += 1;
        if at == self.took.len() {
            self.took.push((name(), vec![f64::NAN; self.policies.len()]));
        }
        self.took[at].1[policy] = took;
    }

    /// Prints where the first policy is worst beside each other one, and how often it takes more
    /// than 1 % longer.
    fn told(&self) {
        let Some((ours, others)) = self.policies.split_first() else { return };
        for (at, other) in (1..).zip(others) {
            let ratios = self.took.iter().map(|(name, took)| (took[0] / took[at], name.as_str()));
            let mut ratios: Vec<(f64, &str)> = ratios.collect();
            ratios.sort_by(|one, two| two.0.total_cmp(&one.0));
            let Some((worst, _)) = ratios.first() else { continue };
            let more = ratios.iter().filter(|(ratio, _)| *ratio > 1.01).count();
            let shown = ratios[..more.clamp(1, SHOWN_MAX.min(ratios.len()))].iter();
            let shown: Vec<String> =
                shown.map(|(ratio, name)| format!("{name} {ratio:.4}")).collect();
            println!(
                "worst {} {ours} {other} ratio {worst:.4} more {more} cases {} in {}",
                self.set,
                self.took.len(),
                shown.join(", "),
            );
        }
    }
}

/// A job of a trace by itself, from its arrival on.
fn alone(trace: &Trace, job: &Job) -> Trace {
    let job = Job { arrival: Span::ZERO, ..job.clone() };
    Trace { name: trace.name.clone(), unit: trace.unit, jobs: vec![job] }
}

/// No schedule is shorter: all work over all processors, or the longest path.
fn bound(job: &Job, cpus: u32) -> f64 {
    let total: f64 = job.tasks.iter().map(|task| work(task).as_secs_f64()).sum();
    (total / f64::from(cpus)).max(critical_path(job).as_secs_f64())
}

/// The ratio to the bound of workflows and of Estee's graphs, on 4 to 64 processors.
fn graphs(folder: &Path, policies: &[String]) -> Done<()> {
    let mut files: Vec<_> = fs::read_dir(folder.join("wfinstances"))?
        .chain(fs::read_dir(folder.join("estee"))?)
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    let (mut all, mut lists) = (vec![Vec::new(); policies.len()], Vec::new());
    let mut cases = Cases::new("graphs", policies);
    for trace in files.iter().map(|path| opened(path)) {
        let trace = trace?;
        for job in &trace.jobs {
            for cpus in [4, 8, 16, 32, 64] {
                let alone = alone(&trace, job);
                let bound = bound(job, cpus);
                let list = listed(job, cpus) / bound;
                let name = job.name.replace(' ', "-");
                let mut line = format!("graph {name} on {cpus} list {list:.4}");
                lists.push(list);
                for (at, (policy, ratios)) in policies.iter().zip(&mut all).enumerate() {
                    let took = makespan(&alone, machines(job, cpus), policy)?.as_secs_f64();
                    cases.put(at, || format!("{name}-on-{cpus}"), took);
                    let ratio = took / bound;
                    line += &format!(" {policy} {ratio:.4}");
                    ratios.push(ratio);
                }
                println!("{line}");
            }
        }
    }
    for (policy, ratios) in policies.iter().zip(&all) {
        let (cases, mean, most) = (ratios.len(), mean(ratios), most(ratios));
        let to_list: Vec<f64> = ratios.iter().zip(&lists).map(|(one, list)| one / list).collect();
        let reached = ratios.iter().zip(&lists).filter(|(_, list)| **list <= 1.05);
        let near = reached.clone().filter(|(ratio, _)| **ratio <= 1.05).count();
        println!(
            "graphs {policy} cases {cases} mean {mean:.4} max {most:.4} near {near} of {} \
             list {:.4}",
            reached.count(),
            self::mean(&to_list),
        );
    }
    cases.told();
    Ok(())
}

/// Waits, slowdowns and utilisation of logs, each on one machine.
fn traces(folder: &Path, policies: &[String]) -> Done<()> {
    let nasa = ("nasa", "swf/NASA-iPSC-1993-3.1-cln.swf.zip", 128, Knowledge::Exact);
    let lcg = |name, knows| (name, "swf/LCG-head.swf.gz", LCG_CPUS, knows);
    let logs =
        [nasa, lcg("lcg-exact", Knowledge::Exact), lcg("lcg-requested", Knowledge::Declared)];
    let mut cases = Cases::new("logs", policies);
    for (name, file, cpus, knows) in logs {
        let trace = opened(&folder.join(file))?;
        for (at, policy) in policies.iter().enumerate() {
            let response = log(name, &trace, (machine(cpus), knows), policy);
            cases.put(at, || name.to_owned(), response);
        }
    }
    cases.told();
    Ok(())
}

/// Processors for the part of the grid's log: fewer than it had, so that jobs have to wait.
const LCG_CPUS: u32 = 1_000;

/// Prints a log's figures, and gives the mean of its tasks' times from arrival to end.
fn log(name: &str, trace: &Trace, on: (Machines, Knowledge), policy: &str) -> f64 {
    let (machines, knows) = on;
    let plan = Plan::replay(trace, knows, machines, policy);
    let mut starts = Starts(vec![Moment(u64::MAX); trace.tasks()]);
    let report = world::run(&plan, Some(&mut starts), None);
    let mut jobs: Vec<&Job> = trace.jobs.iter().collect();
    jobs.sort_by_key(|job| job.arrival);
    let tasks = jobs.iter().flat_map(|job| job.tasks.iter().map(|task| (job.arrival, task)));
    let (mut waits, mut slowdowns, mut busy) = (Vec::new(), Vec::new(), 0.0);
    let mut runs = Vec::new();
    for ((arrival, task), start) in tasks.zip(&starts.0) {
        let (run, wait) = (task.run.as_secs_f64(), start.since(Moment(0) + arrival).as_secs_f64());
        waits.push(wait);
        runs.push(run);
        // Bounded by 10 s, as in Feitelson et al. (1997).
        slowdowns.push(((wait + run) / run.max(10.0)).max(1.0));
        busy += work(task).as_secs_f64();
    }
    let first = jobs.first().map_or(0.0, |job| job.arrival.as_secs_f64());
    let span = report.makespan.as_secs_f64() - first;
    println!(
        "log {name} {policy} tasks {} wait {:.2} max {:.0} slowdown {:.3} use {:.2} verdict {:?}",
        report.executed,
        mean(&waits),
        most(&waits),
        mean(&slowdowns),
        100.0 * busy / span / f64::from(machines.cpus),
        report.verdict,
    );
    mean(&waits) + mean(&runs)
}

fn main() -> Done<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [what, folder, policies @ ..] = &words[..] else {
        return Err("usage: replay stg|graphs|traces FOLDER [POLICY..]".into());
    };
    let folder = Path::new(folder);
    let default = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let chosen = |names: &[&str]| match policies {
        [] => default(names),
        _ => policies.to_vec(),
    };
    match what.as_str() {
        "stg" => stg(folder, &chosen(&["gravity", "fifo"])),
        "graphs" => graphs(folder, &chosen(&["gravity", "fifo", "random", "work-stealing"])),
        "traces" => traces(folder, &chosen(&["gravity", "fifo"])),
        _ => Err(format!("there is no `{what}`; there are stg, graphs and traces").into()),
    }
}
