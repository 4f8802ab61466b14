//! Members whose probes gave evidence against them: each is asked for an echo every period until
//! it is clear what they are. Suspicions start and end here.

use std::collections::BTreeMap;

use bary_model::time::{Moment, Span};

use crate::event::{Event, Output};
use crate::gossip::Gossip;
use crate::identity::Name;
use crate::items::Item;
use crate::pulse::EVIDENCE;

/// One doubted member.
#[derive(Clone, Copy, Debug, Default)]
struct Doubt {
    suspected: Option<Moment>,
    asked: Option<(u64, Moment)>,
}

/// All doubted members.
#[derive(Debug, Default)]
pub(crate) struct Doubts {
    doubted: BTreeMap<Name, Doubt>,
}

impl Doubts {
    pub(crate) fn is_empty(&self) -> bool {
        self.doubted.is_empty()
    }

    /// A member is none any more.
    pub(crate) fn drop(&mut self, name: Name) {
        self.doubted.remove(&name);
    }
}

impl Gossip {
    /// foca begins to probe a member; whom it probed before has missed its turn if it is silent.
    pub(crate) fn on_ping_sent(
        &mut self,
        now: Moment,
        name: Name,
        number: u8,
        outputs: &mut Vec<Output>,
    ) {
        if let Some((silent, ..)) = self.probe.replace((name, number, now)) {
            self.on_miss(now, silent, true, outputs);
        }
    }

    /// A probed member answered foca.
    pub(crate) fn on_ack(
        &mut self,
        now: Moment,
        name: Name,
        number: u8,
        outputs: &mut Vec<Output>,
    ) {
        if let Some((probed, asked, since)) = self.probe
            && (probed, asked) == (name, number)
        {
            self.probe = None;
            self.on_answer(now, name, now.since(since), true, outputs);
        }
    }

    /// A member answered with its echo.
    pub(crate) fn on_echo(
        &mut self,
        now: Moment,
        name: Name,
        number: u64,
        outputs: &mut Vec<Output>,
    ) {
        let Some(doubt) = self.doubts.doubted.get_mut(&name) else { return };
        if let Some((_, since)) = doubt.asked.take_if(|(asked, _)| *asked == number) {
            self.on_answer(now, name, now.since(since), false, outputs);
        }
    }

    /// A member answered something after a time; see `Climate::answered` for `sample`.
    pub(crate) fn on_answer(
        &mut self,
        now: Moment,
        name: Name,
        after: Span,
        sample: bool,
        outputs: &mut Vec<Output>,
    ) {
        if let Some(pulse) = self.view.pulse(name) {
            self.climate.answered(pulse, after.as_secs_f64(), sample);
            self.judge(now, name, outputs);
        }
    }

    fn on_miss(&mut self, now: Moment, name: Name, sample: bool, outputs: &mut Vec<Output>) {
        if let Some(pulse) = self.view.pulse(name) {
            self.climate.missed(pulse, sample);
            self.judge(now, name, outputs);
        }
    }

    /// Begins or ends a doubt or a suspicion after new evidence.
    fn judge(&mut self, now: Moment, name: Name, outputs: &mut Vec<Output>) {
        let Some(entry) = self.view.get(name).filter(|entry| entry.is_up()) else { return };
        let phi = entry.pulse.phi;
        let doubted = &mut self.doubts.doubted;
        if phi >= EVIDENCE && !doubted.contains_key(&name) {
            if doubted.len() >= self.config.doubts_max as usize {
                return;
            }
            if doubted.is_empty() {
                self.schedule.echo = now + self.config.echo_period;
            }
            doubted.insert(name, Doubt::default());
        }
        let Some(doubt) = doubted.get_mut(&name) else { return };
        match doubt.suspected {
            None if phi >= self.config.phi_threshold => {
                doubt.suspected = Some(now);
                outputs.push(Output::Tell(Event::Suspected { name, phi }));
            }
            None if phi < EVIDENCE / 2.0 => self.doubts.drop(name),
            Some(since) if phi < EVIDENCE && now.since(since) >= self.config.trust_after => {
                self.doubts.drop(name);
                outputs.push(Output::Tell(Event::Trusted { name }));
            }
            _ => {}
        }
    }

    /// Asks every doubted member for an echo; one that has not come counts as missed.
    pub(crate) fn ask_echoes(&mut self, now: Moment, outputs: &mut Vec<Output>) {
        self.schedule.echo = now + self.config.echo_period;
        let doubted = self.doubts.doubted.iter();
        let silent: Vec<Name> =
            doubted.filter(|(_, doubt)| doubt.asked.is_some()).map(|(name, _)| *name).collect();
        for name in silent {
            self.on_miss(now, name, false, outputs);
        }
        let names: Vec<Name> = self.doubts.doubted.keys().copied().collect();
        for name in names {
            let Some(identity) = self.member(name) else { continue };
            let number = self.dice.draw();
            if let Some(doubt) = self.doubts.doubted.get_mut(&name) {
                doubt.asked = Some((number, now));
            }
            let mut question = self.parcel(identity.address);
            question.put(&Item::Echo(number));
            self.send(question, outputs);
        }
    }
}
