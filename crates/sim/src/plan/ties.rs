//! Ties as chaos draws them: jobs that wait for others, of other shards or their own; limits over
//! the whole cluster that tasks of several jobs share; and tasks that only some nodes can run.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_model::node::NodeInfo;
use bary_model::task::{Body, Permit, TaskSpec};

use crate::lot::Lot;
use crate::plan::bodies::resources;
use crate::plan::{Act, Fault, FaultKind, JobPlan, Plan};

/// Larger arrays are drawn under no limit: their tasks run one after another for too long.
const LIMITED_TASKS_MAX: u32 = 300;

/// Lets some jobs wait for some that are submitted before them.
pub(crate) fn waits(plan: &mut Plan, lot: &mut Lot) {
    if !lot.percent(35) {
        return;
    }
    let homes: Vec<usize> = plan.jobs.iter().map(|job| job.home).collect();
    for at in 1..homes.len() {
        if !lot.percent(60) {
            continue;
        }
        for before in 0..at {
            let chance = if homes[before] == homes[at] { 15 } else { 50 };
            if lot.percent(chance) {
                plan.jobs[at].after.push(before);
            }
        }
    }
}

/// Puts some tasks under one or two limits. Now and then tasks differ in what they say that a
/// limit is.
pub(crate) fn limits(plan: &mut Plan, lot: &mut Lot) {
    if !lot.percent(30) {
        return;
    }
    let most: Vec<u32> = (0..lot.between(1, 2)).map(|_| lot.between(1, 5) as u32).collect();
    let names = ["licence", "quota"];
    let (differ, chance) = (lot.percent(15), lot.one_of(&[30, 70, 100]));
    permits(plan, |spec| {
        if spec.count > LIMITED_TASKS_MAX || !lot.percent(chance) {
            return None;
        }
        let which = lot.below(most.len() as u64) as usize;
        let more = if differ { lot.below(3) as u32 } else { 0 };
        Some(Permit { name: names[which].into(), most: most[which] + more })
    });
}

/// Takes all limits away.
pub(crate) fn free(plan: &mut Plan) {
    permits(plan, |_| None);
}

/// In a quarter of the worlds in which no node ends for good, lets some tasks ask for what some
/// node has, rather than for what the first node has.
pub(crate) fn hosts(plan: &mut Plan, lot: &mut Lot) {
    let dies = |fault: &Fault| matches!(fault.kind, FaultKind::Death { .. });
    if !lot.percent(25) || plan.faults.iter().any(dies) {
        return;
    }
    plan.tame = Some(plan.jobs.clone());
    let infos: Vec<NodeInfo> = plan.nodes.iter().map(|node| node.info.clone()).collect();
    bodies(plan, |spec| {
        let host = &infos[lot.below(infos.len() as u64) as usize];
        let resources = resources(lot, host);
        let mut body = Body::clone(&spec.body);
        if lot.percent(50) {
            body.request.resources = resources;
            let zones = body.request.labels.iter_mut().filter(|rule| &*rule.label == "zone");
            zones.for_each(|rule| rule.value.clone_from(&host.labels["zone"]));
        }
        body
    });
}

/// Gives each body the limit that is said for the first spec that has it.
fn permits(plan: &mut Plan, mut permit: impl FnMut(&TaskSpec) -> Option<Permit>) {
    bodies(plan, |spec| Body { permit: permit(spec), ..Body::clone(&spec.body) });
}

/// Replaces each body by what is said for the first spec that has it.
fn bodies(plan: &mut Plan, mut other: impl FnMut(&TaskSpec) -> Body) {
    let mut made: BTreeMap<*const Body, Arc<Body>> = BTreeMap::new();
    let mut change = |specs: &Arc<[Arc<TaskSpec>]>| -> Arc<[Arc<TaskSpec>]> {
        let each = specs.iter().map(|spec| {
            let body = made.entry(Arc::as_ptr(&spec.body)).or_insert_with(|| {
                let other = other(spec);
                if other == *spec.body { Arc::clone(&spec.body) } else { Arc::new(other) }
            });
            if Arc::ptr_eq(body, &spec.body) {
                return Arc::clone(spec);
            }
            Arc::new(TaskSpec { body: Arc::clone(body), ..TaskSpec::clone(spec) })
        });
        each.collect()
    };
    // The bodies that there were stay until all are done, as they are known by where they lie.
    let before = plan.jobs.clone();
    for JobPlan { spec, then, .. } in &mut plan.jobs {
        spec.specs = change(&spec.specs);
        for (_, act) in then {
            if let Act::Extend(specs) = act {
                *specs = change(specs);
            }
        }
    }
    drop(before);
}

#[cfg(test)]
mod tests {
    use crate::plan::Plan;

    fn permits(plan: &Plan) -> usize {
        plan.specs().filter(|spec| spec.body.permit.is_some()).count()
    }

    #[test]
    fn some_plans_have_waits_and_limits_and_jobs_wait_for_earlier_ones() {
        let plans: Vec<Plan> = (0..60).map(Plan::of).collect();
        let waits = |plan: &&Plan| plan.jobs.iter().any(|job| !job.after.is_empty());
        let (waiting, limited) = (
            plans.iter().filter(waits).count(),
            plans.iter().filter(|plan| permits(plan) > 0).count(),
        );
        assert!((5..40).contains(&waiting), "{waiting} of 60 plans have jobs that wait");
        assert!((5..40).contains(&limited), "{limited} of 60 plans have limits");
        for plan in &plans {
            for (at, job) in plan.jobs.iter().enumerate() {
                assert!(job.after.iter().all(|before| *before < at));
            }
        }
    }

    #[test]
    fn what_is_freed_has_no_limit_and_is_else_the_same() {
        let plans = (0..60).map(Plan::of);
        let mut plan = plans.into_iter().find(|plan| permits(plan) > 0).expect("some have");
        let tasks = plan.tasks();
        super::free(&mut plan);
        assert_eq!((permits(&plan), plan.tasks()), (0, tasks));
    }
}
