//! Taking in what is told of a node: into the view, into foca, and out as events.

use bary_model::time::Moment;

use crate::event::{Event, Output};
use crate::gossip::Gossip;
use crate::identity::Name;
use crate::items::Item;
use crate::parcel::Parcel;
use crate::record::{Record, Standing};
use crate::swim::swim_config;

/// What a record was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is taken in.
    News,
    /// It changes nothing.
    Known,
    /// Its sender should hear what this node knows.
    Overtaken,
}

impl Gossip {
    /// Takes in what a sender says of itself by sending. If it is dead, replaced or one too many,
    /// its news of others is not to be trusted; the error is what it should be told, if anything.
    pub(crate) fn hear(
        &mut self,
        now: Moment,
        sender: Record,
        outputs: &mut Vec<Output>,
    ) -> Result<(), Option<Record>> {
        let name = sender.identity.name;
        if name == self.me.name {
            if sender.identity == self.me {
                return Err(None);
            }
            self.learn(now, sender, true, outputs);
            return Err(Some(Record { refutations: self.refutations, ..Record::up(self.me) }));
        }
        let known = self.view.get(name).map(|entry| entry.record);
        if known != Some(sender) {
            self.learn(now, sender, true, outputs);
            let known = self.view.get(name).map(|entry| entry.record).ok_or(None)?;
            if sender.is_overtaken_by(&known) {
                return Err(Some(known));
            }
        }
        Ok(())
    }

    /// Puts what is known of a record's node in an answer.
    pub(crate) fn put_known(&self, told: &Record, answer: &mut Parcel) {
        if let Some(entry) = self.view.get(told.identity.name) {
            answer.put(&Item::Record(entry.record));
        }
    }

    /// Takes in a record. `rumour` says whether it is worth telling on.
    pub(crate) fn learn(
        &mut self,
        now: Moment,
        record: Record,
        rumour: bool,
        outputs: &mut Vec<Output>,
    ) -> Verdict {
        let name = record.identity.name;
        if name == self.me.name {
            return self.learn_of_me(now, record, outputs);
        }
        match self.view.get(name).map(|entry| entry.record) {
            // The death of a stranger is no loss, and forgetting it twice is how it ends.
            None if record.standing == Standing::Down => return Verdict::Known,
            None if !self.make_room(now, outputs) => {
                self.tally.nodes_refused += 1;
                return Verdict::Known;
            }
            None => self.view.insert(record),
            Some(known) if record.is_news_to(&known) => {
                self.view.edit(name, |entry| entry.become_record(record));
            }
            Some(known) if record.is_overtaken_by(&known) => return Verdict::Overtaken,
            Some(_) => return Verdict::Known,
        }
        self.reconcile(now, name, outputs);
        self.tell_foca(now, &record, rumour, outputs);
        Verdict::News
    }

    fn learn_of_me(&mut self, now: Moment, record: Record, outputs: &mut Vec<Output>) -> Verdict {
        let doubted = record.standing != Standing::Up;
        if record.identity == self.me {
            if doubted {
                // foca defends this life, or rises under the next renewal.
                self.tell_foca(now, &record, false, outputs);
            }
            let rose = record.identity != self.me;
            return if rose { Verdict::Overtaken } else { Verdict::Known };
        }
        if record.identity.beats(&self.me) {
            self.silent = true;
            let incarnation = record.identity.incarnation;
            outputs.push(Output::Tell(Event::Superseded { incarnation }));
            return Verdict::Known;
        }
        if doubted { Verdict::Known } else { Verdict::Overtaken }
    }

    /// Gives foca a record, and lets it spread as a rumour if there is room for one. Whatever
    /// finds none spreads by comparison.
    fn tell_foca(&mut self, now: Moment, record: &Record, rumour: bool, outputs: &mut Vec<Output>) {
        let urgent = record.standing != Standing::Up || record.refutations > 0;
        let max = self.config.rumours_max as usize / if urgent { 1 } else { 2 };
        let tell = rumour && self.foca.updates_backlog() < max;
        let update = std::iter::once(record.member());
        self.swim(now, outputs, |foca, outbox| foca.apply_many(update, tell, outbox));
    }

    /// Frees an entry in a full view by forgetting the oldest death; false where there is none.
    fn make_room(&mut self, now: Moment, outputs: &mut Vec<Output>) -> bool {
        while self.view.len() >= self.config.nodes_max as usize {
            let Some(forgotten) = self.view.unbury(now, None) else { return false };
            self.forget(now, forgotten, outputs);
        }
        true
    }

    /// Clears graves that are old enough.
    pub(crate) fn clear_graves(&mut self, now: Moment, outputs: &mut Vec<Output>) {
        while let Some(forgotten) = self.view.unbury(now, Some(self.config.grave_kept)) {
            self.forget(now, forgotten, outputs);
        }
    }

    fn forget(
        &mut self,
        now: Moment,
        dead: Option<crate::identity::Identity>,
        outputs: &mut Vec<Output>,
    ) {
        if let Some(dead) = dead {
            let timer = foca::Timer::RemoveDown(dead);
            self.swim(now, outputs, |foca, outbox| foca.handle_timer(timer, outbox));
        }
    }

    /// Tells what a changed entry means for the rest of the node.
    pub(crate) fn reconcile(&mut self, now: Moment, name: Name, outputs: &mut Vec<Output>) {
        let Some(entry) = self.view.get(name) else { return };
        let (identity, told) = (entry.record.identity, entry.told);
        let lives = entry.is_up().then_some(identity.incarnation);
        if told != lives {
            if let Some(incarnation) = told {
                outputs.push(Output::Tell(Event::Left { name, incarnation }));
            }
            if lives.is_some() {
                outputs.push(Output::Tell(Event::Joined(identity)));
            }
            self.view.edit(name, |entry| entry.told = lives);
        }
        if lives.is_none() {
            self.view.bury(now, identity);
            self.doubts.drop(name);
            if self.view.graves() > self.config.nodes_max as usize
                && let Some(forgotten) = self.view.unbury(now, None)
            {
                self.forget(now, forgotten, outputs);
            }
        }
        self.resize();
    }

    /// Adapts how long rumours and suspicions last each time the cluster has doubled or halved.
    fn resize(&mut self) {
        let members = self.view.up();
        let doublings = members.max(1).ilog2();
        if doublings != self.doublings {
            self.doublings = doublings;
            let config = swim_config(&self.config, members);
            let refused = self.foca.set_config(config).is_err();
            self.tally.swim_refused += u64::from(refused);
        }
    }
}
