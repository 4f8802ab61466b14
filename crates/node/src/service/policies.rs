//! Placement policies: which there are, which is followed, and following another.

use std::sync::PoisonError;

use bary_api::problem::{Kind, Refused};
use bary_api::v1::{
    LearntTime, ListPoliciesReply, ListPoliciesRequest, Policy as Shown, SetPolicyReply,
    SetPolicyRequest,
};
use bary_api::verb::Verb;
use bary_engine::input::Request;
use bary_model::decree::{Decree, Decrees};
use bary_policy::preset::{self, PRESETS, Policy, PolicyError};

use crate::service::caller::Caller;
use crate::service::options::ServiceOptions;
use crate::service::{Inner, OpenError, Service};

impl Service {
    /// The placement policies there are, and which one is followed.
    ///
    /// # Errors
    /// Where the caller may not ask.
    pub async fn list_policies(
        &self,
        caller: &Caller,
        _asked: ListPoliciesRequest,
    ) -> Result<ListPoliciesReply, Refused> {
        let _leave = self.admit(caller, Verb::ListPolicies, "")?;
        let presets = PRESETS.iter().filter_map(|(name, _)| preset::parse(name).ok());
        let mut policies: Vec<Shown> = presets.map(|policy| shown(&policy)).collect();
        let policy = self.0.policy();
        if policies.iter().all(|preset| preset.name != policy.name) {
            // One with parts is none of the presets.
            policies.push(shown(&policy));
        }
        Ok(ListPoliciesReply { policies, followed: policy.name, learnt: self.0.learnt() })
    }

    /// Follows another policy from now on, while work goes on. It is followed after a restart too.
    ///
    /// # Errors
    /// Where there is no such policy or part; nothing was changed then.
    pub async fn set_policy(
        &self,
        caller: &Caller,
        asked: SetPolicyRequest,
    ) -> Result<SetPolicyReply, Refused> {
        let leave =
            self.admit_why(caller, Verb::SetPolicy, asked.preset.as_str(), &asked.reason)?;
        leave.settle(self.0.set_policy(&asked).await)
    }
}

impl ServiceOptions {
    /// Which policy is followed: the one that was chosen, else the one on record, else the usual
    /// one. One that was chosen and is not on record yet is given back.
    ///
    /// # Errors
    /// Where the one on record is none of this version's.
    pub(super) fn settle_policy(
        &mut self,
        decrees: &Decrees,
    ) -> Result<Option<Box<str>>, OpenError> {
        let chosen = &mut self.cluster.policy;
        match &decrees.policy {
            Some(policy) if !self.policy_chosen => {
                *chosen = preset::parse(policy)
                    .map_err(|cause| OpenError::Policy { policy: policy.clone(), cause })?;
                Ok(None)
            }
            Some(policy) if **policy == *chosen.name => Ok(None),
            _ => Ok(self.policy_chosen.then(|| chosen.name.as_str().into())),
        }
    }
}

impl Inner {
    pub(super) async fn set_policy(
        &self,
        asked: &SetPolicyRequest,
    ) -> Result<SetPolicyReply, Refused> {
        let before = self.policy();
        let preset = if asked.preset.is_empty() { &before.name } else { &asked.preset };
        // A part that the followed policy has already is replaced, not given twice.
        let invalid = |error: PolicyError| Refused::new(Kind::Invalid, error.to_string());
        let items = preset::items(preset).map_err(invalid)?;
        let kept = items.into_iter().filter(|item| {
            let part = item.split_once('=').map(|(part, _)| part.trim());
            part.is_none_or(|part| !asked.parts.contains_key(part))
        });
        let parts = asked.parts.iter().map(|(part, value)| format!("{part}={value}"));
        let text: Vec<String> = kept.map(ToOwned::to_owned).chain(parts).collect();
        let policy = preset::parse(&text.join(",")).map_err(invalid)?;
        self.ask(Request::Decree(Decree::Follow(policy.name.as_str().into()))).await?;
        for node in 1..self.cluster.nodes().len() {
            self.ask_node(node, Request::Follow(policy.clone())).await?;
        }
        self.cluster.guests_follow(&policy);
        let reply = SetPolicyReply { policy: Some(shown(&policy)), before: before.name };
        *self.policy.lock().unwrap_or_else(PoisonError::into_inner) = policy;
        Ok(reply)
    }

    /// How long tasks take, as far as they have run.
    fn learnt(&self) -> Vec<LearntTime> {
        let books = self.board.read();
        let each = books.learning.learnt.kinds().map(|(kind, mean)| LearntTime {
            function: String::from_utf8_lossy(kind).into_owned(),
            seconds: mean.seconds,
            tasks: mean.tasks,
            predictions: mean.predictions,
            error: mean.error().unwrap_or(0.0),
        });
        each.collect()
    }

    /// The policy that is followed.
    pub(super) fn policy(&self) -> Policy {
        self.policy.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn shown(policy: &Policy) -> Shown {
    let summary = PRESETS.iter().find(|(name, _)| *name == policy.name);
    Shown {
        name: policy.name.clone(),
        summary: summary.map_or("", |(_, summary)| summary).to_owned(),
        binding: policy.binding.name().to_owned(),
        order: policy.order.name().to_owned(),
        force: policy.force.name().to_owned(),
        steal: policy.steal.name().to_owned(),
    }
}
