//! How many nodes there should be: rules that look at the load and say how many to add or to take
//! away, and the bounds, pauses, steps and dead band that keep any of them from running wild.

pub mod bounds;
pub mod cost;
pub mod gauge;
pub mod queue;
pub mod recent;
pub mod wait;

use std::fmt;

use bary_model::time::{Moment, Span};

use crate::scale::bounds::Bounds;
use crate::scale::recent::Recent;

/// What a rule sees: facts of the whole cluster, already counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScaleView {
    /// The moment.
    pub now: Moment,
    /// Nodes that are there or on their way, without those that are leaving.
    pub nodes: u32,
    /// How many of them run something.
    pub busy: u32,
    /// Tasks that nobody has begun.
    pub queued: u64,
    /// How long they would keep one node busy, all together.
    pub backlog: Span,
    /// How many nodes it takes to keep up with the work that arrives, in thousandths: how long the
    /// work of some while would keep one node busy, over how long that while was.
    pub offered: u64,
    /// How long a task keeps a node busy, on average; zero where none was seen.
    pub each: Span,
    /// When nodes were last added, if they were.
    pub added: Option<Moment>,
    /// When nodes were last taken away, if they were.
    pub removed: Option<Moment>,
}

/// How many nodes a rule would have, if nothing held it back.
pub trait Rule: Send + Sync + fmt::Debug {
    /// The name under which people choose it.
    fn name(&self) -> &'static str;

    /// The number of nodes, and why, in words.
    fn wanted(&self, view: &ScaleView) -> (u64, String);
}

/// What is to be done, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// How many nodes to add.
    pub add: u32,
    /// How many to take away; never together with `add`.
    pub remove: u32,
    /// How many there should be by the rule, within the bounds.
    pub wanted: u32,
    /// Why, or why not, in words.
    pub reason: String,
}

impl Change {
    fn none(reason: String) -> Self {
        Self { add: 0, remove: 0, wanted: 0, reason }
    }
}

/// What a rule comes to within its bounds; `recent` is what it wanted at the looks before. Nodes
/// that run something are never taken away, unless there are more than may be.
#[must_use]
pub fn decide(rule: &dyn Rule, bounds: &Bounds, view: &ScaleView, recent: &mut Recent) -> Change {
    let (wanted, why) = rule.wanted(view);
    let most = u64::from(bounds.most);
    let within = |wanted: u64| wanted.clamp(u64::from(bounds.least).min(most), most) as u32;
    let lately = within(recent.most(view.now, wanted, bounds.steady));
    let now = within(wanted);
    let reason = if u64::from(now) == wanted {
        format!("{}: {why}", rule.name())
    } else {
        format!("{}: {why}; the bounds allow {now}", rule.name())
    };
    if view.nodes > bounds.most {
        return Change { add: 0, remove: view.nodes - bounds.most, wanted: now, reason };
    }
    if view.nodes < bounds.least {
        return Change { add: now - view.nodes, remove: 0, wanted: now, reason };
    }
    let change = match now > view.nodes {
        true => more(bounds, view, now - view.nodes, reason),
        false => fewer(bounds, view, lately, reason),
    };
    Change { wanted: now, ..change }
}

/// Whether so little time has gone by since a moment.
fn pauses(view: &ScaleView, moment: Option<Moment>, pause: Span) -> bool {
    moment.is_some_and(|moment| view.now.since(moment) < pause)
}

fn more(bounds: &Bounds, view: &ScaleView, more: u32, reason: String) -> Change {
    if bounds.hardly(more, view.nodes) {
        return Change::none(format!("{reason}; that is within the band"));
    }
    if pauses(view, view.added, bounds.pause_add) {
        return Change::none(format!("{reason}; nodes were added just now"));
    }
    let add = more.min(bounds.most_added(view.nodes));
    Change { add, ..Change::none(reason) }
}

