//! The event table: what happened, one row each, in fixed columns.

use std::fmt::Write as _;

use bary_engine::effect::Effect;
use bary_engine::input::Input;
use bary_model::event::EventKind;
use bary_model::id::TaskRange;
use bary_model::machine::Machine;
use bary_model::message::{Frame, GrantItem, Say};
use bary_model::time::Moment;

use crate::tally::name_of;

/// One row.
#[derive(Clone, Debug)]
pub struct Row {
    /// Counts the rows from 1.
    pub number: u64,
    /// The world's time.
    pub at: Moment,
    /// At which node.
    pub node: usize,
    /// What happened: an input's, an effect's or a fault's name.
    pub what: &'static str,
    /// To what: a shard, a peer, a run, a ticket.
    pub subject: String,
    /// The rest, in words.
    pub detail: String,
}

/// Takes rows as they come.
pub trait Table {
    /// Takes one row; what it cannot write it has to remember itself.
    fn row(&mut self, row: &Row);
}

/// The columns' names, wide as [`Row`] shows them.
pub const HEAD: &str = "  number          time  node  what       subject     detail";

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { number, at, node, what, subject, detail } = self;
        let (secs, nanos) = (at.0 / 1_000_000_000, at.0 % 1_000_000_000);
        write!(f, "{number:>8}  {secs:>4}.{nanos:09}  {node:>4}  {what:<10} {subject:<11} {detail}")
    }
}

impl Table for String {
    fn row(&mut self, row: &Row) {
        self.push_str(row.to_string().trim_end());
        self.push('\n');
    }
}

type Words = (&'static str, String, String);

pub(crate) fn input_words(input: &Input) -> Words {
    match input {
        Input::Opened { ledger, next } => (
            "opened",
            shard(ledger.shard().0),
            format!("after epoch {} next {}", ledger.epoch().0, next.0),
        ),
        Input::Deposed { shard: id } => ("deposed", shard(id.0), String::new()),
        Input::Joined(peer) => {
            let mut detail = peer.round_trip.to_string();
            if peer.machine != Machine::default() {
                let _infallible = write!(detail, " {:?}", peer.machine);
            }
            ("joined", peer.info.id.to_string(), detail)
        }
        Input::Left(node) => ("left", node.to_string(), String::new()),
        Input::Received { from, frame } => ("received", from.to_string(), frame_words(frame)),
        Input::Durable { shard: id, lsn } => ("durable", shard(id.0), format!("lsn {}", lsn.0)),
        Input::Room { shard: id, low } => ("room", shard(id.0), format!("low {low}")),
        Input::Ended { run, items } => {
            let mut detail = String::new();
            for item in items {
                let _infallible = write!(detail, "{} {:?}; ", range(item.range), item.outcome);
            }
            ("ended", format!("run {}", run.0), detail)
        }
        Input::Beat { run } => ("beat", format!("run {}", run.0), String::new()),
        Input::Checkpoint { run, task, step, .. } => {
            let task = TaskRange::one(*task);
            ("checkpoint", format!("run {}", run.0), format!("{} step {step}", range(task)))
        }
        Input::Laid { job, choice, .. } => {
            let told = choice.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
            ("laid", format!("job {}", job.0), told)
        }
        Input::Planned { number, topology } => {
            let regions = topology.as_ref().map_or(0, |topology| topology.regions);
            ("planned", format!("#{number}"), format!("{regions} regions"))
        }
        Input::Gauged(busy) => ("gauged", String::new(), format!("{busy:?}")),
        Input::Request { ticket, request } => {
            let mut words = format!("{request:?}");
            if let Some((at, _)) = words.char_indices().nth(80) {
                words.truncate(at);
            }
            ("request", format!("#{ticket:x}"), words)
        }
    }
}

pub(crate) fn effect_words(effect: &Effect) -> Words {
    match effect {
        Effect::Append { shard: id, epoch, lsn, records, .. } => {
            let detail = format!("epoch {} lsn {} records {}", epoch.0, lsn.0, records.len());
            ("append", shard(id.0), detail)
        }
        Effect::Send { to, frame } => ("send", to.to_string(), frame_words(frame)),
        Effect::Start { run, slot, items, budget } => {
            let detail = format!("slot {slot} budget {budget} {}", granted(items));
            ("start", format!("run {}", run.0), detail)
        }
        Effect::Stop { run, force, why } => {
            ("stop", format!("run {}", run.0), format!("{why:?} force {force}"))
        }
        Effect::Plan { number, nodes, .. } => {
            ("plan", format!("#{number}"), format!("{} nodes", nodes.len()))
        }
        Effect::Lay { job, question, .. } => {
            ("lay", format!("job {}", job.0), format!("{} tasks", question.work.len()))
        }
        Effect::Gauge => ("gauge", String::new(), String::new()),
        Effect::Tell(event) => ("tell", shard(event.shard.0), event_words(&event.kind)),
        Effect::Reply { ticket, reply } => ("reply", format!("#{ticket:x}"), format!("{reply:?}")),
    }
}

fn shard(id: u64) -> String {
    format!("s{id}")
}

/// A range as `job.spec[first..end]`.
fn range(range: TaskRange) -> String {
    format!("{}.{}[{}..{}]", range.job.0, range.spec.0, range.first, range.end())
}

fn granted(items: &[GrantItem]) -> String {
    let mut words = String::new();
    for item in items {
        let fence = item.fence;
        let place = format!("s{}/{}/{}", fence.shard.0, fence.epoch.0, fence.grant.0);
        words += &format!("{place} {} try {}; ", range(item.range), item.attempt);
    }
    words
}

fn frame_words(frame: &Frame) -> String {
    let ends = format!("{:x}>{:x} ack {}", frame.from.0, frame.to.0, frame.ack);
    let Some((number, message)) = &frame.body else { return ends };
    let name = name_of(&message.say);
    let place = format!("s{}/{}", message.shard.0, message.epoch.0);
    let detail = match &message.say {
        Say::Grant(grant) => granted(&grant.items),
        Say::Outcomes(outcomes) => {
            let mut words = format!("batch {} ask {} ", outcomes.batch, outcomes.ask.is_some());
            for item in outcomes.items.iter() {
                words += &format!("{} {:?}; ", range(item.range), item.outcome);
            }
            words
        }
        other => format!("{other:?}"),
    };
    format!("{ends} #{number} {name} {place} {detail}")
}

fn event_words(kind: &EventKind) -> String {
    match kind {
        EventKind::Submitted { job, specs, .. } => {
            format!("submitted {} specs {}", job.0, specs.len())
        }
        EventKind::Ended(ended) => format!("ended {} {:?}", range(ended.range), ended.end),
        EventKind::Granted { node, ranges, .. } => {
            let all: Vec<_> = ranges.iter().map(|one| range(*one)).collect();
            format!("granted {node} {}", all.join(" "))
        }
        other => format!("{other:?}"),
    }
}
