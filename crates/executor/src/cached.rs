//! An executor that answers from the result cache what has run before, and has another one run the
//! rest.
//!
//! The first tasks of a run are looked up: as many as have results are reported at once and the
//! rest is returned, or as many as have none run and the rest is returned. What is returned comes
//! again. So a run never mixes both, and one without tasks that take results passes straight
//! through. Equal tasks that run at the same time on two slots both run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bary_model::id::{RunNo, ShardId, TaskId};
use bary_model::message::{GrantItem, OutcomeItem};
use bary_model::outcome::{Failure, Outcome, Usage};
use bary_model::payload::Payload;
use bary_ports::cache::Kept;
use bary_ports::executor::{Completion, Completions, Executor, Start, Stop, StopReason, Stream};
use bytes::Bytes;

use crate::cached::call::{Call, Calls};
use crate::cached::desk::Desk;
use crate::report::{Ended, Report};
use crate::run::locked;

pub mod desk;

mod call;
mod digest;

/// Most tasks without a result that one run has begun: what it does not get to is looked up again.
const CALLS_MAX: usize = 64;

/// Answers from a cache before it has another executor run anything.
pub struct CachedExecutor {
    inner: Inner,
    ends: Arc<Ends>,
}

type Inner = Arc<Mutex<Box<dyn Executor>>>;

/// Where the executor within reports: what it ends well is put away before it is reported on.
#[derive(Clone, Debug)]
pub struct CachedEnds(Arc<Ends>);

struct Ends {
    desk: Arc<Desk>,
    into: Arc<dyn Completions>,
    state: Mutex<State>,
    /// How many runs are in the state, so that others need no lock.
    live: AtomicUsize,
}

#[derive(Default)]
struct State {
    live: BTreeMap<RunNo, Live>,
    closed: bool,
}

/// A run with tasks that take results.
enum Live {
    /// It is looked up.
    Looking(Start),
    /// Its first tasks run.
    Running(Running),
}

struct Running {
    start: Start,
    /// What those that run are called with, in order; none where that has no key.
    calls: Vec<Option<Call>>,
}

/// What looking up came to.
enum Found {
    /// The first tasks have results.
    Results(Vec<(Payload, Payload)>),
    /// The first tasks have none, and are called so.
    Calls(Vec<Option<Call>>),
}

impl std::fmt::Debug for CachedExecutor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CachedExecutor").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Ends {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ends").field("live", &self.live).finish_non_exhaustive()
    }
}

impl CachedExecutor {
    /// An executor over the one that reports to `ends`.
    #[must_use]
    pub fn new(inner: Box<dyn Executor>, ends: CachedEnds) -> Self {
        Self { inner: Arc::new(Mutex::new(inner)), ends: ends.0 }
    }
}

impl Executor for CachedExecutor {
    fn start(&mut self, start: Start) {
        if start.items.iter().all(|item| item.spec.body.cache.is_none()) {
            return locked(&self.inner).start(start);
        }
        let run = start.run;
        self.ends.put(start);
        let (ends, inner) = (Arc::clone(&self.ends), Arc::clone(&self.inner));
        self.ends.desk.give(move || ends.look_up(run, &inner));
    }

    fn stop(&mut self, run: RunNo, stop: Stop) {
        let (Stop::Ask(reason) | Stop::Kill(reason)) = stop;
        if !self.ends.stop(run, reason) {
            locked(&self.inner).stop(run, stop);
        }
    }

    fn close(&mut self) {
        self.ends.close();
        locked(&self.inner).close();
    }
}

impl CachedEnds {
    /// Reports on to `into`.
    #[must_use]
    pub fn new(desk: Arc<Desk>, into: Arc<dyn Completions>) -> Self {
        let (state, live) = (Mutex::default(), AtomicUsize::new(0));
        Self(Arc::new(Ends { desk, into, state, live }))
    }
}

impl Ends {
    fn put(&self, start: Start) {
        self.live.fetch_add(1, Ordering::SeqCst);
        locked(&self.state).live.insert(start.run, Live::Looking(start));
    }

    fn take(&self, run: RunNo) -> Option<Live> {
        let taken = locked(&self.state).live.remove(&run);
        if taken.is_some() {
            self.live.fetch_sub(1, Ordering::SeqCst);
        }
        taken
    }

    /// Whether a run is looked up still.
    fn is_wanted(&self, run: RunNo) -> bool {
        matches!(locked(&self.state).live.get(&run), Some(Live::Looking(_)))
    }

