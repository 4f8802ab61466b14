//! How many messages of each kind a network has carried.

use std::sync::atomic::{AtomicU64, Ordering};

use bary_model::message::{Frame, Say};

/// How many messages of each kind were sent from one node to another. What a node sends to itself
/// is not counted, since it would cross no network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageCounts {
    /// News of loads.
    pub loads: u64,
    /// Asks that came alone.
    pub asks: u64,
    /// Grants.
    pub grants: u64,
    /// Batches of outcomes, with or without an ask.
    pub outcomes: u64,
    /// Requests to give back.
    pub retracts: u64,
    /// Answers to these.
    pub retracteds: u64,
    /// What keeps links and sessions alive: greetings, acknowledgements, pulses, lists of what is
    /// held, and word of durable outcomes.
    pub upkeep: u64,
    /// Messages of any kind that were lost: too many on the way, or nobody there.
    pub lost: u64,
}

impl MessageCounts {
    /// All messages that placing work took, lost ones too; upkeep is not among them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.loads + self.asks + self.grants + self.outcomes + self.retracts + self.retracteds
    }
}

/// Counts while many send.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    kinds: [AtomicU64; 7],
    lost: AtomicU64,
}

impl Counter {
    pub(crate) fn sent(&self, frame: &Frame) {
        let kind = match frame.body.as_ref().map(|(_, message)| &message.say) {
            Some(Say::Load { .. }) => 0,
            Some(Say::Ask(_)) => 1,
            Some(Say::Grant(_)) => 2,
            Some(Say::Outcomes(_) | Say::Repeat(_)) => 3,
            Some(Say::Retract(_)) => 4,
            Some(Say::Retracted { .. }) => 5,
            _ => 6,
        };
        self.kinds[kind].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> MessageCounts {
        let [loads, asks, grants, outcomes, retracts, retracteds, upkeep] =
            self.kinds.each_ref().map(|kind| kind.load(Ordering::Relaxed));
        let lost = self.lost.load(Ordering::Relaxed);
        MessageCounts { loads, asks, grants, outcomes, retracts, retracteds, upkeep, lost }
    }
}
