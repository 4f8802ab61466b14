//! The side that faces foca: its timers, what it sends, and what it notices.

use std::collections::BTreeMap;
use std::num::{NonZeroU8, NonZeroUsize};
use std::time::Duration;

use bary_model::time::{Moment, Span};
use foca::{Foca, NoCustomBroadcast, OwnedNotification, Timer};

use crate::codec::{DecodeError, Reader};
use crate::config::GossipConfig;
use crate::dice::Dice;
use crate::event::{Event, Output};
use crate::gossip::Gossip;
use crate::identity::{Address, Identity};
use crate::items::{ENVELOPE_BYTES, Item, SWIM, put_envelope};
use crate::record::{Record, Standing};
use crate::swim_codec::{SwimCodec, read_header};

/// foca's timers in the order in which they are due. It sets one for each of its periodic acts
/// and one for each suspicion that a probe of its own raises, so their number is bounded by how
/// long a suspicion lasts over `probe_period`.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeMap<(Moment, u64), Timer<Identity>>,
    set: u64,
}

impl Timers {
    pub(crate) fn next(&self) -> Option<Moment> {
        self.due.first_key_value().map(|((due, _), _)| *due)
    }

    fn put(&mut self, due: Moment, timer: Timer<Identity>) {
        self.set += 1;
        self.due.insert((due, self.set), timer);
    }

    fn pop(&mut self, now: Moment) -> Option<Timer<Identity>> {
        let first = self.due.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}

/// What one call of foca wants done.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    envelope: Vec<u8>,
    sends: Vec<(Identity, Vec<u8>)>,
    timers: Vec<(Timer<Identity>, Duration)>,
    notes: Vec<OwnedNotification<Identity>>,
}

impl foca::Runtime<Identity> for Outbox {
    fn notify(&mut self, note: foca::Notification<'_, Identity>) {
        self.notes.push(note.to_owned());
    }

    fn send_to(&mut self, to: Identity, data: &[u8]) {
        let mut bytes = Vec::with_capacity(self.envelope.len() + data.len());
        bytes.extend_from_slice(&self.envelope);
        bytes.extend_from_slice(data);
        self.sends.push((to, bytes));
    }

    fn submit_after(&mut self, timer: Timer<Identity>, after: Duration) {
        self.timers.push((timer, after));
    }
}

/// foca's configuration for a cluster of `members`. Rumours are told, and suspicions last, the
/// longer the more members there are, by the logarithm, as in SWIM.
pub(crate) fn swim_config(config: &GossipConfig, members: usize) -> foca::Config {
    let doublings = members.max(1).ilog2();
    let tells = u8::try_from((doublings * 6 / 5).max(4)).unwrap_or(u8::MAX);
    let tenths = u64::from((doublings * 3).max(10));
    let suspicion = config.probe_period.times(u64::from(config.suspicion_periods) * tenths);
    let at_least_one =
        |number: u32| NonZeroUsize::new(number as usize).unwrap_or(NonZeroUsize::MIN);
    let packet = (config.datagram_bytes_max as usize).saturating_sub(ENVELOPE_BYTES);
    foca::Config {
        probe_period: config.probe_period.to_std(),
        probe_rtt: config.probe_timeout.to_std(),
        num_indirect_probes: at_least_one(config.probe_helpers),
        max_transmissions: NonZeroU8::new(tells).unwrap_or(NonZeroU8::MIN),
        suspect_to_down_after: Span(suspicion.0 / 10).to_std(),
        // Graves are this crate's to clear.
        remove_down_after: None,
        max_packet_size: NonZeroUsize::new(packet).unwrap_or(NonZeroUsize::MIN),
        // This crate tells the dead itself. foca 2.0.0 tells also those who refuted in time.
        notify_down_members: false,
        periodic_announce: None,
        periodic_announce_to_down_members: None,
        periodic_gossip: Some(foca::PeriodicParams {
            frequency: config.rumour_period.to_std(),
            num_members: at_least_one(config.rumour_fanout),
        }),
    }
}

type Swim = Foca<Identity, SwimCodec, Dice, NoCustomBroadcast>;

impl Gossip {
    /// Calls foca and does what it wants.
    pub(crate) fn swim(
        &mut self,
        now: Moment,
        outputs: &mut Vec<Output>,
        call: impl FnOnce(&mut Swim, &mut Outbox) -> Result<(), foca::Error>,
    ) {
        let mut outbox = Outbox::default();
        put_envelope(SWIM, self.config.cluster, &mut outbox.envelope);
        let called = call(&mut self.foca, &mut outbox);
        self.tally.swim_refused += u64::from(called.is_err());
        for (timer, after) in outbox.timers {
            self.timers.put(now + Span::from(after), timer);
        }
        for note in outbox.notes {
            self.on_note(now, note, outputs);
        }
        for (to, bytes) in outbox.sends {
            self.send_swim(now, to.address, bytes, outputs);
        }
    }

