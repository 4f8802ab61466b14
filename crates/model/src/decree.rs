//! Decrees: what somebody said of a shard as a whole or of one of its nodes. Each holds until
//! somebody says otherwise, over every restart.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::node::NodeInfo;

/// Labels that lie over those that a node has itself; one without a value hides the node's own.
pub type Labels = BTreeMap<Box<str>, Option<Box<str>>>;

/// The most labels that may lie over a node's own.
pub const LABELS_MAX: usize = 64;
/// The most bytes of a label's name.
pub const LABEL_BYTES_MAX: usize = 128;
/// The most bytes of a label's value.
pub const VALUE_BYTES_MAX: usize = 1_024;
/// The most bytes of a node's name.
pub const NODE_BYTES_MAX: usize = 256;
/// The most nodes of which something is decreed.
pub const DECREED_NODES_MAX: usize = 10_000;

/// One thing that was said. Nodes are meant by their names, which outlast their numbers; one of
/// that name need not be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decree {
    /// Tasks are placed by this policy, as people write it.
    Follow(Box<str>),
    /// A node is granted nothing more, or is granted tasks again.
    Drain {
        /// The node.
        node: Box<str>,
        /// Whether it is drained from here on.
        drain: bool,
    },
    /// Labels lie over a node's own. As a request it says what changes; on record, all that lies
    /// there from here on.
    Label {
        /// The node.
        node: Box<str>,
        /// Which.
        labels: Labels,
    },
}

impl fmt::Display for Decree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Follow(policy) => write!(f, "follow {policy}"),
            Self::Drain { node, drain: true } => write!(f, "drain {node}"),
            Self::Drain { node, drain: false } => write!(f, "undrain {node}"),
            Self::Label { node, labels } => {
                write!(f, "label {node}")?;
                labels.iter().try_for_each(|(label, value)| match value {
                    Some(value) => write!(f, " {label}={value}"),
                    None => write!(f, " {label}-"),
                })
            }
        }
    }
}

/// All that holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decrees {
    /// The policy; absent where nobody said one.
    pub policy: Option<Box<str>>,
    /// The nodes that are granted nothing.
    pub drained: BTreeSet<Box<str>>,
    /// The labels that lie over those of nodes.
    pub labels: BTreeMap<Box<str>, Labels>,
}

impl Decrees {
    /// Takes in a decree as it is on record.
    pub fn take_in(&mut self, decree: &Decree) {
        match decree {
            Decree::Follow(policy) => self.policy = Some(policy.clone()),
            Decree::Drain { node, drain: true } => {
                self.drained.insert(node.clone());
            }
            Decree::Drain { node, drain: false } => {
                self.drained.remove(node);
            }
            Decree::Label { node, labels } if labels.is_empty() => {
                self.labels.remove(node);
            }
            Decree::Label { node, labels } => {
                self.labels.insert(node.clone(), labels.clone());
            }
        }
    }

    /// The labels of a node: its own, and over them what was decreed.
    #[must_use]
    pub fn labels_of(&self, node: &NodeInfo) -> BTreeMap<Box<str>, Box<str>> {
        let mut labels = node.labels.clone();
        for (label, value) in self.labels.get(&node.name).into_iter().flatten() {
            match value {
                Some(value) => labels.insert(label.clone(), value.clone()),
                None => labels.remove(label),
            };
        }
        labels
    }

    /// Whether this says something of a node.
    #[must_use]
    pub fn names(&self, node: &str) -> bool {
        self.drained.contains(node) || self.labels.contains_key(node)
    }

    /// Of how many nodes it says something.
    #[must_use]
    pub fn nodes(&self) -> usize {
        let twice = self.labels.keys().filter(|node| self.drained.contains(*node)).count();
        self.drained.len() + self.labels.len() - twice
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NodeId;
    use crate::node::Offers;
    use crate::resources::Resources;

    fn node() -> NodeInfo {
        NodeInfo {
            id: NodeId(4),
            name: "a".into(),
            region: "here".into(),
            resources: Resources::cpus(1),
            slots: 1,
            speed: 1.0,
            labels: [("disk".into(), "ssd".into()), ("rack".into(), "7".into())].into(),
            offers: Offers::default(),
        }
    }

    #[test]
    fn what_is_decreed_lies_over_what_a_node_says() {
        let mut decrees = Decrees::default();
        let labels = [("disk".into(), None), ("gpu".into(), Some("yes".into()))].into();
        decrees.take_in(&Decree::Label { node: "a".into(), labels });
        let shown = [("gpu".into(), "yes".into()), ("rack".into(), "7".into())];
        assert_eq!(decrees.labels_of(&node()), shown.into());
        decrees.take_in(&Decree::Drain { node: "a".into(), drain: true });
        decrees.take_in(&Decree::Drain { node: "b".into(), drain: true });
        assert_eq!((decrees.nodes(), decrees.names("b"), decrees.names("c")), (2, true, false));
        decrees.take_in(&Decree::Drain { node: "a".into(), drain: false });
        decrees.take_in(&Decree::Label { node: "a".into(), labels: Labels::new() });
        assert_eq!((decrees.nodes(), decrees.labels_of(&node())), (1, node().labels));
    }
}
