//! Settings of the whole cluster: which there are, what each may be, and setting them.

use std::sync::Arc;
use std::time::Duration;

use bary_api::problem::{Kind, Refused};
use bary_api::v1::{
    ListSettingsReply, ListSettingsRequest, SetPolicyRequest, SetSettingReply, SetSettingRequest,
    Setting,
};
use bary_api::verb::Verb;
use bary_identity::calendar;
use bary_jobfile::{duration, size, suggest};
use bary_policy::force::capability::Capability;
use bary_policy::parameter::table::{CPU_SHARE, GPU_SHARE, MEMORY_SHARE, NETWORK_SHARE};
use bary_policy::preset::{self, Policy};

use bary_engine::input::Request;

use crate::board::clock;
use crate::peers::decisions;
use crate::peers::roster::Peers;
use crate::peers::settings::Change;
use crate::scaler;
use crate::service::caller::Caller;
use crate::service::{Inner, Service};

/// The placement policy of all homes.
pub(crate) const POLICY: &str = "policy";
/// How long what runs may go on once a node is asked to end.
pub(crate) const DRAIN_TIMEOUT: &str = "drain-timeout";
/// How large an audit log grows.
pub(crate) const AUDIT_MAX: &str = "audit-max";

/// How many members there are to be, and who starts and stops them.
pub(crate) const AUTOSCALE: &str = "autoscale";
/// The command that does so where the driver is one.
pub(crate) const AUTOSCALE_COMMAND: &str = "autoscale-command";

/// What counts how much in what nodes are capable of.
pub(crate) const CAPABILITY: &str = "capability";

/// Says what is wrong with a value.
type Check = fn(&str) -> Result<(), String>;

/// Every setting of a cluster: its key, what it is, and what checks a value.
const KEYS: [(&str, &str, Check); 6] = [
    (POLICY, "the placement policy of all homes: a preset, or one with parts", |value| {
        preset::parse(value).map(drop).map_err(|error| error.to_string())
    }),
    (DRAIN_TIMEOUT, "how long what runs may go on once a node is asked to end", |value| {
        duration::parse(value).map(drop).map_err(|error| error.to_string())
    }),
    (AUDIT_MAX, "how large the audit log of a member grows", |value| {
        size::parse(value).map(drop).map_err(|error| error.to_string())
    }),
    (AUTOSCALE, "how many members there are to be, and who starts and stops them", |value| {
        scaler::check(value)
    }),
    (AUTOSCALE_COMMAND, "the command that starts and stops members, with driver=command", |_| {
        Ok(())
    }),
    (CAPABILITY, "what counts how much in what nodes are capable of", |value| {
        weighed(value).map(drop)
    }),
];

/// The policy that weighs as such parameters say: `cpu_share=0.7,gpu_share=0`.
fn weighed(value: &str) -> Result<Policy, String> {
    let names = [&CPU_SHARE, &GPU_SHARE, &MEMORY_SHARE, &NETWORK_SHARE].map(|share| share.key);
    let given = value.split(',').map(|part| part.split('=').next().unwrap_or_default().trim());
    if let Some(other) = given.into_iter().find(|name| !names.contains(name)) {
        return Err(format!("`{other}` is none of {}", names.join(", ")));
    }
    preset::parse(&format!("{CAPABILITY},{value}")).map_err(|error| error.to_string())
}

impl Service {
    /// Settings of the whole cluster.
    ///
    /// # Errors
    /// Where the node is in none, or there is no setting of a name.
    pub async fn list_settings(
        &self,
        caller: &Caller,
        asked: ListSettingsRequest,
    ) -> Result<ListSettingsReply, Refused> {
        let _leave = self.admit(caller, Verb::ListSettings, "")?;
        asked.keys.iter().try_for_each(|key| known(key).map(drop))?;
        let changes = self.0.in_cluster()?.changes();
        let wanted = |key: &str| asked.keys.is_empty() || asked.keys.iter().any(|one| one == key);
        let mut settings = Vec::new();
        for (key, summary, _) in KEYS.iter().filter(|(key, ..)| wanted(key)) {
            let of_key = changes.iter().find(|of| of.last().is_some_and(|last| &*last.key == *key));
            match of_key {
                Some(of) if asked.history => settings.extend(of.iter().map(shown)),
                Some(of) => settings.extend(of.last().map(shown)),
                None if asked.history => {}
                None => {
                    let (key, summary) = ((*key).to_owned(), (*summary).to_owned());
                    settings.push(Setting { key, summary, ..Setting::default() });
                }
            }
        }
        Ok(ListSettingsReply { settings })
    }

    /// Sets a setting of the whole cluster, or takes it back.
    ///
    /// # Errors
    /// Where the node is in none, there is no such setting, or it cannot be that. Nothing was
    /// changed then.
    pub async fn set_setting(
        &self,
        caller: &Caller,
        asked: SetSettingRequest,
    ) -> Result<SetSettingReply, Refused> {
        let target = format!("{} {}", asked.key, asked.value);
        let leave = self.admit_why(caller, Verb::SetSetting, target, &asked.reason)?;
        leave.settle(self.0.set_setting(&caller.name, asked).await)
    }

    /// Has what the cluster's settings say hold here, as far as the service does it.
    pub(crate) async fn obey_settings(&self) -> Result<(), Refused> {
        let Some(policy) = self.0.cluster.peers().and_then(|peers| peers.setting(POLICY)) else {
            return Ok(());
        };
        // A later release may have others.
        if preset::parse(&policy).is_ok_and(|policy| policy.name == self.0.policy().name) {
            return Ok(());
        }
        let preset = policy.into();
        self.0
            .set_policy(&SetPolicyRequest { preset, ..SetPolicyRequest::default() })
            .await
            .map(drop)
    }

