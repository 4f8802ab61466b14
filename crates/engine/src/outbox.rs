//! What leaves a step: effects at once, promises only when the records they rest on are durable.

use std::collections::VecDeque;

use bary_ledger::record::Record;
use bary_model::event::{Event, EventKind};
use bary_model::id::{Lsn, NodeId};
use bary_model::message::Message;
use bary_model::time::Moment;

use crate::effect::Effect;
use crate::input::Reply;

/// Collects what a step wants done.
#[derive(Debug)]
pub(crate) struct Outbox {
    me: NodeId,
    pub(crate) now: Moment,
    records: Vec<Record>,
    /// The number that the batch under way will get.
    next: Lsn,
    durable: Lsn,
    held: VecDeque<(Lsn, Promise)>,
    /// Messages of this engine to itself, delivered within the step.
    local: VecDeque<Message>,
    effects: Vec<Effect>,
}

#[derive(Debug)]
enum Promise {
    Effect(Effect),
    Local(Message),
}

impl Outbox {
    pub(crate) fn new(me: NodeId) -> Self {
        Self {
            me,
            now: Moment(0),
            records: Vec::new(),
            next: Lsn(1),
            durable: Lsn(0),
            held: VecDeque::new(),
            local: VecDeque::new(),
            effects: Vec::new(),
        }
    }

    pub(crate) fn record(&mut self, record: Record) {
        self.records.push(record);
    }

    pub(crate) fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Sends at once; to the engine itself within this step.
    pub(crate) fn send(&mut self, to: NodeId, message: Message) {
        if to == self.me {
            self.local.push_back(message);
        } else {
            self.effects.push(Effect::Send { to, message });
        }
    }

    /// Sends when the batch under way is durable.
    pub(crate) fn send_when_durable(&mut self, to: NodeId, message: Message) {
        if to == self.me {
            self.promise(Promise::Local(message));
        } else {
            self.promise(Promise::Effect(Effect::Send { to, message }));
        }
    }

    /// Sends at once, or after the last message to the same node that waits to be durable.
    pub(crate) fn send_after_held(&mut self, to: NodeId, message: Message) {
        let own = to == self.me;
        let last = self.held.iter().rev().find(|(_, promise)| match promise {
            Promise::Local(_) => own,
            Promise::Effect(Effect::Send { to: other, .. }) => *other == to,
            Promise::Effect(_) => false,
        });
        match last.map(|(rests_on, _)| *rests_on) {
            None => self.send(to, message),
            Some(_) => self.send_when_durable(to, message),
        }
    }

    pub(crate) fn tell(&mut self, kind: EventKind) {
        let event = Event { at: self.now, kind };
        self.promise(Promise::Effect(Effect::Tell(event)));
    }

    pub(crate) fn reply(&mut self, ticket: u64, reply: Reply) {
        self.promise(Promise::Effect(Effect::Reply { ticket, reply }));
    }

    /// Without records under way a promise rests on the last batch.
    fn promise(&mut self, promise: Promise) {
        let rests_on = if self.records.is_empty() { Lsn(self.next.0 - 1) } else { self.next };
        if rests_on <= self.durable && self.held.is_empty() {
            self.keep(promise);
        } else {
            self.held.push_back((rests_on, promise));
        }
    }

    fn keep(&mut self, promise: Promise) {
        match promise {
            Promise::Effect(effect) => self.effects.push(effect),
            Promise::Local(message) => self.local.push_back(message),
        }
    }

    pub(crate) fn on_durable(&mut self, lsn: Lsn) {
        self.durable = self.durable.max(lsn);
        while self.held.front().is_some_and(|(rests_on, _)| *rests_on <= self.durable) {
            if let Some((_, promise)) = self.held.pop_front() {
                self.keep(promise);
            }
        }
    }

    pub(crate) fn next_local(&mut self) -> Option<Message> {
        self.local.pop_front()
    }

    /// Ends a step: closes the batch under way and hands over all effects.
    pub(crate) fn close(&mut self, effects: &mut Vec<Effect>) {
        if !self.records.is_empty() {
            let records = std::mem::take(&mut self.records);
            effects.push(Effect::Append { lsn: self.next, records });
            self.next.0 += 1;
        }
        effects.append(&mut self.effects);
    }
}
