//! The nodes of a home, and what they add up to: sums and indices that cost what has changed since
//! they were last looked at, not what there is.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Index;

use bary_model::id::{NodeId, ShardId};
use bary_policy::steal::Victim;

use crate::home::account::Account;
use crate::home::field::Field;
use crate::home::sums::{Sums, Totals};
use crate::sorted::Sorted;

/// Every node's account. Whatever was lent out to be changed is counted anew before anything is
/// told that depends on it.
#[derive(Debug)]
pub(crate) struct Accounts {
    shard: ShardId,
    slots: Sorted<NodeId, Slot>,
    /// Slots whose accounts may differ from what was counted of them.
    stale: Vec<NodeId>,
    /// Slots of which it may have changed whether they should be told of work.
    unsure: Vec<NodeId>,
    sums: Sums,
    /// Who has not been told of work and does not wait for it, those that hold nothing first.
    untold: BTreeSet<(bool, NodeId)>,
    /// Who can be stolen from, in no order that means anything.
    victims: Vec<Victim>,
    /// For whom retracts are under way, and how many.
    thieves: BTreeMap<NodeId, u32>,
    /// How all stand, but for those that have changed.
    field: Field,
    /// Slots whose accounts may stand otherwise than in the field.
    moved: Vec<NodeId>,
}

#[derive(Debug)]
struct Slot {
    account: Account,
    counted: Counted,
    /// Where it is among the victims.
    place: Option<usize>,
    stale: bool,
    unsure: bool,
    moved: bool,
    /// What it says of itself may have changed.
    reshaped: bool,
    /// Whether it should be told of work and holds some, as it was listed.
    untold: Option<bool>,
}

/// What of an account was counted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counted {
    sums: Sums,
    victim: Option<Victim>,
    thief: Option<NodeId>,
}

impl Accounts {
    pub(crate) fn new(shard: ShardId) -> Self {
        Self {
            shard,
            slots: Sorted::default(),
            stale: Vec::new(),
            unsure: Vec::new(),
            sums: Sums::default(),
            untold: BTreeSet::new(),
            victims: Vec::new(),
            thieves: BTreeMap::new(),
            field: Field::default(),
            moved: Vec::new(),
        }
    }

    pub(crate) fn get(&self, node: &NodeId) -> Option<&Account> {
        self.slots.get(node).map(|slot| &slot.account)
    }

    pub(crate) fn get_mut(&mut self, node: &NodeId) -> Option<&mut Account> {
        let slot = self.slots.get_mut(node)?;
        if !slot.stale {
            slot.stale = true;
            self.stale.push(*node);
        }
        if !slot.unsure {
            slot.unsure = true;
            self.unsure.push(*node);
        }
        if !slot.moved {
            slot.moved = true;
            self.moved.push(*node);
        }
        Some(&mut slot.account)
    }

    /// An account whose node may come to say other things of itself.
    pub(crate) fn reshape(&mut self, node: &NodeId) -> Option<&mut Account> {
        self.slots.get_mut(node)?.reshaped = true;
        self.get_mut(node)
    }

    /// An account in which neither whether it waits nor whether it was told of work will change.
    pub(crate) fn book(&mut self, node: &NodeId) -> Option<&mut Account> {
        let slot = self.slots.get_mut(node)?;
        if !slot.stale {
            slot.stale = true;
            self.stale.push(*node);
        }
        // It is listed by whether it holds something.
        if slot.untold.is_some() && !slot.unsure {
            slot.unsure = true;
            self.unsure.push(*node);
        }
        if !slot.moved {
            slot.moved = true;
            self.moved.push(*node);
        }
        Some(&mut slot.account)
    }

    pub(crate) fn contains_key(&self, node: &NodeId) -> bool {
        self.slots.contains_key(node)
    }

