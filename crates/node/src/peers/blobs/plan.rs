//! At which members a result is to be, and what they say of it: those that keep the journal of its
//! job come first, each result's in an order of its own, which is the same whoever stands in.

use std::collections::{BTreeSet, VecDeque};

use bary_model::payload::Kept;
use bary_transport::mesh::shelf::CopyState;

use super::copying::{HERE, Want};
use crate::peers::holders::Holder;

/// How one result comes to be at as many members as are wanted.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) place: u64,
    pub(super) want: Want,
    /// Who may be asked yet.
    order: VecDeque<u64>,
    /// At how many members besides the one that made it, where that is one still.
    need: usize,
    /// How many of those have it on their disk.
    there: usize,
    /// How many of those will fetch it.
    coming: usize,
    /// Whether this member is one of those.
    pub(super) is_for_here: bool,
    /// Why it is not at so many, as was heard last.
    lack: Option<String>,
}

impl Plan {
    /// For this member, `me`, of which those are `near` that are there.
    pub(super) fn new(
        place: u64,
        want: Want,
        (me, near): (u64, &[u64]),
        holder: &dyn Fn(u64) -> Holder,
    ) -> Self {
        let maker = want.kept.member;
        let is_lost = matches!(holder(maker), Holder::Removed(_));
        let copies = usize::from(want.copies);
        let need = if is_lost { copies } else { copies.saturating_sub(1) };
        let (home, keepers) = match &want.of {
            Some((home, part)) => (*home, part.upgrade().map(|part| part.keepers().members)),
            None => (me, None),
        };
        let keepers = keepers.unwrap_or_default();
        let others = if want.of.is_none() && want.copies <= HERE { &[] } else { near };
        let is_there = |member: &u64| *member == me || near.contains(member);
        let order = order(&want.kept, home, &keepers, others);
        let order = order.into_iter().filter(|member| *member != maker && is_there(member));
        let (order, there, coming, lack) = (order.collect(), 0, 0, None);
        Self { place, want, order, need, there, coming, is_for_here: false, lack }
    }

    /// Whom to ask next; nobody where as many have it or fetch it as are to.
    pub(super) fn next(&mut self) -> Option<u64> {
        if self.there + self.coming >= self.need { None } else { self.order.pop_front() }
    }

    /// A member has said what it has.
    pub(super) fn said(&mut self, name: &str, state: CopyState) {
        match state {
            CopyState::There => self.there += 1,
            CopyState::Coming => {
                self.coming += 1;
                self.lacks(&format!("{name} is fetching it"));
            }
            CopyState::Full => {
                self.lacks(&format!("{name} has no room for it (limit copies_bytes_max)"));
            }
            CopyState::Refused => {
                self.lacks(&format!("{name} does not take it now (limit copies_wanted_max)"));
            }
        }
    }

    /// Somebody cannot have it now.
    pub(super) fn lacks(&mut self, why: &str) {
        self.lack = Some(why.to_owned());
    }

    /// It has come to this member.
    pub(super) fn came_here(&mut self) {
        (self.there, self.coming) = (self.there + 1, self.coming.saturating_sub(1));
    }

    /// Whether as many have it as are to.
    pub(super) fn is_done(&self) -> bool {
        self.there >= self.need
    }

    /// Why not.
    pub(super) fn lack(&self) -> &str {
        self.lack.as_deref().unwrap_or("too few members are there")
    }
}

/// In which order members are to have a result: the home of its job, the others that keep the
/// job's journal, the others. Of several results each keeper has its share.
fn order(kept: &Kept, home: u64, keepers: &BTreeSet<u64>, others: &[u64]) -> Vec<u64> {
    let draw = |member: &u64| {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&kept.hash).update(&kept.blob.id.to_le_bytes());
        *hasher.update(&member.to_le_bytes()).finalize().as_bytes()
    };
    let mut drawn: Vec<u64> = keepers.iter().copied().filter(|member| *member != home).collect();
    drawn.sort_by_key(draw);
    let known = |member: &&u64| **member != home && !keepers.contains(member);
    let others = others.iter().filter(known).copied();
    [home].into_iter().chain(drawn).chain(others).collect()
}

#[cfg(test)]
mod tests {
    use bary_model::payload::BlobRef;

    use super::*;

    fn kept(id: u64) -> Kept {
        Kept { member: 9, blob: BlobRef { id, len: 300 }, hash: [id as u8; 32] }
    }

    #[test]
    fn the_home_is_first_then_its_keepers_in_turn_then_the_nearest() {
        let keepers = BTreeSet::from([1, 2, 3]);
        let orders: Vec<_> = (0..64).map(|id| order(&kept(id), 2, &keepers, &[5, 3, 4])).collect();
        for order in &orders {
            assert_eq!((order[0], &order[3..]), (2, &[5, 4][..]));
        }
        let first = |member| orders.iter().filter(|order| order[1] == member).count();
        assert!(first(1) > 16 && first(3) > 16 && first(1) + first(3) == 64);
        let later: Vec<_> = (0..64).map(|id| order(&kept(id), 2, &keepers, &[4, 5])).collect();
        assert!(orders.iter().zip(&later).all(|(one, other)| one[..3] == other[..3]));
        assert_eq!(order(&kept(1), 7, &BTreeSet::new(), &[5, 7]), [7, 5]);
    }

    fn plan(copies: u8, near: &[u64], is_lost: bool) -> Plan {
        let want = Want::of(kept(1), copies);
        let holder = |_| match is_lost {
            true => Holder::Removed(String::new()),
            false => Holder::There(String::new()),
        };
        Plan::new(0, want, (1, near), &holder)
    }

    #[test]
    fn no_more_are_asked_than_are_to_have_it_and_it_is_done_once_they_do() {
        let mut three = plan(3, &[4, 9, 5], false);
        assert_eq!((three.next(), three.next()), (Some(1), Some(4)));
        three.said("this member", CopyState::Coming);
        three.said("delta", CopyState::Full);
        assert_eq!(three.next(), Some(5), "another is asked; who made it has it");
        three.said("epsilon", CopyState::There);
        assert_eq!((three.next(), three.is_done()), (None, false));
        three.came_here();
        assert!(three.is_done());
        let mut here = plan(HERE, &[4, 5], false);
        assert_eq!((here.next(), here.next()), (Some(1), None), "nobody else is asked");
        let mut lost = plan(3, &[4, 5], true);
        assert_eq!((lost.next(), lost.next(), lost.next()), (Some(1), Some(4), Some(5)));
        assert!(!plan(3, &[], false).is_done());
    }

    #[test]
    fn what_stands_in_the_way_is_said() {
        let mut full = plan(3, &[4], false);
        assert_eq!(plan(3, &[], false).lack(), "too few members are there");
        full.said("delta", CopyState::Full);
        assert_eq!(full.lack(), "delta has no room for it (limit copies_bytes_max)");
    }
}
