//! Hashes that are the same on every machine, for digests, dice and choices that all nodes make
//! alike. They keep numbers and names apart; they are no protection against anybody.

use crate::id::NodeId;

/// Spreads the bits of a number over all of it, each number to another one (the finaliser of
/// splitmix64; Steele, Lea and Flood, 2014).
#[must_use]
pub fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// The 64-bit FNV-1a hash of a name.
#[must_use]
pub fn fnv1a(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// How strongly a key and a node belong together; the node with the highest score has the key, and
/// each key has another order of nodes (rendezvous hashing; Thaler and Ravishankar, 1998).
#[must_use]
pub fn rendezvous(key: u64, node: NodeId) -> u64 {
    mix(key ^ node.0.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_its_authors_hash() {
        assert_eq!(fnv1a(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("a"), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn each_key_prefers_another_node() {
        let best = |key| (0..10).max_by_key(|node| rendezvous(key, NodeId(*node)));
        let chosen: std::collections::BTreeSet<_> = (0..100).map(|key| best(mix(key))).collect();
        assert_eq!(chosen.len(), 10);
    }
}
