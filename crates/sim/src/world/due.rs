//! What can be due in a world.

use bary_engine::input::Input;
use bary_model::id::RunNo;
use bary_model::message::Frame;

/// What is due. Numbers of nodes and shards are positions; a life that is over makes what was
/// meant for it void.
#[derive(Debug)]
pub(super) enum Due {
    /// A frame arrives.
    Frame { from: u32, to: u32, frame: Frame },
    /// Bytes of gossip arrive.
    Datagram { from: u32, to: u32, bytes: Vec<u8> },
    /// A node's gossip asked to be woken.
    Chime { node: u32 },
    /// A run is over, unless it was stopped before.
    Over { node: u32, life: u32, run: RunNo },
    /// A run shows life.
    Beat { node: u32, life: u32, run: RunNo },
    /// An engine asked to be woken.
    Wake { node: u32 },
    /// A run that was stopped is over, or whatever else only one life is told.
    Input { node: u32, life: u32, input: Box<Input> },
    /// A sync is over.
    Synced { shard: u32, term: u32 },
    /// A client has its turn.
    Client { client: u32, turn: u32 },
    /// The next streamed task arrives.
    Arrival,
    /// A node is drained, or taken up again.
    Drain(u32),
    /// Somebody decrees something.
    Decree(u32),
    /// A run may leave a checkpoint.
    Word { node: u32, life: u32, run: RunNo, step: u64 },
    /// A policy changes.
    Change(u32),
    /// A fault begins.
    Fault(u32),
    /// A fault ends.
    Mend(u32),
    /// A process comes back.
    Restart { node: u32, life: u32 },
    /// A node learns that another is gone, if it still is.
    Left { by: u32, life: u32, node: u32, was: u32 },
    /// A node learns that another is there, if it still is.
    Joined { by: u32, life: u32, node: u32 },
    /// It is found what the machine of a process is.
    Found { node: u32, life: u32 },
    /// A home learns that it is none any more.
    Deposed { node: u32, life: u32, shard: u32 },
    /// A shard without a home is taken over by a node without a shard.
    Adopt { shard: u32, term: u32 },
    /// All faults are over.
    Calm,
    /// A rule looks how many nodes there should be.
    Look,
    /// A node that a rule called has started.
    Boot { node: u32 },
    /// Tasks are made while there is room.
    Make,
}

impl Due {
    /// The node that an input is for.
    pub(super) fn node(&self) -> usize {
        match self {
            Self::Frame { to: node, .. }
            | Self::Over { node, .. }
            | Self::Beat { node, .. }
            | Self::Word { node, .. }
            | Self::Input { node, .. } => *node as usize,
            _ => usize::MAX,
        }
    }

    /// Whether it is an input for this node, which may share a step with others.
    pub(super) fn is_for(&self, node: usize) -> bool {
        self.node() == node
    }
}
