//! One node's gossip: what it knows, and the step that everything goes through.

use bary_model::time::{Moment, Span};
use foca::{Foca, NoCustomBroadcast};

use crate::allowance::Allowance;
use crate::config::{ConfigFault, GossipConfig};
use crate::dice::Dice;
use crate::doubts::Doubts;
use crate::event::{Input, Output};
use crate::hearsay::Hearsay;
use crate::identity::{Address, Identity, Name};
use crate::items::items_envelope;
use crate::parcel::Parcel;
use crate::pulse::Climate;
use crate::record::Record;
use crate::swim::{Timers, swim_config};
use crate::swim_codec::SwimCodec;
use crate::tally::Tally;
use crate::values::SetError;
use crate::view::View;

/// Why gossip was not made. The caller corrects the configuration.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the configuration has faults: {}", self.list())]
pub struct NewError {
    /// All of them.
    pub faults: Vec<ConfigFault>,
}

impl NewError {
    fn list(&self) -> String {
        let faults: Vec<String> = self.faults.iter().map(ToString::to_string).collect();
        faults.join("; ")
    }
}

/// When the periodic things are due.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Schedule {
    pub(crate) sync: Moment,
    pub(crate) heal: Moment,
    pub(crate) echo: Moment,
    pub(crate) join: Moment,
}

/// The membership of one node, and what it knows of the others.
///
/// The same inputs at the same times and the same seed give the same outputs.
pub struct Gossip {
    pub(crate) config: GossipConfig,
    pub(crate) me: Identity,
    /// How often this life refuted a suspicion, as foca says in each message.
    pub(crate) refutations: u16,
    pub(crate) foca: Foca<Identity, SwimCodec, Dice, NoCustomBroadcast>,
    pub(crate) dice: Dice,
    pub(crate) view: View,
    pub(crate) timers: Timers,
    pub(crate) schedule: Schedule,
    pub(crate) started: bool,
    pub(crate) joining: bool,
    pub(crate) silent: bool,
    /// How often the cluster has doubled since it was this node alone.
    pub(crate) doublings: u32,
    /// Whether comparisons brought members since the last one began.
    pub(crate) stirred: bool,
    pub(crate) seeds: Vec<Address>,
    pub(crate) hearsay: Hearsay,
    pub(crate) doubts: Doubts,
    pub(crate) climate: Climate,
    /// Whom foca probes, with which number, and since when.
    pub(crate) probe: Option<(Name, u8, Moment)>,
    pub(crate) allowance: Allowance,
    pub(crate) tally: Tally,
}

impl Gossip {
    /// A node alone. `me`'s incarnation must be durable and higher than in the node's last life.
    ///
    /// # Errors
    /// All faults of the configuration.
    pub fn new(config: GossipConfig, me: Identity, seed: u64) -> Result<Self, NewError> {
        let faults = config.check();
        if !faults.is_empty() {
            return Err(NewError { faults });
        }
        let swim = swim_config(&config, 1);
        let (deviation, cap) = (config.deviation_min.as_secs_f64(), config.phi_per_probe_max);
        Ok(Self {
            me,
            refutations: 0,
            foca: Foca::new(me, swim, Dice::new(seed, 0), SwimCodec::default()),
            dice: Dice::new(seed, 1),
            view: View::new(me),
            timers: Timers::default(),
            schedule: Schedule::default(),
            started: false,
            joining: false,
            silent: false,
            doublings: 0,
            stirred: false,
            seeds: Vec::new(),
            hearsay: Hearsay::default(),
            doubts: Doubts::default(),
            climate: Climate::new(deviation, cap),
            probe: None,
            allowance: Allowance::new(config.answer_bytes_per_second_max),
            tally: Tally::default(),
            config,
        })
    }

    /// Takes in what happened up to `now`, does what is due, and says what to do. `now` never
    /// goes back.
    pub fn step(
        &mut self,
        now: Moment,
        inputs: impl IntoIterator<Item = Input>,
        outputs: &mut Vec<Output>,
    ) {
        self.start(now);
        self.allowance.fill(now);
        // Inputs come first: after a pause, answers that have arrived count before their timers.
        for input in inputs {
            if !self.silent {
                self.on_input(now, input, outputs);
            }
        }
        if !self.silent {
            self.on_time(now, outputs);
        }
    }

    /// When `step` should be called next if nothing happens; `None` before the first step and
    /// after the node left.
    #[must_use]
    pub fn wake(&self) -> Option<Moment> {
        if self.silent || !self.started {
            return None;
        }
        let Schedule { sync, heal, echo, join } = self.schedule;
        let echo = (!self.doubts.is_empty()).then_some(echo);
        let join = self.joining.then_some(join);
        let due = [Some(sync), Some(heal), echo, join, self.timers.next(), self.hearsay.next()];
        due.into_iter().flatten().min()
    }

    /// Says something of this node, or takes it back with `None`. Others hear of it by and by.
    ///
    /// # Errors
    /// See [`SetError`]; nothing was changed then.
    pub fn set(&mut self, key: &str, value: Option<&[u8]>) -> Result<(), SetError> {
        let GossipConfig { keys_max, key_bytes_max, value_bytes_max, .. } = self.config;
        if key.is_empty() || key.len() > key_bytes_max as usize {
            return Err(SetError::Key { bytes: key.len(), max: key_bytes_max });
        }
        let bytes = value.map_or(0, <[u8]>::len);
        if bytes > value_bytes_max as usize {
            return Err(SetError::Value { bytes, max: value_bytes_max });
        }
        let set = self.view.edit(self.me.name, |me| me.values.set(key, value, keys_max));
        set.unwrap_or(Ok(()))
    }

