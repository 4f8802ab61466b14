//! Policies by name: a preset such as `gravity`, parts such as `order=fifo,steal=none`, or a
//! preset with other parts. What is not said is as in the preset, and that is `gravity` where
//! none is named.

use std::fmt;
use std::sync::Arc;

use crate::force::Force;
use crate::order::Order;
use crate::pull::{PullConfig, PullFault};
use crate::steal::Steal;
use crate::{force, order, steal};

/// When a task is bound to its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Late: when a node asks, as it is about to run dry.
    Pull,
    /// Early: when it is ready.
    Push,
    /// Not at all: any node that holds the grant may run it, and the first outcome counts.
    Open,
}

impl Binding {
    /// The name under which people choose it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Open => "open",
        }
    }
}

/// A way of placing tasks.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What it was parsed from, without spaces.
    pub name: String,
    /// When a task is bound to its node.
    pub binding: Binding,
    /// Which task comes next.
    pub order: Arc<dyn Order>,
    /// Which node it goes to.
    pub force: Arc<dyn Force>,
    /// Who steals how much from whom.
    pub steal: Arc<dyn Steal>,
    /// How much a node asks for, when, and of which home.
    pub pull: PullConfig,
}

/// Why a text names no policy. Nothing was changed; the caller gives another text.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PolicyError {
    /// There is no such preset.
    #[error("no policy is called {given:?}; there are {allowed}, or parts such as order=fifo")]
    Preset {
        /// What was given.
        given: String,
        /// The presets, separated by commas.
        allowed: String,
    },
    /// A preset stands behind something else.
    #[error("{given:?} must come first, before any part")]
    NotFirst {
        /// What was given.
        given: String,
    },
    /// There is no such part.
    #[error("a policy has no part {given:?}; its parts are {allowed}")]
    Part {
        /// What was given.
        given: String,
        /// The parts, separated by commas.
        allowed: String,
    },
    /// A part was given twice.
    #[error("{part} is given twice")]
    Twice {
        /// The part.
        part: String,
    },
    /// A part has no such value.
    #[error("{part} {given:?} is unknown; there are {allowed}")]
    Value {
        /// The part.
        part: &'static str,
        /// What was given.
        given: String,
        /// Its values, separated by commas.
        allowed: String,
    },
    /// A number was expected.
    #[error("{part} {given:?} is not a number")]
    Number {
        /// The part.
        part: &'static str,
        /// What was given.
        given: String,
    },
    /// A number is out of its range.
    #[error(transparent)]
    Pull(#[from] PullFault),
}

/// The presets, each with what it does in one line; the first is the default.
pub const PRESETS: &[(&str, &str)] = &[
    ("gravity", "nodes pull shrinking shares, longest path first, deepest well first; the default"),
    ("pids-classic", "the published rule: pushed to where load times weight is lowest"),
    ("least-loaded", "pushed to where it would end soonest"),
    ("round-robin", "pushed to each node in turn"),
    ("random", "pushed to a node drawn by lot"),
    ("work-stealing", "pushed to each node in turn, then idle nodes steal half"),
    ("heaviest-first", "as gravity, but the heaviest task first"),
    ("fifo", "as gravity, but in the order of arrival"),
    ("b-level", "as gravity, named after its order: the longest path first"),
    ("open", "as gravity, but nodes that wait run copies of what others run; the first counts"),
];

/// The parts of which each preset is made, in the order of [`PRESETS`].
const PARTS_OF: &[(Binding, &str, &str, &str)] = &[
    (Binding::Pull, "b-level", "gravity", "half"),
    (Binding::Push, "fifo", "pids-classic", "none"),
    (Binding::Push, "fifo", "least-loaded", "none"),
    (Binding::Push, "fifo", "round-robin", "none"),
    (Binding::Push, "fifo", "random", "none"),
    (Binding::Push, "fifo", "round-robin", "half"),
    (Binding::Pull, "heaviest-first", "gravity", "half"),
    (Binding::Pull, "fifo", "gravity", "half"),
    (Binding::Pull, "b-level", "gravity", "half"),
    (Binding::Open, "b-level", "gravity", "none"),
];

/// The parts that a text may set.
const PARTS: [&str; 5] = ["binding", "order", "force", "steal", "alpha"];

/// The policy that `text` names: a preset, parts as `part=value`, or both, between commas.
///
/// # Errors
/// Where a name is unknown, out of place or given twice, or a number is not usable; the error
/// lists what is allowed.
pub fn parse(text: &str) -> Result<Policy, PolicyError> {
    let items: Vec<&str> = text.split(',').map(str::trim).collect();
    let (mut policy, parts) = match items.split_first() {
        Some((first, rest)) if !first.contains('=') => (preset(first)?, rest),
        _ => (preset(PRESETS[0].0)?, items.as_slice()),
    };
    let mut given: Vec<&str> = Vec::new();
    for item in parts {
        let Some((part, value)) = item.split_once('=') else {
            preset(item)?;
            return Err(PolicyError::NotFirst { given: (*item).to_owned() });
        };
        let (part, value) = (part.trim(), value.trim());
        if given.contains(&part) {
            return Err(PolicyError::Twice { part: part.to_owned() });
        }
        given.push(part);
        policy.set(part, value)?;
    }
    policy.name = text.split_whitespace().collect();
    Ok(policy)
}

