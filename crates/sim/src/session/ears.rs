//! What a session hears of its world: a fold of effects into tasks and news.

use std::collections::BTreeMap;

use bary_engine::effect::Effect;
use bary_engine::input::{Refusal, Reply};
use bary_model::event::EventKind;
use bary_model::id::{JobNo, TaskRange};
use bary_model::outcome::End;
use bary_model::time::Moment;

use crate::session::task::{Happened, News, Stage, Task};

/// What was heard.
#[derive(Debug, Default)]
pub(crate) struct Ears {
    pub(crate) tasks: Vec<Task>,
    by_job: BTreeMap<JobNo, usize>,
    pub(crate) news: Vec<News>,
    /// The task that is being submitted.
    pub(crate) coming: Option<Task>,
    /// Where it is now, once its home has taken it in.
    pub(crate) taken: Option<usize>,
    /// Why it was refused.
    pub(crate) refused: Option<Refusal>,
}

impl Ears {
    /// Hears what an engine wants, as it is done.
    pub(crate) fn hear(&mut self, now: Moment, node: usize, effect: &Effect) {
        match effect {
            Effect::Start { items, .. } => {
                for item in &**items {
                    self.start(now, node, item.range);
                }
            }
            Effect::Tell(event) => self.told(now, &event.kind),
            _ => {}
        }
    }

    /// The task that a job is, unless it is over.
    pub(crate) fn task_of(&self, job: JobNo) -> Option<usize> {
        self.by_job.get(&job).copied()
    }

    /// Hears the answer to the last submission.
    pub(crate) fn answered(&mut self, reply: &Reply) {
        if let Reply::Refused(refusal) = reply {
            self.refused = Some(refusal.clone());
        }
    }

    fn told(&mut self, now: Moment, kind: &EventKind) {
        match kind {
            EventKind::Submitted { job, .. } => {
                if let Some(task) = self.coming.take() {
                    self.taken = Some(self.tasks.len());
                    self.by_job.insert(*job, self.tasks.len());
                    self.tasks.push(task);
                }
            }
            EventKind::Granted { node, ranges, .. } => {
                for range in &**ranges {
                    self.change(*range, |task| {
                        if task.stage == Stage::Queued {
                            task.stage = Stage::Bound(node.index());
                        }
                    });
                }
            }
            EventKind::Retracted { node, ranges } => {
                for range in &**ranges {
                    self.give_back(now, node.index(), *range);
                }
            }
            EventKind::Ended(ended) => {
                let (node, good) = (ended.node.index(), ended.end == End::Succeeded);
                let done = Stage::Done { node, at: now, good };
                self.change(ended.range, |task| task.stage = done);
                self.tell(now, node, ended.range, Happened::Ended { good });
                self.by_job.remove(&ended.range.job);
            }
            _ => {}
        }
    }

    fn start(&mut self, now: Moment, node: usize, range: TaskRange) {
        self.change(range, |task| {
            (task.began, task.stage) = (Some(now), Stage::Runs(node));
            task.starts += 1;
        });
        self.tell(now, node, range, Happened::Started);
    }

    fn give_back(&mut self, now: Moment, node: usize, range: TaskRange) {
        let mut ran = false;
        self.change(range, |task| {
            ran = task.stage == Stage::Runs(node);
            task.stage = Stage::Queued;
        });
        if ran {
            self.tell(now, node, range, Happened::Returned);
        }
    }

    fn change(&mut self, range: TaskRange, change: impl FnOnce(&mut Task)) {
        if let Some(at) = self.by_job.get(&range.job) {
            change(&mut self.tasks[*at]);
        }
    }

    fn tell(&mut self, at: Moment, node: usize, range: TaskRange, what: Happened) {
        if let Some(&task) = self.by_job.get(&range.job) {
            self.news.push(News { at, task, node, what });
        }
    }
}
