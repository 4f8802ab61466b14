//! Jobs as chaos draws them: graphs of plain tasks and arrays, and what their clients do later.

use std::sync::Arc;

use bary_model::id::SpecNo;
use bary_model::job::{Enough, Halt, HaltOn, JobSpec, SubmissionKey};
use bary_model::task::{After, TaskSpec};
use bary_model::time::{Moment, Span};

use crate::lot::Lot;
use crate::plan::bodies::a_body;
use crate::plan::ready::spec;
use crate::plan::{Act, JobPlan, Plan};

/// Draws the jobs of a plan whose nodes are drawn already; at least so many tasks where that is
/// wanted.
pub(crate) fn draw(plan: &mut Plan, tasks: Option<u32>, lot: &mut Lot) {
    let homes = plan.nodes.iter().filter(|node| node.home).count() as u64;
    for number in 0..lot.between(1, 6) {
        let at = lot.one_of(&[0, 0, 5, 50, 400, 1_500]);
        let home = lot.below(homes) as usize;
        plan.jobs.push(one(plan, lot, Moment(0) + Span::millis(at), home, number));
    }
    if let Some(tasks) = tasks {
        let short = u64::from(tasks).saturating_sub(plan.tasks());
        if short > 0 {
            let body = Arc::new(a_body(plan, lot, &[]));
            let specs = vec![spec(short.min(u64::from(tasks)) as u32, 100, &body)];
            let mut job = crate::plan::ready::job(specs);
            job.key = Some(key(lot, plan.jobs.len() as u64));
            plan.jobs.push(JobPlan::new(Moment(0), 0, job));
        }
    }
    plan.jobs.sort_by_key(|job| job.at);
}

fn one(plan: &Plan, lot: &mut Lot, at: Moment, home: usize, number: u64) -> JobPlan {
    let open = lot.percent(30);
    let first = if lot.percent(5) { Vec::new() } else { graph(plan, lot) };
    let specs: Vec<_> = first.into_iter().map(Arc::new).collect();
    let halt = lot.percent(15).then(|| halt(lot));
    let key = Some(key(lot, number));
    let spec = JobSpec { open, halt, key, ..JobSpec::new("chaos", specs) };
    let mut then = Vec::new();
    let wait = |lot: &mut Lot| Span::millis(lot.one_of(&[0, 1, 20, 100, 1_000]) + lot.below(10));
    if open {
        for _ in 0..lot.below(3) {
            let specs = graph(plan, lot).into_iter().map(Arc::new).collect();
            then.push((wait(lot), Act::Extend(specs)));
        }
    }
    for _ in 0..lot.one_of(&[0, 0, 0, 1, 2]) {
        let running = lot.percent(50);
        then.push((wait(lot), Act::Cancel { running }));
    }
    if open {
        then.push((wait(lot), Act::Close));
    }
    if lot.percent(20) {
        then.push((wait(lot), Act::Retry));
    }
    JobPlan { then, ..JobPlan::new(at, home, spec) }
}

fn key(lot: &mut Lot, number: u64) -> SubmissionKey {
    let key = u128::from(lot.below(u64::MAX)) << 64 | u128::from(number);
    SubmissionKey { key, content: lot.below(u64::MAX) }
}

fn halt(lot: &mut Lot) -> Halt {
    let on = lot.one_of(&[HaltOn::Failed, HaltOn::Succeeded, HaltOn::Ended]);
    let enough = if lot.percent(50) {
        Enough::Tasks(lot.between(1, 20))
    } else {
        Enough::Percent(lot.between(1, 60) as f64)
    };
    Halt { on, enough, running: lot.percent(50) }
}

/// Some specs, each waiting for some of those before it; some bodies are shared.
fn graph(plan: &Plan, lot: &mut Lot) -> Vec<TaskSpec> {
    if lot.percent(20) {
        let body = Arc::new(a_body(plan, lot, &[]));
        let many = lot.between(1, 200);
        return (0..many).map(|_| spec(1, 1_000 * lot.between(1, 10), &body)).collect();
    }
    let mut specs: Vec<TaskSpec> = Vec::new();
    for _ in 0..lot.between(1, 8) {
        let mut count = lot.one_of(&[1, 1, 2, 7, 20, 300]) as u32;
        if specs.is_empty() && lot.percent(10) {
            count = lot.between(1_000, 4_000) as u32;
        }
        let after = dependencies(lot, &specs, &mut count);
        let body = Arc::new(a_body(plan, lot, &after));
        let weight = if count > 100 { 100 } else { lot.one_of(&[10, 1_000, 10_000]) };
        let mut made = spec(count, weight, &body);
        made.array |= lot.percent(20);
        made.after = after.into();
        specs.push(made);
    }
    specs
}

/// What a new spec waits for; the first aligned dependency decides how many tasks it has.
fn dependencies(lot: &mut Lot, specs: &[TaskSpec], count: &mut u32) -> Vec<After> {
    let mut after: Vec<After> = Vec::new();
    for (number, other) in specs.iter().enumerate() {
        if lot.percent(30) {
            let aligned = lot.percent(60);
            if aligned && after.iter().all(|after| !after.aligned) {
                *count = other.count;
            }
            let aligned = aligned && *count == other.count;
            after.push(After { spec: SpecNo(number as u32), aligned });
        }
    }
    for one in &mut after {
        one.aligned &= specs[one.spec.index()].count == *count;
    }
    after
}
