//! Deaths that one other node told of a member that is up here. The member is told of its death:
//! if it lives it rises under a new renewal, and everyone learns that; if nothing comes it is
//! dead. So a healed partition costs no member, and a death that was missed is still learnt.

use std::collections::BTreeMap;

use bary_model::time::Moment;

use crate::event::Output;
use crate::gossip::Gossip;
use crate::identity::{Identity, Name};
use crate::record::{Record, Standing};

/// How often the member is told before its silence counts.
const TELLS: u32 = 3;

/// Who is said to be dead, when that is followed up next, and how often it was.
#[derive(Debug, Default)]
pub(crate) struct Hearsay {
    told: BTreeMap<Name, (Identity, Moment, u32)>,
    next: Option<Moment>,
}

impl Hearsay {
    pub(crate) fn next(&self) -> Option<Moment> {
        self.next
    }

    fn find_next(&mut self) {
        self.next = self.told.values().map(|(_, due, _)| *due).min();
    }
}

impl Gossip {
    /// Begins to follow up that a life has ended.
    pub(crate) fn doubt_life(&mut self, now: Moment, life: Identity) {
        let told = &mut self.hearsay.told;
        if told.get(&life.name).is_some_and(|(before, ..)| *before == life) {
            return;
        }
        if told.len() >= self.config.hearsay_max as usize {
            self.tally.hearsay_dropped += 1;
            return;
        }
        told.insert(life.name, (life, now, 0));
        self.hearsay.next = Some(now);
    }

    /// Follows up what is due.
    pub(crate) fn chase_hearsay(&mut self, now: Moment, outputs: &mut Vec<Output>) {
        if self.hearsay.next.is_none_or(|next| next > now) {
            return;
        }
        let due = self.hearsay.told.values().filter(|(_, due, _)| *due <= now);
        let due: Vec<(Identity, u32)> = due.map(|(life, _, tells)| (*life, *tells)).collect();
        for (life, tells) in due {
            let record = Record { identity: life, refutations: 0, standing: Standing::Down };
            let here = self.view.get(life.name);
            let up = here.is_some_and(|entry| entry.is_up() && entry.record.identity == life);
            if up && tells < TELLS {
                self.tell(life.address, record, outputs);
                let next = now + self.config.probe_period;
                self.hearsay.told.insert(life.name, (life, next, tells + 1));
                continue;
            }
            self.hearsay.told.remove(&life.name);
            if up {
                self.learn(now, record, true, outputs);
            }
        }
        self.hearsay.find_next();
    }
}
