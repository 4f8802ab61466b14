//! The nodes of a home in trees, nodes that say the same of themselves in one tree, and that have
//! equal machines where a force looks at those, with the best of how the nodes below stand at each
//! fork: so the node that draws a task most is found by a look at few of them, and a change costs
//! the forks above it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use bary_model::id::NodeId;
use bary_model::machine::Machine;
use bary_model::node::NodeInfo;
use bary_model::task::Request;

use crate::home::account::Account;
use crate::home::kind::Kind;
use crate::home::stand::Stand;

/// All trees.
#[derive(Debug, Default)]
pub(crate) struct Field {
    makes: Vec<Make>,
    /// Which make each node is of.
    made: BTreeMap<NodeId, usize>,
    /// The make of all nodes that say this of themselves, where there are any.
    kinds: BTreeMap<Kind, usize>,
    /// Makes of which there is no node any more.
    spare: Vec<usize>,
    /// Makes whose nodes have come or gone since their trees were made.
    unmade: Vec<usize>,
    /// Whether machines tell nodes apart.
    machines: bool,
}

/// Nodes that say the same of themselves.
#[derive(Debug)]
pub(crate) struct Make {
    /// What they say, of one that may have left.
    pub(crate) info: NodeInfo,
    /// The machine of all, where those tell nodes apart.
    pub(crate) machine: Machine,
    /// Whether it is known where they are in the graph of the cluster, and in which region.
    pub(crate) scored: bool,
    /// See `scored`.
    pub(crate) region: Option<u32>,
    /// In order; each has its leaf.
    nodes: Vec<NodeId>,
    /// Of those that have said what they hold.
    met: Tree,
    /// Of those whose asks wait.
    waiting: Tree,
    /// Whether nodes have come or gone since the trees were made.
    unmade: bool,
}

/// Which nodes are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Among {
    /// Those that have said what they hold, and can be granted more.
    Met,
    /// Those whose asks wait.
    Waiting,
}

/// A full binary tree: fork 1 is its root, the forks below n are 2n and 2n + 1, and the last half
/// are leaves.
#[derive(Debug, Default)]
struct Tree(Vec<Option<Stand>>);

impl Tree {
    fn of(leaves: impl ExactSizeIterator<Item = Option<Stand>>) -> Self {
        let width = leaves.len().next_power_of_two();
        let mut forks = vec![None; width];
        forks.extend(leaves);
        forks.resize(2 * width, None);
        for at in (1..width).rev() {
            forks[at] = Stand::of_both(forks[2 * at], forks[2 * at + 1]);
        }
        Self(forks)
    }

    fn width(&self) -> usize {
        self.0.len() / 2
    }

    fn leaf(&self, place: usize) -> Option<&Stand> {
        self.0.get(self.width() + place)?.as_ref()
    }

    fn set(&mut self, place: usize, stand: Option<Stand>) {
        let mut at = self.width() + place;
        if self.0[at] == stand {
            return;
        }
        self.0[at] = stand;
        while at > 1 {
            at /= 2;
            let best = Stand::of_both(self.0[2 * at], self.0[2 * at + 1]);
            if self.0[at] == best {
                return;
            }
            self.0[at] = best;
        }
    }
}

impl Make {
    fn new(account: &Account, machine: Machine, region: Option<u32>) -> Self {
        let (info, scored) = (account.peer.info.clone(), account.scores.is_some());
        let (nodes, unmade) = (Vec::new(), false);
        let (met, waiting) = (Tree::default(), Tree::default());
        Self { info, machine, scored, region, nodes, met, waiting, unmade }
    }

    /// What all its nodes say of themselves.
    fn kind(&self) -> Kind {
        Kind::of(&self.info, self.machine, (self.scored, self.region))
    }

    fn tree(&self, among: Among) -> &Tree {
        match among {
            Among::Met => &self.met,
            Among::Waiting => &self.waiting,
        }
    }

    /// Those that are meant, with how they stand, in order.
    fn all(&self, among: Among) -> impl Iterator<Item = (NodeId, &Stand)> {
        let leaves = self.tree(among).0.iter().skip(self.tree(among).width());
        self.nodes.iter().zip(leaves).filter_map(|(node, stand)| Some((*node, stand.as_ref()?)))
    }
}

