//! Where results lie whose sizes somebody said, so that tasks can go to what they read. It is kept
//! in mind only: after a restart nothing is known of what ended before.

use std::collections::BTreeMap;

use bary_model::id::{JobNo, NodeId, SpecNo, TaskRange};
use bary_model::task::TaskSpec;
use bary_policy::view::Foresight;

use crate::home::Home;
use crate::home::haul::Haul;
use crate::home::layout::Region;
use crate::home::ready::Entry;

/// The nodes at which tasks of specs with sizes ended, by job.
#[derive(Debug, Default)]
pub(super) struct Whereabouts {
    jobs: BTreeMap<JobNo, BTreeMap<SpecNo, Made>>,
}

/// Where the results of one spec lie.
#[derive(Debug, Default)]
struct Made {
    /// How many bytes each has.
    each: u64,
    /// The indices from each of these on, so many of them, lie at one node.
    places: BTreeMap<u32, (u32, NodeId)>,
    /// How many lie at each node.
    tasks: BTreeMap<NodeId, u64>,
}

impl Whereabouts {
    /// Notes that tasks ended well at a node. Indices that ended there one after the other take
    /// no more room than one.
    pub(super) fn note(&mut self, range: TaskRange, each: u64, node: NodeId) {
        let made = self.jobs.entry(range.job).or_default().entry(range.spec).or_default();
        made.each = each;
        *made.tasks.entry(node).or_default() += u64::from(range.count);
        let before = made.places.range_mut(..range.first).next_back();
        if let Some((first, (count, at))) = before
            && (first + *count, *at) == (range.first, node)
        {
            *count += range.count;
        } else {
            made.places.insert(range.first, (range.count, node));
        }
    }

    pub(super) fn forget(&mut self, job: JobNo) {
        self.jobs.remove(&job);
    }

    /// How many bytes of what a task reads lie at each node, from the head of a range.
    fn read_by(&self, spec: &TaskSpec, range: TaskRange) -> BTreeMap<NodeId, u64> {
        let mut bytes: BTreeMap<NodeId, u64> = BTreeMap::new();
        let Some(job) = self.jobs.get(&range.job) else { return bytes };
        for after in &spec.after {
            let Some(made) = job.get(&after.spec) else { continue };
            if after.aligned {
                let place = made.places.range(..=range.first).next_back();
                let place = place.filter(|(first, (count, _))| range.first < *first + count);
                if let Some((_, (_, node))) = place {
                    *bytes.entry(*node).or_default() += made.each;
                }
            } else {
                for (node, tasks) in &made.tasks {
                    *bytes.entry(*node).or_default() += made.each.saturating_mul(*tasks);
                }
            }
        }
        bytes
    }
}

/// What ready tasks read, and where it lies.
#[derive(Debug, Default)]
pub(super) struct Reads {
    bytes: BTreeMap<NodeId, u64>,
    /// The nodes of the region that its job's layout gives the first task.
    within: Option<Region>,
    /// The same bytes by region, where the force asks how long they take.
    pub(super) haul: Haul,
}

impl Reads {
    /// Whether some nodes are better than others for what is read.
    pub(super) fn prefer(&self) -> bool {
        self.within.is_some() || !self.bytes.is_empty()
    }

    /// How many bytes lie at a node, where it is known of any where they are.
    pub(super) fn at(&self, node: NodeId) -> Option<u64> {
        (!self.bytes.is_empty()).then(|| self.bytes.get(&node).copied().unwrap_or(0))
    }

    /// The nodes that have something of what is read.
    pub(super) fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.bytes.keys().copied()
    }

    /// The nodes of the region that the layout of the job gives the first task, where it does.
    pub(super) fn within(&self) -> Option<&Region> {
        self.within.as_ref()
    }

    /// How many bytes lie at a node that has none, where it is known of any where they are.
    pub(super) fn nowhere(&self) -> Option<u64> {
        (!self.bytes.is_empty()).then_some(0)
    }

    /// Whether a node is of the region that the layout gives; where there is none, whether no other
    /// node has more of what is read.
    pub(super) fn prefers(&self, node: NodeId) -> bool {
        if let Some(within) = &self.within {
            return within.contains(&node);
        }
        let most = self.bytes.values().max().copied().unwrap_or(0);
        self.bytes.get(&node).copied().unwrap_or(0) == most
    }

    fn total(&self) -> Option<u64> {
        (!self.bytes.is_empty()).then(|| self.bytes.values().sum())
    }
}

impl Home {
    /// What the first task of an entry reads, as far as is known.
    pub(super) fn reads(&self, entry: &Entry) -> Reads {
        let within = self.region_for(entry);
        if self.whereabouts.jobs.is_empty() {
            return Reads { within, ..Reads::default() };
        }
        let bytes = self.whereabouts.read_by(&entry.spec, entry.range);
        let haul = self.haul(&bytes);
        Reads { bytes, within, haul }
    }

    /// What is known of the tasks of an entry before they run.
    pub(super) fn foresee(&self, entry: &Entry, reads: &Reads) -> Foresight {
        let job = self.ledger.job(entry.range.job);
        let known = job.map_or_else(Foresight::default, |job| self.expects(job, &entry.spec));
        Foresight { bytes: reads.total(), ..known }
    }

    /// Notes where results lie whose size somebody said.
    pub(super) fn note_result(&mut self, range: TaskRange, node: NodeId) {
        let spec = self.ledger.job(range.job).and_then(|job| job.spec(range.spec));
        if let Some(each) = spec.map(|spec| spec.output).filter(|output| *output > 0) {
            self.whereabouts.note(range, each, node);
        }
    }
}
