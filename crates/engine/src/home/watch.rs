//! Dependencies across shards. That a job waits for another is on record here; the other home only
//! keeps in mind who asked. So the one that waits asks again until it is told: after a while, and
//! whenever it was opened anew. A job's end is never forgotten, so the answer cannot be missed.

use std::collections::{BTreeMap, BTreeSet};

use bary_ledger::consequences::Consequences;
use bary_ledger::record::Record;
use bary_model::id::{JobNo, NodeId, ShardId};
use bary_model::job::JobRef;
use bary_model::message::Say;

use crate::home::Home;
use crate::outbox::Outbox;
use crate::timers::{Timer, TimerKey, Timers};

/// Most homes that are kept in mind as waiting for one job; the others ask again.
const WATCHERS_MAX: usize = 1_000;

/// Who waits for jobs of this home, and when this one asks again about jobs of others.
#[derive(Debug, Default)]
pub(super) struct Watches {
    watchers: BTreeMap<JobNo, BTreeSet<(NodeId, JobRef)>>,
    again: Option<TimerKey>,
}

impl Home {
    /// Asks about every job that some job here waits for.
    pub(super) fn watch(&mut self, out: &mut Outbox, timers: &mut Timers) {
        for no in 0..self.ledger.jobs() as u32 {
            self.ask_about(JobNo(no), out, timers);
        }
    }

    /// Asks about every job that this one waits for.
    pub(super) fn ask_about(&mut self, by: JobNo, out: &mut Outbox, timers: &mut Timers) {
        let job = self.ledger.job(by).filter(|job| !job.is_over());
        let awaited: Vec<JobRef> = job.into_iter().flat_map(|job| job.awaited()).collect();
        if awaited.is_empty() {
            return;
        }
        for upstream in awaited {
            let say = Say::Watch { upstream, by };
            match self.exchange.place_of(upstream.shard) {
                Some(node) => self.log.say_when_durable(node, say, out),
                None => {
                    for &node in self.accounts.keys() {
                        self.log.say_when_durable(node, say.clone(), out);
                    }
                }
            }
        }
        if self.watches.again.is_none() {
            let at = out.now + self.limits.watch_again;
            self.watches.again = Some(timers.set(at, Timer::Watch(self.log.shard)));
        }
    }

    pub(super) fn on_watch_timer(&mut self, out: &mut Outbox, timers: &mut Timers) {
        self.watches.again = None;
        self.watch(out, timers);
    }

    /// Another home waits for a job of this one: it is told now, or when the job has finished.
    pub(crate) fn on_watch(
        &mut self,
        from: NodeId,
        shard: ShardId,
        job: JobNo,
        by: JobNo,
        out: &mut Outbox,
    ) {
        let dependent = JobRef { shard, job: by };
        let good = match self.ledger.job(job) {
            // A job that was never submitted here cannot succeed. But a home that another has
            // followed does not know the later ones: so this is said only once one more record is
            // durable, which none is of a former home.
            None => {
                let nothing = Record::Awaits { upstream: Vec::new() };
                self.commit(nothing, &mut Consequences::default());
                Some(false)
            }
            Some(held) => held.is_over().then(|| held.is_good()),
        };
        match good {
            Some(good) => {
                let say = Say::Done { dependent, job, good };
                self.log.say_when_durable(from, say, out);
            }
            None => {
                let watchers = self.watches.watchers.entry(job).or_default();
                if watchers.len() < WATCHERS_MAX {
                    watchers.insert((from, dependent));
                }
            }
        }
    }

    /// Tells those who wait for a job that it has finished.
    pub(super) fn tell_watchers(&mut self, job: JobNo, out: &mut Outbox) {
        let good = self.ledger.job(job).is_some_and(|job| job.is_good());
        for (node, dependent) in self.watches.watchers.remove(&job).unwrap_or_default() {
            self.log.say_when_durable(node, Say::Done { dependent, job, good }, out);
        }
    }

    /// A job of another home has finished.
    pub(crate) fn on_done(
        &mut self,
        job: JobNo,
        upstream: JobRef,
        good: bool,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let waits = |job: &bary_ledger::job::Job| job.awaited().any(|one| one == upstream);
        if self.ledger.job(job).is_some_and(waits) {
            let mut then = Consequences::default();
            self.commit(Record::Arrived { job, upstream, good }, &mut then);
            self.follow(then, out, timers);
        }
    }
}
