//! What a force would say of one placement: its strength, the threshold, and the decision. One
//! unit of distance is a way of one millisecond.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_api::problem::{Kind, Refused};
use bary_api::v1::{TryPolicyReply, TryPolicyRequest};
use bary_api::verb::Verb;
use bary_jobfile::suggest;
use bary_model::id::NodeId;
use bary_model::machine::Machine;
use bary_model::node::{NodeInfo, Offers};
use bary_model::resources::Resources;
use bary_model::task::Request;
use bary_model::time::Span;
use bary_model::weight::Weight;
use bary_policy::force::pids_classic::PidsClassic;
use bary_policy::force::{self, Force};
use bary_policy::preset;
use bary_policy::view::{Foresight, NodeView, TaskView};

use crate::service::Service;
use crate::service::caller::Caller;

impl Service {
    /// What a policy would say of one placement; changes nothing.
    ///
    /// # Errors
    /// Where there is no such policy, or a number is out of its range.
    pub async fn try_policy(
        &self,
        caller: &Caller,
        asked: TryPolicyRequest,
    ) -> Result<TryPolicyReply, Refused> {
        let _leave = self.admit(caller, Verb::TryPolicy, asked.policy.as_str())?;
        tried(&asked)
    }
}

/// One placement.
struct Trial {
    request: Request,
    weight: Weight,
    info: NodeInfo,
    load: u64,
    average: u64,
    distance: f64,
}

fn tried(asked: &TryPolicyRequest) -> Result<TryPolicyReply, Refused> {
    let force = force(&asked.policy)?;
    let trial = Trial::of(asked)?;
    let rule = PidsClassic::default();
    let published = trial
        .view(trial.load, true, |task, node| (rule.force(task, node), rule.threshold(task, node)));
    let (strength, threshold, claims) = if force.name() == rule.name() {
        (published.0, published.1, published.0 < published.1)
    } else {
        let pull =
            |load| trial.view(load, false, |task, node| force.between(task, node).0 as f64 / 1e3);
        // A well draws while it is below the level; other forces claim what an average node would.
        let threshold = if force.name() == "gravity" { 0.0 } else { pull(trial.average) };
        let strength = pull(trial.load);
        (
            strength,
            threshold,
            strength >= threshold && (strength > 0.0 || force.name() != "gravity"),
        )
    };
    let classic = force.name() == PidsClassic::default().name();
    let explanation = trial.view(trial.load, classic, |task, node| force.reason(task, node));
    Ok(TryPolicyReply {
        force: strength,
        threshold,
        decision: decision(claims),
        formula: force.formula().to_owned(),
        explanation,
        published_force: published.0,
        published_threshold: published.1,
        published_decision: decision(published.0 < published.1),
    })
}

fn decision(claims: bool) -> String {
    if claims { "claim" } else { "leave" }.to_owned()
}

/// The force of a name, or that of a preset of the name.
fn force(name: &str) -> Result<Arc<dyn Force>, Refused> {
    let mut all = force::all();
    if let Some(at) = all.iter().position(|force| force.name() == name) {
        return Ok(all.swap_remove(at));
    }
    preset::parse(name).map(|policy| policy.force).map_err(|error| {
        let near = suggest::nearest(name, all.iter().map(|force| force.name()));
        let refused = Refused::new(Kind::NotFound, error.to_string());
        match near {
            Some(near) => refused.help(format!("did you mean `{near}`?")),
            None => refused,
        }
    })
}

impl Trial {
    fn of(asked: &TryPolicyRequest) -> Result<Self, Refused> {
        let average = asked.average.unwrap_or(asked.load);
        let numbers = [
            ("load", asked.load),
            ("weight", asked.weight),
            ("distance", asked.distance),
            ("average", average),
        ];
        /// The largest number that is taken.
        const MAX: f64 = 1e12;
        for (name, number) in numbers {
            if !(0.0..=MAX).contains(&number) {
                let title = format!("{name} {number} is not a number from 0 to {MAX:e}");
                return Err(Refused::new(Kind::Invalid, title));
            }
        }
        let weight = Weight::new(asked.weight)
            .map_err(|error| Refused::new(Kind::Invalid, format!("weight: {error}")))?;
        let info = NodeInfo {
            id: NodeId(0),
            name: "tried".into(),
            region: "here".into(),
            resources: Resources::cpus(1),
            slots: 1,
            speed: 1.0,
            labels: BTreeMap::new(),
            offers: Offers::default(),
        };
        Ok(Self {
            request: Request::default(),
            weight,
            info,
            load: (asked.load * 1e3) as u64,
            average: (average * 1e3) as u64,
            distance: asked.distance,
        })
    }

    /// What `look` sees of the task and of a node with this load. The classic rule knows distances
    /// between regions only, as the way there in one direction.
    fn view<T>(
        &self,
        load: u64,
        classic: bool,
        look: impl FnOnce(&TaskView<'_>, &NodeView<'_>) -> T,
    ) -> T {
        let region = classic.then(|| "elsewhere".into());
        let request = Request { region, ..self.request.clone() };
        let ways = if classic { 2.0 } else { 1.0 };
        let round_trip = Span::from_secs_f64(self.distance * ways / 1e3);
        let (b_level, known) = (self.weight.times(1), Foresight::default());
        let task = TaskView { weight: self.weight, b_level, sequence: 0, request: &request, known };
        let node = NodeView {
            info: &self.info,
            machine: Machine::default(),
            load,
            mean_load: self.average,
            granted: 0,
            tasks: 0,
            round_trip,
            power: 1.0,
            free: None,
            used: None,
            bytes_here: None,
            scores: None,
            timing: None,
        };
        look(&task, &node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(policy: &str, load: f64, weight: f64, distance: f64) -> TryPolicyReply {
        let policy = policy.to_owned();
        tried(&TryPolicyRequest { policy, load, weight, distance, average: None })
            .expect("its numbers are good")
    }

    #[test]
    fn the_classic_force_and_threshold_are_as_published() {
        let told = reply("pids-classic", 10.0, 5.2, 1.0);
        // 10 * 5.2 / (1 + 1)^2 = 13; 0.8 * 10 * 5.2 = 41.6.
        assert_eq!((told.force, told.threshold), (13.0, 41.6));
        assert_eq!(told.decision, "claim");
        assert_eq!(reply("pids-classic", 0.0, 5.0, 1.0).decision, "leave");
        assert_eq!(reply("pids-classic", 8.0, 5.0, 0.0).force, 40.0);
    }

    #[test]
    fn a_well_claims_what_falls_into_it() {
        let told = reply("gravity", 10.0, 5.2, 1.0);
        // (10 + 5.2 - 10) / (1 + 1)^2 = 1.3.
        assert_eq!((told.force, told.threshold, &*told.decision), (1.3, 0.0, "claim"));
        assert_eq!((told.published_force, told.published_threshold), (13.0, 41.6));
        assert_eq!(told.published_decision, "claim");
        // Where nobody has any load, the published rule lets nobody begin.
        let idle = reply("gravity", 0.0, 5.2, 1.0);
        assert_eq!((&*idle.decision, &*idle.published_decision), ("claim", "leave"));
        for force in force::all() {
            let told = reply(force.name(), 1.0, 1.0, 0.0);
            assert!(!told.formula.is_empty() && !told.explanation.is_empty(), "{}", force.name());
        }
        let wrong = TryPolicyRequest { load: f64::NAN, ..TryPolicyRequest::default() };
        assert!(tried(&wrong).is_err());
    }
}