    /// Adds a node that is not there yet.
    pub(crate) fn insert(&mut self, node: NodeId, account: Account) {
        let counted = Counted::default();
        let (place, untold) = (None, None);
        let (stale, unsure, moved, reshaped) = (true, true, true, true);
        let slot = Slot { account, counted, place, stale, unsure, moved, reshaped, untold };
        self.slots.insert(node, slot);
        for changed in [&mut self.stale, &mut self.unsure, &mut self.moved] {
            changed.push(node);
        }
    }

    pub(crate) fn remove(&mut self, node: &NodeId) -> Option<Account> {
        self.recount(*node, |_| Counted::default());
        self.list(*node, |_| None);
        self.field.drop(*node);
        self.slots.remove(node).map(|slot| slot.account)
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&NodeId, &Account)> + Clone {
        self.slots.iter().map(|(node, slot)| (node, &slot.account))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Account> + Clone {
        self.slots.values().map(|slot| &slot.account)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &NodeId> {
        self.slots.keys()
    }

    /// What a unit of declared speed has come to, as it was when that was last counted.
    pub(crate) fn last_scale(&self) -> Option<f64> {
        self.sums.scale()
    }

    /// What all nodes add up to.
    pub(crate) fn totals(&mut self) -> Totals {
        self.settle();
        self.sums.totals()
    }

    /// Nodes that neither wait here nor know that there is work, in order; those that hold some
    /// only where that is wanted.
    pub(crate) fn untold(&mut self, busy_too: bool) -> Vec<NodeId> {
        let shard = self.shard;
        while let Some(node) = self.unsure.pop() {
            self.list(node, |account| account.untold(shard));
        }
        let wanted = self.untold.iter().take_while(|(busy, _)| busy_too || !busy);
        let mut nodes: Vec<NodeId> = wanted.map(|(_, node)| *node).collect();
        nodes.sort_unstable();
        nodes
    }

    /// Whether something is being taken back for a node.
    pub(crate) fn is_stealing(&mut self, thief: NodeId) -> bool {
        self.settle();
        self.thieves.contains_key(&thief)
    }

    /// Who can be stolen from, as of the last totals.
    pub(crate) fn victims(&self) -> &[Victim] {
        &self.victims
    }

    /// Brings the field up to date; `region` is where a node is in the graph of the cluster.
    pub(crate) fn settle_field(&mut self, region: impl Fn(NodeId) -> Option<u32>) {
        while let Some(node) = self.moved.pop() {
            let Some(slot) = self.slots.get_mut(&node) else { continue };
            slot.moved = false;
            if std::mem::take(&mut slot.reshaped) || !self.field.set(node, &slot.account) {
                self.field.bring(node, &slot.account, region(node));
            }
        }
        let slots = &self.slots;
        self.field.make(|node| slots.get(node).map(|slot| &slot.account));
    }

    /// Whether machines tell nodes apart from now on, as the force looks at them.
    pub(crate) fn look_at_machines(&mut self, looks: bool) {
        if !self.field.look_at_machines(looks) {
            return;
        }
        for (node, slot) in self.slots.iter_mut() {
            slot.reshaped = true;
            if !std::mem::replace(&mut slot.moved, true) {
                self.moved.push(*node);
            }
        }
    }

    /// How all nodes stood when that was last brought up to date.
    pub(crate) fn field(&self) -> &Field {
        &self.field
    }

    /// Leaves a node that waits out of the field until something about it changes, or it is let in.
    pub(crate) fn leave_out(&mut self, node: NodeId) {
        self.field.leave_out(node);
    }

    /// Counts anew what may have changed.
    fn settle(&mut self) {
        while let Some(node) = self.stale.pop() {
            self.recount(node, Counted::of);
        }
    }

    /// Lists a node among those that should be told of work, or takes it off that list.
    fn list(&mut self, node: NodeId, untold: impl Fn(&Account) -> Option<bool>) {
        let Some(slot) = self.slots.get_mut(&node) else { return };
        slot.unsure = false;
        let new = untold(&slot.account);
        let old = std::mem::replace(&mut slot.untold, new);
        if old != new {
            old.map(|busy| self.untold.remove(&(busy, node)));
            self.untold.extend(new.map(|busy| (busy, node)));
        }
    }

    fn recount(&mut self, node: NodeId, count: impl Fn(&Account) -> Counted) {
        let Some(slot) = self.slots.get_mut(&node) else { return };
        slot.stale = false;
        let new = count(&slot.account);
        let old = std::mem::replace(&mut slot.counted, new);
        let place = slot.place;
        if old == new {
            return;
        }
        self.sums.add(new.sums);
        self.sums.remove(old.sums);
        if old.thief != new.thief {
            self.count_thief(old.thief, new.thief);
        }
        match (place, new.victim) {
            (Some(at), Some(victim)) => self.victims[at] = victim,
            (Some(at), None) => self.spare(node, at),
            (None, Some(victim)) => {
                slot_place(&mut self.slots, node, Some(self.victims.len()));
                self.victims.push(victim);
            }
            (None, None) => {}
        }
    }

    /// Takes a node out of the victims; the last of them takes its place.
    fn spare(&mut self, node: NodeId, at: usize) {
        self.victims.swap_remove(at);
        if let Some(moved) = self.victims.get(at) {
            slot_place(&mut self.slots, moved.node, Some(at));
        }
        slot_place(&mut self.slots, node, None);
    }

    fn count_thief(&mut self, old: Option<NodeId>, new: Option<NodeId>) {
        if let Some(new) = new {
            *self.thieves.entry(new).or_default() += 1;
        }
        if let Some(old) = old
            && let Some(count) = self.thieves.get_mut(&old)
        {
            *count -= 1;
            if *count == 0 {
                self.thieves.remove(&old);
            }
        }
    }

    /// Checks that what is counted is what there is, but for what waits to be counted anew.
    pub(crate) fn check(&self) {
        let mut sums = Sums::default();
        let (mut untold, mut thieves) = (BTreeSet::new(), BTreeMap::new());
        let mut victims = 0;
        for (node, slot) in self.slots.iter() {
            let counted = slot.counted;
            let fresh = slot.stale || counted == Counted::of(&slot.account);
            assert!(fresh, "what was counted of a node is what it is");
            let sure = slot.unsure || slot.untold == slot.account.untold(self.shard);
            assert!(sure, "who has not been told of work is known");
            assert!(!slot.unsure || self.unsure.contains(node), "what has changed is looked at");
            assert!(!slot.stale || self.stale.contains(node), "what has changed is counted anew");
            if !slot.moved && !slot.reshaped {
                self.field.check(*node, &slot.account);
            }
            sums.add(counted.sums);
            untold.extend(slot.untold.map(|busy| (busy, *node)));
            if let Some(thief) = counted.thief {
                *thieves.entry(thief).or_default() += 1;
            }
            let listed = slot.place.map(|at| self.victims[at]);
            assert_eq!(listed, counted.victim, "a victim is at its place");
            victims += usize::from(listed.is_some());
        }
        assert_eq!(sums, self.sums, "sums are what the accounts add up to");
        assert_eq!(untold, self.untold, "who has not been told is listed");
        assert_eq!(thieves, self.thieves, "retracts under way are counted");
        assert_eq!(victims, self.victims.len(), "every victim is a node");
    }
}

fn slot_place(slots: &mut Sorted<NodeId, Slot>, node: NodeId, place: Option<usize>) {
    if let Some(slot) = slots.get_mut(&node) {
        slot.place = place;
    }
}

impl Index<&NodeId> for Accounts {
    type Output = Account;

    fn index(&self, node: &NodeId) -> &Account {
        &self.slots[node].account
    }
}

impl Counted {
    fn of(account: &Account) -> Self {
        let victim = account.is_open_to_thieves().then(|| account.as_victim());
        Self { sums: Sums::of(account), victim, thief: account.thief }
    }
}