    /// Does foca's timers that are due.
    pub(crate) fn on_timers(&mut self, now: Moment, outputs: &mut Vec<Output>) {
        while let Some(timer) = self.timers.pop(now) {
            self.swim(now, outputs, |foca, outbox| foca.handle_timer(timer, outbox));
        }
    }

    /// Takes in foca's message. Its updates are taken in one by one and only where they are news,
    /// since foca looks for each from the start of its list; then it gets the rest.
    pub(crate) fn on_swim(
        &mut self,
        now: Moment,
        from: Address,
        message: &[u8],
        outputs: &mut Vec<Output>,
    ) {
        let mut reader = Reader::new(message);
        let Ok(header) = read_header(&mut reader) else {
            self.tally.malformed += 1;
            return;
        };
        let head = &message[..message.len() - reader.rest().len()];
        let Ok(updates) = read_updates(&mut reader) else {
            self.tally.malformed += 1;
            return;
        };
        let sender = Record {
            identity: header.src,
            refutations: header.src_incarnation,
            standing: Standing::Up,
        };
        if let Err(better) = self.hear(now, sender, outputs) {
            if let Some(better) = better {
                self.tell(from, better, outputs);
            }
            return;
        }
        if header.dst != self.me && header.dst.name == self.me.name {
            // Whoever writes to an earlier life of this node shall know which one lives.
            self.tell(
                from,
                Record { refutations: self.refutations, ..Record::up(self.me) },
                outputs,
            );
        }
        for update in updates {
            self.learn(now, update, true, outputs);
        }
        if let foca::Message::Ack(number) = header.message {
            self.on_ack(now, header.src.name, number, outputs);
        }
        if !self.silent {
            self.swim(now, outputs, |foca, outbox| foca.handle_data(head, outbox));
        }
    }

    /// Sends one record.
    pub(crate) fn tell(&mut self, to: Address, record: Record, outputs: &mut Vec<Output>) {
        let mut parcel = self.parcel(to);
        parcel.put(&Item::Record(record));
        self.send(parcel, outputs);
    }

    fn on_note(
        &mut self,
        now: Moment,
        note: OwnedNotification<Identity>,
        outputs: &mut Vec<Output>,
    ) {
        match note {
            OwnedNotification::MemberDown(dead) => {
                let died = self.view.edit(dead.name, |entry| {
                    let alive = entry.is_up() && entry.record.identity == dead;
                    if alive {
                        entry.become_record(Record { standing: Standing::Down, ..entry.record });
                    }
                    alive
                });
                if died == Some(true) {
                    // If it lives after all it shall rise as soon as it can.
                    let record = Record { standing: Standing::Down, ..Record::up(dead) };
                    self.tell(dead.address, record, outputs);
                    self.reconcile(now, dead.name, outputs);
                }
            }
            OwnedNotification::Rejoin(risen) => {
                (self.me, self.refutations) = (risen, 0);
                self.view.edit(risen.name, |entry| entry.record = Record::up(risen));
                outputs.push(Output::Tell(Event::Risen { renewal: risen.renewal }));
            }
            // This life can neither go on nor rise again.
            OwnedNotification::Defunct => self.silent = true,
            // Members come up, and lives replace lives, only by what this crate tells foca.
            OwnedNotification::MemberUp(_)
            | OwnedNotification::Rename(_, _)
            | OwnedNotification::Active
            | OwnedNotification::Idle => {}
        }
    }

    fn send_swim(&mut self, now: Moment, to: Address, bytes: Vec<u8>, outputs: &mut Vec<Output>) {
        if let Ok(header) = read_header(&mut Reader::new(&bytes[ENVELOPE_BYTES..])) {
            if self.refutations != header.src_incarnation {
                self.refutations = header.src_incarnation;
                let refutations = self.refutations;
                self.view.edit(self.me.name, |me| me.record.refutations = refutations);
            }
            if let foca::Message::Ping(number) = header.message {
                self.on_ping_sent(now, header.dst.name, number, outputs);
            }
        }
        outputs.push(Output::Send { to, bytes });
    }
}

/// The updates behind a header: a count of two bytes, and as many records. Nothing may follow.
fn read_updates(reader: &mut Reader<'_>) -> Result<Vec<Record>, DecodeError> {
    if reader.is_empty() {
        return Ok(Vec::new());
    }
    // foca writes this one number itself, with the high byte first.
    let count = reader.u16()?.swap_bytes();
    let updates = (0..count).map(|_| reader.record()).collect::<Result<Vec<_>, _>>()?;
    if reader.is_empty() { Ok(updates) } else { Err(DecodeError::Short) }
}
