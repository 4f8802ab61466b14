//! A world that is stepped from outside: it lives until a moment, and nodes join and leave it.

use bary_engine::input::{Input, Request};
use bary_model::id::{NodeId, RunNo, TaskId};
use bary_model::time::{Moment, Span};
use bary_policy::preset::Policy;

use crate::node::State;
use crate::world::due::Due;
use crate::world::work::{NOBODY, SUBMITTED};
use crate::world::{STILL_MAX, World};

impl World<'_> {
    /// Lets everything happen that is due up to a moment, which is now then; tells whether time
    /// went by at all, or so much happened at one moment that it stands still.
    pub(crate) fn live_until(&mut self, until: Moment) -> bool {
        let (mut moment, mut still) = (self.now, 0);
        while self.queue.peek().is_some_and(|(at, _)| at <= until) {
            let Some((at, due)) = self.queue.pop() else { break };
            self.now = at;
            if at > moment {
                (moment, still) = (at, 0);
            }
            still += 1;
            if still > STILL_MAX {
                return false;
            }
            self.happen(due);
        }
        self.now = self.now.max(until);
        true
    }

    /// Lets a node join that is not there; its number is its place. Homes hear that it had been
    /// there before and left: they ask such a node for its list at once, so that it waits there for
    /// work as if it had run some, rather than hear of the first work no sooner than others.
    pub(crate) fn join(&mut self, node: usize) {
        self.restart(node);
        for other in self.acquaintances(node) {
            if self.nodes[other].lives() {
                let peer = Box::new(self.peer(other, node));
                self.take(other, Input::Joined(peer.clone()));
                self.take(other, Input::Left(NodeId(node as u64)));
                self.give(other, Input::Joined(peer));
            }
        }
    }

    /// Lets a node that is no home leave with all that it runs; the others know it at once.
    pub(crate) fn leave(&mut self, node: usize) {
        debug_assert!(self.nodes[node].shards.is_empty(), "a home has work that nobody else has");
        if !self.end(node, false, State::Absent) {
            return;
        }
        for other in self.acquaintances(node) {
            if self.nodes[other].lives() {
                self.give(other, Input::Left(NodeId(node as u64)));
            }
        }
    }

    /// Changes how fast a node is; what it runs goes on as fast as it began.
    pub(crate) fn set_speed(&mut self, node: usize, speed: f64) {
        self.nodes[node].info.speed = speed;
        if !self.nodes[node].lives() {
            return;
        }
        for other in self.acquaintances(node) {
            if self.nodes[other].lives() {
                let peer = Box::new(self.peer(other, node));
                self.give(other, Input::Joined(peer));
            }
        }
    }

    /// Lets all nodes decide by this policy from now on, those that join later too.
    pub(crate) fn follow(&mut self, policy: &Policy) {
        self.followed = Some(policy.clone());
        for node in 0..self.nodes.len() {
            if self.nodes[node].lives() {
                let request = Box::new(Request::Follow(policy.clone()));
                self.give(node, Input::Request { ticket: NOBODY, request });
            }
        }
    }

    /// Asks a home for something; the session hears the answer.
    pub(crate) fn ask(&mut self, home: usize, request: Request) {
        let request = Box::new(request);
        self.give(home, Input::Request { ticket: SUBMITTED, request });
    }

    /// The first run of a node: which, of which task, since when, and how long it takes.
    pub(crate) fn first_run(&self, node: usize) -> Option<(RunNo, TaskId, Moment, Span)> {
        let (number, run) = self.nodes[node].runs.first()?;
        let (began, over) = (run.began(), run.over()?);
        Some((*number, run.first(), began, over.since(began)))
    }

    /// Whether a node is there.
    pub(crate) fn is_there(&self, node: usize) -> bool {
        self.nodes[node].lives()
    }

    /// Ends a run that goes on outside of the world, if it still does.
    pub(crate) fn run_ended(&mut self, node: usize, run: RunNo) {
        let (number, life) = (node as u32, self.nodes[node].life);
        self.queue.put(self.now, Due::Over { node: number, life, run });
    }
}
