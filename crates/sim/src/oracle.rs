//! Watches a world from outside and judges it: everything that goes into engines and comes out
//! of them becomes facts of a history, and every fact is judged as it is seen.

pub mod book;
mod chronicle;
mod grip;
pub mod judge;
pub mod saga;
pub mod stretches;

use std::borrow::Cow;
use std::collections::{BTreeSet, VecDeque};

use bary_engine::effect::Effect;
use bary_engine::input::{Input, Reply, Request};
use bary_model::decree::Decree;
use bary_model::event::{Event, EventKind};
use bary_model::id::{Epoch, NodeId};
use bary_model::message::{Frame, GrantItem, OutcomeItem, Say};
use bary_model::outcome::Outcome;
use bary_model::time::{Moment, Span};
use bary_policy::preset::{self, Binding};

use crate::history::{Answer, Digest, Entry, Fact, How, Tale, Wish, Work};
use crate::invariant::Rules;
use crate::oracle::grip::{Grip, given_back};
use crate::oracle::judge::Judge;
use crate::oracle::saga::added;
use crate::plan::{Act, FaultKind, JobPlan, Plan};
use crate::watch::{Seen, Watch};

/// Judges one world as it goes on.
pub struct Oracle {
    judge: Judge,
    /// When which node is touched by faults that are not seen, and until when.
    touches: VecDeque<(Moment, NodeId, Moment)>,
    /// Whom each node took for gone, by number, where nodes find out by themselves.
    gone: Option<BTreeSet<(usize, NodeId)>>,
    /// What nodes hold, where some tasks are more urgent than others.
    grip: Option<Grip>,
    /// Whether tasks leave checkpoints.
    words: bool,
    /// Takes each line of the history, where somebody wants it.
    lines: Option<Box<dyn FnMut(String)>>,
}

