//! How many nodes there should be: rules that look at the load and say how many to add or to take
//! away, and the bounds, pauses and dead band that keep any of them from running wild.

pub mod cost;
pub mod queue;
pub mod wait;

use std::fmt;

use bary_model::time::{Moment, Span};

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

/// What holds any rule back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The fewest nodes. Defaults to 1.
    pub least: u32,
    /// The most nodes, at least `least`. Defaults to 100.
    pub most: u32,
    /// How long nothing is added after something was; how long a node takes to begin is sensible,
    /// since its work is not seen sooner. Defaults to 1 minute.
    pub pause_add: Span,
    /// How long nothing is taken away after anything was added or taken away. Longer than
    /// `pause_add`, as a node too many costs less than one too few. Defaults to 5 minutes.
    pub pause_remove: Span,
    /// By how many percent of the nodes a rule must want fewer before any is taken away; otherwise
    /// each small wave of load would add and remove the same nodes. Defaults to 10.
    pub band: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            least: 1,
            most: 100,
            pause_add: Span::secs(60),
            pause_remove: Span::secs(300),
            band: 10,
        }
    }
}

/// What is wrong with [`Bounds`]. Nothing was changed; the caller corrects the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BoundsFault {
    /// There may be fewer at most than at least.
    #[error("at most {most} nodes are fewer than at least {least}")]
    Crossed {
        /// The fewest.
        least: u32,
        /// The most.
        most: u32,
    },
    /// The band leaves nothing to take away.
    #[error("a band of {0} percent is not below 100")]
    Band(u32),
}

impl Bounds {
    /// Every fault at once; none where the bounds are good.
    #[must_use]
    pub fn check(&self) -> Vec<BoundsFault> {
        let mut faults = Vec::new();
        if self.least > self.most {
            faults.push(BoundsFault::Crossed { least: self.least, most: self.most });
        }
        if self.band >= 100 {
            faults.push(BoundsFault::Band(self.band));
        }
        faults
    }
}

/// What is to be done, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// How many nodes to add.
    pub add: u32,
    /// How many to take away; never together with `add`.
    pub remove: u32,
    /// Why, or why not, in words.
    pub reason: String,
}

impl Change {
    fn none(reason: String) -> Self {
        Self { add: 0, remove: 0, reason }
    }
}

/// What a rule comes to within its bounds.
#[must_use]
pub fn decide(rule: &dyn Rule, bounds: &Bounds, view: &ScaleView) -> Change {
    let (wanted, why) = rule.wanted(view);
    let most = u64::from(bounds.most);
    let within = wanted.clamp(u64::from(bounds.least).min(most), most) as u32;
    let reason = if u64::from(within) == wanted {
        format!("{}: {why}", rule.name())
    } else {
        format!("{}: {why}; the bounds allow {within}", rule.name())
    };
    let since = |moment: Option<Moment>| moment.map(|moment| view.now.since(moment));
    let pauses = |since: Option<Span>, pause: Span| since.is_some_and(|since| since < pause);
    let (added, removed) = (since(view.added), since(view.removed));
    if within > view.nodes {
        if pauses(added, bounds.pause_add) && view.nodes >= bounds.least {
            return Change::none(format!("{reason}; nodes were added just now"));
        }
        return Change { add: within - view.nodes, remove: 0, reason };
    }
    let fewer = view.nodes - within;
    let over = view.nodes > bounds.most;
    if fewer == 0 || over {
        return Change { add: 0, remove: fewer, reason };
    }
    if u64::from(fewer) * 100 <= u64::from(bounds.band) * u64::from(view.nodes) {
        return Change::none(format!("{reason}; that is within the band"));
    }
    if pauses(added, bounds.pause_remove) || pauses(removed, bounds.pause_remove) {
        return Change::none(format!("{reason}; the number changed not long ago"));
    }
    Change { add: 0, remove: fewer, reason }
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
        let bounds = Bounds { least: 2, most: 50, ..Bounds::default() };
        let change = decide(&Wants(wanted), &bounds, &view);
        (change.add, change.remove)
    }

    #[test]
    fn a_rule_has_its_way_within_the_bounds() {
        assert_eq!(came(30, view(20, 20, 5)), (10, 0));
        assert_eq!(came(99, view(20, 20, 5)), (30, 0));
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
    fn small_waves_and_recent_changes_take_nothing_away() {
        assert_eq!(came(18, view(20, 2, 0)), (0, 0));
        assert_eq!(came(17, view(20, 2, 0)), (0, 3));
        let ago = |seconds: u64| Some(Moment(view(1, 1, 1).now.0 - seconds * 1_000_000_000));
        assert_eq!(came(10, ScaleView { removed: ago(299), ..view(20, 2, 0) }), (0, 0));
        assert_eq!(came(10, ScaleView { removed: ago(300), ..view(20, 2, 0) }), (0, 10));
        assert_eq!(came(30, ScaleView { added: ago(59), ..view(20, 20, 9) }), (0, 0));
        assert_eq!(
            came(30, ScaleView { added: ago(60), removed: ago(1), ..view(20, 20, 9) }),
            (10, 0)
        );
    }

    #[test]
    fn a_change_says_why() {
        let change = decide(&Wants(99), &Bounds { most: 50, ..Bounds::default() }, &view(9, 9, 0));
        assert_eq!(change.reason, "wants: 99 are wanted; the bounds allow 50");
        assert_eq!(Bounds { least: 3, most: 2, band: 100, ..Bounds::default() }.check().len(), 2);
    }

    proptest! {
        #[test]
        fn nobody_leaves_the_bounds(
            wanted in any::<u64>(), nodes in 0..200_u32, least in 0..50_u32, more in 0..50_u32,
        ) {
            let bounds = Bounds { least, most: least + more, ..Bounds::default() };
            let change = decide(&Wants(wanted), &bounds, &view(nodes, 0, 0));
            let then = nodes + change.add - change.remove;
            prop_assert!(change.add == 0 || change.remove == 0);
            prop_assert!((least..=least + more).contains(&then) || change.remove + change.add == 0);
        }
    }
}