    /// Has what was decided of nodes for all homes hold here too.
    ///
    /// # Errors
    /// Where some of it cannot, the first why; the rest holds.
    pub(crate) async fn follow_decisions(&self) -> Result<(), Refused> {
        let (Some(peers), Some(followed)) = (self.0.cluster.peers(), &self.0.followed) else {
            return Ok(());
        };
        let (mut done, mut failed) = (Vec::new(), Ok(()));
        for change in peers.due(followed) {
            let decree = decisions::decree(&change, &self.0.board.read().decrees);
            let asked = match decree {
                Some(decree) => self.0.ask(Request::Decree(decree)).await.map(drop),
                None => Ok(()),
            };
            match asked {
                Ok(()) => done.push(change),
                Err(refused) => failed = failed.and(Err(refused)),
            }
        }
        if done.is_empty() {
            return failed;
        }
        let followed = Arc::clone(followed);
        let kept = tokio::task::spawn_blocking(move || followed.add(&done)).await;
        let lost = |why: String| {
            let title = format!("what was decided of nodes is not kept as followed: {why}");
            Refused::new(Kind::Internal, title)
        };
        let kept = kept.map_err(|error| lost(error.to_string()))?;
        let kept = kept.map_err(|error| lost(error.to_string()));
        failed.and(kept)
    }

    /// How long what runs may go on once the node is asked to end, where the cluster says so.
    pub(crate) fn cluster_drain(&self) -> Option<Duration> {
        let text = self.0.cluster.peers()?.setting(DRAIN_TIMEOUT)?;
        duration::parse(&text).ok().map(|span| span.to_std())
    }

    /// How large the audit log grows, where the cluster says so.
    pub(crate) fn cluster_audit_max(&self) -> Option<u64> {
        size::parse(&self.0.cluster.peers()?.setting(AUDIT_MAX)?).ok()
    }
}

impl Inner {
    /// What nodes are rated by: as the policy that is followed does where it places tasks by that,
    /// so that what is shown is what tasks are placed by; otherwise as the cluster says, if it
    /// does.
    pub(super) fn capability(&self) -> Capability {
        let followed = self.policy();
        if followed.force.sees_machines() {
            return Capability::with(&followed.given);
        }
        let told = self.cluster.peers().and_then(|peers| peers.setting(CAPABILITY));
        // A later release may take others.
        match told.and_then(|told| weighed(&told).ok()) {
            Some(policy) => Capability::with(&policy.given),
            None => Capability::with(&followed.given),
        }
    }

    fn in_cluster(&self) -> Result<&Arc<Peers>, Refused> {
        self.cluster.peers().ok_or_else(|| {
            let refused = Refused::new(Kind::Conflict, "the node is in no cluster");
            refused.help("its own settings are in its files: bary config show --origin")
        })
    }

    async fn set_setting(
        &self,
        who: &str,
        asked: SetSettingRequest,
    ) -> Result<SetSettingReply, Refused> {
        let (_, _, check) = known(&asked.key)?;
        if !asked.value.is_empty() {
            check(&asked.value).map_err(|why| {
                Refused::new(Kind::Invalid, format!("{} cannot be that: {why}", asked.key))
            })?;
        }
        let (peers, who) = (Arc::clone(self.in_cluster()?), who.to_owned());
        let before = peers.setting(&asked.key).map(String::from).unwrap_or_default();
        let set = move || {
            let SetSettingRequest { key, value, reason } = &asked;
            let value = Some(value.as_str()).filter(|value| !value.is_empty());
            peers.set((key, value), (&who, reason), &calendar::text(clock::now()))
        };
        let failed = |why: String| {
            Refused::new(Kind::Unavailable, format!("the setting cannot be written: {why}"))
        };
        let change = tokio::task::spawn_blocking(set).await;
        let change = change.map_err(|error| failed(error.to_string()))?;
        let change = change.map_err(|error| failed(error.to_string()))?;
        Ok(SetSettingReply { setting: Some(shown(&change)), before })
    }
}

/// A setting that there is.
fn known(key: &str) -> Result<&'static (&'static str, &'static str, Check), Refused> {
    KEYS.iter().find(|(name, ..)| *name == key).ok_or_else(|| {
        let title = format!("there is no setting `{key}` of a cluster");
        let refused = Refused::new(Kind::NotFound, title);
        match suggest::nearest(key, KEYS.iter().map(|(name, ..)| *name)) {
            Some(near) => refused.help(format!("did you mean `{near}`?")),
            None => refused.help("bary config get lists them"),
        }
    })
}

fn shown(change: &Change) -> Setting {
    let summary = KEYS.iter().find(|(key, ..)| *key == &*change.key);
    Setting {
        key: change.key.to_string(),
        value: change.value.as_deref().unwrap_or_default().to_owned(),
        version: change.number,
        member: change.at_member.to_string(),
        who: change.who.to_string(),
        at: change.at.to_string(),
        reason: change.reason.to_string(),
        summary: summary.map_or("", |(_, summary, _)| summary).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::known;

    #[test]
    fn capability_takes_its_four_weights_and_nothing_else() {
        let (_, _, check) = known("capability").expect("it is one");
        assert_eq!(check("cpu_share=0.7,gpu_share=0"), Ok(()));
        assert_eq!(check("memory_share=0.7,network_share=0.3"), Ok(()));
        for (wrong, told) in [
            ("force=gravity", "`force` is none of cpu_share, gpu_share"),
            ("cpu_share=heavy", "cpu_share"),
            ("capability", "`capability` is none of"),
        ] {
            let fault = check(wrong).expect_err("it is no weight");
            assert!(fault.contains(told), "{fault}");
        }
    }
}