/// `lately` is the most that was wanted within the window that counts.
fn fewer(bounds: &Bounds, view: &ScaleView, lately: u32, reason: String) -> Change {
    let stay = lately.max(view.busy.min(view.nodes));
    let fewer = view.nodes.saturating_sub(stay);
    if fewer == 0 {
        let why = if lately >= view.nodes { "more were wanted lately" } else { "all are busy" };
        return Change::none(format!("{reason}; {why}"));
    }
    if bounds.hardly(fewer, view.nodes) {
        return Change::none(format!("{reason}; that is within the band"));
    }
    let paused = [view.added, view.removed];
    if paused.into_iter().any(|moment| pauses(view, moment, bounds.pause_remove)) {
        return Change::none(format!("{reason}; the number changed not long ago"));
    }
    let remove = fewer.min(bounds.most_removed(view.nodes));
    Change { remove, ..Change::none(reason) }
}

/// Divides and rounds up; by zero, the most there is.
fn divided(number: u64, by: u64) -> u64 {
    if by == 0 { u64::MAX } else { number.div_ceil(by) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    /// Wants so many nodes whatever happens.
    #[derive(Debug)]
    struct Wants(u64);

    impl Rule for Wants {
        fn name(&self) -> &'static str {
            "wants"
        }

        fn wanted(&self, _: &ScaleView) -> (u64, String) {
            (self.0, format!("{} are wanted", self.0))
        }
    }

    pub(crate) fn view(nodes: u32, busy: u32, queued: u64) -> ScaleView {
        ScaleView {
            now: Moment(3_600_000_000_000),
            nodes,
            busy,
            queued,
            backlog: Span::secs(queued * 10),
            offered: u64::from(busy) * 1_000,
            each: Span::secs(10),
            added: None,
            removed: None,
        }
    }

    fn came(wanted: u64, view: ScaleView) -> (u32, u32) {
        let bounds = Bounds { least: 2, most: 50, step_remove: 100, ..Bounds::default() };
        let change = decide(&Wants(wanted), &bounds, &view, &mut Recent::default());
        (change.add, change.remove)
    }

    #[test]
    fn a_rule_has_its_way_within_the_bounds() {
        assert_eq!(came(30, view(20, 20, 5)), (10, 0));
        assert_eq!(came(99, view(30, 30, 5)), (20, 0));
        assert_eq!(came(10, view(20, 2, 0)), (0, 10));
        assert_eq!(came(0, view(20, 2, 0)), (0, 18));
        assert_eq!(came(20, view(20, 2, 0)), (0, 0));
        assert_eq!(came(20, view(0, 0, 0)), (20, 0));
    }

    #[test]
    fn what_is_too_much_goes_and_what_is_too_little_comes_without_a_pause() {
        let now = view(60, 60, 9);
        assert_eq!(came(60, ScaleView { added: Some(now.now), ..now }), (0, 10));
        let now = view(1, 1, 9);
        assert_eq!(came(1, ScaleView { added: Some(now.now), ..now }), (1, 0));
    }

    #[test]
    fn small_waves_and_recent_changes_change_nothing() {
        assert_eq!(came(18, view(20, 2, 0)), (0, 0));
        assert_eq!(came(17, view(20, 2, 0)), (0, 3));
        assert_eq!(came(22, view(20, 20, 0)), (0, 0));
        assert_eq!(came(23, view(20, 20, 0)), (3, 0));
        let ago = |seconds: u64| Some(Moment(view(1, 1, 1).now.0 - seconds * 1_000_000_000));
        assert_eq!(came(10, ScaleView { removed: ago(899), ..view(20, 2, 0) }), (0, 0));
        assert_eq!(came(10, ScaleView { removed: ago(900), ..view(20, 2, 0) }), (0, 10));
        assert_eq!(came(30, ScaleView { added: ago(179), ..view(20, 20, 9) }), (0, 0));
        let now = ScaleView { added: ago(180), removed: ago(1), ..view(20, 20, 9) };
        assert_eq!(came(30, now), (10, 0));
    }

    #[test]
    fn a_step_is_bounded_both_ways() {
        let bounds = Bounds { most: 1_000, ..Bounds::default() };
        let came = |wanted, view: ScaleView| {
            let change = decide(&Wants(wanted), &bounds, &view, &mut Recent::default());
            (change.add, change.remove)
        };
        assert_eq!(came(500, view(20, 20, 0)), (20, 0));
        assert_eq!(came(500, view(1, 1, 0)), (4, 0));
        assert_eq!(came(1, view(20, 1, 0)), (0, 10));
        assert_eq!(came(0, view(2, 0, 0)), (0, 1));
    }

    #[test]
    fn what_was_wanted_within_the_window_stays() {
        let (bounds, mut recent) = (Bounds::default(), Recent::default());
        let mut at = |seconds: u64, wanted| {
            let view = ScaleView { now: Moment(0) + Span::secs(seconds), ..view(20, 2, 0) };
            decide(&Wants(wanted), &bounds, &view, &mut recent).remove
        };
        assert_eq!([at(1_000, 20), at(1_100, 15), at(1_800, 10)], [0, 0, 0]);
        assert_eq!([at(1_901, 10), at(2_001, 10), at(2_701, 10)], [5, 10, 10]);
    }

    #[test]
    fn a_change_says_why() {
        let bounds = Bounds { most: 50, ..Bounds::default() };
        let change = decide(&Wants(99), &bounds, &view(9, 9, 0), &mut Recent::default());
        assert_eq!(change.reason, "wants: 99 are wanted; the bounds allow 50");
        let wrong = Bounds { least: 3, most: 2, band: 100, step_add: 0, ..Bounds::default() };
        assert_eq!(wrong.check().len(), 3);
    }

    /// How the number of nodes changes under a rule, look by look, if so many are wanted.
    fn course(bounds: &Bounds, mut nodes: u32, wanted: impl Iterator<Item = u64>) -> Vec<i64> {
        let (mut recent, mut changes) = (Recent::default(), Vec::new());
        let mut now = ScaleView { added: None, removed: None, ..view(nodes, 0, 0) };
        for wanted in wanted {
            now = ScaleView { nodes, now: now.now + Span::secs(15), ..now };
            let change = decide(&Wants(wanted), bounds, &now, &mut recent);
            now.added = if change.add > 0 { Some(now.now) } else { now.added };
            now.removed = if change.remove > 0 { Some(now.now) } else { now.removed };
            nodes = nodes + change.add - change.remove;
            if change.add + change.remove > 0 {
                changes.push(i64::from(change.add) - i64::from(change.remove));
            }
        }
        changes
    }

    proptest! {
        #[test]
        fn nobody_leaves_the_bounds(
            wanted in any::<u64>(), nodes in 0..200_u32, least in 0..50_u32, more in 0..50_u32,
        ) {
            let bounds = Bounds { least, most: least + more, ..Bounds::default() };
            let view = view(nodes, 0, 0);
            let change = decide(&Wants(wanted), &bounds, &view, &mut Recent::default());
            let then = nodes + change.add - change.remove;
            prop_assert!(change.add == 0 || change.remove == 0);
            prop_assert!((least..=least + more).contains(&then) || change.remove + change.add == 0);
        }

        #[test]
        fn never_fewer_than_run_something_are_left(
            wanted in any::<u64>(), nodes in 0..100_u32, idle in 0..100_u32, queued in 0..9_u64,
        ) {
            let busy = nodes.saturating_sub(idle);
            let view = view(nodes, busy, queued);
            let change = decide(&Wants(wanted), &Bounds::default(), &view, &mut Recent::default());
            prop_assert!(nodes - change.remove >= busy);
        }

        #[test]
        fn a_constant_load_is_met_from_one_side_and_then_nothing_changes(
            nodes in 1..100_u32, wanted in 1..100_u64,
        ) {
            let changes = course(&Bounds::default(), nodes, (0..2_000).map(|_| wanted));
            prop_assert!(changes.iter().all(|change| (*change > 0) == (changes[0] > 0)));
            prop_assert!(changes.len() <= 12, "{changes:?}");
            let late = course(&Bounds::default(), wanted as u32, (0..2_000).map(|_| wanted));
            prop_assert!(late.is_empty());
        }

        #[test]
        fn waves_that_are_shorter_than_the_window_take_nothing_away(
            low in 1..50_u64, height in 1..50_u64, period in 2..50_usize,
        ) {
            let wave = (0..2_000).map(|look| low + height * u64::from(look % period == 0));
            let changes = course(&Bounds::default(), (low + height) as u32, wave);
            prop_assert!(changes.is_empty(), "{changes:?}");
        }
    }
}
