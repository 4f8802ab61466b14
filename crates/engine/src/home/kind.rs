//! What a node says of itself, what its machine is and how it is known, as something to look up
//! others by.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use bary_model::machine::Machine;
use bary_model::node::{NodeInfo, Offers};
use bary_model::resources::Resources;

/// All that tells nodes apart by what they say of themselves and what their machines are, but for
/// their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    labels: BTreeMap<Box<str>, Box<str>>,
    resources: Resources,
    region: Box<str>,
    slots: u32,
    /// Its bits.
    speed: u64,
    offers: Offers,
    /// Nothing where nobody looks at it.
    machine: Machine,
    /// Whether it is known where it is in the graph of the cluster, and in which region.
    place: (bool, Option<u32>),
}

impl Kind {
    pub(super) fn of(info: &NodeInfo, machine: Machine, place: (bool, Option<u32>)) -> Self {
        Self {
            labels: info.labels.clone(),
            resources: info.resources.clone(),
            region: info.region.clone(),
            slots: info.slots,
            speed: info.speed.to_bits(),
            offers: info.offers.clone(),
            machine,
            place,
        }
    }
}

impl PartialOrd for Kind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kind {
    fn cmp(&self, other: &Self) -> Ordering {
        #[cfg(test)]
        tests::COMPARED.with(|compared| compared.set(compared.get() + 1));
        let own = (&self.labels, &self.resources, &self.region, self.slots, self.speed);
        let its = (&other.labels, &other.resources, &other.region, other.slots, other.speed);
        own.cmp(&its)
            .then_with(|| self.offers.commands.cmp(&other.offers.commands))
            .then_with(|| self.offers.functions.cmp(&other.offers.functions))
            .then_with(|| (self.machine, self.place).cmp(&(other.machine, other.place)))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use bary_model::id::NodeId;
    use bary_model::node::Peer;
    use bary_model::time::Span;

    use super::*;
    use crate::home::account::Account;
    use crate::home::field::{Among, Field};

    thread_local! {
        /// How often kinds were compared.
        pub(super) static COMPARED: Cell<u64> = const { Cell::new(0) };
    }

    /// The account of a node that has a label of its own.
    fn account(node: u64) -> Account {
        let info = NodeInfo {
            offers: Offers::default(),
            id: NodeId(node),
            name: "n".into(),
            region: "here".into(),
            resources: Resources::cpus(1),
            slots: 1,
            speed: 1.0,
            labels: [("rack".into(), format!("{node:05}").into())].into(),
        };
        Account::new(Peer { info, round_trip: Span::ZERO, machine: Machine::default() })
    }

    #[test]
    fn as_many_kinds_as_nodes_cost_each_node_a_few_looks() {
        let accounts: Vec<Account> = (0..4_096).map(account).collect();
        let mut field = Field::default();
        let before = COMPARED.with(Cell::get);
        for (node, account) in (0..).zip(&accounts) {
            field.bring(NodeId(node), account, None);
        }
        let compared = COMPARED.with(Cell::get) - before;
        // A tree of 4,096 is four deep, and up to eleven are compared at each step, for looking and
        // again for inserting; all of them would be 2,048 on average.
        assert!(compared < 4_096 * 88, "{compared} comparisons for 4,096 nodes");
        field.make(|node| accounts.get(node.0 as usize));
        for (node, account) in (0..).zip(&accounts) {
            field.check(NodeId(node), account);
        }
    }

    #[test]
    fn a_kind_without_nodes_is_forgotten_and_its_place_used_again() {
        let accounts: Vec<Account> = (0..3).map(account).collect();
        let find = |node: &NodeId| accounts.get(node.0 as usize);
        let mut field = Field::default();
        field.bring(NodeId(0), &accounts[0], None);
        field.drop(NodeId(0));
        field.bring(NodeId(1), &accounts[1], None);
        field.bring(NodeId(2), &accounts[2], None);
        field.make(find);
        for node in [1, 2] {
            field.check(NodeId(node), &accounts[node as usize]);
        }
        // What a node says of itself may change: it moves.
        field.bring(NodeId(1), &accounts[2], None);
        field.make(|_| Some(&accounts[2]));
        field.check(NodeId(1), &accounts[2]);
        assert_eq!(field.makes(Among::Met).count(), 0, "no node has said what it holds");
    }

    #[test]
    fn machines_tell_nodes_apart_only_where_somebody_looks_at_them() {
        let mut accounts: Vec<Account> = (0..3).map(|_| account(0)).collect();
        for (account, mhz) in accounts.iter_mut().zip([2_000, 3_000, 3_000]) {
            account.peer.machine.mhz = mhz;
        }
        for (looks, kinds) in [(false, 1), (true, 2), (false, 1)] {
            let mut field = Field::default();
            assert_eq!(field.look_at_machines(looks), looks, "it did not look before");
            assert!(!field.look_at_machines(looks), "it is as before");
            for (node, account) in (0..).zip(&accounts) {
                field.bring(NodeId(node), account, None);
            }
            field.make(|node| accounts.get(node.0 as usize));
            for (node, account) in (0..).zip(&accounts) {
                field.check(NodeId(node), account);
            }
            assert_eq!(field.kinds(), kinds, "with {looks}");
        }
    }
}
