//! The bytes that tasks read, on their way between nodes. A task reads the results of the specs in
//! its `after` whose size is said; what is not at its node has to come before it begins. Inside a
//! region all ways are apart; between two regions there is one, on which things go one after
//! another.

use std::collections::{BTreeMap, BTreeSet};

use bary_model::id::{JobNo, SpecNo, TaskRange};
use bary_model::message::GrantItem;
use bary_model::time::{Moment, Span};

/// How many bytes a second go from each region to each other; at least one.
pub type Bandwidth = Vec<Vec<u64>>;

/// A spec of a shard.
type Place = (u64, JobNo, SpecNo);

/// Where results lie, and how busy the ways are.
#[derive(Debug, Default)]
pub(crate) struct Freight {
    /// By spec: how many bytes each result has, and which indices lie where.
    made: BTreeMap<Place, (u64, Vec<Lot>)>,
    /// What was brought to other nodes: which indices of what, and where to.
    brought: BTreeSet<(Place, u32, u32, usize)>,
    /// From when on the way from a region to another has nothing to carry.
    free: BTreeMap<(u16, u16), Moment>,
    /// How many bytes were moved.
    pub(crate) moved: u64,
    /// How many of them went from one region to another.
    pub(crate) crossed: u64,
}

/// Results of neighbouring indices at one node.
#[derive(Clone, Copy, Debug)]
struct Lot {
    first: u32,
    count: u32,
    node: usize,
}

/// A way that bytes go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    /// The regions at its ends.
    pub(crate) regions: (u16, u16),
    /// How long the first byte takes.
    pub(crate) latency: Span,
    /// How many bytes go a second.
    pub(crate) rate: u64,
}

impl Freight {
    /// Tasks ended well at a node.
    pub(crate) fn made(&mut self, shard: u64, range: TaskRange, each: u64, node: usize) {
        if each == 0 {
            return;
        }
        let made = self.made.entry((shard, range.job, range.spec)).or_insert((each, Vec::new()));
        let new = Lot { first: range.first, count: range.count, node };
        match made.1.last_mut() {
            Some(last) if last.node == node && last.first + last.count == new.first => {
                last.count += new.count;
            }
            _ => made.1.push(new),
        }
    }

    /// Brings to a node what tasks read that begin there now; tells when all of it is there.
    pub(crate) fn bring(
        &mut self,
        items: &[GrantItem],
        node: usize,
        now: Moment,
        way: impl Fn(usize) -> Way,
    ) -> Moment {
        let mut there = now;
        for item in items {
            for after in &item.spec.after {
                let place = (item.fence.shard.0, item.range.job, after.spec);
                let (first, end) = match after.aligned {
                    true => (item.range.first, item.range.end()),
                    false => (0, u32::MAX),
                };
                for (lot, each) in self.elsewhere(place, first, end, node) {
                    there = there.max(self.carry(lot, each, now, way(lot.node)));
                    self.brought.insert((place, lot.first, lot.count, node));
                }
            }
        }
        there
    }

    /// What of some indices is neither made at a node nor was brought there.
    fn elsewhere(&self, place: Place, first: u32, end: u32, node: usize) -> Vec<(Lot, u64)> {
        let Some((each, lots)) = self.made.get(&place) else { return Vec::new() };
        let wanted = lots.iter().filter_map(|lot| {
            let (from, to) = (lot.first.max(first), (lot.first + lot.count).min(end));
            (from < to).then(|| Lot { first: from, count: to - from, node: lot.node })
        });
        let here = |lot: &Lot| {
            lot.node == node || self.brought.contains(&(place, lot.first, lot.count, node))
        };
        wanted.filter(|lot| !here(lot)).map(|lot| (lot, *each)).collect()
    }

    fn carry(&mut self, lot: Lot, each: u64, now: Moment, way: Way) -> Moment {
        let bytes = each.saturating_mul(u64::from(lot.count));
        self.moved = self.moved.saturating_add(bytes);
        let takes = Span::from_secs_f64(bytes as f64 / way.rate.max(1) as f64);
        if way.regions.0 == way.regions.1 {
            return now + takes + way.latency;
        }
        self.crossed = self.crossed.saturating_add(bytes);
        let free = self.free.entry(way.regions).or_default();
        *free = now.max(*free) + takes;
        *free + way.latency
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bary_model::action::Action;
    use bary_model::id::{Epoch, Fence, GrantNo, ShardId};
    use bary_model::task::{After, Body, TaskSpec};

    use super::*;

    const JOB: JobNo = JobNo(0);

    fn range(spec: u32, first: u32, count: u32) -> TaskRange {
        TaskRange { job: JOB, spec: SpecNo(spec), first, count }
    }

    /// Tasks of a second spec that read the first.
    fn reader(aligned: bool, first: u32, count: u32) -> GrantItem {
        let body = Body::new(Action::Function { name: "f".into(), args: Vec::new() });
        let after = [After { spec: SpecNo(0), aligned }].into();
        GrantItem {
            fence: Fence { shard: ShardId(1), epoch: Epoch(1), grant: GrantNo(1) },
            range: range(1, first, count),
            spec: Arc::new(TaskSpec { after, count: 8, ..TaskSpec::new(Arc::new(body)) }),
            attempt: 1,
            upstream: None,
            urgent: false,
            priority: 0,
            checkpoint: None,
            seat: None,
        }
    }

    /// A thousand bytes a second, and 10 ms to begin with; nodes below 2 are in region 0.
    fn way(to: usize) -> impl Fn(usize) -> Way {
        let region = |node: usize| u16::from(node >= 2);
        move |from| Way {
            regions: (region(from), region(to)),
            latency: Span::millis(10),
            rate: 1_000,
        }
    }

    fn freight() -> Freight {
        let mut freight = Freight::default();
        freight.made(1, range(0, 0, 4), 100, 0);
        freight.made(1, range(0, 4, 4), 100, 2);
        freight
    }

    #[test]
    fn what_is_there_need_not_come_and_what_came_once_stays() {
        let mut freight = freight();
        let mut bring = |first| freight.bring(&[reader(true, first, 2)], 0, Moment(0), way(0));
        assert_eq!(bring(0), Moment(0));
        assert_eq!(bring(4), Moment(0) + Span::millis(210));
        assert_eq!(bring(4), Moment(0), "it came before");
        assert_eq!(freight.moved, 200);
    }

    #[test]
    fn a_whole_array_comes_from_where_its_parts_are() {
        let mut freight = freight();
        let there = freight.bring(&[reader(false, 0, 1)], 1, Moment(0), way(1));
        assert_eq!((there, freight.moved), (Moment(0) + Span::millis(410), 800));
    }

    #[test]
    fn things_go_one_after_another_between_regions_and_beside_each_other_inside() {
        let mut freight = freight();
        let mut far = |node| freight.bring(&[reader(true, 0, 4)], node, Moment(0), way(node));
        assert_eq!(far(2), Moment(0) + Span::millis(410));
        assert_eq!(far(3), Moment(0) + Span::millis(810), "it waits for the first");
        assert_eq!(far(1), Moment(0) + Span::millis(410));
    }

    #[test]
    fn without_a_size_nothing_moves() {
        let mut freight = Freight::default();
        freight.made(1, range(0, 0, 4), 0, 0);
        assert_eq!(freight.bring(&[reader(false, 0, 1)], 1, Moment(7), way(1)), Moment(7));
    }
}
