//! Moving frames between nodes. Neither delivery nor order is promised; links see to both.

use bary_model::id::NodeId;
use bary_model::message::Frame;

/// Takes frames that arrived at a node.
pub trait Inbox: Send + Sync {
    /// Hands on one frame. Where the inbox is full the frame is lost, as on a network.
    fn deliver(&self, from: NodeId, frame: Frame);
}

/// Sends frames for one node.
pub trait Transport: Send {
    /// Sends a frame; it may be lost, never changed. Does not block.
    fn send(&mut self, to: NodeId, frame: Frame);
}
