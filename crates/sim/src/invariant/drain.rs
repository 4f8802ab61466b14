//! After a drain was acknowledged, the homes of that node grant the drained one nothing before they
//! are asked to take it up again. Under Open binding grants name nobody.

use std::collections::{BTreeMap, BTreeSet};

use bary_ledger::record::Record;
use bary_model::id::NodeId;

use crate::history::{Answer, Fact, Wish};
use crate::invariant::{Broken, Invariant, Scene, hold};

/// Who is drained gets nothing.
#[derive(Debug, Default)]
pub struct Drains {
    /// The last wish that a node should be drained, by who was asked and about whom.
    wishes: BTreeMap<(NodeId, NodeId), u64>,
    /// Who has acknowledged that it grants whom nothing.
    drained: BTreeSet<(NodeId, NodeId)>,
}

impl Invariant for Drains {
    fn name(&self) -> &'static str {
        "drain"
    }

    fn on(&mut self, scene: &Scene<'_>, fact: &Fact<'_>) -> Result<(), Broken> {
        let home = scene.node;
        match fact {
            Fact::Asked { ticket, wish: Wish::Drain { node, drain: true } } => {
                self.wishes.insert((home, *node), *ticket);
            }
            Fact::Asked { wish: Wish::Drain { node, drain: false }, .. } => {
                self.wishes.remove(&(home, *node));
                self.drained.remove(&(home, *node));
            }
            Fact::Answered { ticket, answer: Answer::Done } => {
                let mine = self.wishes.iter().filter(|((of, _), _)| *of == home);
                let meant = mine.filter(|(_, last)| *last == ticket);
                self.drained.extend(meant.map(|(pair, _)| *pair));
            }
            Fact::Crashed => {
                self.wishes.retain(|(of, _), _| *of != home);
                self.drained.retain(|(of, _)| *of != home);
            }
            Fact::Appended { records, .. } => {
                for record in &**records {
                    if let Record::Granted { node, items } = record {
                        let drained = self.drained.contains(&(home, *node));
                        hold!(!drained, "{items:?} were granted to {node}, which is drained");
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}