    /// This node as the others know it.
    #[must_use]
    pub fn me(&self) -> Identity {
        self.me
    }

    /// How many members there are, this node included.
    #[must_use]
    pub fn members_count(&self) -> usize {
        self.view.up()
    }

    /// The members, this node included, in an order that is the same on every node.
    pub fn members(&self) -> impl Iterator<Item = Identity> {
        self.view.members().map(|entry| entry.record.identity)
    }

    /// The life of a member; `None` where it is not a member.
    #[must_use]
    pub fn member(&self, name: Name) -> Option<Identity> {
        let entry = self.view.get(name).filter(|entry| entry.is_up())?;
        Some(entry.record.identity)
    }

    /// What a member says of itself under `key`.
    #[must_use]
    pub fn value(&self, name: Name, key: &str) -> Option<&[u8]> {
        self.view.get(name)?.values.value(key)
    }

    /// All that a member says of itself.
    pub fn values(&self, name: Name) -> impl Iterator<Item = (&str, &[u8])> {
        self.view.get(name).into_iter().flat_map(|entry| entry.values.iter())
    }

    /// How sure this node is that a member is in trouble; 0 where it never probed it.
    #[must_use]
    pub fn phi(&self, name: Name) -> f64 {
        self.view.get(name).map_or(0.0, |entry| entry.pulse.phi)
    }

    /// One number for the view: equal on two nodes exactly if they know the same members, in the
    /// same lives, with the same versions of values, but for one chance in 2^64.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.view.fingerprint()
    }

    /// All members, for a newcomer that asks by another way than datagrams.
    #[must_use]
    pub fn snapshot(&self) -> Vec<Record> {
        self.view.members().map(|entry| entry.record).collect()
    }

    /// Counts of what was dropped.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }

    fn start(&mut self, now: Moment) {
        if !self.started {
            self.started = true;
            self.schedule.sync = self.soon(now, self.config.sync_period);
            self.schedule.heal = self.soon(now, self.config.heal_period);
        }
    }

    fn on_input(&mut self, now: Moment, input: Input, outputs: &mut Vec<Output>) {
        match input {
            Input::Datagram { from, bytes } => self.on_datagram(now, from, &bytes, outputs),
            Input::Join { seeds } => self.on_join(now, &seeds),
            Input::Snapshot { records } => self.on_snapshot(now, &records, outputs),
            Input::Answered { name, round_trip } => {
                self.on_answer(now, name, round_trip, false, outputs);
            }
            Input::Leave => self.on_leave(now, outputs),
        }
    }

    fn on_time(&mut self, now: Moment, outputs: &mut Vec<Output>) {
        self.on_timers(now, outputs);
        self.chase_hearsay(now, outputs);
        if self.joining && self.schedule.join <= now {
            self.ask_seeds(now, outputs);
        }
        if !self.doubts.is_empty() && self.schedule.echo <= now {
            self.ask_echoes(now, outputs);
        }
        if self.schedule.sync <= now {
            self.compare(now, outputs);
        }
        if self.schedule.heal <= now {
            self.heal(now, outputs);
        }
    }

    /// A random moment within a period from now on, so that nodes do not fall in step.
    pub(crate) fn soon(&mut self, now: Moment, period: Span) -> Moment {
        now + Span(u64::from(self.dice.below(1_000)) * (period.0 / 1_000))
    }

    /// An eighth around a period from now on.
    pub(crate) fn about(&mut self, now: Moment, period: Span) -> Moment {
        now + Span(period.0 / 8 * 7 + u64::from(self.dice.below(1_000)) * (period.0 / 4_000))
    }

    /// An empty parcel for an address.
    pub(crate) fn parcel(&self, to: Address) -> Parcel {
        let envelope = items_envelope(self.config.cluster, &self.me, self.refutations);
        let GossipConfig { datagram_bytes_max, answer_datagrams_max, .. } = self.config;
        Parcel::new(to, envelope, datagram_bytes_max, answer_datagrams_max)
    }

    /// Sends a parcel that this node begins.
    pub(crate) fn send(&mut self, parcel: Parcel, outputs: &mut Vec<Output>) {
        let to = parcel.to;
        let (datagrams, cut) = parcel.seal();
        self.tally.answers_cut += u64::from(cut);
        outputs.extend(datagrams.into_iter().map(|bytes| Output::Send { to, bytes }));
    }

    /// Sends a parcel that answers a datagram, as far as the allowance goes. The first datagram
    /// is free: it draws no more from this node than the question did.
    pub(crate) fn answer(&mut self, parcel: Parcel, outputs: &mut Vec<Output>) {
        let to = parcel.to;
        let (datagrams, mut cut) = parcel.seal();
        for (at, bytes) in datagrams.into_iter().enumerate() {
            if at == 0 || self.allowance.take(bytes.len()) {
                outputs.push(Output::Send { to, bytes });
            } else {
                cut = true;
            }
        }
        self.tally.answers_cut += u64::from(cut);
    }
}
