//! EASY backfill (Lifka 1995; Mu'alem and Feitelson 2001): the first of the line is promised the
//! earliest moment at which it will have room, by what is expected of those that run. Others may
//! go past it where they are over by then, or use only what it leaves over. Its blind spot: the
//! promise is as good as the estimates, and only the first of the line has one.

use bary_model::resources::Resources;
use bary_model::time::Moment;

/// When the first of the line will have room on a node, and what it leaves over then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// When it will have room.
    pub at: Moment,
    /// What is left of the node beside it from then on.
    pub spare: Resources,
}

/// The earliest moment at which a node has room for `need`: `free` is what it has now, and `ends`
/// says when what runs there gives how much back. An end in the past counts as now. None where it
/// has no room even when all of that has ended.
#[must_use]
pub fn reserve(
    now: Moment,
    free: &Resources,
    ends: &mut [(Moment, Resources)],
    need: &Resources,
) -> Option<Reservation> {
    let promise = |at: Moment, mut there: Resources| {
        there.take(need);
        Reservation { at, spare: there }
    };
    let mut there = free.clone();
    if there.fits(need) {
        return Some(promise(now, there));
    }
    ends.sort_unstable();
    let mut ends = ends.iter().peekable();
    while let Some((at, given)) = ends.next() {
        there.give(given);
        // What ends at one moment is there at that moment, all of it.
        let last = ends.peek().is_none_or(|(next, _)| next > at);
        if last && there.fits(need) {
            return Some(promise((*at).max(now), there));
        }
    }
    None
}

impl Reservation {
    /// Whether a task that needs so much and will be over at `end` may go past: it does where it
    /// is over in time, or where what the first leaves over is enough, which is then less.
    pub fn lets_past(&mut self, need: &Resources, end: Moment) -> bool {
        if end <= self.at {
            return true;
        }
        let beside = self.spare.fits(need);
        if beside {
            self.spare.take(need);
        }
        beside
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::{prop_assert, proptest};

    fn reserved(free: u32, ends: &[(u64, u32)], need: u32) -> Option<(u64, u64)> {
        let ends = ends.iter().map(|&(at, cpus)| (Moment(at), Resources::cpus(cpus)));
        let (mut ends, free) = (ends.collect::<Vec<_>>(), Resources::cpus(free));
        let promise = reserve(Moment(10), &free, &mut ends, &Resources::cpus(need));
        promise.map(|one| (one.at.0, one.spare.milli_cpus / 1_000))
    }

    #[test]
    fn the_first_is_promised_the_earliest_moment_at_which_it_fits() {
        let ends = [(40, 3), (20, 2), (30, 1), (30, 1)];
        assert_eq!(reserved(1, &ends, 1), Some((10, 0)));
        assert_eq!(reserved(1, &ends, 3), Some((20, 0)));
        assert_eq!(reserved(1, &ends, 4), Some((30, 1)));
        assert_eq!(reserved(1, &ends, 8), Some((40, 0)));
        assert_eq!(reserved(1, &ends, 9), None);
        assert_eq!(reserved(0, &[(5, 2)], 2), Some((10, 0)), "what is overdue ends now");
    }

    #[test]
    fn the_short_and_the_small_go_past_until_the_spare_room_is_used() {
        let spare = Resources::cpus(2);
        let mut promise = Reservation { at: Moment(50), spare };
        assert!(promise.lets_past(&Resources::cpus(9), Moment(50)), "it is over in time");
        assert!(!promise.lets_past(&Resources::cpus(3), Moment(51)));
        assert!(promise.lets_past(&Resources::cpus(2), Moment(51)));
        assert!(!promise.lets_past(&Resources::cpus(1), Moment(51)), "nothing is left over");
    }

    proptest! {
        #[test]
        fn nothing_that_goes_past_delays_the_first(
            free in 0..16_u32,
            ends in vec((0..100_u64, 1..8_u32), 1..8),
            need in 1..40_u32,
            others in vec((1..16_u32, 10..200_u64), 0..20),
        ) {
            let mut running: Vec<(Moment, Resources)> =
                ends.iter().map(|&(at, cpus)| (Moment(at), Resources::cpus(cpus))).collect();
            let (mut left, need) = (Resources::cpus(free), Resources::cpus(need));
            let promise = reserve(Moment(10), &left, &mut running.clone(), &need);
            let Some(mut promise) = promise.filter(|promise| promise.at > Moment(10)) else {
                return Ok(());
            };
            let at = promise.at;
            for (cpus, end) in others {
                let (other, end) = (Resources::cpus(cpus), Moment(end));
                if left.fits(&other) && promise.lets_past(&other, end) {
                    left.take(&other);
                    running.push((end, other));
                }
            }
            let again = reserve(Moment(10), &left, &mut running, &need);
            prop_assert!(again.is_some_and(|again| again.at <= at));
        }
    }
}