    /// Takes a run away from whoever looks it up.
    fn take_looking(&self, run: RunNo) -> Option<Start> {
        let mut state = locked(&self.state);
        let Some(Live::Looking(start)) = state.live.get(&run) else { return None };
        let start = start.clone();
        state.live.remove(&run);
        self.live.fetch_sub(1, Ordering::SeqCst);
        Some(start)
    }

    /// Ends a run that is only looked up; false where it is none.
    fn stop(&self, run: RunNo, reason: StopReason) -> bool {
        let Some(start) = self.take_looking(run) else { return false };
        let mut report = Report::default();
        let usage = Usage { began: self.desk.now(), slot: start.slot, ..Usage::default() };
        let (output, stderr) = (Payload::Empty, Payload::Empty);
        let failed = |failure| Ended { end: Err(failure), output, stderr, usage };
        match reason {
            StopReason::Cancel => report.push_stopped(&start.items, Payload::Empty, usage),
            StopReason::Timeout => report.push(&start.items, failed(Failure::TimedOut)),
            StopReason::Silent => report.push(&start.items, failed(Failure::Silent)),
        }
        report.return_rest(&start.items);
        self.into.complete(Completion::Ended { run, items: report.take() });
        true
    }

    /// Lets nothing more begin.
    fn close(&self) {
        let mut state = locked(&self.state);
        state.closed = true;
        let looking =
            |(run, live): (&RunNo, &Live)| matches!(live, Live::Looking(_)).then_some(*run);
        let runs: Vec<RunNo> = state.live.iter().filter_map(looking).collect();
        drop(state);
        for run in runs {
            self.stop(run, StopReason::Cancel);
        }
    }

    fn look_up(self: &Arc<Self>, run: RunNo, inner: &Inner) {
        let start = match locked(&self.state).live.get(&run) {
            Some(Live::Looking(start)) => start.clone(),
            _ => return,
        };
        match self.find(&start) {
            Found::Results(results) => self.answer(run, &results),
            Found::Calls(calls) => self.forward(start, calls, inner),
        }
    }

    fn find(&self, start: &Start) -> Found {
        let desk = &*self.desk;
        let wanted = || self.is_wanted(start.run);
        let today = desk.today();
        let began = Instant::now();
        let (mut results, mut calls, mut keys) = (Vec::new(), Vec::new(), BTreeSet::new());
        for item in start.items.iter() {
            let age = item.spec.body.cache;
            let of = age.and_then(|_| Calls::of(item, start.slot, &desk.job, &*desk.store));
            for offset in 0..item.range.count {
                let some = !results.is_empty() || !calls.is_empty();
                let enough = calls.len() >= CALLS_MAX || began.elapsed() > start.budget.to_std();
                if some && enough {
                    return found(results, calls);
                }
                let call = of.as_ref().and_then(|of| of.at(offset, &desk.digests, &wanted));
                // What it gives will be known when it comes again.
                if call.as_ref().is_some_and(|call| !keys.insert(call.key)) && results.is_empty() {
                    return Found::Calls(calls);
                }
                let kept = call.as_ref().zip(age);
                let kept = kept.and_then(|(call, age)| desk.cache.get(&call.key, age, today));
                if kept.is_some() && !calls.is_empty() {
                    return Found::Calls(calls);
                }
                match kept.and_then(|kept| self.result(kept)) {
                    Some(result) => results.push(result),
                    None if results.is_empty() => calls.push(call),
                    None => return Found::Results(results),
                }
            }
        }
        found(results, calls)
    }

    /// A kept result where others look for it; none where there is no room for it.
    fn result(&self, kept: Kept) -> Option<(Payload, Payload)> {
        let store = &self.desk.store;
        let output = store.payload(kept.output).ok()?;
        match store.payload(kept.stderr) {
            Ok(stderr) => Some((output, stderr)),
            Err(_) => {
                store.release_payload(&output);
                None
            }
        }
    }

    fn answer(&self, run: RunNo, results: &[(Payload, Payload)]) {
        let Some(start) = self.take_looking(run) else {
            for (output, stderr) in results {
                self.desk.store.release_payload(output);
                self.desk.store.release_payload(stderr);
            }
            return;
        };
        let (began, slot) = (self.desk.now(), start.slot);
        let usage = Usage { began, slot, cached: true, ..Usage::default() };
        let mut report = Report::default();
        for (output, stderr) in results {
            let (output, stderr) = (output.clone(), stderr.clone());
            report.push(&start.items, Ended { end: Ok(()), output, stderr, usage });
        }
        report.return_rest(&start.items);
        self.desk.cache.count(results.len() as u64, 0);
        self.into.complete(Completion::Ended { run, items: report.take() });
    }

