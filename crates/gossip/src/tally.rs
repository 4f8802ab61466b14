//! Counts of what was dropped and why; nothing is dropped without one of them rising.

/// How often what happened since the node was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Datagrams that no version of this code writes, or that break a limit.
    pub malformed: u64,
    /// Datagrams of another cluster.
    pub foreign: u64,
    /// Nodes not taken in because the view was full.
    pub nodes_refused: u64,
    /// Answers not sent, or cut short, because a limit on answers was reached.
    pub answers_cut: u64,
    /// Deltas of other nodes' values not taken in: they did not follow on what is held, brought
    /// nothing, or broke a limit.
    pub values_refused: u64,
    /// Deaths told by others that were not followed up because too many were.
    pub hearsay_dropped: u64,
    /// Inputs and timers that foca refused; it goes on by itself.
    pub swim_refused: u64,
}
