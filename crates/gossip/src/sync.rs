//! Anti-entropy: two nodes compare sums over slices of their views, then members of the slices
//! that differ, then exchange what one knows and the other does not. A newcomer gets the whole
//! order as one slice.

use std::ops::RangeInclusive;

use bary_model::time::Moment;

use crate::event::{Event, Output};
use crate::gossip::Gossip;
use crate::identity::{Address, Name};
use crate::items::{HEAD_BYTES, Item, put_change, put_entry, put_section, put_values};
use crate::parcel::Parcel;
use crate::reconcile::Verdict;
use crate::record::Record;
use crate::values::Delta;
use crate::view::{place, slice_part};

/// What a section and the own view have to tell each other.
#[derive(Default)]
struct Difference {
    /// Records that are news here.
    news: Vec<Record>,
    /// Records whose sender should hear better.
    overtaken: Vec<Record>,
    /// Nodes whose values the sender has in a later version: which life, and what is held.
    wants: Vec<(Name, u64, u64)>,
    /// Nodes whose values the sender has in an earlier version: which life, and that version.
    gives: Vec<(Name, u64, u64)>,
    /// Members that the sender lacks.
    lacks: Vec<Name>,
}

impl Gossip {
    /// Begins a comparison with a random member.
    pub(crate) fn compare(&mut self, now: Moment, outputs: &mut Vec<Output>) {
        let busy = std::mem::take(&mut self.stirred);
        let period = if busy { self.config.sync_period_min } else { self.config.sync_period };
        self.schedule.sync = self.about(now, period);
        if let Some(peer) = self.view.pick(&mut self.dice, self.me.name) {
            self.ask_comparison(peer.address, busy, outputs);
        }
    }

    /// Sends the sums of all slices, which are small where a comparison shall find much.
    pub(crate) fn ask_comparison(&mut self, to: Address, busy: bool, outputs: &mut Vec<Output>) {
        let salt = self.dice.draw();
        let sums = self.view.summary(self.view.bits(busy), salt);
        let mut question = self.parcel(to);
        question.put(&Item::Summary { salt, sums });
        self.send(question, outputs);
    }

    /// Answers sums with the members of the slices that differ.
    pub(crate) fn on_summary(&mut self, salt: u64, sums: &[u32], answer: &mut Parcel) {
        let bits = sums.len().ilog2();
        let mine = self.view.summary(bits, salt);
        let differ = (0..sums.len()).filter(|&at| mine[at] != sums[at]);
        let mut parts: Vec<RangeInclusive<u64>> = Vec::new();
        for part in differ.map(|at| slice_part(at, bits)) {
            match parts.last_mut() {
                Some(last) if last.end().checked_add(1) == Some(*part.start()) => {
                    *last = *last.start()..=*part.end();
                }
                _ => parts.push(part),
            }
        }
        self.put_parts(&parts, answer);
    }

    /// Puts the members of some parts of the order in an answer, from a random one on, so that
    /// an answer that is cut short does not always lack the same ones.
    pub(crate) fn put_parts(&mut self, parts: &[RangeInclusive<u64>], answer: &mut Parcel) {
        let turn = self.dice.draw();
        let (before, after): (Vec<_>, Vec<_>) =
            parts.iter().cloned().partition(|part| *part.end() < turn);
        for part in after.into_iter().chain(before) {
            let (start, end) = part.into_inner();
            let whole = if start < turn && turn <= end {
                self.put_part(turn..=end, answer) && self.put_part(start..=turn - 1, answer)
            } else {
                self.put_part(start..=end, answer)
            };
            if !whole {
                return;
            }
        }
    }

    /// Puts the members of one part in sections; false where the answer is full.
    fn put_part(&self, part: RangeInclusive<u64>, answer: &mut Parcel) -> bool {
        let (mut from, mut upto) = (*part.start(), None);
        let (mut entries, mut count) = (Vec::new(), 0_u16);
        let (mut one, mut section) = (Vec::new(), Vec::new());
        for (place, entry) in self.view.slice(part.clone()) {
            one.clear();
            put_entry(&entry.record, entry.values.version, &mut one);
            if entries.len() + one.len() + HEAD_BYTES > answer.room() {
                if let Some(upto) = upto.take() {
                    section.clear();
                    put_section(from..=upto, count, &entries, &mut section);
                    answer.put_bytes(&section);
                    (from, count) = (upto + 1, 0);
                    entries.clear();
                }
                if !answer.close() {
                    return false;
                }
            }
            entries.extend_from_slice(&one);
            (count, upto) = (count + 1, Some(place));
        }
        section.clear();
        put_section(from..=*part.end(), count, &entries, &mut section);
        answer.put_bytes(&section)
    }

