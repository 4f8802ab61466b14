//! Draws the tasks of a seed. Each purpose has dice of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_model::time::{Moment, Span};
use bary_model::weight::Weight;
use bary_trace::trace::{Job, Task, Trace, weight_of};

use crate::lab::draw;
use crate::lab::scenario::Scenario;
use crate::lab::shape::{Arrival, Load, Piece};
use crate::lab::wave;
use crate::lab::weights::rounded;
use crate::lab::workload::{Arrivals, Need, Pace, Replayed, Workload};
use crate::lot::Lot;
use crate::plan::replay::Knowledge;

/// The load of a scenario for one seed.
#[must_use]
pub fn load(scenario: &Scenario, seed: u64) -> Load {
    let mut load = Load::default();
    for (number, workload) in scenario.workloads.iter().enumerate() {
        let lot = |purpose| Lot::new(seed.wrapping_add(number as u64 * STRIDE), purpose);
        let dice =
            Lots { graphs: lot("graphs"), moments: lot("moments"), homes: lot("arrival homes") };
        if let Some(replayed) = &workload.replayed {
            replay(scenario, workload, replayed, &mut load);
            continue;
        }
        if let Arrivals::Adaptive(_) = workload.arrivals {
            continue;
        }
        let first = load.tasks.len();
        pieces(workload, &mut lot("weights"), &mut lot("errors"), &mut load);
        arrivals(scenario, workload, dice, first, &mut load);
    }
    load.errs = load.tasks.iter().any(|task| task.real != task.weight.units());
    load.jobs.sort_by_key(|job| job.at);
    load
}

/// Keeps the dice of workloads apart.
const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;

struct Lots {
    graphs: Lot,
    moments: Lot,
    homes: Lot,
}

/// The jobs of a trace, dealt to the homes in the order of their arrivals. Its memory is of other
/// machines and does not count.
fn replay(scenario: &Scenario, workload: &Workload, replayed: &Replayed, load: &mut Load) {
    let Replayed { trace, knows } = replayed;
    let homes = scenario.homes_at();
    let mut owners: BTreeMap<&str, u32> = BTreeMap::new();
    let mut jobs: Vec<&Job> = trace.jobs.iter().collect();
    jobs.sort_by_key(|job| job.arrival);
    for (number, job) in jobs.into_iter().enumerate() {
        let next = owners.len() as u32;
        let owner = *owners.entry(&job.owner).or_insert(next);
        let first = load.tasks.len() as u32;
        load.tasks.extend(job.tasks.iter().map(|task| piece(scenario.unit, trace, *knows, task)));
        let at = Moment(0) + workload.at + job.arrival;
        let count = job.tasks.len() as u32;
        load.jobs.push(Arrival { at, home: homes[number % homes.len()], owner, first, count });
    }
}

fn piece(unit: Span, trace: &Trace, knows: Knowledge, task: &Task) -> Piece {
    let said = match knows {
        Knowledge::Exact => Some(task.run),
        Knowledge::Declared => {
            let declared = task.weight.map(|weight| weight.units() * trace.unit.as_secs_f64());
            declared.map(Span::from_secs_f64).or(task.estimate)
        }
        Knowledge::Nothing => None,
    };
    Piece {
        weight: said.map_or(Weight::ONE, |said| weight_of(said, unit)),
        real: task.run.as_secs_f64() / unit.as_secs_f64(),
        after: task.after.clone(),
        need: Need { milli_cpus: task.milli_cpus, memory: 0, gpus: 0 },
        function: Arc::clone(&task.function),
        output: task.output,
        gang: 0,
    }
}

/// The tasks themselves.
fn pieces(workload: &Workload, weights: &mut Lot, errors: &mut Lot, load: &mut Load) {
    let first = load.tasks.len();
    for _ in 0..workload.all_tasks() {
        let weight = workload.weights.draw(weights);
        let factor = match workload.error {
            0.0 => 1.0,
            sigma => draw::lognormal(errors, sigma),
        };
        let real = weight.units() * factor;
        let (need, output, gang) = (workload.need, workload.output, workload.gang);
        let (after, function) = (Box::default(), Arc::default());
        load.tasks.push(Piece { weight, real, after, need, function, output, gang });
    }
    for ranks in load.tasks[first..].chunks_mut(workload.gang.max(1).into()) {
        // They are one array, whose tasks weigh the same.
        let (weight, real) = (ranks[0].weight, ranks[0].real);
        ranks.iter_mut().for_each(|rank| (rank.weight, rank.real) = (weight, real));
    }
    if workload.unknown {
        let own = &mut load.tasks[first..];
        let sum: f64 = own.iter().map(|task| task.weight.units()).sum();
        let mean = rounded(sum / own.len().max(1) as f64);
        own.iter_mut().for_each(|task| task.weight = mean);
    }
}