    /// Has the first tasks run.
    fn forward(&self, start: Start, calls: Vec<Option<Call>>, inner: &Inner) {
        let first = Start { items: first(&start.items, calls.len()), ..start.clone() };
        // Whoever stops the run meanwhile waits until it has begun.
        let mut inner = locked(inner);
        {
            let mut state = locked(&self.state);
            if state.closed {
                return;
            }
            match state.live.get_mut(&start.run) {
                Some(live @ Live::Looking(_)) => *live = Live::Running(Running { start, calls }),
                _ => return,
            }
        }
        inner.start(first);
    }

    /// The run is over that was begun: its results are put away, and the rest is returned.
    fn ended(&self, running: &Running, mut items: Vec<OutcomeItem>) {
        self.put_away(&running.calls, &items);
        let returned = rest(&running.start.items, running.calls.len());
        items.extend(returned);
        self.into.complete(Completion::Ended { run: running.start.run, items });
    }

    fn put_away(&self, calls: &[Option<Call>], items: &[OutcomeItem]) {
        let Desk { cache, store, .. } = &*self.desk;
        let today = self.desk.today();
        let (mut left, mut misses) = (calls, 0);
        for item in items {
            let (of, others) = left.split_at(left.len().min(item.range.count as usize));
            left = others;
            if item.outcome != Outcome::Returned {
                misses += of.iter().flatten().count();
            }
            let Outcome::Succeeded(results) = &item.outcome else { continue };
            for (at, call) in of.iter().enumerate() {
                let Some(call) = call.as_ref().filter(|call| call.holds()) else { continue };
                // Only what is reported alone has a standard error.
                let kept = store
                    .read(&results.at(at))
                    .and_then(|output| Ok(Kept { output, stderr: store.read(&item.stderr)? }));
                if let Ok(kept) = kept {
                    cache.put(&call.key, &kept, today);
                }
            }
        }
        cache.count(0, misses as u64);
    }
}

impl Completions for CachedEnds {
    fn complete(&self, completion: Completion) {
        let Completion::Ended { run, items } = completion else {
            return self.0.into.complete(completion);
        };
        let ends = &self.0;
        // A run is live before it is begun, so that none of these ends unseen.
        let live = if ends.live.load(Ordering::SeqCst) == 0 { None } else { ends.take(run) };
        let Some(Live::Running(running)) = live else {
            return ends.into.complete(Completion::Ended { run, items });
        };
        let good = |item: &OutcomeItem| matches!(item.outcome, Outcome::Succeeded(_));
        if running.calls.iter().all(Option::is_none) || !items.iter().any(good) {
            return ends.ended(&running, items);
        }
        let of = Arc::clone(ends);
        ends.desk.give(move || of.ended(&running, items));
    }

    fn output(&self, shard: ShardId, task: TaskId, attempt: u16, stream: Stream, bytes: Bytes) {
        self.0.into.output(shard, task, attempt, stream, bytes);
    }
}

fn found(results: Vec<(Payload, Payload)>, calls: Vec<Option<Call>>) -> Found {
    if results.is_empty() { Found::Calls(calls) } else { Found::Results(results) }
}

/// The first so many tasks of items.
fn first(items: &Arc<[GrantItem]>, tasks: usize) -> Arc<[GrantItem]> {
    let all: u64 = items.iter().map(|item| u64::from(item.range.count)).sum();
    if all == tasks as u64 {
        return Arc::clone(items);
    }
    let mut left = u32::try_from(tasks).unwrap_or(u32::MAX);
    let mut taken = Vec::new();
    for item in items.iter() {
        let count = item.range.count.min(left);
        if count == 0 {
            break;
        }
        left -= count;
        taken.push(GrantItem { range: item.range.with(item.range.first, count), ..item.clone() });
    }
    taken.into()
}

/// The tasks of items behind the first so many, as not begun.
fn rest(items: &[GrantItem], tasks: usize) -> Vec<OutcomeItem> {
    let mut before = u32::try_from(tasks).unwrap_or(u32::MAX);
    let mut returned = Vec::new();
    for item in items {
        let skipped = item.range.count.min(before);
        before -= skipped;
        if skipped < item.range.count {
            let (first, count) = (item.range.first + skipped, item.range.count - skipped);
            returned.push(OutcomeItem {
                fence: item.fence,
                range: item.range.with(first, count),
                outcome: Outcome::Returned,
                stderr: Payload::Empty,
                usage: Usage::default(),
            });
        }
    }
    returned
}
