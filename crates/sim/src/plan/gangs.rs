//! Gangs as chaos draws them: some arrays are gangs that the first node alone has room for, so that
//! what fails is never that there are too few nodes.

use std::sync::Arc;

use bary_model::task::TaskSpec;

use crate::lot::Lot;
use crate::plan::{Act, JobPlan, Plan};

/// Makes gangs of some arrays in a third of the plans.
pub(crate) fn draw(plan: &mut Plan, lot: &mut Lot) {
    if !lot.percent(33) {
        return;
    }
    let chance = lot.one_of(&[20, 50, 100]);
    let most = sizes_max(plan);
    let sizes = most.into_iter().map(|most| {
        let drawn = lot.between(2, 6) as u16;
        if lot.percent(chance) && u32::from(drawn) <= most { drawn } else { 0 }
    });
    let sizes: Vec<u16> = sizes.collect();
    set(&mut plan.jobs, &sizes);
    if let Some(tame) = &mut plan.tame {
        set(tame, &sizes);
    }
}

/// Leaves every task alone.
pub(crate) fn leave_out(plan: &mut Plan) {
    set(&mut plan.jobs, &[]);
    if let Some(tame) = &mut plan.tame {
        set(tame, &[]);
    }
}

/// How many ranks the first node has room for at a time, by the place of each spec.
fn sizes_max(plan: &Plan) -> Vec<u32> {
    let host = &plan.nodes[0].info;
    let limit = plan.limits.grant_items_max as u64;
    let room = |spec: &TaskSpec| {
        let request = &spec.body.request;
        let room = host.resources.times(&request.resources).min(limit);
        let aligned = TaskSpec { gang: 1, ..TaskSpec::clone(spec) }.misformed().is_some();
        if aligned || !host.can_run(request) { 0 } else { room as u32 }
    };
    let mut most: Vec<u32> = plan.jobs.iter().flat_map(specs).map(|spec| room(spec)).collect();
    let tame = plan.tame.iter().flatten().flat_map(specs);
    for (most, spec) in most.iter_mut().zip(tame) {
        *most = (*most).min(room(spec));
    }
    most
}

fn specs(job: &JobPlan) -> impl Iterator<Item = &Arc<TaskSpec>> {
    let more = job.then.iter().flat_map(|(_, act)| match act {
        Act::Extend(specs) => &specs[..],
        _ => &[],
    });
    job.spec.specs.iter().chain(more)
}

/// Gives each spec gangs of the size at its place, where its tasks come out even.
fn set(jobs: &mut [JobPlan], sizes: &[u16]) {
    let mut sizes = sizes.iter().copied();
    let mut change = |specs: &Arc<[Arc<TaskSpec>]>| -> Arc<[Arc<TaskSpec>]> {
        let each = specs.iter().map(|spec| {
            let size = sizes.next().unwrap_or(0);
            let gang = if spec.count.checked_rem(size.into()) == Some(0) { size } else { 0 };
            if gang == spec.gang {
                return Arc::clone(spec);
            }
            Arc::new(TaskSpec { gang, ..TaskSpec::clone(spec) })
        });
        each.collect()
    };
    for JobPlan { spec, then, .. } in jobs {
        spec.specs = change(&spec.specs);
        for (_, act) in then {
            if let Act::Extend(specs) = act {
                *specs = change(specs);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::leave_out;
    use crate::plan::Plan;

    #[test]
    fn some_plans_have_gangs_that_can_be_and_none_has_where_they_are_left_out() {
        let mut plans: Vec<Plan> = (0..200).map(Plan::of).collect();
        let gangs = |plan: &Plan| plan.specs().filter(|spec| spec.gang > 0).count();
        assert!(plans.iter().all(|plan| plan.specs().all(|spec| spec.misformed().is_none())));
        let some = plans.iter().filter(|plan| gangs(plan) > 0).count();
        assert!((20..60).contains(&some), "{some} of 200 plans have gangs");
        plans.iter_mut().for_each(leave_out);
        assert_eq!(plans.iter().map(gangs).sum::<usize>(), 0);
    }
}
