//! `bary policy show`, `set` and `try`: how a node places tasks.

use bary_api::v1::{Policy, SetPolicyRequest, TryPolicyRequest};
use serde_json::json;

use crate::args::Face;
use crate::args::policy::{PolicyLearntArgs, PolicySetArgs, PolicyShowArgs, PolicyTryArgs};
use crate::asking;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::kinds::LEARNT;
use crate::listing;
use crate::listing::amount::plain;
use crate::verb::policy::{parameters_in_words, parameters_of};
use crate::verb::remote::{config, show};

/// The schema of the document about one policy.
pub(crate) const SHOWN: &str = "bary.policy/1";
/// The schema of the document after a change.
pub(crate) const SET: &str = "bary.policy-set/1";
/// The schema of the document about one placement.
pub(crate) const TRIED: &str = "bary.policy-try/1";

/// Shows a preset, or what is followed.
pub(crate) fn show(args: &PolicyShowArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let reply = asking.node.list_policies().await?;
        let wanted = args.preset.as_ref().unwrap_or(&reply.followed);
        let found = reply.policies.iter().find(|policy| policy.name == *wanted);
        let policy = found.ok_or_else(|| {
            let complaint = Complaint::not_found(format!("there is no policy `{wanted}`"));
            complaint.help("bary policy ls lists them")
        })?;
        let followed = policy.name == reply.followed;
        let parameters = json!(parameters_of(&policy.name));
        let parts = [
            ("policy", listing::json_of(policy)?),
            ("followed", json!(followed)),
            ("parameters", parameters),
        ];
        match listing::data(&listing::document(SHOWN, parts), face.output) {
            Some(text) if !face.is_quiet() => asking.say(&text)?,
            _ => asking.say(&text(policy, followed, face))?,
        }
        Ok(Exit::OK)
    })
}

fn text(policy: &Policy, followed: bool, face: Face) -> String {
    if face.is_quiet() {
        return format!("{}\n", policy.name);
    }
    show::block(&[
        ("policy", policy.name.clone()),
        ("followed", if followed { "yes" } else { "no" }.to_owned()),
        ("what", policy.summary.clone()),
        ("binding", policy.binding.clone()),
        ("order", policy.order.clone()),
        ("force", policy.force.clone()),
        ("steal", policy.steal.clone()),
        ("parameters", parameters_in_words(&policy.name)),
    ])
}

/// Follows another.
pub(crate) fn set(args: &PolicySetArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        if args.cluster {
            let preset = match &args.preset {
                Some(preset) => preset.clone(),
                None => asking.node.list_policies().await?.followed,
            };
            let parts = args.part.iter().map(|pair| format!("{}={}", pair.name, pair.value));
            let policy: Vec<String> = std::iter::once(preset).chain(parts).collect();
            let reason = args.reason.as_deref();
            return config::share(asking, "policy", &policy.join(","), reason).await;
        }
        let parts = args.part.iter().map(|pair| (pair.name.clone(), pair.value.clone()));
        let request = SetPolicyRequest {
            preset: args.preset.clone().unwrap_or_default(),
            parts: parts.collect(),
            reason: args.reason.clone().unwrap_or_default(),
        };
        let reply = asking.node.set_policy(request).await?;
        let policy = reply.policy.unwrap_or_default();
        let parts = [("policy", listing::json_of(&policy)?), ("before", json!(reply.before))];
        match listing::data(&listing::document(SET, parts), face.output) {
            Some(text) if !face.is_quiet() => asking.say(&text)?,
            _ => asking.say(&text(&policy, true, face))?,
        }
        asking.note(&format!("before it was {}", reply.before));
        Ok(Exit::OK)
    })
}

/// Tells how long tasks take.
pub(crate) fn learnt(args: &PolicyLearntArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        asking.print(&LEARNT, &asking.node.list_policies().await?.learnt, None)?;
        Ok(Exit::OK)
    })
}

/// Computes what a force says.
pub(crate) fn attempt(args: &PolicyTryArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let request = TryPolicyRequest {
            policy: args.force.clone(),
            load: args.load,
            weight: args.weight,
            distance: args.distance,
            average: args.average,
        };
        let reply = asking.node.try_policy(request).await?;
        let mut document = listing::json_of(&reply)?;
        document["schema"] = TRIED.into();
        let published = format!(
            "force {}, threshold {}: {}",
            plain(reply.published_force),
            plain(reply.published_threshold),
            reply.published_decision
        );
        let text = match listing::data(&document, face.output) {
            Some(text) if !face.is_quiet() => text,
            _ if face.is_quiet() => format!("{}\n", reply.decision),
            _ => show::block(&[
                ("force", plain(reply.force)),
                ("threshold", plain(reply.threshold)),
                ("decision", reply.decision),
                ("formula", reply.formula),
                ("why", reply.explanation),
                ("as published", published),
            ]),
        };
        asking.say(&text)?;
        Ok(Exit::OK)
    })
}
