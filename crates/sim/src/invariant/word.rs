//! A task that starts is told the last checkpoint that its home had accepted when it granted the
//! task, and no other task's.

use std::collections::BTreeMap;

use bary_ledger::record::Record;
use bary_model::id::{Fence, JobNo, NodeId, ShardId, SpecNo, TaskId, TaskRange};

use crate::history::{Digest, Fact};
use crate::invariant::{Broken, Invariant, Scene, hold};
use crate::oracle::saga;

type Word = (u64, Digest);
type Left = BTreeMap<(JobNo, SpecNo, u32), Word>;

/// Checkpoints are passed on.
#[derive(Debug)]
pub struct Words {
    /// Whether a grant is for any holder: a copy may be made after a checkpoint was left.
    open: bool,
    /// What tasks left last, as each home has put it on record or found it there.
    left: BTreeMap<(NodeId, ShardId), Left>,
    /// What tasks were to be told, by their grant.
    given: BTreeMap<(Fence, TaskId), Word>,
}

impl Words {
    /// For grants to one holder each, or to any.
    #[must_use]
    pub fn new(open: bool) -> Self {
        Self { open, left: BTreeMap::new(), given: BTreeMap::new() }
    }

    fn appended(
        &mut self,
        home: NodeId,
        (shard, epoch): (ShardId, bary_model::id::Epoch),
        record: &Record,
    ) -> Result<(), Broken> {
        let left = self.left.entry((home, shard)).or_default();
        match record {
            Record::Checkpointed { task, step, payload, .. } => {
                let key = (task.job, task.spec, task.index);
                left.insert(key, (*step, saga::digest(0, payload)));
            }
            Record::Submitted { job, .. } | Record::Retried { job } => {
                left.retain(|(of, ..), _| of != job);
            }
            Record::Granted { items, .. } => {
                for &(grant, range) in items {
                    let low = (range.job, range.spec, range.first);
                    let words: Vec<Word> = left
                        .range(low..(range.job, range.spec, range.end()))
                        .map(|w| *w.1)
                        .collect();
                    let alone = words.is_empty() || range.count == 1;
                    hold!(alone, "{range:?} was granted as one, but a task of it left {words:?}");
                    let fence = Fence { shard, epoch, grant };
                    self.given.extend(words.first().map(|word| ((fence, range.head()), *word)));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn opened(&mut self, scene: &Scene<'_>, shard: ShardId) {
        let jobs = scene.book.shard(shard).map_or(&[][..], |shard| &shard.jobs);
        let words = (0..).zip(jobs).flat_map(|(no, saga)| {
            saga.all_words().map(move |(spec, index, word)| ((JobNo(no), spec, index), word))
        });
        self.left.insert((scene.node, shard), words.collect());
    }

    fn told(&self, fence: Fence, range: TaskRange, word: Option<Word>) -> Result<(), Broken> {
        let given = self.given.get(&(fence, range.head())).copied();
        hold!(
            given == word,
            "{range:?} starts with the checkpoint {word:?}, the last is {given:?}"
        );
        Ok(())
    }
}

impl Invariant for Words {
    fn name(&self) -> &'static str {
        "checkpoint"
    }

    fn on(&mut self, scene: &Scene<'_>, fact: &Fact<'_>) -> Result<(), Broken> {
        match fact {
            _ if self.open => {}
            Fact::Opened { shard, .. } => self.opened(scene, *shard),
            Fact::Appended { shard, epoch, records, .. } => {
                for record in &**records {
                    self.appended(scene.node, (*shard, *epoch), record)?;
                }
            }
            Fact::Given { work, word } => self.told(work.fence, work.range, *word)?,
            _ => {}
        }
        Ok(())
    }
}