/// Makes jobs of them: one for each graph, gang or task that comes by itself, or one for each home
/// and owner where all tasks are there at once.
fn arrivals(
    scenario: &Scenario,
    workload: &Workload,
    mut dice: Lots,
    first: usize,
    load: &mut Load,
) {
    let own = load.jobs.len();
    let homes = scenario.homes_at();
    let whose = |number: usize| number as u32 % workload.owners;
    if let Some(graph) = workload.graph {
        let size = graph.tasks() as usize;
        for (number, at) in (first..load.tasks.len()).step_by(size).enumerate() {
            let drawn = graph.draw(&mut dice.graphs);
            for (task, after) in load.tasks[at..at + size].iter_mut().zip(drawn) {
                task.after = after.into();
            }
            let home = homes[number % homes.len()];
            load.jobs.push(job(workload, (at, size), home, whose(number)));
        }
    } else if workload.arrivals == Arrivals::Batch && workload.gang == 0 {
        batches(workload, &homes, first, load);
        return;
    } else {
        let size = usize::from(workload.gang.max(1));
        for (number, at) in (first..load.tasks.len()).step_by(size).enumerate() {
            let home = homes[number % homes.len()];
            load.jobs.push(job(workload, (at, size), home, whose(number)));
        }
    }
    let every = pace(scenario, workload, load, own, first);
    let start = Moment(0) + workload.at;
    let mut at = start;
    for job in &mut load.jobs[own..] {
        match workload.arrivals {
            Arrivals::Batch | Arrivals::Adaptive(_) => {}
            Arrivals::Even(_) => at = Moment((at + every).0),
            Arrivals::Poisson(_) => {
                at = at + Span::from_secs_f64(every.as_secs_f64() * dice.moments.exponential());
            }
            Arrivals::Wave(_, period) => {
                let calm = every.as_secs_f64() * dice.moments.exponential();
                at = start + wave::after(at.since(start), calm, period);
            }
        }
        job.at = at;
        // Where all come alike, a home is drawn as well, so that no order is hidden in it.
        if workload.arrivals != Arrivals::Batch || workload.skew.is_some() {
            job.home = homes[place(workload, homes.len(), &mut dice.homes)];
        }
    }
}

/// All at once: a job for each home and owner, its tasks dealt in turn.
fn batches(workload: &Workload, homes: &[usize], first: usize, load: &mut Load) {
    let (owners, tasks) = (workload.owners as usize, load.tasks.split_off(first));
    let many = homes.len() * owners;
    let mut dealt: Vec<Vec<Piece>> = vec![Vec::new(); many];
    let all = tasks.len();
    for (number, task) in tasks.into_iter().enumerate() {
        let home = match workload.skew {
            // The first so many of each hundred are dealt among the first homes.
            Some((share, part)) if (number as f64) < share * all as f64 => {
                number % hot(part, homes.len())
            }
            _ => number % homes.len(),
        };
        dealt[home * owners + number / homes.len() % owners].push(task);
    }
    for (at, tasks) in dealt.into_iter().enumerate().filter(|(_, tasks)| !tasks.is_empty()) {
        let (start, count) = (load.tasks.len(), tasks.len());
        load.tasks.extend(tasks);
        load.jobs.push(job(workload, (start, count), homes[at / owners], (at % owners) as u32));
    }
}

fn job(workload: &Workload, (first, count): (usize, usize), home: usize, owner: u32) -> Arrival {
    let at = Moment(0) + workload.at;
    Arrival { at, home, owner, first: first as u32, count: count as u32 }
}

/// How long it is between two jobs.
fn pace(s: &Scenario, workload: &Workload, load: &Load, own: usize, first: usize) -> Span {
    let (Arrivals::Poisson(pace) | Arrivals::Even(pace) | Arrivals::Wave(pace, _)) =
        workload.arrivals
    else {
        return Span::ZERO;
    };
    match pace {
        Pace::Every(span) => span,
        Pace::Rho(rho) => {
            let work: f64 = load.tasks[first..].iter().map(|task| task.real).sum();
            let jobs = (load.jobs.len() - own).max(1) as f64;
            let cores = workload.need.milli_cpus as f64 / 1e3;
            let each = work * cores * s.unit.as_secs_f64() / jobs;
            Span::from_secs_f64(each / (rho * s.power()))
        }
    }
}

/// At which of so many homes a task arrives.
fn place(workload: &Workload, homes: usize, lot: &mut Lot) -> usize {
    let among = match workload.skew {
        Some((share, part)) if draw::share(lot) < share => hot(part, homes),
        _ => homes,
    };
    lot.below(among as u64) as usize
}

/// How many homes are this share of them; at least one.
fn hot(part: f64, homes: usize) -> usize {
    ((part * homes as f64).ceil() as usize).clamp(1, homes)
}
