//! Decides which members come and go: the policy's rules say how many, and this says which, by
//! names that follow from their number alone. So two leaders for a moment name the same members,
//! and what one has begun the other finds done. It does nothing itself.

use std::collections::BTreeMap;

use bary_model::time::{Moment, Span};
use bary_policy::scale::gauge::{Counted, Gauge};

use super::plan::{Plan, Who};

/// What the names of the autoscaler's members begin with.
const PREFIX: &str = "auto-";
/// How long a task is taken to be while none has ended.
const EACH_UNKNOWN: Span = Span::secs(1);
/// How long nothing is added after that failed once; twice as long after each more, up to the most.
const BACK_OFF: Span = Span::secs(15);
const BACK_OFF_MAX: Span = Span::secs(600);

/// What is counted of the cluster.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) now: Moment,
    pub(crate) members: Vec<Fact>,
    /// Tasks that have not ended, and those that have.
    pub(crate) open: u64,
    pub(crate) ended: u64,
    /// How long those that have kept slots busy, in milliseconds.
    pub(crate) busy_ms: u64,
}

/// A member that is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fact {
    pub(crate) name: String,
    pub(crate) slots: u32,
    pub(crate) busy: u32,
    /// Whether it is given nothing more.
    pub(crate) drained: bool,
    /// Whether it is home of jobs that have not ended.
    pub(crate) has_jobs: bool,
}

/// Something to be done, or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) act: Act,
    pub(crate) reason: String,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Nothing.
    Nothing,
    /// A member of this name is to come.
    Add(String),
    /// This one is given tasks again.
    Keep(String),
    /// This one is given nothing more.
    Drain(String),
    /// This one has nothing left to do and may go, where it keeps nothing that nobody else has.
    Stop(String),
}

/// What is known from one look to the next.
#[derive(Debug)]
pub(crate) struct Decider {
    gauge: Gauge,
    /// Tasks that came so far, and the number of all at the last look.
    tasks: u64,
    seen: u64,
    /// Those that were started, and when.
    coming: BTreeMap<u32, Moment>,
    /// How often in a row adding failed, and until when nothing is added for that.
    failed: u32,
    not_before: Moment,
    /// How many members the rule wanted at the last look, within the bounds.
    pub(crate) wanted: u32,
}

/// The name of the autoscaler's member of a number, from 1 on.
fn called(number: u32) -> String {
    format!("{PREFIX}{number}")
}

/// The number of a member of the autoscaler's; none of any other.
pub(crate) fn number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix(PREFIX)?;
    let number = digits.parse().ok().filter(|number| *number > 0)?;
    (called(number) == name).then_some(number)
}

impl Fact {
    fn number(&self) -> Option<u32> {
        number(&self.name)
    }
}

impl Decider {
    /// One that begins to decide with what it sees now, and knows of nothing before.
    pub(crate) fn new(facts: &Facts) -> Self {
        let tasks = facts.ended.max(1);
        Self {
            gauge: Gauge::since(facts.now, tasks.saturating_mul(1_000)),
            tasks,
            seen: facts.ended.saturating_add(facts.open),
            coming: BTreeMap::new(),
            failed: 0,
            not_before: Moment(0),
            wanted: 0,
        }
    }

    /// What is to be done now; one step at least, which says why.
    pub(crate) fn look(&mut self, plan: &Plan, facts: &Facts) -> Vec<Step> {
        let mut steps = self.see_who_came(plan, facts);
        let mut facts = facts.clone();
        for member in &mut facts.members {
            // One that has come back is drained no longer.
            let keeps = |step: &Step| matches!(&step.act, Act::Keep(name) if *name == member.name);
            member.drained &= !steps.iter().any(keeps);
        }
        let facts = &facts;
        let counted = self.count(facts);
        let change = self.gauge.look(&*plan.rule, &plan.bounds, &counted, plan.window);
        self.wanted = change.wanted;
        let leaving = self.leaving(facts);
        for member in &leaving {
            if member.busy == 0 && !member.has_jobs && change.add == 0 {
                let reason = "it was drained and has nothing left to do".to_owned();
                steps.push(Step { act: Act::Stop(member.name.clone()), reason });
            }
        }
        let mut reason = change.reason;
        let mut acts: Vec<Act> = Vec::new();
        if change.add > 0 {
            self.add(plan, facts, change.add as usize, &mut acts, &mut reason);
        }
        if change.remove > 0 {
            let is_over = self.there(facts) > plan.bounds.most;
            self.remove(facts, change.remove as usize, is_over, &mut acts, &mut reason);
        }
        if acts.is_empty() {
            acts.push(Act::Nothing);
        }
        steps.extend(acts.into_iter().map(|act| Step { act, reason: reason.clone() }));
        steps
    }

    /// Whether a member was started and has not come yet.
    pub(crate) fn awaits(&self, name: &str) -> bool {
        number(name).is_some_and(|number| self.coming.contains_key(&number))
    }

    /// Starting a member failed: nothing is added for a while. How long that is.
    pub(crate) fn on_failed(&mut self, name: &str, now: Moment) -> Span {
        if let Some(number) = number(name) {
            self.coming.remove(&number);
        }
        let doubled = BACK_OFF.times(1 << self.failed.min(16));
        self.failed = self.failed.saturating_add(1);
        let wait = doubled.min(BACK_OFF_MAX);
        self.not_before = now + wait;
        wait
    }

