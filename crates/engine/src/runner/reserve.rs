//! Room that homes have asked this node to keep, in the order in which they did.

use std::collections::VecDeque;

use bary_model::id::ShardId;

use crate::runner::{Need, Runner};
use crate::view::View;

/// For whom room is kept.
#[derive(Debug, Default)]
pub(super) struct Reservations {
    queue: VecDeque<(ShardId, u32)>,
}

impl Reservations {
    pub(super) fn forget(&mut self, home: ShardId) {
        self.queue.retain(|(other, _)| *other != home);
    }

    fn add(&mut self, home: ShardId, tasks: u32, most: usize) {
        let full = self.queue.len() >= most;
        let last = self.queue.iter_mut().rev().find(|(other, _)| *other == home);
        match last {
            Some((_, known)) if full => *known = known.saturating_add(tasks),
            // Past the limit it is forgotten; its home tells all of work that waits for long.
            None if full => {}
            _ => self.queue.push_back((home, tasks)),
        }
    }

    /// A home has given so many tasks.
    pub(super) fn use_up(&mut self, home: ShardId, mut tasks: u32) {
        for (_, kept) in self.queue.iter_mut().filter(|(other, _)| *other == home) {
            let used = tasks.min(*kept);
            (*kept, tasks) = (*kept - used, tasks - used);
        }
        self.queue.retain(|(_, kept)| *kept > 0);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

impl Runner {
    /// A home asks to keep room. An ask of this node that it had is over: that is how it is told
    /// that work is there.
    pub(crate) fn on_reserve(&mut self, home: ShardId, tasks: u32) {
        self.reservations.add(home, tasks, self.limits.reservations_max);
        self.on_call(home);
    }

    /// What a home has said of tasks that are not this node's yet counts no longer.
    pub(super) fn forget_words(&mut self, home: ShardId) {
        self.reservations.forget(home);
        self.claims.forget(home);
    }

    /// A home has nothing left, of what it asked to keep room for or announced.
    pub(crate) fn on_release(&mut self, home: ShardId) {
        self.forget_words(home);
        self.choice = None;
    }

    /// The home that has waited longest for room, of those that were not asked yet.
    pub(super) fn first_in_turn(&self, need: Need, view: &View) -> Option<ShardId> {
        let mut homes = self.reservations.queue.iter().map(|(home, _)| *home);
        homes.find(|home| {
            let open = self.sessions.get(home).and_then(|session| session.open);
            open.is_none_or(|open| open < need) && view.homes.contains_key(home)
        })
    }
}
