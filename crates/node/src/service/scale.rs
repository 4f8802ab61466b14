//! The autoscaler for those who ask: what it is told, who is there, and what was decided. And what
//! it has done for it: nodes drained, results copied, members stopped.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bary_api::problem::{Kind, Refused};
use bary_api::role::Role;
use bary_api::v1::{
    ChangeNodeRequest, ChangedReply, ListJobsRequest, ListNodesRequest, ScaleCount, ScaleDecision,
    ScaleNode, ScaleReply, ScaleRequest, ShutdownRequest,
};
use bary_api::verb::Verb;
use bary_identity::audit::{Entry, Outcome};
use bary_identity::calendar;
use bary_model::id::JobNo;
use bary_model::outcome::Results;
use bary_model::payload::{Kept, Payload};
use bary_ports::store::Store as _;
use tokio::time::timeout;

use crate::board::clock;
use crate::board::ends::How;
use crate::scaler::decider::number;
use crate::scaler::record::{DECISIONS_MAX, Decision, Record};
use crate::service::caller::{Caller, Door};
use crate::service::others::Calls;
use crate::service::settings::{AUTOSCALE, AUTOSCALE_COMMAND};
use crate::service::{Inner, Service};

/// How long another member may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// Who acts.
const WHO: &str = "autoscaler";

/// Whether a member may be stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Empty {
    /// Nothing is lost with it.
    Yes,
    /// Something would be, in words.
    Not(String),
}

impl Service {
    /// What the autoscaler is told, and what it decided.
    ///
    /// # Errors
    /// Where the caller may not ask.
    pub async fn scale(&self, caller: &Caller, asked: ScaleRequest) -> Result<ScaleReply, Refused> {
        let _leave = self.admit(caller, Verb::Scale, "")?;
        let mut reply = self.0.scale(&asked);
        let others = self.0.ask_others(caller, move |mut calls: Calls| async move {
            Ok(calls.scale(asked).await?.into_inner())
        });
        let (others, unreached) = others.await;
        for (_, told) in others {
            reply.decisions.extend(told.decisions);
            // Only the one that decides knows.
            reply.wanted = reply.wanted.max(told.wanted);
            add(&mut reply.decided, told.decided);
        }
        reply.decisions.sort_by(|a, b| a.at.cmp(&b.at));
        let most = most(asked.decisions);
        reply.decisions.drain(..reply.decisions.len().saturating_sub(most));
        reply.unreached = unreached;
        Ok(reply)
    }

    /// What the autoscaler of this member decided, and knows.
    pub(crate) fn scaling(&self) -> &Arc<Record> {
        &self.0.scaling
    }

    /// What the cluster's settings tell the autoscaler: the plan, and the driver's command.
    pub(crate) fn cluster_scaling(&self) -> (Option<Box<str>>, Option<Box<str>>) {
        let Some(peers) = self.0.cluster.peers() else { return (None, None) };
        (peers.setting(AUTOSCALE), peers.setting(AUTOSCALE_COMMAND))
    }

    /// The nodes that are given nothing more.
    pub(crate) fn drained(&self) -> BTreeSet<Box<str>> {
        self.0.board.read().decrees.drained.iter().cloned().collect()
    }

    /// Drains a node for the autoscaler, or takes it up again; what is to be said of that.
    pub(crate) async fn scale_node(
        &self,
        action: &str,
        node: &str,
        reason: &str,
    ) -> Result<String, String> {
        let (action, node, reason) = (action.to_owned(), node.to_owned(), reason.to_owned());
        let asked = ChangeNodeRequest { action, node, reason, ..ChangeNodeRequest::default() };
        let changed = self.change_node(&own(), asked).await;
        changed.map(|_| String::new()).map_err(|refused| refused.to_string())
    }

