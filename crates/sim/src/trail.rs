//! What a run leaves behind: a hash of everything that happened, and rows of words where somebody
//! wants them. Two runs of one plan leave the same trail.

use bary_engine::effect::Effect;
use bary_engine::input::Input;
use bary_model::id::ShardId;
use bary_model::machine::Machine;
use bary_model::message::{Frame, Message, Say};
use bary_model::time::Moment;
use bary_policy::layout::Layout;
use bary_policy::topology::Topology;

use crate::table::{Row, Table, effect_words, input_words};
use crate::tally::kind_of;

/// Odd constants that are not near each other, for mixing.
const MIX: [u64; 4] =
    [0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb, 0xff51_afd7_ed55_8ccd];

/// The trail of one run.
pub(crate) struct Trail<'a> {
    hash: u64,
    number: u64,
    table: Option<&'a mut dyn Table>,
}

impl<'a> Trail<'a> {
    pub(crate) fn new(seed: u64, table: Option<&'a mut dyn Table>) -> Self {
        Self { hash: seed, number: 0, table }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    /// An input is about to be given to the engine of a node.
    pub(crate) fn input(&mut self, at: Moment, node: usize, input: &Input) {
        let (kind, a, b) = match input {
            Input::Opened { ledger, next } => (1, ledger.shard().0, next.0),
            Input::Deposed { shard } => (2, shard.0, 0),
            Input::Joined(peer) => {
                (3, peer.info.id.0, peer.round_trip.0 ^ of_machine(peer.machine))
            }
            Input::Left(node) => (4, node.0, 0),
            Input::Received { from, frame } => (5, from.0, of_frame(frame)),
            Input::Durable { shard, lsn } => (6, shard.0, lsn.0),
            Input::Room { shard, low } => (7, shard.0, u64::from(*low)),
            Input::Ended { run, items } => (8, run.0, items.len() as u64),
            Input::Beat { run } => (9, run.0, 0),
            Input::Request { ticket, .. } => (10, *ticket, 0),
            Input::Checkpoint { run, step, .. } => (11, run.0, *step),
            Input::Laid { shard, job, choice } => {
                let layout = choice.as_ref().map(|choice| of_layout(&choice.layout));
                (13, shard.0 ^ u64::from(job.0) << 32, layout.unwrap_or(0))
            }
            Input::Gauged(busy) => {
                let [cpus, memory] = busy
                    .map_or([1 << 20; 2], |busy| [u64::from(busy.cpus), u64::from(busy.memory)]);
                (14, cpus, memory)
            }
            Input::Planned { number, topology } => (12, *number, of_topology(topology.as_deref())),
        };
        self.fold(at, node, [kind, a, b]);
        if self.table.is_some() {
            let (what, subject, detail) = input_words(input);
            self.row(at, node, what, subject, detail);
        }
    }

    /// An effect of a node's engine is about to be done.
    pub(crate) fn effect(&mut self, at: Moment, node: usize, effect: &Effect) {
        let (kind, a, b) = match effect {
            Effect::Append { shard, lsn, records, .. } => {
                (21, shard.0 ^ lsn.0 << 20, records.len() as u64)
            }
            Effect::Send { to, frame } => (22, to.0, of_frame(frame)),
            Effect::Start { run, slot, items, budget } => {
                let first = items.first().map_or(0, |item| u64::from(item.range.first));
                (23, run.0 ^ u64::from(*slot) << 48, first ^ budget.0 << 20)
            }
            Effect::Stop { run, force, why } => (24, run.0, *why as u64 ^ u64::from(*force) << 8),
            Effect::Plan { number, nodes, .. } => (27, *number, nodes.len() as u64),
            Effect::Lay { shard, job, question } => {
                (28, shard.0 ^ u64::from(job.0) << 32, question.links.len() as u64)
            }
            Effect::Gauge => (29, 0, 0),
            Effect::Tell(event) => (25, event.at.0, event.shard.0),
            Effect::Reply { ticket, .. } => (26, *ticket, 0),
        };
        self.fold(at, node, [kind, a, b]);
        if self.table.is_some() {
            let (what, subject, detail) = effect_words(effect);
            self.row(at, node, what, subject, detail);
        }
    }

    /// Something happened that neither is an input nor an effect; `what` names it.
    pub(crate) fn other(&mut self, at: Moment, node: usize, what: &'static str, number: u64) {
        let name = what.bytes().fold(40, |sum, byte| sum * 31 + u64::from(byte));
        self.fold(at, node, [name, number, 0]);
        if self.table.is_some() {
            self.row(at, node, what, number.to_string(), String::new());
        }
    }

    /// A datagram of gossip arrives.
    pub(crate) fn gossip(&mut self, at: Moment, node: usize, from: usize, bytes: &[u8]) {
        let step = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(MIX[1]);
        self.fold(at, node, [31, from as u64, bytes.iter().fold(0, step)]);
        if self.table.is_some() {
            let detail = format!("{} bytes", bytes.len());
            self.row(at, node, "gossip", format!("n{from}"), detail);
        }
    }

    /// As [`Trail::other`] for a shard, with words.
    pub(crate) fn told(
        &mut self,
        at: Moment,
        node: usize,
        what: &'static str,
        shard: ShardId,
        detail: &str,
    ) {
        self.fold(at, node, [30, shard.0, detail.len() as u64]);
        if self.table.is_some() {
            self.row(at, node, what, format!("s{}", shard.0), detail.to_owned());
        }
    }

    fn row(
        &mut self,
        at: Moment,
        node: usize,
        what: &'static str,
        subject: String,
        detail: String,
    ) {
        self.number += 1;
        if let Some(table) = &mut self.table {
            table.row(&Row { number: self.number, at, node, what, subject, detail });
        }
    }

    fn fold(&mut self, at: Moment, node: usize, [kind, a, b]: [u64; 3]) {
        let place = (node as u64) << 32 | kind;
        let mixed = at.0.wrapping_mul(MIX[0]) ^ place.wrapping_mul(MIX[1]).rotate_left(17);
        let mixed = mixed ^ a.wrapping_mul(MIX[2]).rotate_left(31) ^ b.wrapping_mul(MIX[3]);
        self.hash = (self.hash.rotate_left(23) ^ mixed).wrapping_mul(MIX[0]);
    }
}

/// Where nodes are, in one number.
fn of_layout(layout: &Layout) -> u64 {
    match layout {
        Layout::Spread => 1,
        Layout::One(region) => 2 + *region as u64,
        Layout::Split(parts) => {
            parts.iter().fold(7, |hash: u64, part| hash.wrapping_mul(31).wrapping_add(*part as u64))
        }
    }
}

fn of_topology(topology: Option<&Topology>) -> u64 {
    topology.map_or(0, |topology| {
        topology.places.iter().fold(u64::from(topology.regions), |sum, place| {
            let scores = place.scores.closeness.to_bits() ^ place.scores.fiedler.to_bits();
            (sum ^ scores ^ u64::from(place.region)).wrapping_mul(MIX[1])
        })
    })
}

/// A frame in one number: its ends, its number and a little of what is in it.
fn of_frame(frame: &Frame) -> u64 {
    let body = frame
        .body
        .as_ref()
        .map_or(0, |(number, message)| *number << 8 ^ of_message(message).wrapping_mul(MIX[1]) ^ 1);
    frame.from.0 ^ frame.to.0.rotate_left(16) ^ frame.ack.rotate_left(32) ^ body
}

fn of_message(message: &Message) -> u64 {
    let rest = match &message.say {
        Say::Load { ready } => *ready,
        Say::Hello(hello) => hello.held.len() as u64,
        Say::Ask(ask) => ask.number ^ ask.held << 20,
        Say::Grant(grant) => grant.ready ^ (grant.items.len() as u64) << 40,
        Say::Outcomes(outcomes) => outcomes.batch ^ (outcomes.items.len() as u64) << 32,
        Say::Repeat(batches) => {
            let items: usize = batches.iter().map(|outcomes| outcomes.items.len()).sum();
            batches.len() as u64 ^ (items as u64) << 32
        }
        Say::Settled { batch } => *batch,
        Say::Retracted { items } => items.len() as u64,
        Say::Pulse(digest) => digest.hash,
        Say::Relist { number } => *number,
        Say::Level(level) => level.ready,
        Say::Seek { tasks, .. } => *tasks,
        Say::Token { ask, .. } => ask.number,
        _ => 0,
    };
    message.shard.0 << 4 ^ rest << 8 ^ kind_of(&message.say) as u64
}
/// A machine as a number; 0 where nothing is known of it.
fn of_machine(Machine { mhz, gpu_mib, link_mbit, lost }: Machine) -> u64 {
    let parts = [(mhz, 44), (gpu_mib, 24), (link_mbit, 8), (lost.into(), 0)];
    parts.iter().fold(0, |sum, (part, by)| sum ^ u64::from(*part).rotate_left(*by))
}
