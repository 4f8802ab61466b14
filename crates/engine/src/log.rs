//! The records of one shard and what rests on them: promises leave only when the journal has
//! confirmed the batch that they rest on.

use std::collections::VecDeque;

use bary_ledger::record::Record;
use bary_model::event::{Event, EventKind};
use bary_model::id::{Epoch, Lsn, NodeId, ShardId};
use bary_model::message::{Message, Say};
use bary_model::time::Wall;

use crate::effect::Effect;
use crate::input::Reply;
use crate::outbox::Outbox;

/// The writing end of a shard's journal in one reign.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) shard: ShardId,
    pub(crate) epoch: Epoch,
    records: Vec<Record>,
    /// The number that the batch under way will get.
    next: Lsn,
    durable: Lsn,
    /// The first batch of the reign, in which it was opened.
    opened: Lsn,
    held: VecDeque<(Lsn, Promise)>,
    /// Whether promises leave at once; only a bug put back on purpose says so.
    pub(crate) hasty: bool,
}

#[derive(Debug)]
enum Promise {
    Effect(Effect),
    Send(NodeId, Message),
}

impl Promise {
    fn is_to(&self, node: NodeId) -> bool {
        matches!(self, Self::Send(to, _) if *to == node)
    }
}

impl Log {
    pub(crate) fn new(shard: ShardId, epoch: Epoch, next: Lsn) -> Self {
        let durable = Lsn(next.0 - 1);
        let (records, held) = (Vec::new(), VecDeque::new());
        Self { shard, epoch, records, next, durable, opened: next, held, hasty: false }
    }

    pub(crate) fn record(&mut self, record: Record) {
        self.records.push(record);
    }

    /// What this home says, under its name.
    fn message(&self, say: Say) -> Message {
        Message { shard: self.shard, epoch: self.epoch, say }
    }

    /// Says something at once, or as soon as the reign is on record: until then another home may
    /// mint the same epoch, and nobody could tell the two apart.
    pub(crate) fn say(&mut self, to: NodeId, say: Say, out: &mut Outbox) {
        let message = self.message(say);
        if self.durable < self.opened && !self.hasty {
            self.held.push_back((self.opened, Promise::Send(to, message)));
        } else {
            out.send(to, message);
        }
    }

    /// Says something when the batch under way is durable.
    pub(crate) fn say_when_durable(&mut self, to: NodeId, say: Say, out: &mut Outbox) {
        self.promise(Promise::Send(to, self.message(say)), out);
    }

    /// Says something at once, or after the last word to the same node that waits to be durable.
    pub(crate) fn say_after_held(&mut self, to: NodeId, say: Say, out: &mut Outbox) {
        if self.waits_for(to) {
            self.say_when_durable(to, say, out);
        } else {
            self.say(to, say, out);
        }
    }

    /// Whether anything that is to be said to a node waits to be durable.
    pub(crate) fn waits_for(&self, to: NodeId) -> bool {
        self.held.iter().any(|(_, promise)| promise.is_to(to))
    }

    /// Forgets what was to be said to a node: the session in which it meant something is over.
    pub(crate) fn forget(&mut self, to: NodeId) {
        self.held.retain(|(_, promise)| !promise.is_to(to));
    }

    pub(crate) fn tell(&mut self, kind: EventKind, out: &mut Outbox) {
        let event = Event { at: out.now, shard: self.shard, kind };
        self.promise(Promise::Effect(Effect::Tell(event)), out);
    }

    pub(crate) fn reply(&mut self, ticket: u64, reply: Reply, out: &mut Outbox) {
        self.promise(Promise::Effect(Effect::Reply { ticket, reply }), out);
    }

    /// What a promise made now rests on; without records under way it is the last batch.
    pub(crate) fn rests_on(&self) -> Lsn {
        if self.records.is_empty() { Lsn(self.next.0 - 1) } else { self.next }
    }

    /// The last batch that is durable.
    pub(crate) fn durable(&self) -> Lsn {
        self.durable
    }

    fn promise(&mut self, promise: Promise, out: &mut Outbox) {
        let rests_on = self.rests_on();
        if self.hasty || (rests_on <= self.durable && self.held.is_empty()) {
            keep(promise, out);
        } else {
            self.held.push_back((rests_on, promise));
        }
    }

    pub(crate) fn on_durable(&mut self, lsn: Lsn, out: &mut Outbox) {
        self.durable = self.durable.max(lsn);
        while self.held.front().is_some_and(|(rests_on, _)| *rests_on <= self.durable) {
            if let Some((_, promise)) = self.held.pop_front() {
                keep(promise, out);
            }
        }
    }

    /// Closes the batch under way, which is written at this moment of the calendar; it goes ahead
    /// of all other effects of the step.
    pub(crate) fn close(&mut self, at: Wall, effects: &mut Vec<Effect>) {
        if self.records.is_empty() {
            return;
        }
        let records = std::mem::take(&mut self.records);
        let (shard, epoch, lsn) = (self.shard, self.epoch, self.next);
        effects.push(Effect::Append { shard, epoch, lsn, at, records });
        self.next.0 += 1;
    }
}

fn keep(promise: Promise, out: &mut Outbox) {
    match promise {
        Promise::Effect(effect) => out.effect(effect),
        Promise::Send(to, message) => out.send(to, message),
    }
}
