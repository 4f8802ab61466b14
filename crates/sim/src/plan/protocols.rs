//! Placement protocols as chaos draws them: nodes change to queues that are bounded and to the
//! other ways of sharing out tasks, and from each to any other policy, while work goes on.

use crate::lot::Lot;
use crate::plan::Plan;
use crate::plan::swaps::Swaps;

/// They, as plans change to them.
const SWAPS: Swaps = Swaps { mark: " ", one: protocol };

/// Draws changes to them in two fifths of the plans.
pub(crate) fn draw(plan: &mut Plan, lot: &mut Lot) {
    if !lot.percent(40) {
        return;
    }
    plan.limits.offers_max = lot.one_of(&[3, 30, 300]) as usize;
    SWAPS.draw(plan, lot);
}

/// Takes it all away.
pub(crate) fn leave_out(plan: &mut Plan) {
    SWAPS.leave_out(plan);
}

/// One of the protocols, with other parts at times.
fn protocol(lot: &mut Lot) -> String {
    let all = [
        "work-stealing-classic",
        "work-stealing-classic,steal_by=idle",
        "sparrow",
        "broadcast",
        "pids-broadcast",
        "pids-as-written",
    ];
    let mut text = lot.one_of(&all).to_owned();
    if text.starts_with("pids") || text == "broadcast" {
        text += &format!(",claim_timeout={}", lot.one_of(&["20ms", "500ms", "5s"]));
    }
    let orders = ["fifo", "heaviest-first", "b-level", "priority"];
    if lot.percent(30) {
        text += &format!(",order={}", lot.one_of(&orders));
    }
    if lot.percent(30) {
        text += &format!(",force={}", lot.one_of(&["gravity", "least-loaded", "random"]));
    }
    if text.starts_with("sparrow") && lot.percent(30) {
        text += &format!(",probes={}", lot.one_of(&[1, 3, 8]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{SWAPS, leave_out};
    use crate::plan::Plan;

    #[test]
    fn some_plans_change_to_a_protocol_and_none_does_where_they_are_left_out() {
        let mut plans: Vec<Plan> = (0..100).map(Plan::of).collect();
        let some =
            |plan: &&Plan| plan.changes.iter().any(|(.., policy)| policy.starts_with(SWAPS.mark));
        let drawn = plans.iter().filter(some).count();
        assert!((25..60).contains(&drawn), "{drawn} of 100 plans draw protocols");
        plans.iter_mut().for_each(leave_out);
        assert!(!plans.iter().any(|plan| some(&plan)));
    }
}
