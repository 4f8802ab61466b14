//! What users change while work goes on, as chaos draws it: jobs that are held, begin later, go
//! ahead and are forgotten; nodes that are drained for a while; tasks that leave checkpoints.

use bary_model::time::{Moment, Span, Wall};

use crate::lot::Lot;
use crate::plan::{Act, JobPlan, Plan};

/// A node is drained, or taken up again.
#[derive(Clone, Copy, Debug)]
pub struct DrainPlan {
    /// When.
    pub at: Moment,
    /// The node whose homes are asked to.
    pub asked: usize,
    /// The node that gets nothing more of them.
    pub node: usize,
    /// Whether it is drained, rather than taken up again.
    pub drain: bool,
}

/// Draws it for a plan whose jobs are drawn already.
pub(crate) fn draw(plan: &mut Plan, lot: &mut Lot) {
    if !lot.percent(45) {
        return;
    }
    plan.limits.retains_finished = lot.percent(50);
    plan.checkpoints = lot.one_of(&[0, 0, 10, 50]);
    for job in &mut plan.jobs {
        steer(job, lot);
    }
    drains(plan, lot);
}

/// Takes it all away.
pub(crate) fn leave_alone(plan: &mut Plan) {
    plan.drains.clear();
    plan.checkpoints = 0;
    for job in &mut plan.jobs {
        job.spec.about = bary_model::job::About::default();
        job.then
            .retain(|(_, act)| !matches!(act, Act::Hold { .. } | Act::Prioritise(_) | Act::Forget));
    }
}

fn wait(lot: &mut Lot) -> Span {
    Span::millis(lot.one_of(&[0, 1, 20, 300]) + lot.below(10))
}

fn steer(job: &mut JobPlan, lot: &mut Lot) {
    let about = &mut job.spec.about;
    if lot.percent(25) {
        about.priority = lot.below(7) as i32 - 3;
    }
    if lot.percent(20) {
        about.not_before = Some(Wall(Span::millis(lot.below(3_000)).0));
    }
    about.held = lot.percent(20);
    // A retry waits for the job to finish, which a held one would not.
    let first_retry = job.then.iter().position(|(_, act)| matches!(act, Act::Retry));
    let before = first_retry.unwrap_or(job.then.len()) as u64;
    let at = lot.below(before + 1) as usize;
    if about.held {
        job.then.insert(at, (wait(lot), Act::Hold { held: false }));
    } else if lot.percent(30) {
        job.then.insert(at, (wait(lot), Act::Hold { held: true }));
        job.then.insert(at + 1, (wait(lot), Act::Hold { held: false }));
    }
    if lot.percent(25) {
        let at = lot.below(job.then.len() as u64 + 1) as usize;
        job.then.insert(at, (wait(lot), Act::Prioritise(lot.below(9) as i32 - 4)));
    }
    if lot.percent(20) {
        job.then.push((wait(lot), Act::Forget));
    }
}

/// Some nodes are drained, and again undrained before all is calm.
fn drains(plan: &mut Plan, lot: &mut Lot) {
    let nodes = plan.nodes.len() as u64;
    for _ in 0..lot.one_of(&[0, 1, 2]) {
        let (asked, node) = (lot.below(nodes) as usize, lot.below(nodes) as usize);
        let at = Span::millis(lot.below(plan.calm.0 / 1_000_000 + 1));
        let until = Span(at.0 + lot.below(plan.calm.0 - at.0.min(plan.calm.0) + 1));
        for (at, drain) in [(at, true), (until.min(Span(plan.calm.0)), false)] {
            plan.drains.push(DrainPlan { at: Moment(0) + at, asked, node, drain });
        }
    }
    plan.drains.sort_by_key(|drain| drain.at);
}

#[cfg(test)]
mod tests {
    use crate::plan::{Act, Plan};

    #[test]
    fn some_plans_are_steered_and_what_is_held_is_released() {
        let plans: Vec<Plan> = (0..100).map(Plan::of).collect();
        let held = |plan: &&Plan| plan.jobs.iter().any(|job| job.spec.about.held);
        let drained = plans.iter().filter(|plan| !plan.drains.is_empty()).count();
        let held = plans.iter().filter(held).count();
        assert!((10..60).contains(&drained), "{drained} of 100 plans drain nodes");
        assert!((10..60).contains(&held), "{held} of 100 plans have held jobs");
        for job in plans.iter().flat_map(|plan| &plan.jobs) {
            let holds = job.then.iter().filter_map(|(_, act)| match act {
                Act::Hold { held } => Some(*held),
                _ => None,
            });
            let last = std::iter::once(job.spec.about.held).chain(holds).last();
            assert_eq!(last, Some(false));
        }
        for plan in &plans {
            assert!(plan.drains.iter().all(|drain| drain.at <= plan.calm));
        }
    }

    #[test]
    fn what_is_left_alone_is_not_steered() {
        let mut plan = (0..).map(Plan::of).find(|plan| !plan.drains.is_empty()).expect("one is");
        super::leave_alone(&mut plan);
        assert!(plan.drains.is_empty() && plan.checkpoints == 0);
        assert!(plan.jobs.iter().all(|job| !job.spec.about.held));
    }
}