fn preset(name: &str) -> Result<Policy, PolicyError> {
    let unknown = || PolicyError::Preset {
        given: name.to_owned(),
        allowed: listed(PRESETS.iter().map(|(name, _)| *name)),
    };
    let presets = PRESETS.iter().zip(PARTS_OF);
    let mut named = presets.filter(|((preset, _), _)| *preset == name);
    let (_, &(binding, order, force, steal)) = named.next().ok_or_else(unknown)?;
    Ok(Policy {
        name: name.to_owned(),
        binding,
        order: one_of("order", order, order::all(), |order| order.name())?,
        force: one_of("force", force, force::all(), |force| force.name())?,
        steal: one_of("steal", steal, steal::all(), |steal| steal.name())?,
        pull: PullConfig::default(),
    })
}

impl Policy {
    fn set(&mut self, part: &str, value: &str) -> Result<(), PolicyError> {
        match part {
            "binding" => {
                let all = vec![Binding::Pull, Binding::Push, Binding::Open];
                self.binding = one_of("binding", value, all, |binding| binding.name())?;
            }
            "order" => self.order = one_of("order", value, order::all(), |order| order.name())?,
            "force" => self.force = one_of("force", value, force::all(), |force| force.name())?,
            "steal" => self.steal = one_of("steal", value, steal::all(), |steal| steal.name())?,
            "alpha" => self.pull.alpha = number("alpha", value)?,
            _ => {
                let (given, allowed) = (part.to_owned(), listed(PARTS.into_iter()));
                return Err(PolicyError::Part { given, allowed });
            }
        }
        self.pull.check().first().map_or(Ok(()), |&fault| Err(fault.into()))
    }
}

/// The policy in full, as a text that parses to the same parts.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (binding, alpha) = (self.binding.name(), self.pull.alpha);
        let (order, force, steal) = (self.order.name(), self.force.name(), self.steal.name());
        write!(f, "binding={binding},order={order},force={force},steal={steal},alpha={alpha}")
    }
}

/// The one of `all` that is called `given`.
fn one_of<T>(
    part: &'static str,
    given: &str,
    all: Vec<T>,
    name: impl Fn(&T) -> &'static str,
) -> Result<T, PolicyError> {
    let allowed = listed(all.iter().map(&name));
    let unknown = || PolicyError::Value { part, given: given.to_owned(), allowed };
    all.into_iter().find(|one| name(one) == given).ok_or_else(unknown)
}

fn number(part: &'static str, given: &str) -> Result<f64, PolicyError> {
    given.parse().map_err(|_| PolicyError::Number { part, given: given.to_owned() })
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert_eq, proptest};
    use proptest::sample::select;

    fn names<T>(all: Vec<T>, name: impl Fn(&T) -> &'static str) -> Vec<&'static str> {
        all.iter().map(name).collect()
    }

    fn shown(text: &str) -> String {
        parse(text).map_or_else(|error| error.to_string(), |policy| policy.to_string())
    }

    #[test]
    fn every_preset_is_made_of_parts() {
        assert_eq!(PRESETS.len(), PARTS_OF.len());
        for (name, line) in PRESETS {
            let policy = parse(name).expect("each preset parses");
            assert_eq!(policy.name, *name);
            assert!(!line.is_empty());
        }
    }

    #[test]
    fn presets_and_parts_mix() {
        let gravity = "binding=pull,order=b-level,force=gravity,steal=half,alpha=0.5";
        assert_eq!(shown("gravity"), gravity);
        assert_eq!(shown(" gravity , order = fifo "), gravity.replace("b-level", "fifo"));
        assert_eq!(shown("alpha=0.25"), gravity.replace("0.5", "0.25"));
        let stealing = "binding=push,order=fifo,force=round-robin,steal=half,alpha=0.5";
        assert_eq!(shown("work-stealing"), stealing);
        assert_eq!(
            parse(" gravity , order = fifo ").map(|p| p.name),
            Ok("gravity,order=fifo".into())
        );
    }

    #[test]
    fn what_is_unknown_is_told_with_what_is_allowed() {
        let errors = [
            ("graviti", "gravity, pids-classic, least-loaded"),
            ("", "gravity, pids-classic, least-loaded"),
            ("gravity,oder=fifo", "binding, order, force, steal, alpha"),
            ("order=lifo", "fifo, heaviest-first, lightest-first, b-level, priority"),
            ("force=weak", "gravity, pids-classic, least-loaded, round-robin, random"),
            ("steal=all", "half, none"),
            ("binding=late", "pull, push, open"),
            ("alpha=much", "not a number"),
            ("alpha=0", "not above 0"),
            ("alpha=nan", "not above 0"),
            ("order=fifo,order=fifo", "twice"),
            ("order=fifo,gravity", "must come first"),
        ];
        for (text, told) in errors {
            let error = parse(text).expect_err("none of these is a policy").to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn a_policy_parses_from_what_it_shows(
            binding in select(vec!["pull", "push", "open"]),
            order in select(names(order::all(), |order| order.name())),
            force in select(names(force::all(), |force| force.name())),
            steal in select(names(steal::all(), |steal| steal.name())),
            alpha in 0.001..=1.0,
        ) {
            let text = format!(
                "binding={binding},order={order},force={force},steal={steal},alpha={alpha}"
            );
            prop_assert_eq!(shown(&text), text);
        }
    }
}
