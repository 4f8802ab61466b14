//! The task whose owner's turn comes first, by start-time fair queueing (Goyal, Vin and Cheng,
//! 1996): an owner's tasks follow each other in virtual time at a distance of weight over share, so
//! that owners with equal shares advance alike, however many tasks each has. Between owners
//! [`Turns`] decide; the tasks of one go in the order of arrival. Blind spots: the makespan, and
//! resources other than work; `queue=fair` counts those.

use crate::order::Order;
use crate::view::TaskView;

/// The owner that is farthest behind first.
#[derive(Clone, Copy, Debug, Default)]
pub struct FairShare;

/// When the next task of an owner may start, who had a turn at `turn` with a task of `weight`
/// thousandths and whose share weighs `share` thousandths, at least 1.
#[must_use]
pub fn next_turn(turn: u64, weight: u64, share: u64) -> u64 {
    let distance = u128::from(weight) * 1_000 / u128::from(share.max(1));
    turn.saturating_add(u64::try_from(distance).unwrap_or(u64::MAX))
}

impl Order for FairShare {
    fn name(&self) -> &'static str {
        "fair-share"
    }

    fn key(&self, _task: &TaskView<'_>) -> i64 {
        0
    }

    fn takes_turns(&self) -> bool {
        true
    }
}

/// Whose turn it is, of owners by number. `Default` is that all are equally far.
#[derive(Clone, Debug, Default)]
pub struct Turns {
    /// When the next task of each owner may start.
    next: Vec<u64>,
    /// The virtual time: when the last task that was taken started.
    now: u64,
    /// What shares weigh, in thousandths; 1,000 for an owner that is not here.
    shares: Vec<u64>,
}

impl Turns {
    /// Sets what an owner's share weighs, in thousandths, at least 1.
    pub fn set_share(&mut self, owner: u32, share: u64) {
        let owners = self.shares.len().max(owner as usize + 1);
        self.shares.resize(owners, 1_000);
        self.shares[owner as usize] = share;
    }

    /// When the owner's next task starts, in virtual time; the least is next. Who had nothing to
    /// do for a while has nothing saved up.
    #[must_use]
    pub fn of(&self, owner: u32) -> u64 {
        self.next.get(owner as usize).map_or(self.now, |next| self.now.max(*next))
    }

    /// How much weight (thousandths) of an owner goes before its turn comes to `until`.
    #[must_use]
    pub fn before(&self, owner: u32, until: u64) -> u64 {
        let distance = u128::from(until.saturating_sub(self.of(owner)));
        u64::try_from(distance * u128::from(self.share(owner)) / 1_000).unwrap_or(u64::MAX)
    }

    /// So much of the owner's weight (thousandths) was taken in its turn.
    pub fn take(&mut self, owner: u32, weight: u64) {
        self.now = self.of(owner);
        let owners = self.next.len().max(owner as usize + 1);
        self.next.resize(owners, 0);
        self.next[owner as usize] = next_turn(self.now, weight, self.share(owner));
    }

    /// So much of what was taken last in the owner's turn was not wanted.
    pub fn give_back(&mut self, owner: u32, weight: u64) {
        let distance = next_turn(0, weight, self.share(owner));
        if let Some(next) = self.next.get_mut(owner as usize) {
            *next = next.saturating_sub(distance);
        }
    }

    fn share(&self, owner: u32) -> u64 {
        self.shares.get(owner as usize).copied().unwrap_or(1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_with_twice_the_share_has_two_turns_for_one() {
        let mut turns = Turns::default();
        turns.set_share(1, 2_000);
        let mut taken = [0; 2];
        for _ in 0..90 {
            let owner = u32::from(turns.of(1) < turns.of(0));
            turns.take(owner, 1_000);
            taken[owner as usize] += 1;
        }
        assert_eq!(taken, [30, 60]);
    }

    #[test]
    fn who_comes_late_has_nothing_saved_up_and_nothing_to_make_up_for() {
        let mut turns = Turns::default();
        for _ in 0..10 {
            turns.take(0, 1_000);
        }
        assert_eq!((turns.of(0), turns.of(1)), (1_000_000 / 100, 9_000));
        assert_eq!(turns.before(1, turns.of(0)), 1_000);
    }
}
