//! Entering a cluster, leaving it, and finding it again.

use bary_model::time::Moment;

use crate::event::Output;
use crate::gossip::Gossip;
use crate::identity::Address;
use crate::items::Item;
use crate::record::Record;

impl Gossip {
    /// Keeps the seeds and begins to ask them.
    pub(crate) fn on_join(&mut self, now: Moment, seeds: &[Address]) {
        let others = seeds.iter().filter(|seed| **seed != self.me.address);
        self.seeds = others.copied().take(self.config.seeds_max as usize).collect();
        self.joining = !self.seeds.is_empty();
        self.schedule.join = now;
    }

    /// Forgets a seed that turned out to be this node under another address.
    pub(crate) fn drop_seed(&mut self, address: Address) {
        self.seeds.retain(|seed| *seed != address);
        self.joining &= !self.seeds.is_empty();
    }

    /// Asks some seeds for their whole views.
    pub(crate) fn ask_seeds(&mut self, now: Moment, outputs: &mut Vec<Output>) {
        self.schedule.join = self.about(now, self.config.join_period);
        let fanout = (self.config.join_fanout as usize).min(self.seeds.len());
        for chosen in 0..fanout {
            // A partial shuffle: each seed not yet chosen is equally likely.
            let left = u32::try_from(self.seeds.len() - chosen).unwrap_or(u32::MAX);
            let other = chosen + self.dice.below(left) as usize;
            self.seeds.swap(chosen, other);
            let mut question = self.parcel(self.seeds[chosen]);
            question.put(&Item::Join);
            self.send(question, outputs);
        }
    }

    /// Takes in a whole view at once; it is known already to those it came from.
    pub(crate) fn on_snapshot(
        &mut self,
        now: Moment,
        records: &[Record],
        outputs: &mut Vec<Output>,
    ) {
        self.joining = false;
        for record in records {
            self.learn(now, *record, false, outputs);
        }
    }

    /// Tells some members that this node leaves, and falls silent.
    pub(crate) fn on_leave(&mut self, now: Moment, outputs: &mut Vec<Output>) {
        self.swim(now, outputs, |foca, outbox| foca.leave_cluster(outbox));
        self.silent = true;
    }

    /// Compares views with someone who was dead or far, in case it is back; clears old graves.
    pub(crate) fn heal(&mut self, now: Moment, outputs: &mut Vec<Output>) {
        self.schedule.heal = self.about(now, self.config.heal_period);
        self.clear_graves(now, outputs);
        if self.view.up() == 1 && !self.seeds.is_empty() {
            self.joining = true;
            self.schedule.join = now;
        }
        let dead = self.view.pick_dead(&mut self.dice).map(|dead| dead.address);
        let seeds = u32::try_from(self.seeds.len()).unwrap_or(u32::MAX);
        let seed = self.seeds.get(self.dice.below(seeds.max(1)) as usize).copied();
        if let Some(to) = if self.dice.below(2) == 0 { dead.or(seed) } else { seed.or(dead) } {
            self.ask_comparison(to, true, outputs);
        }
    }
}