impl Oracle {
    /// An oracle for the world of this plan.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        Self::made(plan, None)
    }

    /// As [`Oracle::new`], handing every line of the history to `lines` too.
    #[must_use]
    pub fn telling(plan: &Plan, lines: impl FnMut(String) + 'static) -> Self {
        Self::made(plan, Some(Box::new(lines)))
    }

    fn made(plan: &Plan, lines: Option<Box<dyn FnMut(String)>>) -> Self {
        // A push binds as many as the node's queue takes.
        let pushed = plan.limits.push_queue_tasks_max as usize;
        let rules = Rules {
            grant_items_max: plan.limits.grant_items_max.max(pushed),
            open: is_open(plan),
            ahead: jumps(plan),
            fast: fastest(plan),
            ranked: is_ranked(plan),
        };
        let gone = plan.presence.as_ref().map(|_| BTreeSet::new());
        let grip = is_ranked(plan).then(Grip::default);
        let (judge, touches) = (Judge::new(&rules), touches(plan));
        let words = plan.checkpoints > 0;
        let mut oracle = Self { judge, touches, gone, grip, words, lines };
        for (number, node) in plan.nodes.iter().enumerate() {
            oracle.put(Moment(0), number, Fact::Node(Cow::Borrowed(&node.info)));
        }
        oracle
    }

    /// What it found so far.
    #[must_use]
    pub fn judge(&self) -> &Judge {
        &self.judge
    }

    /// Judges what is left, at the end of the run, and gives its findings.
    #[must_use]
    pub fn finish(mut self, at: Moment) -> Judge {
        self.judge.end(at);
        self.judge
    }

    fn put(&mut self, at: Moment, node: usize, fact: Fact<'_>) {
        let entry = Entry { at, node: NodeId(node as u64), fact };
        if let Some(lines) = &mut self.lines {
            lines(entry.line());
        }
        self.judge.on(&entry);
    }

    fn input(&mut self, at: Moment, node: usize, input: &Input) {
        match input {
            Input::Durable { shard, lsn } => {
                self.put(at, node, Fact::Durable { shard: *shard, lsn: *lsn });
            }
            Input::Deposed { shard } => self.put(at, node, Fact::Deposed { shard: *shard }),
            Input::Opened { ledger, .. } => {
                let next = Epoch(ledger.epoch().0 + 1);
                if let Some(grip) = &mut self.grip {
                    // What it says to itself is not seen.
                    grip.heard(node, ledger.shard(), next);
                    self.put(at, node, Fact::MayDrop { shard: ledger.shard() });
                }
            }
            // What a node hears of itself is no meeting.
            Input::Joined(peer) if peer.info.id != NodeId(node as u64) => {
                self.put(at, node, Fact::Meets { peer: peer.info.id });
                self.met(at, node, peer.info.id);
            }
            Input::Left(peer) => {
                self.put(at, node, Fact::Misses { peer: *peer });
                self.missed(at, node, *peer);
            }
            Input::Received { from, frame } => {
                let incarnation = frame.from.incarnation();
                self.put(at, node, Fact::Heard { from: *from, incarnation });
                let facts = self.grip.as_mut().map(|grip| grip.received(node, *from, frame));
                facts.into_iter().flatten().for_each(|fact| self.put(at, node, fact));
            }
            Input::Ended { run, items } => {
                for item in items {
                    self.put(at, node, Fact::Ran { run: *run, work: ended(item), how: how(item) });
                }
                self.put(at, node, Fact::Over { run: *run });
            }
            Input::Request { ticket, request } => {
                self.put(at, node, Fact::Asked { ticket: *ticket, wish: wish(request) });
            }
            _ => {}
        }
    }

    /// A node takes another for present. Where it took it for gone before, that was a fault.
    fn met(&mut self, at: Moment, node: usize, peer: NodeId) {
        let Some(gone) = &mut self.gone else { return };
        let again = gone.remove(&(node, peer));
        self.put(at, node, Fact::Sees);
        if again {
            self.touch_both(at, node, peer);
        }
    }

    /// A node takes another for gone, which may be a fault of the network's.
    fn missed(&mut self, at: Moment, node: usize, peer: NodeId) {
        let Some(gone) = &mut self.gone else { return };
        gone.insert((node, peer));
        self.touch_both(at, node, peer);
    }

    fn touch_both(&mut self, at: Moment, node: usize, peer: NodeId) {
        self.put(at, node, Fact::Touched { until: at });
        self.put(at, peer.index(), Fact::Touched { until: at });
    }

    fn effect(&mut self, at: Moment, node: usize, effect: &Effect) {
        match effect {
            Effect::Append { shard, epoch, lsn, at: wall, records } => {
                let (shard, epoch, lsn, wall) = (*shard, *epoch, *lsn, Some(*wall));
                let records = Cow::Borrowed(&records[..]);
                self.put(at, node, Fact::Appended { shard, epoch, lsn, wall, records });
            }
            Effect::Send { to, frame } => self.sent(at, (node, *to), frame),
            Effect::Start { run, slot, items, .. } => {
                for (place, item) in items.iter().enumerate() {
                    let request = &item.spec.body.request;
                    let need = (place == 0).then_some(Cow::Borrowed(request));
                    let (run, slot, work, rank) = (*run, *slot, granted(item), item.rank());
                    self.put(at, node, Fact::Started { run, slot, work, need, rank });
                    self.reads(at, node, item);
                    if self.words {
                        let word = item.checkpoint.as_ref();
                        let word = word.map(|(step, left)| (*step, saga::digest(0, left)));
                        self.put(at, node, Fact::Given { work: granted(item), word });
                    }
                }
            }
            Effect::Stop { .. } | Effect::Plan { .. } | Effect::Lay { .. } | Effect::Gauge => {}
            Effect::Tell(event) => self.told(at, node, event),
            Effect::Reply { ticket, reply } => {
                self.put(at, node, Fact::Answered { ticket: *ticket, answer: answer(reply) });
            }
        }
    }

    fn reads(&mut self, at: Moment, node: usize, item: &GrantItem) {
        for (place, one) in item.spec.body.uses.iter().enumerate() {
            let given = item.upstream.as_ref().and_then(|all| all.get(place));
            let mut results = Digest::default();
            if let Some(given) = given {
                for (index, result) in given.indices.iter().zip(&given.results) {
                    results.join(saga::digest(*index, result));
                }
            }
            let (from, aligned, work) = (one.spec, one.aligned, granted(item));
            self.put(at, node, Fact::Reads { work, from, aligned, results });
        }
    }

    fn sent(&mut self, at: Moment, (node, to): (usize, NodeId), frame: &Frame) {
        let facts = self.grip.as_mut().map(|grip| grip.sent(node, to, frame));
        facts.into_iter().flatten().for_each(|fact| self.put(at, node, fact));
        let Some((_, message)) = &frame.body else { return };
        for work in given_back(&message.say) {
            self.put(at, node, Fact::GaveBack { work });
        }
        if let Say::Need(need) = &message.say {
            let limit = Cow::Borrowed(&*need.name);
            self.put(at, node, Fact::Keeps { limit, by: to });
        }
    }

    fn told(&mut self, at: Moment, node: usize, event: &Event) {
        let tale = match &event.kind {
            EventKind::Submitted { job, first, specs, .. } => {
                let specs = added::sum(specs.iter().map(|spec| &**spec));
                Tale::Added { job: *job, first: *first, specs }
            }
            EventKind::Ended(ended) => Tale::Ended(ended.range, ended.end.clone()),
            EventKind::Dropped { range, end, .. } => Tale::Dropped(*range, end.clone()),
            EventKind::Finished { job } => Tale::Finished(*job),
            EventKind::Retried { job } => Tale::Retried(*job),
            EventKind::Superseded { range, .. } => Tale::Superseded(*range),
            _ => return,
        };
        self.put(at, node, Fact::Told { shard: event.shard, tale });
    }
}