impl Field {
    /// Whether machines tell nodes apart from now on; tells whether that is new, so that all nodes
    /// are to be brought in again.
    pub(super) fn look_at_machines(&mut self, looks: bool) -> bool {
        std::mem::replace(&mut self.machines, looks) != looks
    }

    /// What is looked at of a node's machine.
    fn machine(&self, account: &Account) -> Machine {
        if self.machines { account.peer.machine } else { Machine::default() }
    }

    /// How many kinds of nodes there are.
    #[cfg(test)]
    pub(super) fn kinds(&self) -> usize {
        self.kinds.len()
    }

    /// Brings a node in, or to where it belongs by what it says of itself now.
    pub(super) fn bring(&mut self, node: NodeId, account: &Account, region: Option<u32>) {
        let machine = self.machine(account);
        let place = (account.scores.is_some(), region);
        let kind = Kind::of(&account.peer.info, machine, place);
        let at = self.made.get(&node).copied();
        if at.is_some() && at == self.kinds.get(&kind).copied() && self.set(node, account) {
            return;
        }
        self.drop(node);
        let at = match self.kinds.get(&kind) {
            Some(at) => *at,
            None => {
                let at = self.begin(Make::new(account, machine, region));
                self.kinds.insert(kind, at);
                at
            }
        };
        let make = &mut self.makes[at];
        if let Err(place) = make.nodes.binary_search(&node) {
            make.nodes.insert(place, node);
            self.unmake(at);
        }
        self.made.insert(node, at);
    }

    /// Takes a make in, in the place of one without nodes if there is such a place.
    fn begin(&mut self, make: Make) -> usize {
        let Some(at) = self.spare.pop() else {
            self.makes.push(make);
            return self.makes.len() - 1;
        };
        // It may still be listed as one whose trees are to be made.
        let unmade = self.makes[at].unmade;
        self.makes[at] = Make { unmade, ..make };
        at
    }

    /// The trees of a make are to be made anew.
    fn unmake(&mut self, at: usize) {
        if !self.makes[at].unmade {
            self.makes[at].unmade = true;
            self.unmade.push(at);
        }
    }

    /// A node is gone.
    pub(super) fn drop(&mut self, node: NodeId) {
        let Some(at) = self.made.remove(&node) else { return };
        let make = &mut self.makes[at];
        if let Ok(place) = make.nodes.binary_search(&node) {
            make.nodes.remove(place);
        }
        if make.nodes.is_empty() {
            self.kinds.remove(&make.kind());
            self.spare.push(at);
        }
        self.unmake(at);
    }

    /// A node stands otherwise than before. One that is not in yet is told by the answer.
    pub(super) fn set(&mut self, node: NodeId, account: &Account) -> bool {
        let Some(&at) = self.made.get(&node) else { return false };
        let make = &mut self.makes[at];
        if make.unmade {
            return true;
        }
        if let Ok(place) = make.nodes.binary_search(&node) {
            make.met.set(place, account.stand(Among::Met));
            make.waiting.set(place, account.stand(Among::Waiting));
        }
        true
    }

