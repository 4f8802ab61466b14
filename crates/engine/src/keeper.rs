//! Limits over the whole cluster. Each is kept by one node, the one with the highest score for its
//! name among those that are here (rendezvous hashing; Thaler and Ravishankar, 1998). The keeper
//! lends permits to homes, one for each task that is granted, and they come back as tasks end. What
//! it knows is soft: a new keeper first lets homes tell what they use. Blind spot: tasks of a home
//! that is gone may still run when its permits are lent again.

use std::collections::BTreeMap;

use bary_model::id::{Epoch, NodeId, ShardId};
use bary_model::message::Need;
use bary_model::time::{Moment, Span};

/// The limits that this node keeps.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    limits: BTreeMap<Box<str>, Kept>,
}

/// One limit.
#[derive(Debug)]
struct Kept {
    most: u32,
    /// Until when homes are still heard before anything is lent.
    from: Moment,
    homes: BTreeMap<ShardId, Borrower>,
    /// Who is served first next time, so that all get their turn.
    turn: ShardId,
}

#[derive(Debug)]
struct Borrower {
    node: NodeId,
    /// Its reign; the next one knows nothing of what this one was told.
    epoch: Epoch,
    has: u32,
    wants: u32,
    number: u64,
    heard: Moment,
    /// When it was told of what it has, and whether it had not heard of that when it last spoke.
    told: Moment,
    behind: bool,
}

/// A word to a home: so many of its tasks may run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lent {
    pub(crate) node: NodeId,
    pub(crate) shard: ShardId,
    pub(crate) name: Box<str>,
    pub(crate) tasks: u32,
    pub(crate) number: u64,
}

/// Most limits that one node keeps; a home that names another one waits.
const LIMITS_MAX: usize = 10_000;

impl Keeper {
    /// Whether a limit has not been heard of, so that homes must be asked what they use.
    pub(crate) fn is_new(&self, name: &str) -> bool {
        !self.limits.contains_key(name)
    }

    /// A home says what it uses and wants. A new limit is lent only from `from` on.
    pub(crate) fn on_need(
        &mut self,
        (node, shard, epoch): (NodeId, ShardId, Epoch),
        need: &Need,
        from: Moment,
        now: Moment,
    ) {
        if self.limits.len() >= LIMITS_MAX && self.is_new(&need.name) {
            return;
        }
        let fresh = || Kept { most: need.most, from, homes: BTreeMap::new(), turn: shard };
        let kept = self.limits.entry(need.name.clone()).or_insert_with(fresh);
        kept.most = need.most.min(kept.most).max(1);
        let home = kept.homes.entry(shard).or_insert(Borrower {
            node,
            epoch,
            has: need.uses,
            wants: 0,
            number: need.heard,
            heard: now,
            told: now,
            behind: false,
        });
        if home.epoch > epoch {
            return;
        }
        if (home.epoch, home.node) != (epoch, node) {
            (home.epoch, home.node, home.number) = (epoch, node, need.heard);
        }
        (home.heard, home.wants) = (now, need.wants);
        // What is on its way to the home is lent, though it does not know it yet.
        home.behind = need.heard < home.number;
        if !home.behind {
            home.has = need.uses;
        }
        if home.has == 0 && home.wants == 0 {
            kept.homes.remove(&shard);
        }
        if kept.homes.is_empty() {
            self.limits.remove(&need.name);
        }
    }

    /// The link to a node began anew: what was on its way to its homes is lost, and they count
    /// what they hear from zero again.
    pub(crate) fn on_renewed(&mut self, node: NodeId) {
        let homes = self.limits.values_mut().flat_map(|kept| kept.homes.values_mut());
        homes.filter(|home| home.node == node).for_each(|home| home.number = 0);
    }

    /// Lends what is free, by turns; tells the homes that got some.
    pub(crate) fn lend(&mut self, now: Moment, lease: Span) -> Vec<Lent> {
        let mut lent = Vec::new();
        for (name, kept) in &mut self.limits {
            kept.homes.retain(|_, home| home.heard + lease > now);
            if kept.from <= now {
                kept.lend(name, (now, Span(lease.0 / 4)), &mut lent);
            }
        }
        self.limits.retain(|_, kept| !kept.homes.is_empty());
        lent
    }

    /// When something may be lent that may not be now, or a home has been silent for too long.
    pub(crate) fn wake(&self, now: Moment, lease: Span) -> Option<Moment> {
        let waiting = self.limits.values().filter(|kept| kept.is_short());
        let times = waiting.map(|kept| {
            let silent = kept.homes.values().map(|home| home.heard + lease).min();
            if kept.from > now { kept.from } else { silent.unwrap_or(kept.from) }
        });
        times.min()
    }
}