    /// Whether a member of this name is home of jobs that are not forgotten, or does not say.
    pub(crate) async fn keeps_jobs(&self, name: &str) -> bool {
        let caller = own();
        let Some(mut calls) = self.0.calls_of(name, &caller) else { return true };
        let asked = ListJobsRequest { limit: 1, ..ListJobsRequest::default() };
        let listed = timeout(PATIENCE, calls.list_jobs(asked)).await;
        listed.ok().and_then(Result::ok).is_none_or(|listed| listed.into_inner().total > 0)
    }

    /// Whether a member that was drained may be stopped: no home has given it anything that it
    /// holds, and what it made is kept elsewhere too. What is not is copied.
    pub(crate) async fn is_empty(&self, name: &str) -> Empty {
        let not = |why: String| Empty::Not(why);
        let asked = ListNodesRequest { nodes: vec![name.to_owned()] };
        let node = match self.list_nodes(&own(), asked).await {
            Ok(listed) => listed.nodes.into_iter().next().unwrap_or_default(),
            Err(refused) => return not(refused.to_string()),
        };
        if node.busy > 0 || node.holding > 0 {
            return not(format!("it runs {} tasks and holds {}", node.busy, node.holding));
        }
        let asked = ChangeNodeRequest {
            action: COPY.to_owned(),
            node: name.to_owned(),
            ..ChangeNodeRequest::default()
        };
        match self.0.copy_results(&own(), &asked).await {
            Ok(ChangedReply { left: 0, .. }) => Empty::Yes,
            Ok(reply) => not(reply.note),
            Err(refused) => not(refused.to_string()),
        }
    }

    /// Asks a member to end.
    pub(crate) async fn stop_member(&self, name: &str) -> Result<(), String> {
        let caller = own();
        let calls = self.0.calls_of(name, &caller);
        let mut calls = calls.ok_or_else(|| format!("{name} is not reached"))?;
        let asked = calls.shutdown(ShutdownRequest { drain: true });
        match timeout(PATIENCE, asked).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(status)) => Err(Refused::of_status(&status).title),
            Err(_) => Err(format!("{name} has not answered in {} s", PATIENCE.as_secs())),
        }
    }

    /// Writes down what the autoscaler did, or why that failed.
    pub(crate) fn note_scaling(&self, target: &str, reason: &str, failed: Option<&String>) {
        let entry = Entry {
            at: clock::now(),
            who: WHO,
            role: Some(Role::Admin),
            door: Door::Node.name(),
            verb: "scale",
            target,
            outcome: if failed.is_none() { Outcome::Done } else { Outcome::Refused },
            reason: failed.map_or(reason, String::as_str),
        };
        // It is done by now, and on record with the decisions.
        drop(self.0.audit.append(&entry));
    }
}

/// What changes a node by having its results copied.
pub(super) const COPY: &str = "copy";

/// The autoscaler as one who asks.
fn own() -> Caller {
    Caller { name: WHO.into(), role: Role::Admin, door: Door::Node, consistent: false }
}

/// Adds how often others decided something to how often this one did.
fn add(decided: &mut Vec<ScaleCount>, told: Vec<ScaleCount>) {
    for one in told {
        match decided.iter_mut().find(|known| known.act == one.act) {
            Some(known) => known.times += one.times,
            None => decided.push(one),
        }
    }
}

/// How many decisions are told.
fn most(asked: u32) -> usize {
    (asked as usize).min(DECISIONS_MAX)
}