    /// Takes in the members of a part of the order as another node knows them.
    pub(crate) fn on_section(
        &mut self,
        now: Moment,
        part: RangeInclusive<u64>,
        entries: &[(Record, u64)],
        answer: &mut Parcel,
        outputs: &mut Vec<Output>,
    ) {
        self.joining = false;
        let difference = self.difference(part, entries);
        for record in difference.news {
            self.stirred |= self.learn(now, record, false, outputs) == Verdict::News;
        }
        for record in difference.overtaken {
            if self.learn(now, record, false, outputs) == Verdict::Overtaken {
                self.put_known(&record, answer);
            }
        }
        for (name, incarnation, have) in difference.wants {
            let floor = self.view.get(name).map_or(0, |entry| entry.values.floor);
            answer.put(&Item::Want { name, incarnation, have, floor });
        }
        for name in difference.lacks {
            let Some(entry) = self.view.get(name) else { continue };
            let (record, incarnation) = (entry.record, entry.record.identity.incarnation);
            self.stirred = true;
            answer.put(&Item::Record(record));
            self.put_values((name, incarnation), 0, 0, answer);
        }
        for (name, incarnation, have) in difference.gives {
            self.put_values((name, incarnation), have, 0, answer);
        }
    }

    /// Walks a section and the own view side by side; both are in the order of places.
    fn difference(&self, part: RangeInclusive<u64>, entries: &[(Record, u64)]) -> Difference {
        let mut difference = Difference::default();
        let mut mine = self.view.slice(part).peekable();
        for (record, version) in entries {
            let (name, incarnation) = (record.identity.name, record.identity.incarnation);
            let there = place(name);
            while let Some((_, entry)) = mine.next_if(|(here, _)| *here < there) {
                difference.lacks.push(entry.record.identity.name);
            }
            let known = mine.next_if(|(here, _)| *here == there).map(|(_, entry)| entry);
            let held = known.filter(|entry| entry.record.identity.incarnation == incarnation);
            let held = held.map_or(0, |entry| entry.values.version);
            // The common case first: nothing is new.
            let same = known.is_some_and(|entry| entry.record == *record);
            if !same {
                let news = known.is_none_or(|entry| record.is_news_to(&entry.record));
                let to = if news { &mut difference.news } else { &mut difference.overtaken };
                to.push(*record);
            }
            if name != self.me.name && *version > held {
                difference.wants.push((name, incarnation, held));
            } else if *version < held {
                difference.gives.push((name, incarnation, *version));
            }
        }
        difference.lacks.extend(mine.map(|(_, entry)| entry.record.identity.name));
        difference
    }

    /// Puts a member's values above a version in an answer, in as many deltas as it takes.
    pub(crate) fn put_values(
        &self,
        (name, incarnation): (Name, u64),
        have: u64,
        floor: u64,
        answer: &mut Parcel,
    ) {
        let Some(entry) = self.view.get(name).filter(|entry| entry.is_up()) else { return };
        let values = &entry.values;
        if entry.record.identity.incarnation != incarnation || values.version <= have {
            return;
        }
        let (mut from, items) = values.above(have, floor);
        let mut items = items.iter().peekable();
        let (mut one, mut changes, mut delta) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            let (mut count, mut upto) = (0, from);
            changes.clear();
            while let Some(item) = items.peek() {
                one.clear();
                put_change(item, &mut one);
                if changes.len() + one.len() + HEAD_BYTES > answer.room() {
                    break;
                }
                changes.extend_from_slice(&one);
                (count, upto) = (count + 1, item.version);
                items.next();
            }
            let last = items.peek().is_none();
            if last {
                upto = values.version;
            }
            if last || count > 0 {
                delta.clear();
                let bounds = [values.floor, from, upto];
                put_values((name, incarnation), bounds, (count, &changes), &mut delta);
                answer.put_bytes(&delta);
            }
            if last || !answer.close() {
                return;
            }
            from = upto;
        }
    }

    /// Takes in changes of a member's values.
    pub(crate) fn on_values(
        &mut self,
        name: Name,
        incarnation: u64,
        delta: Delta,
        outputs: &mut Vec<Output>,
    ) {
        let keys_max = self.config.keys_max;
        let changed = self.view.edit(name, |entry| {
            let same = entry.record.identity.incarnation == incarnation && entry.is_up();
            if same && name != self.me.name { entry.values.apply(delta, keys_max) } else { None }
        });
        let Some(changed) = changed.flatten() else {
            self.tally.values_refused += 1;
            return;
        };
        for item in changed {
            let event = Event::Changed { name, key: item.key, value: item.value };
            outputs.push(Output::Tell(event));
        }
    }
}