impl Watch for Oracle {
    fn see(&mut self, at: Moment, node: usize, seen: Seen<'_>) {
        while let Some(&(from, touched, until)) = self.touches.front().filter(|t| t.0 <= at) {
            self.touches.pop_front();
            self.put(from, touched.index(), Fact::Touched { until });
        }
        match seen {
            Seen::Input(input) => self.input(at, node, input),
            Seen::Effect(effect) => self.effect(at, node, effect),
            Seen::Crashed { .. } => {
                self.grip.iter_mut().for_each(|grip| grip.crashed(node));
                self.put(at, node, Fact::Crashed);
            }
            Seen::Restarted { incarnation } => {
                self.put(at, node, Fact::Began { incarnation });
                if self.gone.is_some() {
                    self.put(at, node, Fact::Sees);
                }
            }
            Seen::Recovered { shard, ledger, next } => {
                self.put(at, node, Fact::Opened { shard, next });
                self.judge.ledger(at, NodeId(node as u64), ledger);
            }
            Seen::Refused { shard } => self.put(at, node, Fact::Refused { shard }),
            Seen::Rest(engine) => {
                for ledger in engine.ledgers() {
                    self.judge.ledger(at, NodeId(node as u64), ledger);
                }
            }
            Seen::Dead | Seen::Calm => {}
        }
    }
}

/// Whether some policy of the plan grants to whoever holds a task first.
fn is_open(plan: &Plan) -> bool {
    let decreed = plan.decrees.iter().filter_map(|one| match &one.decree {
        Decree::Follow(policy) => Some(&**policy),
        _ => None,
    });
    let named = plan.changes.iter().map(|(.., policy)| policy).chain([&plan.policy]);
    let mut names = named.map(String::as_str).chain(decreed);
    names.any(|name| {
        preset::parse(name)
            .is_ok_and(|policy| is_for_any(policy.binding) || policy.queue.speculate.is_some())
    })
}

fn is_for_any(binding: Binding) -> bool {
    matches!(binding, Binding::Open | Binding::Claims)
}

/// Whether tasks of the plan have different priorities.
fn is_ranked(plan: &Plan) -> bool {
    let steered = |job: &JobPlan| {
        let acts = job.then.iter().any(|(_, act)| matches!(act, Act::Prioritise(_)));
        acts || job.spec.about.priority != 0
    };
    if plan.jobs.iter().any(steered) {
        return true;
    }
    let mut ranks = plan.specs().map(|spec| spec.body.priority);
    let first = ranks.next();
    ranks.any(|rank| Some(rank) != first)
}

