//! Bugs put back on purpose, one at a time, to prove that the simulator's alarm rings. Nothing but
//! tests and hunts sets one.

/// A plausible bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Outcomes are accepted whatever grant they name, as long as the task is granted.
    NoFenceCheck,
    /// Promises are let out before the records that they rest on are durable.
    EarlyAcknowledgement,
    /// A home that was opened again does not watch those who hold its tasks.
    LeaseForgotten,
    /// A node gives back what it has already started.
    RetractNotSerialised,
    /// Opening a journal judges failed attempts anew by the policy of the day.
    ReplayCallsPolicy,
    /// What a node's former life held is taken for held by the present one.
    StaleIncarnation,
    /// What comes back of a held job is granted again.
    GateLeftOpen,
    /// The ask of a drained node waits for work like others.
    DrainForgotten,
    /// The next attempt of a task is not told what the last one left.
    CheckpointForgotten,
    /// Opening a journal forgets which nodes are drained, and which labels they were given.
    DecreeForgotten,
    /// A gang is granted as far as there is room for it.
    GangByParts,
    /// What a node held that is gone is granted anew, but its ask goes on waiting for work.
    FarewellForgotten,
}

/// The bugs that an engine has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flaws(Option<Flaw>);

impl Flaws {
    /// Exactly this one.
    #[must_use]
    pub fn only(flaw: Flaw) -> Self {
        Self(Some(flaw))
    }

    /// Whether it has this one.
    #[must_use]
    pub fn has(self, flaw: Flaw) -> bool {
        self.0 == Some(flaw)
    }

    /// All bugs there are, by the names under which people choose them.
    pub const NAMES: &[(&str, Flaw)] = &[
        ("no-fence-check", Flaw::NoFenceCheck),
        ("early-acknowledgement", Flaw::EarlyAcknowledgement),
        ("lease-forgotten", Flaw::LeaseForgotten),
        ("retract-not-serialised", Flaw::RetractNotSerialised),
        ("replay-calls-policy", Flaw::ReplayCallsPolicy),
        ("stale-incarnation", Flaw::StaleIncarnation),
        ("gate-left-open", Flaw::GateLeftOpen),
        ("drain-forgotten", Flaw::DrainForgotten),
        ("checkpoint-forgotten", Flaw::CheckpointForgotten),
        ("decree-forgotten", Flaw::DecreeForgotten),
        ("gang-by-parts", Flaw::GangByParts),
        ("farewell-forgotten", Flaw::FarewellForgotten),
    ];
}
