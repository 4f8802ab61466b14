//! Who is gone gets nothing: after the moment at which a home was told that a node is gone, until
//! it is told that the node is there, it grants that node nothing. At that moment itself it may
//! have granted before it was told. Under Open binding grants name nobody.

use std::collections::BTreeMap;

use bary_ledger::record::Record;
use bary_model::id::NodeId;
use bary_model::time::Moment;

use crate::history::Fact;
use crate::invariant::{Broken, Invariant, Scene, hold};

/// Nothing is granted to who is gone.
#[derive(Debug, Default)]
pub struct Farewells {
    /// Who was told that whom is gone, and when.
    gone: BTreeMap<(NodeId, NodeId), Moment>,
}

impl Invariant for Farewells {
    fn name(&self) -> &'static str {
        "farewell"
    }

    fn on(&mut self, scene: &Scene<'_>, fact: &Fact<'_>) -> Result<(), Broken> {
        let home = scene.node;
        match fact {
            Fact::Misses { peer } => {
                self.gone.entry((home, *peer)).or_insert(scene.at);
            }
            Fact::Meets { peer } => {
                self.gone.remove(&(home, *peer));
            }
            Fact::Crashed => self.gone.retain(|(of, _), _| *of != home),
            Fact::Appended { records, .. } => {
                for record in &**records {
                    if let Record::Granted { node, items } = record {
                        let since = self.gone.get(&(home, *node));
                        let gone = since.is_some_and(|since| scene.at > *since);
                        hold!(!gone, "{items:?} were granted to {node}, which is gone");
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}