impl Kept {
    fn is_short(&self) -> bool {
        self.homes.values().any(|home| home.wants > home.has)
    }

    /// Lends what is free, and tells a home anew that has not heard for so long: the word was
    /// lost, or the home had another keeper meanwhile.
    fn lend(&mut self, name: &str, (now, again): (Moment, Span), lent: &mut Vec<Lent>) {
        let used: u32 = self.homes.values().map(|home| home.has).sum();
        let mut free = self.most.saturating_sub(used);
        let later = self.homes.range(self.turn..).map(|(shard, _)| *shard);
        let order: Vec<ShardId> =
            later.chain(self.homes.range(..self.turn).map(|(shard, _)| *shard)).collect();
        let late = self.homes.iter().filter(|(_, home)| home.behind && home.told + again <= now);
        let mut got: Vec<ShardId> = late.map(|(shard, _)| *shard).collect();
        while free > 0 {
            let before = free;
            for shard in &order {
                let Some(home) = self.homes.get_mut(shard) else { continue };
                if free > 0 && home.wants > home.has {
                    home.has += 1;
                    free -= 1;
                    got.push(*shard);
                    self.turn = ShardId(shard.0.wrapping_add(1));
                }
            }
            if free == before {
                break;
            }
        }
        got.sort_unstable();
        got.dedup();
        for shard in got {
            if let Some(home) = self.homes.get_mut(&shard) {
                home.number += 1;
                (home.told, home.behind) = (now, false);
                let (node, tasks, number) = (home.node, home.has, home.number);
                lent.push(Lent { node, shard, name: name.into(), tasks, number });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(uses: u32, wants: u32, heard: u64) -> Need {
        Need { name: "licence".into(), most: 4, uses, wants, heard }
    }

    fn say(keeper: &mut Keeper, shard: u64, need: &Need) -> Vec<(u64, u32)> {
        let home = (NodeId(shard), ShardId(shard), Epoch(1));
        keeper.on_need(home, need, Moment(0), Moment(0));
        let lent = keeper.lend(Moment(0), Span::secs(10));
        lent.into_iter().map(|lent| (lent.shard.0, lent.tasks)).collect()
    }

    #[test]
    fn no_more_is_lent_than_there_is_and_all_get_their_turn() {
        let mut keeper = Keeper::default();
        assert_eq!(say(&mut keeper, 1, &need(0, 4, 0)), [(1, 4)]);
        assert_eq!(say(&mut keeper, 2, &need(0, 4, 0)), []);
        // Two of the four end: both go to the one that waits.
        assert_eq!(say(&mut keeper, 1, &need(2, 4, 1)), [(1, 3), (2, 1)]);
    }

    #[test]
    fn what_is_on_its_way_is_not_lent_twice() {
        let mut keeper = Keeper::default();
        assert_eq!(say(&mut keeper, 1, &need(0, 4, 0)), [(1, 4)]);
        // Said before the home heard of its four.
        assert_eq!(say(&mut keeper, 1, &need(0, 4, 0)), []);
        assert_eq!(say(&mut keeper, 2, &need(0, 1, 0)), []);
    }

    #[test]
    fn a_home_that_has_not_heard_of_its_permits_is_told_again() {
        let (mut keeper, lease) = (Keeper::default(), Span::secs(8));
        let home = (NodeId(1), ShardId(1), Epoch(1));
        let mut say = |secs: u64, uses, heard| {
            let now = Moment(0) + Span::secs(secs);
            keeper.on_need(home, &need(uses, 4, heard), Moment(0), now);
            let lent = keeper.lend(now, lease);
            lent.into_iter().map(|lent| (lent.tasks, lent.number)).collect::<Vec<_>>()
        };
        assert_eq!(say(0, 0, 0), [(4, 1)]);
        assert_eq!(say(1, 0, 0), []);
        assert_eq!(say(2, 0, 0), [(4, 2)]);
        // What it says counts from when it has heard.
        assert_eq!(say(3, 2, 1), []);
        assert_eq!(say(4, 2, 2), [(4, 3)]);
    }

    #[test]
    fn a_home_that_is_silent_for_too_long_loses_its_permits() {
        let mut keeper = Keeper::default();
        say(&mut keeper, 1, &need(0, 4, 0));
        say(&mut keeper, 2, &need(0, 2, 0));
        let home = (NodeId(2), ShardId(2), Epoch(1));
        keeper.on_need(home, &need(0, 2, 0), Moment(0), Moment(11_000_000_000));
        let lent = keeper.lend(Moment(11_000_000_000), Span::secs(10));
        assert_eq!(lent.len(), 1);
        assert_eq!((lent[0].shard, lent[0].tasks), (ShardId(2), 2));
    }
}
