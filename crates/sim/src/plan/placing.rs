//! Rules of placement as chaos draws them: nodes change to other forces, orders, queues, copies of
//! stragglers, layouts and flows, and back, while work goes on.

use crate::lot::Lot;
use crate::plan::Plan;
use crate::plan::swaps::Swaps;

/// They, as plans change to them.
const SWAPS: Swaps = Swaps { mark: "\t", one: rule };

/// Draws changes to them in a third of the plans.
pub(crate) fn draw(plan: &mut Plan, lot: &mut Lot) {
    if !lot.percent(33) {
        return;
    }
    SWAPS.draw(plan, lot);
}

/// Takes it all away.
pub(crate) fn leave_out(plan: &mut Plan) {
    SWAPS.leave_out(plan);
}

/// One of the rules, with other parts at times.
fn rule(lot: &mut Lot) -> String {
    let presets = [
        "gravity",
        "giants",
        "heft",
        "shortest-remaining",
        "deadline",
        "fair-share",
        "power-of-two",
        "least-used",
        "magnetic",
        "geo",
        "quantum",
        "resource-aware",
        "locality",
        "eft",
        "topology",
        "capability",
        "central",
        "fiedler",
        "mixed",
        "fcfs",
        "easy",
        "fair",
    ];
    let mut text = lot.one_of(&presets).to_owned();
    let parts: [(&str, &[&str]); 10] = [
        ("delay", &["5ms", "500ms", "5s"]),
        ("giants", &["1", "1.1", "3"]),
        ("flow", &["none", "laplacian"]),
        ("queue", &["fcfs,binding=pull", "easy,binding=pull", "fair,binding=pull"]),
        ("speculate", &["late"]),
        ("age_min", &["1ms", "100ms"]),
        ("layout", &["three", "one", "split"]),
        ("weights", &["learnt"]),
        ("looks", &["1", "2"]),
        ("distances", &["measured"]),
    ];
    for (part, values) in parts {
        if lot.percent(15) {
            text += &format!(",{part}={}", lot.one_of(values));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use bary_policy::preset;

    use super::{SWAPS, leave_out, rule};
    use crate::lot::Lot;
    use crate::plan::Plan;

    #[test]
    fn whatever_is_drawn_is_a_policy() {
        let mut lot = Lot::new(1, "placing");
        for _ in 0..1_000 {
            let text = SWAPS.mark.to_owned() + &rule(&mut lot);
            assert!(preset::parse(&text).is_ok(), "{text}");
        }
    }

    #[test]
    fn some_plans_change_to_a_rule_and_none_does_where_they_are_left_out() {
        let mut plans: Vec<Plan> = (0..100).map(Plan::of).collect();
        let some =
            |plan: &&Plan| plan.changes.iter().any(|(.., policy)| policy.starts_with(SWAPS.mark));
        let drawn = plans.iter().filter(some).count();
        assert!((15..50).contains(&drawn), "{drawn} of 100 plans draw rules");
        plans.iter_mut().for_each(leave_out);
        assert!(!plans.iter().any(|plan| some(&plan)));
    }
}
