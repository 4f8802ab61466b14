//! Under which address the machine of a node is reached by programs of others.

use std::net::IpAddr;

use bary_model::id::NodeId;

use super::roster::Peers;

impl Peers {
    /// The address of the member that has a node: the first under which it is known; none where it
    /// is not.
    pub(crate) fn address_of(&self, node: NodeId) -> Option<IpAddr> {
        let member = node.member();
        let (_, _, addresses) =
            self.members_to_tell().into_iter().find(|(number, ..)| *number == member)?;
        addresses.first().map(|address| address.ip())
    }
}
