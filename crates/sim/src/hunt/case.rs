//! A run by name: a seed, what was asked for instead of being drawn, and what is left out. Its
//! command is all that anybody needs to see the run again.

use std::fmt::Write;

use bary_engine::flaw::{Flaw, Flaws};
use bary_model::time::Span;

use crate::hunt::cut::{self, Cut};
use crate::plan::Plan;
use crate::plan::faults::Faults;
use crate::plan::presence::PresencePlan;
use crate::plan::swarm::Sizes;

/// Which run.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// From which everything is drawn that is not said here.
    pub seed: u64,
    /// Sizes that were asked for.
    pub sizes: Sizes,
    /// Exactly these kinds of faults, rather than drawn ones.
    pub faults: Option<Faults>,
    /// This policy at first, rather than a drawn one.
    pub policy: Option<String>,
    /// Whether nodes find each other by gossip, even where that is not drawn.
    pub gossip: bool,
    /// A bug that is put back on purpose.
    pub flaw: Option<Flaw>,
    /// What is left out of the plan.
    pub without: Vec<Cut>,
    /// When all faults are over, rather than at a drawn time.
    pub until: Option<Span>,
}

impl Case {
    /// The case of a hunt's seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let faults = self.faults.unwrap_or_else(|| Faults::drawn(self.seed));
        let mut plan = Plan::asked(self.seed, self.sizes, faults);
        if let Some(policy) = &self.policy {
            plan.policy.clone_from(policy);
        }
        if self.gossip {
            plan.presence = Some(PresencePlan::of(&plan));
        }
        if let Some(flaw) = self.flaw {
            plan.flaws = Flaws::only(flaw);
        }
        if let Some(until) = self.until {
            plan.calm = bary_model::time::Moment(until.0);
        }
        cut::apply(&mut plan, &self.without);
        plan
    }

    /// The command that runs it again.
    ///
    /// # Panics
    /// Never: strings grow.
    #[must_use]
    pub fn command(&self) -> String {
        let mut text = format!("bary sim --seed {}", self.seed);
        let mut flag = |name: &str, value: String| {
            write!(text, " --{name} {value}").expect("strings grow");
        };
        let Sizes { nodes, homes, tasks } = self.sizes;
        nodes.into_iter().for_each(|nodes| flag("nodes", nodes.to_string()));
        homes.into_iter().for_each(|homes| flag("homes", homes.to_string()));
        tasks.into_iter().for_each(|tasks| flag("tasks", tasks.to_string()));
        self.faults.into_iter().for_each(|faults| flag("faults", faults.text()));
        self.policy.iter().for_each(|policy| flag("policy", policy.clone()));
        if let Some(flaw) = self.flaw {
            let named = Flaws::NAMES.iter().find(|(_, one)| *one == flaw);
            named.iter().for_each(|(name, _)| flag("flaw", (*name).to_owned()));
        }
        self.until.into_iter().for_each(|until| flag("until", format!("{}ns", until.0)));
        if !self.without.is_empty() {
            let cuts: Vec<String> = self.without.iter().map(ToString::to_string).collect();
            flag("without", cuts.join(","));
        }
        if self.gossip {
            text += " --gossip";
        }
        text
    }
}
