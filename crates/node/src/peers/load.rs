//! How busy a member is: what it says of its machine and its nodes with its beats, where that has
//! changed. Only people look at it; where tasks go is for asks and grants.

use bary_model::id::NodeId;
use serde::{Deserialize, Serialize};

/// How busy a member is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Load {
    /// How many cores of its machine had something to do of late, in thousandths.
    pub(super) machine_milli: u32,
    /// Its nodes that run something, by their numbers in it: how many slots are busy.
    pub(super) busy: Vec<(u16, u32)>,
    /// How many of its jobs, and of their tasks, have not ended; none where a release before this
    /// one says nothing of it.
    #[serde(skip)]
    pub(super) unfinished: Option<(u64, u64)>,
}

impl Load {
    /// It as bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        // Nothing in it refuses to be written, and a vector takes all. What came later stands last.
        let mut bytes = postcard::to_allocvec(self).unwrap_or_default();
        if let Some(unfinished) = &self.unfinished {
            bytes.extend(postcard::to_allocvec(unfinished).unwrap_or_default());
        }
        bytes
    }

    /// The load that bytes from a member are.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (mut load, rest) = postcard::take_from_bytes::<Self>(bytes).ok()?;
        if !rest.is_empty() {
            load.unfinished = Some(postcard::from_bytes(rest).ok()?);
        }
        (load.busy.len() as u64 <= NodeId::OF_MEMBER_MAX).then_some(load)
    }

    /// How many slots of a node are busy.
    pub(super) fn busy(&self, node: NodeId) -> u32 {
        let number = node.0 % NodeId::OF_MEMBER_MAX;
        let busy = self.busy.iter().find(|(at, _)| u64::from(*at) == number);
        busy.map_or(0, |(_, busy)| *busy)
    }
}

/// How many cores of this machine had something to do over the last minute, in thousandths; 0 where
/// the system does not say.
pub(crate) fn machine_milli() -> u32 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split(' ').next().and_then(|text| text.parse::<f64>().ok());
    first.map_or(0, |load| (load * 1_000.0) as u32)
}

#[cfg(test)]
mod tests {
    use bary_model::id::NodeId;
    use proptest::prelude::{any, proptest};

    use super::Load;

    proptest! {
        #[test]
        fn a_load_is_read_as_it_was_said(
            machine_milli in any::<u32>(),
            busy in any::<[u32; 2]>(),
            unfinished in any::<Option<(u64, u64)>>(),
        ) {
            let busy_nodes = vec![(0, busy[0]), (4_095, busy[1])];
            let load = Load { machine_milli, busy: busy_nodes, unfinished };
            assert_eq!(Load::decode(&load.encode()), Some(load.clone()));
            assert_eq!(load.busy(NodeId::of_member(7, 4_095)), busy[1]);
            assert_eq!(load.busy(NodeId::of_member(7, 5)), 0);
        }
    }
}