/// How far clocks jump ahead, in all.
fn jumps(plan: &Plan) -> Span {
    let jumps = plan.faults.iter().filter_map(|fault| match fault.kind {
        FaultKind::Jump { by, .. } => Some(by),
        _ => None,
    });
    jumps.fold(Span::ZERO, |sum, by| sum + by)
}

/// By how many millionths the fastest clock runs fast.
fn fastest(plan: &Plan) -> u32 {
    let drifts = plan.nodes.iter().map(|node| u32::try_from(node.drift).unwrap_or(0));
    drifts.max().unwrap_or(0)
}

/// The faults that show in no input and no effect, in the order in which they begin.
fn touches(plan: &Plan) -> VecDeque<(Moment, NodeId, Moment)> {
    let mut touches = Vec::new();
    let all = 0..plan.nodes.len();
    for fault in &plan.faults {
        let mut touch = |node: usize, lasts| {
            touches.push((fault.at, NodeId(node as u64), fault.at + lasts));
        };
        match &fault.kind {
            FaultKind::Pause { node, lasts } | FaultKind::SlowNode { node, lasts, .. } => {
                touch(*node, *lasts);
            }
            FaultKind::Jump { node, .. } => touch(*node, Span::ZERO),
            FaultKind::Partition { lasts, .. }
            | FaultKind::Removed { lasts, .. }
            | FaultKind::SlowDisk { lasts, .. } => {
                all.clone().for_each(|node| touch(node, *lasts));
            }
            // Where gossip decides who is there, nobody else says so.
            FaultKind::FalseLeft { node, by, lasts } if plan.presence.is_none() => {
                touch(*node, *lasts);
                touch(*by, *lasts);
            }
            _ => {}
        }
    }
    touches.sort_unstable();
    touches.into()
}

fn granted(item: &GrantItem) -> Work {
    Work { fence: item.fence, range: item.range, attempt: item.attempt }
}

fn ended(item: &OutcomeItem) -> Work {
    Work { fence: item.fence, range: item.range, attempt: 0 }
}

fn how(item: &OutcomeItem) -> How {
    match &item.outcome {
        Outcome::Succeeded(_) => How::Succeeded,
        Outcome::Failed { failure, .. } if failure.is_crash() => How::Crashed,
        Outcome::Failed { .. } => How::Failed,
        Outcome::Stopped => How::Stopped,
        Outcome::Returned => How::Returned,
    }
}

fn wish(request: &Request) -> Wish {
    match request {
        Request::Submit(_) => Wish::Submit,
        Request::SubmitAfter { upstream, .. } => Wish::SubmitAfter(upstream.len() as u32),
        Request::Extend { job, .. } => Wish::Extend(*job),
        Request::Close(job) => Wish::Close(*job),
        Request::Cancel { job, running, .. } => Wish::Cancel { job: *job, running: *running },
        Request::CancelRun { job, .. } => Wish::Cancel { job: *job, running: true },
        Request::Hold { job, held, .. } => Wish::Hold { job: *job, held: *held },
        Request::Prioritise { job, priority } => {
            Wish::Prioritise { job: *job, priority: *priority }
        }
        Request::Drain { node, drain } => Wish::Drain { node: *node, drain: *drain },
        Request::Forget(job) => Wish::Forget(*job),
        Request::Retry(job) => Wish::Retry(*job),
        Request::Follow(_) => Wish::Follow,
        Request::Decree(_) => Wish::Decree,
        Request::Repeat(_) => Wish::Repeat,
    }
}

fn answer(reply: &Reply) -> Answer {
    match reply {
        Reply::Accepted(job) => Answer::Accepted(*job),
        Reply::Done => Answer::Done,
        Reply::Over { good } => Answer::Over(*good),
        Reply::Refused(_) => Answer::Refused,
    }
}