    /// Makes the trees anew of makes whose nodes have come or gone.
    pub(super) fn make<'a>(&mut self, account: impl Fn(&NodeId) -> Option<&'a Account>) {
        for at in self.unmade.drain(..) {
            let make = &mut self.makes[at];
            let nodes = &make.nodes;
            let of = |among| Tree::of(nodes.iter().map(|node| account(node)?.stand(among)));
            (make.met, make.waiting) = (of(Among::Met), of(Among::Waiting));
            make.unmade = false;
        }
    }

    /// Leaves a node that waits out until something about it changes.
    pub(super) fn leave_out(&mut self, node: NodeId) {
        if let Some(&at) = self.made.get(&node)
            && let Ok(place) = self.makes[at].nodes.binary_search(&node)
        {
            self.makes[at].waiting.set(place, None);
        }
    }

    /// The makes of which nodes are meant, by number.
    pub(crate) fn makes(&self, among: Among) -> impl Iterator<Item = (usize, &Make)> {
        let some = move |make: &Make| matches!(make.tree(among).0.get(1), Some(Some(_)));
        self.makes.iter().enumerate().filter(move |(_, make)| some(make))
    }

    /// Of each make, whether nodes of it are there that could run this.
    pub(crate) fn able(&self, request: &Request) -> Vec<bool> {
        self.makes.iter().map(|make| make.info.can_run(request)).collect()
    }

    /// A make by its number.
    pub(crate) fn make_at(&self, make: usize) -> &Make {
        &self.makes[make]
    }

    /// The nodes of a make that are meant, with how they stand, in order.
    pub(crate) fn nodes(
        &self,
        make: usize,
        among: Among,
    ) -> impl Iterator<Item = (NodeId, &Stand)> {
        self.makes[make].all(among)
    }

    /// Goes down to the nodes that are meant in the order of their scores; of equal ones the least
    /// id comes first. `score` is asked for nodes and for the best of some, of which none may have
    /// a higher one; what it gives none for is left out. Those of `first` may have higher scores
    /// than their forks, and are asked for before any.
    pub(crate) fn descend<S: FnMut(usize, &Make, Who<'_>) -> Option<i64>>(
        &self,
        among: Among,
        first: Vec<NodeId>,
        score: S,
    ) -> Descent<'_, S> {
        let mut descent = Descent { field: self, among, score, heap: BinaryHeap::new() };
        for node in first {
            let Some(&make) = self.made.get(&node) else { continue };
            let place = self.makes[make].nodes.binary_search(&node);
            if let Ok(place) = place
                && self.makes[make].tree(among).leaf(place).is_some()
                && let Some(score) = (descent.score)(make, &self.makes[make], Who::First(node))
            {
                descent.heap.push(Peak { score, least: Reverse(node), at: Reverse((make, 0)) });
            }
        }
        for (make, _) in self.makes(among) {
            descent.push(make, 1);
        }
        descent
    }

    /// Checks that every node is where it belongs, and stands there as its account says.
    pub(super) fn check(&self, node: NodeId, account: &Account) {
        let Some(&at) = self.made.get(&node) else { return };
        let make = &self.makes[at];
        let place = (account.scores.is_some(), make.region);
        let kind = Kind::of(&account.peer.info, self.machine(account), place);
        assert_eq!(self.kinds.get(&kind), Some(&at), "a node is among those that say the same");
        assert!(!make.unmade || self.unmade.contains(&at), "what has changed is made anew");
        if let (Ok(place), false) = (make.nodes.binary_search(&node), make.unmade) {
            for among in [Among::Met, Among::Waiting] {
                let leaf = make.tree(among).leaf(place).copied();
                assert_eq!(leaf, account.stand(among), "a leaf is how its node stands");
            }
        }
    }
}

/// Who is to be scored.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Who<'a> {
    /// One of those that are asked for before any.
    First(NodeId),
    /// A node.
    One(NodeId),
    /// One that had the best of some.
    Best(&'a Stand),
}

/// A way down, the highest first.
pub(crate) struct Descent<'a, S> {
    field: &'a Field,
    among: Among,
    score: S,
    heap: BinaryHeap<Peak>,
}

/// A fork or a leaf, and no less than what is below it can score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Peak {
    score: i64,
    least: Reverse<NodeId>,
    /// Its make and its fork; fork 0 is one that was asked for first.
    at: Reverse<(usize, usize)>,
}

impl<S: FnMut(usize, &Make, Who<'_>) -> Option<i64>> Descent<'_, S> {
    fn push(&mut self, make: usize, fork: usize) {
        let of = &self.field.makes[make];
        let tree = of.tree(self.among);
        let Some(Some(stand)) = tree.0.get(fork) else { return };
        let who = if fork < tree.width() { Who::Best(stand) } else { Who::One(stand.least) };
        if let Some(score) = (self.score)(make, of, who) {
            let (least, at) = (Reverse(stand.least), Reverse((make, fork)));
            self.heap.push(Peak { score, least, at });
        }
    }
}

impl<S: FnMut(usize, &Make, Who<'_>) -> Option<i64>> Iterator for Descent<'_, S> {
    type Item = (usize, NodeId);

    fn next(&mut self) -> Option<(usize, NodeId)> {
        loop {
            let Peak { least: Reverse(node), at: Reverse((make, fork)), .. } = self.heap.pop()?;
            let width = self.field.makes[make].tree(self.among).width();
            if fork == 0 || fork >= width {
                return Some((make, node));
            }
            self.push(make, 2 * fork);
            self.push(make, 2 * fork + 1);
        }
    }
}
