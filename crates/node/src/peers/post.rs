//! What a node sends with where its process is a member of a cluster: to the nodes of its own
//! process through memory, to those of other members over their streams.

use std::sync::Arc;

use bary_model::id::NodeId;
use bary_model::message::Frame;
use bary_model::payload::Payload;
use bary_ports::transport::Transport;
use bary_transport::memory::Network;

use super::envelope;
use super::roster::Peers;

/// Sends for one node.
pub(crate) struct Post {
    node: NodeId,
    near: Box<dyn Transport>,
    network: Arc<Network>,
    peers: Arc<Peers>,
}

impl Post {
    pub(crate) fn new(node: NodeId, network: &Arc<Network>, peers: Arc<Peers>) -> Self {
        Self { node, near: network.transport(node), network: Arc::clone(network), peers }
    }
}

impl Transport for Post {
    fn send(&mut self, to: NodeId, frame: Frame) {
        if to.member() == self.node.member() {
            return self.near.send(to, frame);
        }
        let refers = |payload: &Payload| matches!(payload, Payload::Stored(_));
        if frame.body.as_ref().is_some_and(|(_, message)| message.say.any_payload(&mut { refers }))
        {
            self.network.count(&frame);
            return self.peers.tell_of_results(self.node, to, &frame);
        }
        // What cannot be written was never said; links say again what was not heard.
        if let Ok(bytes) = envelope::frame(self.node, to, &frame) {
            self.network.count(&frame);
            self.peers.send(to.member(), bytes);
        }
    }
}
