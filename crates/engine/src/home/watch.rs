//! Dependencies across shards. That a job waits for another is on record here; the other home only
//! keeps in mind who asked. So the one that waits asks again until it is told: after a while, and
//! whenever it was opened anew. A job's end is never forgotten, so the answer cannot be missed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bary_ledger::consequences::Consequences;
use bary_ledger::record::Record;
use bary_model::event::EventKind;
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
    /// Jobs of this shard that wait for one of it.
    waiters: BTreeMap<JobNo, Vec<JobNo>>,
    again: Option<TimerKey>,
}

/// That a job which another waits for has finished.
#[derive(Debug)]
pub(super) struct Arrival {
    job: JobNo,
    upstream: JobRef,
    good: bool,
}

impl Home {
    /// Asks about every job that some job here waits for.
    pub(super) fn watch(&mut self, out: &mut Outbox, timers: &mut Timers) {
        let jobs: Vec<JobNo> = self.ledger.numbers().collect();
        for no in jobs {
            self.ask_about(no, out, timers);
        }
    }

    /// Asks about every job that this one waits for.
    pub(super) fn ask_about(&mut self, by: JobNo, out: &mut Outbox, timers: &mut Timers) {
        let job = self.ledger.job(by).filter(|job| !job.is_over());
        let awaited = job.into_iter().flat_map(|job| job.awaited());
        let awaited: Vec<JobRef> = awaited.filter(|one| one.shard != self.log.shard).collect();
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
            None if self.ledger.gone(job).is_some() => self.ledger.gone(job),
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

    /// Tells those who wait for a job that it has finished; those of this shard are given back.
    pub(super) fn tell_watchers(&mut self, job: JobNo, out: &mut Outbox) -> Vec<Arrival> {
        let good = self.ledger.job(job).is_some_and(|job| job.is_good());
        let mut watchers = self.watches.watchers.remove(&job).unwrap_or_default();
        // One that is gone asks again when it is back.
        watchers.retain(|(node, _)| self.accounts.contains_key(node));
        for (node, dependent) in watchers {
            self.log.say_when_durable(node, Say::Done { dependent, job, good }, out);
        }
        let upstream = JobRef { shard: self.log.shard, job };
        let waiters = self.watches.waiters.remove(&job).unwrap_or_default();
        waiters.into_iter().map(|job| Arrival { job, upstream, good }).collect()
    }

    /// Notes for which jobs of this shard a job waits; those that are over already are given back.
    pub(super) fn await_own(&mut self, by: JobNo) -> VecDeque<Arrival> {
        let job = self.ledger.job(by).filter(|job| !job.is_over());
        let awaited = job.into_iter().flat_map(|job| job.awaited());
        let awaited: Vec<JobRef> = awaited.filter(|one| one.shard == self.log.shard).collect();
        let mut over = VecDeque::new();
        for upstream in awaited {
            match self.ledger.job(upstream.job) {
                Some(held) if !held.is_over() => {
                    self.watches.waiters.entry(upstream.job).or_default().push(by);
                }
                held => {
                    let gone = || self.ledger.gone(upstream.job);
                    let good = held.map(|held| held.is_good()).or_else(gone);
                    let good = good.unwrap_or(false);
                    over.push_back(Arrival { job: by, upstream, good });
                }
            }
        }
        over
    }

    /// Puts on record that a job has finished for which another still waits.
    pub(super) fn arrive(&mut self, arrival: Arrival, then: &mut Consequences, out: &mut Outbox) {
        let Arrival { job, upstream, good } = arrival;
        let open = self.ledger.job(job).filter(|job| !job.is_over());
        if open.is_some_and(|job| job.awaited().any(|one| one == upstream)) {
            self.commit(Record::Arrived { job, upstream, good }, then);
            self.log.tell(EventKind::Arrived { job, upstream, good }, out);
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
        let arrival = VecDeque::from([Arrival { job, upstream, good }]);
        self.follow_all(Consequences::default(), arrival, out, timers);
    }
}
