//! Taking in a datagram.

use bary_model::time::Moment;

use crate::event::Output;
use crate::gossip::Gossip;
use crate::identity::Address;
use crate::items::{Content, Item, read};
use crate::parcel::Parcel;
use crate::record::{Record, Standing};

impl Gossip {
    pub(crate) fn on_datagram(
        &mut self,
        now: Moment,
        from: Address,
        bytes: &[u8],
        outputs: &mut Vec<Output>,
    ) {
        match read(bytes, &self.config) {
            Ok(Content::Swim(message)) => self.on_swim(now, from, message, outputs),
            Ok(Content::Items(sender, items)) => self.on_items(now, from, sender, items, outputs),
            Ok(Content::Foreign) => self.tally.foreign += 1,
            Err(_) => self.tally.malformed += 1,
        }
    }

    fn on_items(
        &mut self,
        now: Moment,
        from: Address,
        sender: Record,
        items: Vec<Item>,
        outputs: &mut Vec<Output>,
    ) {
        if sender.identity == self.me {
            self.drop_seed(from);
            return;
        }
        let mut answer = self.parcel(from);
        let heard = self.hear(now, sender, outputs);
        if let Err(Some(better)) = heard {
            answer.put(&Item::Record(better));
        }
        // The dead may speak, as they do when a partition heals; what a former life says is old.
        let dead = |better: &Record| better.identity == sender.identity;
        let listen = heard.is_ok() || heard.is_err_and(|better| better.as_ref().is_some_and(dead));
        if listen && !self.silent {
            for item in items {
                self.on_item(now, sender, item, &mut answer, outputs);
            }
        }
        // Whatever was heard may have changed who this node is.
        if !self.silent {
            answer.readdress(self.parcel(from));
            self.answer(answer, outputs);
        }
    }

    fn on_item(
        &mut self,
        now: Moment,
        sender: Record,
        item: Item,
        answer: &mut Parcel,
        outputs: &mut Vec<Output>,
    ) {
        match item {
            Item::Summary { salt, sums } => self.on_summary(salt, &sums, answer),
            Item::Section { part, entries } => {
                self.on_section(now, part, &entries, answer, outputs);
            }
            Item::Record(record) => self.on_record(now, record, answer, outputs),
            Item::Want { name, incarnation, have, floor } => {
                self.put_values((name, incarnation), have, floor, answer);
            }
            Item::Values { name, incarnation, delta } => {
                self.on_values(name, incarnation, delta, outputs);
            }
            Item::Join => self.put_parts(&[0..=u64::MAX], answer),
            Item::Echo(number) => {
                answer.put(&Item::Echoed(number));
            }
            Item::Echoed(number) => {
                self.on_echo(now, sender.identity.name, number, outputs);
            }
        }
    }

    /// Takes in what another says of a third node. A death is not believed yet, since whoever
    /// tells it may come from the other side of a partition: the dead are asked first.
    fn on_record(
        &mut self,
        now: Moment,
        record: Record,
        answer: &mut Parcel,
        outputs: &mut Vec<Output>,
    ) {
        let name = record.identity.name;
        let known = self.view.get(name).filter(|entry| entry.is_up());
        let same = known.is_some_and(|entry| entry.record.identity == record.identity);
        if same && record.standing == Standing::Down && name != self.me.name {
            self.doubt_life(now, record.identity);
        } else if self.learn(now, record, true, outputs) == crate::reconcile::Verdict::Overtaken {
            self.put_known(&record, answer);
        }
    }
}
