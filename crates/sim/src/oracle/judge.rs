//! Reads a history, fact by fact, keeps the book, and asks every invariant. It stops at the first
//! break: what follows from one is not news.

use std::collections::BTreeMap;
use std::fmt;

use bary_ledger::ledger::Ledger;
use bary_model::id::{NodeId, ShardId};
use bary_model::time::Moment;

use crate::history::{Entry, Fact};
use crate::invariant::replay::Replay;
use crate::invariant::{self, Broken, Invariant, Rules, Scene, Settled};
use crate::oracle::book::Book;
use crate::oracle::chronicle::{Batch, Chronicle};

/// An invariant that does not hold, and where that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// Which.
    pub invariant: Box<str>,
    /// When.
    pub at: Moment,
    /// At which node.
    pub node: NodeId,
    /// The facts that contradict each other.
    pub what: String,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { invariant, at, node, what } = self;
        write!(f, "{invariant}: {what} (at {:.6} s, {node})", at.0 as f64 / 1e9)
    }
}

/// Judges one history.
pub struct Judge {
    chronicle: Chronicle,
    book: Book,
    invariants: Vec<Box<dyn Invariant>>,
    replay: Replay,
    /// The shard that requests to each node are about: the first that it opened in this life.
    own: BTreeMap<NodeId, ShardId>,
    broken: Option<Break>,
    facts: u64,
}

impl Judge {
    /// A judge of runs that were set up so.
    #[must_use]
    pub fn new(rules: &Rules) -> Self {
        Self {
            chronicle: Chronicle::default(),
            book: Book::default(),
            invariants: invariant::all(rules),
            replay: Replay::default(),
            own: BTreeMap::new(),
            broken: None,
            facts: 0,
        }
    }

    /// The first break, if there was one.
    #[must_use]
    pub fn broken(&self) -> Option<&Break> {
        self.broken.as_ref()
    }

    /// What is durable so far.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// How many facts were judged.
    #[must_use]
    pub fn facts(&self) -> u64 {
        self.facts
    }

    /// Judges one entry of a history.
    pub fn on(&mut self, entry: &Entry<'_>) {
        if self.broken.is_some() {
            return;
        }
        self.facts += 1;
        let (at, node) = (entry.at, entry.node);
        match &entry.fact {
            Fact::Crashed => {
                self.own.remove(&node);
                self.book.crashed(node);
            }
            Fact::Opened { shard, .. } => {
                self.own.entry(node).or_insert(*shard);
                self.book.opened(*shard, node);
            }
            Fact::Deposed { shard } => {
                self.own.retain(|of, own| *of != node || own != shard);
                self.book.deposed(*shard, node);
            }
            _ => {}
        }
        if let Fact::Durable { .. } | Fact::Opened { .. } | Fact::Appended { .. } = &entry.fact {
            self.pages(entry);
        }
        let own = self.own.get(&node).copied();
        let scene = Scene { at, node, own, book: &self.book };
        for invariant in &mut self.invariants {
            let judged = invariant.on(&scene, &entry.fact);
            note(&mut self.broken, &scene, invariant.name(), judged);
        }
    }

    /// What the fact says of a journal.
    fn pages(&mut self, entry: &Entry<'_>) {
        let (at, node) = (entry.at, entry.node);
        match &entry.fact {
            Fact::Appended { shard, epoch, lsn, wall, records } => {
                let records = records.clone().into_owned();
                let wall = wall.unwrap_or_default();
                let batch = Batch { node, epoch: *epoch, lsn: *lsn, wall, records };
                let written = self.chronicle.appended(*shard, batch);
                self.note(at, node, "reign", written);
            }
            Fact::Durable { shard, lsn } => {
                for batch in self.chronicle.durable(*shard, node, *lsn) {
                    self.settle(at, *shard, batch);
                }
            }
            Fact::Opened { shard, next } => match self.chronicle.opened(*shard, node, *next) {
                Ok(batches) => batches.into_iter().for_each(|batch| self.settle(at, *shard, batch)),
                Err(broken) => self.note(at, node, "durable", Err(broken)),
            },
            _ => {}
        }
    }

    fn settle(&mut self, at: Moment, shard: ShardId, batch: Batch) {
        for record in batch.records {
            if self.broken.is_some() {
                return;
            }
            let own = self.own.get(&batch.node).copied();
            let scene = Scene { at, node: batch.node, own, book: &self.book };
            let (epoch, lsn) = (batch.epoch, batch.lsn);
            let settled = Settled { shard, epoch, lsn, record: &record };
            for invariant in &mut self.invariants {
                let judged = invariant.settled(&scene, &settled);
                note(&mut self.broken, &scene, invariant.name(), judged);
            }
            if self.broken.is_none() {
                self.book.settle(shard, &record);
                self.replay.settled(shard, batch.wall, record);
            }
        }
    }

    /// Judges a ledger that was read from a journal, or one at rest: all of it is durable.
    pub fn ledger(&mut self, at: Moment, node: NodeId, ledger: &Ledger) {
        if self.broken.is_none() && !self.chronicle.is_waiting(ledger.shard()) {
            let same = self.replay.compare(&self.book, ledger);
            self.note(at, node, Replay::NAME, same);
        }
    }

    /// Judges what is left when nothing will happen any more.
    pub fn end(&mut self, at: Moment) {
        let node = NodeId(0);
        let scene = Scene { at, node, own: None, book: &self.book };
        for invariant in &mut self.invariants {
            let judged = invariant.at_end(&scene);
            note(&mut self.broken, &scene, invariant.name(), judged);
        }
    }

    fn note(&mut self, at: Moment, node: NodeId, name: &str, judged: Result<(), Broken>) {
        let scene = Scene { at, node, own: None, book: &self.book };
        note(&mut self.broken, &scene, name, judged);
    }
}

/// Keeps the first break.
fn note(broken: &mut Option<Break>, scene: &Scene<'_>, name: &str, judged: Result<(), Broken>) {
    if let (Err(Broken(what)), None) = (judged, &broken) {
        let (invariant, at, node) = (name.into(), scene.at, scene.node);
        *broken = Some(Break { invariant, at, node, what });
    }
}