    /// Takes in who has come, and who has not in time.
    fn see_who_came(&mut self, plan: &Plan, facts: &Facts) -> Vec<Step> {
        let mut steps = Vec::new();
        for (number, since) in self.coming.clone() {
            let name = called(number);
            match facts.members.iter().find(|member| member.name == name) {
                Some(member) => {
                    self.coming.remove(&number);
                    self.failed = 0;
                    if member.drained {
                        let reason = "it has come back, and had been drained before".to_owned();
                        steps.push(Step { act: Act::Keep(name), reason });
                    }
                }
                None if facts.now.since(since) >= plan.start_up => {
                    let wait = self.on_failed(&name, facts.now);
                    let (came, wait) = (plan.start_up.as_secs_f64(), wait.as_secs_f64());
                    let reason = format!(
                        "{name} has not come within {came:.0} s; nothing is added for {wait:.0} s"
                    );
                    steps.push(Step { act: Act::Nothing, reason });
                }
                None => {}
            }
        }
        steps
    }

    /// Members that are there or on their way, without those that leave.
    fn there(&self, facts: &Facts) -> u32 {
        let stays = facts.members.iter().filter(|member| member.slots > 0 && !self.leaves(member));
        (stays.count() + self.coming.len()) as u32
    }

    fn leaves(&self, member: &Fact) -> bool {
        member.drained
    }

    /// The autoscaler's own members that were drained.
    fn leaving<'a>(&self, facts: &'a Facts) -> Vec<&'a Fact> {
        let own = facts.members.iter().filter(|member| member.number().is_some());
        own.filter(|member| self.leaves(member)).collect()
    }

    fn count(&mut self, facts: &Facts) -> Counted {
        let all = facts.ended.saturating_add(facts.open);
        // What a home takes with it when it leaves comes no second time.
        self.tasks = self.tasks.saturating_add(all.saturating_sub(self.seen));
        self.seen = all;
        let stays: Vec<&Fact> =
            facts.members.iter().filter(|one| one.slots > 0 && !self.leaves(one)).collect();
        let slots: u64 = stays.iter().map(|member| u64::from(member.slots)).sum();
        let each = match facts.ended {
            0 => EACH_UNKNOWN.as_secs_f64(),
            ended => facts.busy_ms as f64 / 1e3 / ended as f64,
        };
        // A member does as many tasks at a time as it has slots.
        let slots = if stays.is_empty() { 1.0 } else { slots as f64 / stays.len() as f64 };
        Counted {
            now: facts.now,
            nodes: self.there(facts),
            busy: stays.iter().filter(|member| member.busy > 0).count() as u32,
            open: facts.open,
            running: facts.members.iter().map(|member| u64::from(member.busy)).sum(),
            tasks: self.tasks,
            weight: self.tasks.saturating_mul(1_000),
            unit: each / slots / 1e3,
        }
    }

    /// Keeps those that were about to leave, and names others: the lowest numbers that are free.
    fn add(
        &mut self,
        plan: &Plan,
        facts: &Facts,
        count: usize,
        acts: &mut Vec<Act>,
        reason: &mut String,
    ) {
        let kept = self.leaving(facts).into_iter().take(count);
        acts.extend(kept.map(|member| Act::Keep(member.name.clone())));
        if facts.now < self.not_before && acts.len() < count {
            let wait = self.not_before.since(facts.now).as_secs_f64();
            reason.push_str(&format!("; adding failed, and waits for {wait:.0} s"));
            return;
        }
        let taken = |number: &u32| {
            let is_there = facts.members.iter().any(|member| member.number() == Some(*number));
            is_there || self.coming.contains_key(number)
        };
        let new: Vec<u32> = (1..=plan.bounds.most.max(1))
            .filter(|number| !taken(number))
            .take(count.saturating_sub(acts.len()))
            .collect();
        for number in new {
            if plan.driver != Who::Nobody {
                self.coming.insert(number, facts.now);
            }
            acts.push(Act::Add(called(number)));
        }
    }

    /// Drains members of the autoscaler's: no homes of unfinished jobs, none that runs something
    /// unless there are more than may be, and the highest numbers first.
    fn remove(
        &self,
        facts: &Facts,
        count: usize,
        is_over: bool,
        acts: &mut Vec<Act>,
        reason: &mut String,
    ) {
        let may_go = |member: &&Fact| {
            let own = member.number().is_some() && !self.leaves(member);
            own && !member.has_jobs && (member.busy == 0 || is_over)
        };
        let mut chosen: Vec<&Fact> = facts.members.iter().filter(may_go).collect();
        chosen.sort_by_key(|member| (member.busy > 0, std::cmp::Reverse(member.number())));
        if chosen.len() < count {
            let text = format!(
                "; {} of {count} may go: only idle members of the autoscaler's that are home of no \
                 unfinished job",
                chosen.len()
            );
            reason.push_str(&text);
        }
        let drained = chosen.into_iter().take(count);
        acts.extend(drained.map(|member| Act::Drain(member.name.clone())));
    }
}

#[cfg(test)]
mod tests;