impl Inner {
    fn scale(&self, asked: &ScaleRequest) -> ScaleReply {
        let known = self.scaling.known();
        let counted = |(act, times): (&str, u64)| ScaleCount { act: act.to_owned(), times };
        let mut reply = ScaleReply {
            plan: known.plan,
            driver: known.driver.to_owned(),
            least: known.least,
            most: known.most,
            problem: known.problem,
            wanted: known.wanted,
            decided: self.scaling.counts().into_iter().map(counted).collect(),
            ..ScaleReply::default()
        };
        let member = self.cluster.peers().map(|peers| peers.own_name().to_owned());
        let member = member.unwrap_or_default();
        let told = |decision: Decision| ScaleDecision {
            at: calendar::text(decision.at),
            member: member.clone(),
            act: decision.act.to_owned(),
            node: decision.node,
            reason: decision.reason,
            outcome: decision.outcome,
            times: decision.times,
        };
        let last = self.scaling.last(most(asked.decisions));
        reply.decisions = last.into_iter().map(told).collect();
        let Some(peers) = self.cluster.peers() else { return reply };
        let leader = peers.lead().member.and_then(|member| peers.member_name(member));
        reply.leader = leader.unwrap_or_default();
        let drained = self.board.read().decrees.drained.clone();
        for one in peers.census() {
            reply.there += 1;
            reply.busy += u32::from(one.busy > 0);
            reply.waiting += one.work.queued + one.work.running;
            if number(&one.name).is_some() {
                let state = if drained.contains(&one.name) { "leaving" } else { "up" };
                let (name, state) = (one.name.into(), state.to_owned());
                reply.nodes.push(ScaleNode { name, state, slots: one.slots, busy: one.busy });
            }
        }
        reply
    }

    /// Has the homes of all members that are there keep copies of what a member made, so that
    /// nothing is lost with it; how many results are still to be copied.
    pub(super) async fn copy_results(
        &self,
        caller: &Caller,
        asked: &ChangeNodeRequest,
    ) -> Result<ChangedReply, Refused> {
        let name = &asked.node;
        let mut left = self.copy_here(name)?;
        let request = asked.clone();
        let others = self.ask_others(caller, move |mut calls: Calls| {
            let asked = request.clone();
            async move { Ok(calls.change_node(asked).await?.into_inner().left) }
        });
        let (others, unreached) = others.await;
        left += others.iter().filter(|(member, _)| **member != **name).map(|(_, n)| n).sum::<u64>();
        // One that the autoscaler has stopped was home of nothing.
        let homes = unreached.iter().filter(|other| number(&other.member).is_none());
        let away: Vec<&str> = homes.map(|other| &*other.member).collect();
        let note = match (left, away.as_slice()) {
            (0, []) => format!("every result that {name} made is kept elsewhere too"),
            (0, away) => format!("it is not known what {} lack of {name}", away.join(", ")),
            (left, _) => format!("{left} results that {name} made are being copied"),
        };
        left += away.len() as u64;
        Ok(ChangedReply { jobs: Vec::new(), note, left })
    }

    /// Has copies made here of what a member made for jobs of this one; how many lack.
    fn copy_here(&self, name: &str) -> Result<u64, Refused> {
        let unknown = || Refused::new(Kind::NotFound, format!("there is no member `{name}`"));
        let peers = self.cluster.peers().ok_or_else(unknown)?;
        let blobs = self.cluster.blobs().ok_or_else(unknown)?;
        let member = peers.number_of(name).ok_or_else(unknown)?;
        if member == peers.me() {
            return Ok(0);
        }
        let (end, mut left) = (self.board.read().end(), 0);
        // Readers take little at a time.
        for job in (0..end.0).map(JobNo) {
            for kept in self.made_by(member, job) {
                if !blobs.has_copy(&kept) {
                    blobs.copy_kept(&kept, COPIES);
                    left += 1;
                }
            }
        }
        Ok(left)
    }

    /// What a member made of a job's results.
    fn made_by(&self, member: u64, job: JobNo) -> Vec<Kept> {
        let books = self.board.read();
        let detail = books.job(job).and_then(|row| row.detail.as_deref());
        let mut made = Vec::new();
        for (_, piece) in detail.into_iter().flat_map(|detail| detail.ends.all()) {
            let How::Ran(ended) = &piece.how else { continue };
            let results = match &ended.results {
                Results::Each(each) => each.as_slice(),
                Results::Nothing => &[],
            };
            for payload in results.iter().chain([&ended.stderr]) {
                if let Payload::Kept(kept) = payload
                    && kept.member == member
                {
                    made.push(**kept);
                }
            }
        }
        made
    }
}

/// At how many members what a leaving one made is: with it, and at the home.
const COPIES: u8 = 2;
