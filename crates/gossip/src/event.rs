//! What goes into a step and what comes out of it.

use crate::identity::{Address, Identity, Name};
use crate::record::Record;

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Bytes came from an address.
    Datagram {
        /// Where they came from; answers go there.
        from: Address,
        /// The bytes, trusted in nothing.
        bytes: Vec<u8>,
    },
    /// The node shall enter the cluster of these addresses, of which it may be one.
    Join {
        /// Whom to ask; those beyond `seeds_max` are not used.
        seeds: Vec<Address>,
    },
    /// A membership snapshot came by another way than datagrams.
    Snapshot {
        /// What another node's `snapshot` gave.
        records: Vec<Record>,
    },
    /// Other traffic with a node measured how long a small question takes to be answered.
    Answered {
        /// Which node.
        name: Name,
        /// The round trip.
        round_trip: bary_model::time::Span,
    },
    /// The node shall leave. Nothing but silence follows.
    Leave,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send bytes, best effort.
    Send {
        /// Where to.
        to: Address,
        /// At most `datagram_bytes_max` of them.
        bytes: Vec<u8>,
    },
    /// Tell the rest of the node.
    Tell(Event),
}

/// Something to know.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A life of a node is a member now.
    Joined(Identity),
    /// A life of a node is a member no more: it left, died, or another life follows.
    Left {
        /// Which node.
        name: Name,
        /// Which life.
        incarnation: u64,
    },
    /// A member answers this node late or not at all. It stays a member; give it no work.
    Suspected {
        /// Which member.
        name: Name,
        /// How sure it is: the decimal logarithm of the odds against it.
        phi: f64,
    },
    /// A suspected member has answered as usual for long enough.
    Trusted {
        /// Which member.
        name: Name,
    },
    /// A member says something else of itself than before.
    Changed {
        /// Which member.
        name: Name,
        /// What the value is called.
        key: Box<str>,
        /// The value; `None` where it was removed.
        value: Option<Box<[u8]>>,
    },
    /// The cluster had taken this node for dead; it is back under the same incarnation.
    Risen {
        /// How often that has happened in this life.
        renewal: u32,
    },
    /// A later life of this node's name is in the cluster; this one is silent from now on.
    Superseded {
        /// The later life's number, or the same if two processes share one.
        incarnation: u64,
    },
}
