//! What somebody decrees of the shard or of a node: it is on record, and holds for every later
//! reign. Nothing here is asked when records are folded: whoever opens a shard is told the policy
//! by its driver, and what holds for nodes follows from the ledger.

use bary_ledger::consequences::Consequences;
use bary_ledger::record::Record;
use bary_model::decree::{
    DECREED_NODES_MAX, Decree, LABEL_BYTES_MAX, LABELS_MAX, Labels, NODE_BYTES_MAX, VALUE_BYTES_MAX,
};
use bary_model::event::EventKind;
use bary_model::id::NodeId;
use bary_policy::preset;

use crate::flaw::Flaw;
use crate::home::Home;
use crate::input::Refusal;
use crate::outbox::Outbox;
use crate::timers::Timers;

impl Home {
    /// Puts a decree on record, and does by it.
    pub(super) fn decree(
        &mut self,
        decree: Decree,
        out: &mut Outbox,
        timers: &mut Timers,
    ) -> Result<(), Refusal> {
        match decree {
            Decree::Follow(text) => {
                let policy = preset::parse(&text)?;
                if self.ledger.decrees().policy.as_deref() != Some(&*policy.name) {
                    self.put(Decree::Follow(policy.name.as_str().into()), out);
                }
                self.follow_policy(policy, out, timers);
            }
            Decree::Drain { node, drain } => {
                self.check_node(&node)?;
                if self.ledger.decrees().drained.contains(&node) != drain {
                    self.put(Decree::Drain { node: node.clone(), drain }, out);
                    self.on_drain(&node, drain, out, timers);
                }
            }
            Decree::Label { node, labels } => {
                self.check_node(&node)?;
                let labels = self.merged(&node, labels)?;
                if self.ledger.decrees().labels.get(&node).unwrap_or(&Labels::new()) != &labels {
                    self.put(Decree::Label { node: node.clone(), labels }, out);
                    self.on_labels(&node, out, timers);
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, decree: Decree, out: &mut Outbox) {
        let record = Record::Decreed { decree: Box::new(decree.clone()) };
        self.commit(record, &mut Consequences::default());
        self.log.tell(EventKind::Decreed(decree.into()), out);
    }

    /// Refuses a name that is too long to be on record, or one too many.
    fn check_node(&self, node: &str) -> Result<(), Refusal> {
        check_bytes("the bytes of the node's name", node, NODE_BYTES_MAX)?;
        let (decrees, limit) = (self.ledger.decrees(), DECREED_NODES_MAX);
        if decrees.nodes() >= limit && !decrees.names(node) {
            return Err(Refusal::TooManyNodes { limit });
        }
        Ok(())
    }

    /// All labels that will lie over those of a node, when these change.
    fn merged(&self, node: &str, changes: Labels) -> Result<Labels, Refusal> {
        for (name, value) in &changes {
            let odd = |letter: char| letter.is_whitespace() || "=!,".contains(letter);
            if name.is_empty() || name.contains(odd) {
                return Err(Refusal::BadLabel { name: name.clone() });
            }
            check_bytes("the bytes of a label's name", name, LABEL_BYTES_MAX)?;
            let value = value.as_deref().unwrap_or_default();
            check_bytes("the bytes of a label's value", value, VALUE_BYTES_MAX)?;
        }
        let mut labels = self.ledger.decrees().labels.get(node).cloned().unwrap_or_default();
        labels.extend(changes);
        // Only what the node has itself needs to be hidden; of one that is away nobody knows it.
        if let Some(account) = self.named(node).and_then(|node| self.accounts.get(&node)) {
            labels.retain(|name, value| value.is_some() || account.labels.contains_key(name));
        }
        let (count, limit) = (labels.len(), LABELS_MAX);
        if count > limit {
            return Err(Refusal::TooManyLabels { node: node.into(), count, limit });
        }
        Ok(labels)
    }

    /// The node of a name that is there.
    fn named(&self, name: &str) -> Option<NodeId> {
        let named = self.accounts.iter().find(|(_, account)| &*account.peer.info.name == name);
        named.map(|(node, _)| *node)
    }

    fn on_drain(&mut self, name: &str, drain: bool, out: &mut Outbox, timers: &mut Timers) {
        let Some(node) = self.named(name) else { return };
        if drain {
            self.unpark(node);
            self.sampling.forget(node);
            self.empty(node, out);
        } else if let Some(account) = self.accounts.get_mut(&node) {
            // Its ask was dropped: it asks anew once it hears of work.
            account.told = false;
        }
        self.serve(out, timers);
    }

    fn on_labels(&mut self, name: &str, out: &mut Outbox, timers: &mut Timers) {
        let Some(node) = self.named(name) else { return };
        self.label(node);
        if self.open.has(node) || self.holds_unfit(node) {
            self.empty(node, out);
        }
        if let Some(account) = self.accounts.get_mut(&node) {
            // There may be work that it could not run before.
            account.told = false;
        }
        self.serve(out, timers);
    }

    /// Gives a node the labels that it has by decree.
    pub(super) fn label(&mut self, node: NodeId) {
        let decrees = self.ledger.decrees();
        if self.flaws.has(Flaw::DecreeForgotten) && self.is_reopened() {
            return;
        }
        let Some(account) = self.accounts.reshape(&node) else { return };
        if decrees.labels.contains_key(&account.peer.info.name) {
            let mut info = account.peer.info.clone();
            info.labels.clone_from(&account.labels);
            account.peer.info.labels = decrees.labels_of(&info);
        } else if account.peer.info.labels != account.labels {
            account.peer.info.labels.clone_from(&account.labels);
        }
    }

    /// Whether there may be nodes to which nothing is granted.
    pub(super) fn drains_any(&self) -> bool {
        !(self.drained.is_empty() && self.ledger.decrees().drained.is_empty())
    }

    /// Whether nothing is granted to a node.
    pub(super) fn is_drained(&self, node: NodeId) -> bool {
        let decreed = || {
            let drained = &self.ledger.decrees().drained;
            let forgotten = self.flaws.has(Flaw::DecreeForgotten) && self.is_reopened();
            !(drained.is_empty() || forgotten)
                && self.accounts.get(&node).is_some_and(|a| drained.contains(&a.peer.info.name))
        };
        self.drained.contains(&node) || decreed()
    }

    /// Whether a node holds something that asks for other labels than it has by now.
    pub(super) fn holds_unfit(&self, node: NodeId) -> bool {
        let Some(account) = self.accounts.get(&node) else { return false };
        let info = &account.peer.info;
        let mut unfit = false;
        self.ledger.held(|holder, range| {
            if holder.node == node && !unfit {
                let job = self.ledger.job(range.job);
                let spec = job.and_then(|job| job.spec(range.spec));
                unfit = spec.is_some_and(|spec| !info.has_labels(&spec.body.request));
            }
        });
        unfit
    }

    /// Whether there was a reign before this one.
    fn is_reopened(&self) -> bool {
        self.ledger.epoch().0 > 1
    }
}

fn check_bytes(what: &'static str, text: &str, limit: usize) -> Result<(), Refusal> {
    let bytes = text.len();
    if bytes > limit { Err(Refusal::TooLong { what, bytes, limit }) } else { Ok(()) }
}
