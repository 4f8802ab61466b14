//! Clients, tasks that arrive one by one, and changes of policy.

use bary_engine::input::{Input, Reply, Request};
use bary_model::id::NodeId;
use bary_model::job::JobRef;
use bary_policy::preset;

use crate::client::{AGAIN, Client, PATIENCE, Turn};
use crate::node::State;
use crate::plan::decrees::DecreePlan;
use crate::plan::ready::{job, spec};
use crate::plan::steering::DrainPlan;
use crate::world::World;
use crate::world::due::Due;

/// The ticket of requests whose answers nobody waits for; clients have higher ones.
pub(super) const NOBODY: u64 = 0;
/// The ticket of streamed tasks.
const STREAMED: u64 = 1;
/// The ticket of what a session asks for.
pub(super) const SUBMITTED: u64 = 2;
/// The first ticket of those who want nodes drained.
const DRAINS: u64 = 16;
/// The first ticket of those who decree something.
const DECREES: u64 = 4_096;

impl World<'_> {
    /// A client's turn: it asks the home of its shard, or waits where there is none.
    pub(super) fn client(&mut self, me: usize, turn: u32) {
        if self.clients[me].turn != turn {
            return;
        }
        self.tally.events += 1;
        let plan = &self.plan.jobs[me];
        let Some(home) = self.home_for(plan.home) else {
            let gone = self.calm && self.rotten(plan.home);
            if !gone {
                self.next_turn(me, AGAIN);
            }
            return;
        };
        if self.clients[me].stage() == 0 && !plan.after.is_empty() {
            match self.upstream(&plan.after) {
                Some(upstream) => self.clients[me].wait_for(upstream),
                None => return self.next_turn(me, AGAIN),
            }
        }
        match self.clients[me].turn(me, plan) {
            Turn::Ask(ticket, request) => {
                self.next_turn(me, PATIENCE);
                self.give(home, Input::Request { ticket, request });
            }
            Turn::Over => {}
        }
    }

    /// The jobs of these clients, without those that will never have one; none while some are not
    /// known yet.
    fn upstream(&self, clients: &[usize]) -> Option<Vec<JobRef>> {
        let mut upstream = Vec::new();
        for &client in clients {
            let native = self.plan.jobs[client].home;
            let at = self.shard_of[native].filter(|_| !self.clients[client].gave_up());
            match (at, self.clients[client].job()) {
                (Some(at), Some(job)) => {
                    let shard = self.shards[at].id;
                    upstream.push(JobRef { shard, job });
                }
                (Some(_), None) if !(self.calm && self.rotten(native)) => return None,
                _ => {}
            }
        }
        Some(upstream)
    }

    fn rotten(&self, native: usize) -> bool {
        self.shard_of[native].is_none_or(|at| self.shards[at].closed)
    }

    /// Whom a client takes for the home of a shard: the node that is, or now and then one that
    /// was and does not know better. It takes requests only for its first shard.
    fn home_for(&mut self, native: usize) -> Option<usize> {
        let at = self.shard_of[native]?;
        let serves = |node: &usize| self.nodes[*node].shards.first() == Some(&at);
        let former = Some(native).filter(|_| !self.calm).filter(serves);
        let now = self.shards[at].home.filter(serves);
        match former {
            Some(former) if now != Some(former) && self.lots.work.percent(20) => Some(former),
            _ => now,
        }
    }

    fn next_turn(&mut self, me: usize, after: bary_model::time::Span) {
        let client = &mut self.clients[me];
        client.turn += 1;
        let due = Due::Client { client: me as u32, turn: client.turn };
        self.queue.put(self.now + after, due);
    }

    pub(super) fn reply(&mut self, ticket: u64, reply: &Reply) {
        if let Some(ears) = self.ears.as_mut().filter(|_| ticket == SUBMITTED) {
            return ears.answered(reply);
        }
        let Some(me) = Client::of(ticket) else {
            let decree = ticket.checked_sub(DECREES).map(|decree| decree as usize);
            if let (Some(decree), Reply::Done) = (decree, reply) {
                self.decreed[decree] = true;
            }
            self.tally.refused += u64::from(matches!(reply, Reply::Refused(_)));
            return;
        };
        let deaf = if self.calm { 0 } else { self.plan.deaf };
        if deaf > 0 && self.lots.work.percent(deaf) {
            return;
        }
        let plan = (me, &self.plan.jobs[me]);
        let before = self.clients[me].stage();
        let next = self.clients[me].hear(plan, ticket, reply, self.calm);
        match next {
            Some(after) => self.next_turn(me, after),
            // Its waiting for an answer is over, and nothing follows.
            None if self.clients[me].stage() != before => self.clients[me].turn += 1,
            None => {}
        }
    }

    /// A streamed task arrives at a home drawn by lot.
    pub(super) fn arrive(&mut self) {
        let plan = self.plan;
        let Some(stream) = &plan.stream else { return };
        self.tally.events += 1;
        self.to_come -= 1;
        if self.to_come > 0 {
            let after = stream.every.as_secs_f64() * self.lots.work.exponential();
            let after = bary_model::time::Span::from_secs_f64(after);
            self.queue.put(self.now + after, Due::Arrival);
        }
        let at = self.lots.work.below(self.shards.len() as u64) as usize;
        let weight = 1_000 + self.lots.work.below(9_001);
        let request = Box::new(Request::Submit(job(vec![spec(1, weight, &stream.body)])));
        self.arrived[at].push(self.now);
        let home = self.shards[at].native;
        self.give(home, Input::Request { ticket: STREAMED, request });
    }

    /// Somebody wants a node drained, or taken up again.
    pub(super) fn drain(&mut self, number: usize) {
        self.tally.events += 1;
        let DrainPlan { asked, node, drain, .. } = self.plan.drains[number];
        if self.nodes[asked].state != State::Down {
            let node = NodeId(node as u64);
            let (ticket, request) =
                (DRAINS + number as u64, Box::new(Request::Drain { node, drain }));
            self.give(asked, Input::Request { ticket, request });
        }
    }

    /// Somebody decrees something of a shard, and says so again until it is acknowledged; whoever
    /// decreed something else of it before comes first.
    pub(super) fn decree(&mut self, number: usize) {
        let DecreePlan { home, decree, .. } = &self.plan.decrees[number];
        let before = self.plan.decrees[..number].iter().zip(&self.decreed);
        let waits = before.into_iter().any(|(other, done)| other.home == *home && !done);
        if self.decreed[number] || (self.calm && self.rotten(*home)) {
            return;
        }
        self.tally.events += 1;
        let at = self.shard_of[*home].filter(|_| !waits);
        let serves = |node: &usize, at: usize| self.nodes[*node].shards.first() == Some(&at);
        let asked = at.and_then(|at| self.shards[at].home.filter(|node| serves(node, at)));
        let again = if asked.is_some() { PATIENCE } else { AGAIN };
        self.queue.put(self.now + again, Due::Decree(number as u32));
        if let Some(node) = asked {
            let request = Box::new(Request::Decree(decree.clone()));
            self.give(node, Input::Request { ticket: DECREES + number as u64, request });
        }
    }

    pub(super) fn change(&mut self, number: usize) {
        self.tally.events += 1;
        let plan = self.plan;
        let (_, node, policy) = &plan.changes[number];
        if self.nodes[*node].state != State::Down
            && let Ok(policy) = preset::parse(policy)
        {
            let request = Box::new(Request::Follow(policy));
            self.give(*node, Input::Request { ticket: NOBODY, request });
        }
    }
}
