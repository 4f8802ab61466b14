//! Early binding: tasks go to nodes as they become ready, up to a bounded queue at each.

use std::collections::BTreeMap;

use bary_model::event::Cause;
use bary_model::id::NodeId;

use crate::home::Home;
use crate::home::candidates::{Bar, Goal, Wanted};
use crate::home::field::Among;
use crate::home::grant::Terms;
use crate::home::ready::{Entry, Portion};
use crate::outbox::Outbox;
use crate::timers::Timers;

impl Home {
    /// Binds ready tasks one by one to the node that the force draws each to.
    pub(super) fn push_out(&mut self, out: &mut Outbox, timers: &mut Timers) {
        if self.gathers(out, timers) {
            return;
        }
        let mut bound: BTreeMap<NodeId, Vec<Entry>> = BTreeMap::new();
        let (_, ready) = self.ready_anywhere();
        while let Some((node, entry)) = self.bind_next() {
            if let Some(account) = self.accounts.get_mut(&node) {
                account.binding.0 += entry.spec.weight.thousandths();
                account.binding.1 += 1;
            }
            bound.entry(node).or_default().push(entry);
        }
        for (node, entries) in bound {
            if let Some(account) = self.accounts.get_mut(&node) {
                account.binding = (0, 0);
            }
            // An ask that waited is answered, or its node would never ask again.
            let answers = self.unpark(node).map_or_else(Vec::new, |parked| parked.asked);
            let terms = Terms::new(answers, Cause::Pushed, ready);
            self.grant(node, entries, terms, out, timers);
        }
        self.shed(out);
    }

    fn ready_anywhere(&mut self) -> (u64, u64) {
        self.look_around();
        let makes = self.accounts.field().makes(Among::Met);
        let each = makes.map(|(_, make)| self.ready.for_node(&make.info));
        each.max_by_key(|(_, tasks)| *tasks).unwrap_or((0, 0))
    }

    /// The next ready task and the node for it, where one with room in its queue can run it.
    fn bind_next(&mut self) -> Option<(NodeId, Entry)> {
        self.look_around();
        let next = self.next(Among::Met);
        // What the first node with room would have is next, wherever it goes.
        let first = |make: usize| {
            let wanted = next.of(make)?;
            Some((wanted, Bar { room: self.room_at(make, wanted), ..Bar::NONE }))
        };
        let (make, _) = self.find(Goal::First, Among::Met, first)?;
        let wanted = next.take(make)?;
        let able = self.able_makes(&wanted.entry.spec.body.request);
        let open = Bar { room: self.limits.push_queue_tasks_max, ..Bar::NONE };
        let latest = self.latest(|make| able[make].then_some((&wanted, open)));
        let inside = Bar { latest, within: true, ..open };
        let within = wanted.is_laid_out() && {
            let inside = |make: usize| able[make].then_some((&wanted, inside));
            self.find(Goal::First, Among::Met, inside).is_some()
        };
        let rooms: Vec<u64> = (0..able.len()).map(|make| self.room_at(make, &wanted)).collect();
        let bar = |make: usize| Bar { room: rooms[make], latest, within, ..open };
        let of = |make: usize| able[make].then(|| (&wanted, bar(make)));
        let node = self.choose(Among::Met, of)?;
        let Self { accounts, ready, .. } = self;
        let entry = ready.take(&accounts[&node].peer.info, None, Portion::ONE).pop()?;
        Some((node, entry))
    }

    /// How many tasks a node of a make may hold, of which this is one.
    fn room_at(&self, make: usize, wanted: &Wanted) -> u64 {
        let info = &self.accounts.field().make_at(make).info;
        self.held_max(info, &wanted.entry.spec.body.request)
    }
}
