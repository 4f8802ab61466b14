//! Moving messages between nodes. Order between two nodes is kept; delivery is not promised.

use bary_model::id::NodeId;
use bary_model::message::Message;

/// Takes messages that arrived at a node.
pub trait Inbox: Send + Sync {
    /// Hands on one message. Where the inbox is full the message is lost, as on a network.
    fn deliver(&self, from: NodeId, message: Message);
}

/// Sends messages for one node.
pub trait Transport: Send {
    /// Sends a message; it may be lost, never changed. Does not block.
    fn send(&mut self, to: NodeId, message: Message);
}
