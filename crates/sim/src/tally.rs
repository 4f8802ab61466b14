//! What is counted while a world runs.

use bary_model::message::{Frame, Say};
use bary_model::time::{Moment, Span};

/// How many kinds of messages there are.
pub const KINDS: usize = 23;

/// The kinds of messages, in the order in which they are counted.
pub const MESSAGES: [&str; KINDS] = [
    "load",
    "hello",
    "ask",
    "grant",
    "outcomes",
    "settled",
    "retract",
    "retracted",
    "pulse",
    "relist",
    "level",
    "seek",
    "token",
    "watch",
    "done",
    "reserve",
    "release",
    "announce",
    "claim",
    "yield",
    "gauge",
    "busy",
    "other",
];

/// Those of them that place tasks.
pub(crate) const PLACING: [&str; 11] = [
    "ask",
    "grant",
    "retract",
    "retracted",
    "seek",
    "token",
    "reserve",
    "announce",
    "claim",
    "gauge",
    "busy",
];

/// The position of a message in [`MESSAGES`].
pub(crate) fn kind_of(say: &Say) -> usize {
    match say {
        Say::Load { .. } => 0,
        Say::Hello(_) => 1,
        Say::Ask(_) => 2,
        Say::Grant(_) => 3,
        Say::Outcomes(_) | Say::Repeat(_) => 4,
        Say::Settled { .. } => 5,
        Say::Retract(_) => 6,
        Say::Retracted { .. } => 7,
        Say::Pulse(_) => 8,
        Say::Relist { .. } => 9,
        Say::Level(_) => 10,
        Say::Seek { .. } => 11,
        Say::Token { .. } => 12,
        Say::Watch { .. } => 13,
        Say::Done { .. } => 14,
        Say::Reserve { .. } => 15,
        Say::Release => 16,
        Say::Announce(_) => 17,
        Say::Claim(_) => 18,
        Say::Yield { .. } => 19,
        Say::Gauge => 20,
        Say::Busy(_) => 21,
        _ => 22,
    }
}

/// The name of a message.
pub(crate) fn name_of(say: &Say) -> &'static str {
    MESSAGES[kind_of(say)]
}

/// Counts of one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Inputs given, frames that did not arrive, and whatever else came due.
    pub(crate) events: u64,
    pub(crate) frames: u64,
    pub(crate) lost: u64,
    pub(crate) messages: [u64; KINDS],
    /// Outcomes that carried an ask.
    pub(crate) asking: u64,
    /// Tasks that ended by themselves, well or not.
    pub(crate) executed: u64,
    pub(crate) last_end: Moment,
    pub(crate) waits: Vec<Span>,
    pub(crate) refused: u64,
}

impl Tally {
    /// Messages that placing took: asks, outcomes that ask, grants, retracts, what homes hand each
    /// other, and what is announced and claimed.
    pub(crate) fn placing(&self) -> u64 {
        let kinds = MESSAGES.iter().zip(self.messages).filter(|(name, _)| PLACING.contains(name));
        kinds.map(|(_, count)| count).sum::<u64>() + self.asking
    }

    pub(crate) fn sent(&mut self, frame: &Frame) {
        self.frames += 1;
        if let Some((_, message)) = &frame.body {
            self.messages[kind_of(&message.say)] += 1;
            if let Say::Outcomes(outcomes) = &message.say {
                self.asking += u64::from(outcomes.ask.is_some());
            }
        }
    }
}
