//! What a member says of itself to another, whenever that changes: its nodes, where it is reached,
//! and which members it knows.

use std::net::SocketAddr;

use bary_identity::name::Name;
use bary_model::id::NodeId;
use bary_model::node::NodeInfo;
use serde::{Deserialize, Serialize};

use super::book::MEMBERS_MAX;
use super::place::ADDRESSES_MAX;

/// A card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Card {
    pub(super) name: Box<str>,
    pub(super) version: Box<str>,
    pub(super) addresses: Vec<SocketAddr>,
    /// Its nodes, and whether each is a worker that registered.
    pub(super) nodes: Vec<(NodeInfo, bool)>,
    /// The members that it knows: number, name, addresses.
    pub(super) members: Vec<(u64, Box<str>, Vec<SocketAddr>)>,
    /// The members that it stands in for, as home of their jobs. They are told behind the rest,
    /// which older versions read alone.
    #[serde(skip)]
    pub(super) stands_in_for: Vec<u64>,
}

impl Card {
    /// It as bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        // Nothing in a card refuses to be written, and a vector takes all.
        let mut bytes = postcard::to_allocvec(self).unwrap_or_default();
        if !self.stands_in_for.is_empty() {
            bytes.extend(postcard::to_allocvec(&self.stands_in_for).unwrap_or_default());
        }
        bytes
    }

    /// The card that bytes from a member are, where it says nothing that cannot be.
    pub(super) fn decode(from: u64, bytes: &[u8]) -> Option<Self> {
        let (mut card, rest) = postcard::take_from_bytes::<Self>(bytes).ok()?;
        if !rest.is_empty() {
            card.stands_in_for = postcard::from_bytes(rest).ok()?;
        }
        card.is_sound(from).then_some(card)
    }

    fn is_sound(&self, from: u64) -> bool {
        let good_node = |info: &NodeInfo| {
            // One without slots is the home of another member's jobs.
            let runs = info.slots > 0 || !self.stands_in_for.is_empty();
            let own = info.id.member() == from && runs;
            own && info.speed.is_finite() && info.speed > 0.0
        };
        let named = |name: &str| Name::new(name).is_ok();
        named(&self.name)
            && self.addresses.len() <= ADDRESSES_MAX
            && self.nodes.len() as u64 <= NodeId::OF_MEMBER_MAX
            && self.nodes.iter().all(|(info, _)| good_node(info))
            && self.members.len() <= MEMBERS_MAX
            && self.members.iter().all(|(_, name, at)| named(name) && at.len() <= ADDRESSES_MAX)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use bary_model::id::NodeId;
    use proptest::prelude::{any, proptest};

    use super::Card;
    use crate::options::NodeOptions;

    pub(in crate::peers) fn card(member: u64) -> Card {
        let node = |at| (NodeOptions::local("a", 2).info(NodeId::of_member(member, at)), at == 1);
        let at = |text: &str| text.parse().expect("it is an address");
        Card {
            name: "a".into(),
            version: "0.1.0".into(),
            addresses: vec![at("10.0.0.5:1")],
            nodes: vec![node(0), node(1)],
            members: vec![(7, "b".into(), vec![at("[::1]:2")])],
            stands_in_for: Vec::new(),
        }
    }

    #[test]
    fn a_card_is_read_as_it_was_written() {
        let plain = card(5);
        assert_eq!(Card::decode(5, &plain.encode()), Some(plain));
        let mut home = card(5);
        home.stands_in_for = vec![7];
        home.nodes[1].0.slots = 0;
        assert_eq!(Card::decode(5, &home.encode()), Some(home));
    }

    #[test]
    fn a_card_about_anothers_nodes_or_of_what_cannot_be_is_none() {
        assert_eq!(Card::decode(6, &card(5).encode()), None, "they are of member 5");
        let mut slow = card(5);
        slow.nodes[0].0.speed = 0.0;
        let mut idle = card(5);
        idle.nodes[0].0.slots = 0;
        let nameless = Card { name: "".into(), ..card(5) };
        for wrong in [slow, idle, nameless] {
            assert_eq!(Card::decode(5, &wrong.encode()), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_card_of_what_cannot_be(bytes in any::<Vec<u8>>(), at in 0..100_usize) {
            let mut changed = card(5).encode();
            let at = at % changed.len();
            changed.splice(at.., bytes);
            if let Some(card) = Card::decode(5, &changed) {
                assert!(card.is_sound(5));
            }
        }
    }
}
