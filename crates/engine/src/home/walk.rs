//! Walking along what is ready, over all classes, in the order in which it stands in line.

use bary_model::task::Request;

use crate::home::ready::{Entry, Ready};

/// How far a walk has come: the classes that it goes over, and how many entries of each it left
/// behind. It holds until something else is taken out or added.
#[derive(Debug)]
pub(super) struct Walk {
    classes: Vec<Place>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    class: usize,
    passed: usize,
}

impl Ready {
    /// Begins a walk over what may be granted now and whose request `may` be run.
    pub(super) fn walk(&mut self, mut may: impl FnMut(&Request) -> bool) -> Walk {
        self.settle();
        let mut classes = Vec::new();
        for (number, class) in self.classes.iter_mut().enumerate() {
            if class.open(&self.permitted).1 > 0 && may(&class.request) {
                class.lane.sort();
                classes.push(Place { class: number, passed: 0 });
            }
        }
        Walk { classes }
    }

    /// The entry at which a walk stands, and how many of its tasks may be granted.
    pub(super) fn at(&self, walk: &Walk) -> Option<(Entry, u32)> {
        let class = &self.classes[walk.classes[self.first(walk)?].class];
        let entry = class.lane.behind(walk.classes[self.first(walk)?].passed)?;
        let permit = class.body.permit.as_ref();
        let most = permit.map_or(u32::MAX, |permit| self.permitted_of(&permit.name));
        Some((entry.clone(), entry.range.count.min(most)))
    }

    /// Where among the classes of a walk the next entry is.
    fn first(&self, walk: &Walk) -> Option<usize> {
        let heads = walk.classes.iter().enumerate().filter_map(|(at, place)| {
            let class = &self.classes[place.class];
            Some((class.rank, class.lane.behind(place.passed)?, at))
        });
        heads.max_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(b.1))).map(|(.., at)| at)
    }

    /// Takes tasks off the entry at which a walk stands, at most as many as may be granted; it
    /// stands at the next one after the last of them.
    pub(super) fn take_at(&mut self, walk: &Walk, count: u32) -> Option<Entry> {
        let place = walk.classes[self.first(walk)?];
        let class = &mut self.classes[place.class];
        let entry = class.lane.take_behind(place.passed, count)?;
        class.took(&entry);
        if let Some(permit) = class.body.permit.clone() {
            let most = self.permitted_of(&permit.name);
            self.permit(&permit.name, most.saturating_sub(entry.range.count));
        }
        Some(entry)
    }

    /// Leaves the entry at which a walk stands behind.
    pub(super) fn pass(&self, walk: &mut Walk) {
        if let Some(at) = self.first(walk) {
            walk.classes[at].passed += 1;
        }
    }

    /// Goes on over those classes only whose request `may` be run, and of which something may be
    /// granted.
    pub(super) fn narrow(&self, walk: &mut Walk, mut may: impl FnMut(&Request) -> bool) {
        walk.classes.retain(|place| {
            let class = &self.classes[place.class];
            class.open(&self.permitted).1 > 0 && may(&class.request)
        });
    }

    /// The class and the head of it that goes next where owners share: of the owner with the
    /// least claim, by priority and in order.
    pub(super) fn least(
        &mut self,
        claims: &[u128],
        mut may: impl FnMut(&Request) -> bool,
    ) -> Option<(usize, Entry)> {
        self.settle();
        let claim = |owner: u32| (claims.get(owner as usize).copied().unwrap_or(0), owner);
        let mut best: Option<(usize, &Entry)> = None;
        for (at, class) in self.classes.iter().enumerate() {
            let Some(head) = class.lane.head() else { continue };
            let ahead = best.is_none_or(|(_, other)| {
                let claims = claim(head.owner).cmp(&claim(other.owner));
                claims.then(other.rank.cmp(&head.rank)).then(other.cmp(head)).is_lt()
            });
            if ahead && class.open(&self.permitted).1 > 0 && may(&class.request) {
                best = Some((at, head));
            }
        }
        best.map(|(at, entry)| (at, entry.clone()))
    }

    /// Takes the first task of a class.
    pub(super) fn take_one(&mut self, class: usize) -> Option<Entry> {
        let class = &mut self.classes[class];
        let entry = class.lane.take(|_| 1)?;
        class.took(&entry);
        if let Some(permit) = class.body.permit.clone() {
            let most = self.permitted_of(&permit.name);
            self.permit(&permit.name, most.saturating_sub(1));
        }
        Some(entry)
    }
}
