//! Datagrams, which anybody may send.

use bary_gossip::config::GossipConfig;
use bary_gossip::event::{Input, Output};
use bary_gossip::gossip::Gossip;
use bary_gossip::identity::{Address, Identity, Name};
use bary_model::time::{Moment, Span};

/// The longest datagram that a node sends.
const DATAGRAM_BYTES_MAX: usize = 1_400;
/// The longest datagram that the input is cut into.
const CUT_BYTES: usize = 300;

/// Any datagrams leave a node a member of its cluster, and make it say little.
///
/// # Panics
/// Where they do not.
pub fn datagram(bytes: &[u8]) {
    let mut gossip = node(1);
    let (mut now, mut outputs) = (Moment(0), Vec::new());
    let cut = bytes.chunks(CUT_BYTES).map(<[u8]>::to_vec);
    for bytes in [bytes.to_vec()].into_iter().chain(cut) {
        now = now + Span::millis(100);
        let from = Address::Number(2);
        gossip.step(now, Some(Input::Datagram { from, bytes }), &mut outputs);
    }
    assert!(gossip.members_count() >= 1);
    let long = |output: &Output| match output {
        Output::Send { bytes, .. } => bytes.len() > DATAGRAM_BYTES_MAX,
        Output::Tell(_) => false,
    };
    assert!(!outputs.iter().any(long), "a datagram is too long");
}

fn node(id: u64) -> Gossip {
    let me = Identity::new(Name(id), Address::Number(id), 1);
    Gossip::new(GossipConfig::default(), me, id).expect("the default has no fault")
}

/// What three nodes say while they find each other.
#[must_use]
pub fn datagram_seeds() -> Vec<Vec<u8>> {
    let mut nodes = [node(1), node(2), node(3)];
    nodes[1].set("load", Some(b"0.5")).expect("it is short");
    let mut inputs: [Vec<Input>; 3] =
        std::array::from_fn(|_| vec![Input::Join { seeds: vec![Address::Number(1)] }]);
    let (mut now, mut said) = (Moment(0), Vec::new());
    for _ in 0..300 {
        now = now + Span::millis(20);
        for (at, node) in nodes.iter_mut().enumerate() {
            let mut outputs = Vec::new();
            node.step(now, std::mem::take(&mut inputs[at]), &mut outputs);
            for output in outputs {
                let Output::Send { to: Address::Number(to), bytes } = output else { continue };
                said.push(bytes.clone());
                let from = Address::Number(at as u64 + 1);
                if let Some(inputs) = inputs.get_mut(to as usize - 1) {
                    inputs.push(Input::Datagram { from, bytes });
                }
            }
        }
    }
    said.sort();
    said.dedup();
    let every = said.len().div_ceil(40).max(1);
    said.into_iter().step_by(every).collect()
}
