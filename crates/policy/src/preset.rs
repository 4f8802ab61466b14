//! Policies by name: a preset such as `gravity`, parts such as `order=fifo,steal=none`, parameters
//! of the parts such as `quarter=2ms`, or a preset with others of these. What is not said is as in
//! the preset, and that is `gravity` where none is named.

mod draft;
mod table;

use std::fmt;
use std::sync::Arc;

use crate::expression::fault::ExpressionError;
use crate::force::Force;
use crate::order::Order;
use crate::parameter::ValueError;
use crate::parameter::given::Given;
use crate::preset::draft::Draft;
pub use crate::preset::table::PRESETS;
use crate::pull::PullConfig;
use crate::queue::{Queue, QueueError};
use crate::steal::Steal;

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
    /// Who may go past whom while work waits for room.
    pub queue: Queue,
    /// How many times later than the soonest a task may end where it goes; none where that does
    /// not matter. See [`guard`](crate::guard).
    pub giants: Option<f64>,
    /// The parameters that were given.
    pub given: Given,
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
    /// There is no such part or parameter.
    #[error("a policy has no part {given:?}; its parts are {allowed}; its parameters {parameters}")]
    Part {
        /// What was given.
        given: String,
        /// The parts, separated by commas.
        allowed: String,
        /// The parameters, separated by commas.
        parameters: String,
    },
    /// A part or a parameter was given twice.
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
    /// A parameter belongs to a part that was not chosen.
    #[error("{key} belongs to {belongs}, and this policy has {chosen}")]
    Foreign {
        /// The parameter.
        key: &'static str,
        /// The parts that read it.
        belongs: String,
        /// What was chosen instead.
        chosen: String,
    },
    /// A parameter has no such value.
    #[error(transparent)]
    Parameter(#[from] ValueError),
    /// How waiting tasks are let through is said wrongly.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// A force is no formula.
    #[error("force=expr(...): {0}")]
    Formula(#[from] ExpressionError),
    /// A parenthesis has no other.
    #[error("a parenthesis in {given:?} is not closed, or not opened")]
    Parentheses {
        /// The item that it stands in.
        given: String,
    },
    /// The text is too long.
    #[error("a policy of {bytes} bytes is too long; at most {TEXT_BYTES_MAX} are read")]
    Long {
        /// How long it is.
        bytes: usize,
    },
}

/// The longest text that is read.
pub const TEXT_BYTES_MAX: usize = 4_096;

/// The policy that `text` names: a preset, parts as `part=value`, parameters as `key=value`, or
/// a preset with these, between commas. Commas inside parentheses belong to the value.
///
/// # Errors
/// Where a name is unknown, out of place or given twice, a value is not usable, or a parameter
/// belongs to a part that is not chosen; the error lists what is allowed.
pub fn parse(text: &str) -> Result<Policy, PolicyError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(PolicyError::Long { bytes: text.len() });
    }
    let items = items(text)?;
    let (preset, parts) = match items.split_first() {
        Some((first, rest)) if !first.contains('=') => (*first, rest),
        _ => (PRESETS[0].0, items.as_slice()),
    };
    let mut draft = Draft::of(preset)?;
    for item in parts {
        let Some((part, value)) = item.split_once('=') else {
            Draft::of(item)?;
            return Err(PolicyError::NotFirst { given: (*item).to_owned() });
        };
        draft.give(part.trim(), value.trim())?;
    }
    draft.finish(text.split_whitespace().collect())
}

/// The items of a policy's text: what stands between commas that are in no parentheses.
///
/// # Errors
/// Where parentheses do not match.
pub fn items(text: &str) -> Result<Vec<&str>, PolicyError> {
    let mut items = Vec::new();
    let (mut start, mut depth) = (0, 0_usize);
    let unmatched = |end| PolicyError::Parentheses { given: text[..end].trim().to_owned() };
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1).ok_or_else(|| unmatched(at + 1))?,
            ',' if depth == 0 => {
                items.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    if depth > 0 {
        return Err(unmatched(text.len()));
    }
    items.push(text[start..].trim());
    Ok(items)
}

/// The policy in full, as a text that parses to the same policy: its parts, and the parameters
/// that differ from what is usual.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (binding, order) = (self.binding.name(), self.order.name());
        let (force, steal) = (self.force.text(), self.steal.name());
        write!(f, "binding={binding},order={order},force={force},steal={steal}{}", self.queue)?;
        for (parameter, value) in self.given.unusual() {
            write!(f, ",{}={value}", parameter.key)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameter::{Domain, Parameter, Value, table};
    use crate::{force, order, steal};
    use proptest::prelude::{Strategy, any, prop, prop_assert_eq, proptest};
    use proptest::sample::{Index, select};

    fn shown(text: &str) -> String {
        parse(text).map_or_else(|error| error.to_string(), |policy| policy.to_string())
    }

    #[test]
    fn every_preset_is_made_of_parts() {
        assert_eq!(PRESETS.len(), crate::preset::table::PARTS_OF.len());
        for (name, line) in PRESETS {
            let policy = parse(name).expect("each preset parses");
            assert_eq!(policy.name, *name);
            assert!(!line.is_empty());
        }
    }

    #[test]
    fn presets_and_parts_mix() {
        let gravity = "binding=pull,order=b-level,force=gravity,steal=half";
        assert_eq!(shown("gravity"), gravity);
        assert_eq!(shown(" gravity , order = fifo "), gravity.replace("b-level", "fifo"));
        assert_eq!(shown("alpha=0.25"), format!("{gravity},alpha=0.25"));
        assert_eq!(
            shown("gravity,alpha=0.5,quarter=1000us"),
            gravity,
            "usual values are not shown"
        );
        let stealing = "binding=push,order=fifo,force=round-robin,steal=half";
        assert_eq!(shown("work-stealing"), stealing);
        let line = "queue=easy,share.ann=2.5";
        assert_eq!(shown("gravity,share.ann=2.5,queue=easy"), format!("{gravity},{line}"));
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
            ("gravity,oder=fifo", "binding, order, force, steal"),
            ("order=lifo", "fifo, heaviest-first, lightest-first, b-level, priority"),
            ("force=weak", "gravity, pids-classic, least-loaded, round-robin, random"),
            ("steal=all", "half, none, three, bounded"),
            ("binding=late", "pull, push, open"),
            ("alpha=much", "not a number from"),
            ("alpha=0", "not a number from"),
            ("alpha=nan", "not a number from"),
            ("order=fifo,order=fifo", "twice"),
            ("order=fifo,gravity", "must come first"),
            ("alpha=1,alpha=1", "alpha is given twice"),
            ("factor=0.5", "factor belongs to force=pids-classic"),
            ("factor=0.5", "this policy has force=gravity"),
            ("pids-classic,steal_tasks=2", "steal=three or steal=bounded"),
            ("pids-classic,force=gravity,factor=0.5", "this policy has force=gravity"),
            ("queue=soon", "any, fcfs, easy, fair"),
            ("least-loaded,queue=easy", "needs binding=pull"),
            ("share.ann=0", "not a number from 0.001"),
            ("share.ann=2,share.ann=2", "twice"),
            ("force=gravity)", "parenthesis"),
            ("force=gravity(", "parenthesis"),
        ];
        for (text, told) in errors {
            let error = parse(text).expect_err("none of these is a policy").to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn a_parameter_counts_wherever_it_stands_and_reaches_its_rule() {
        let text = "factor=0.25,steal=none,force=pids-classic,order=fifo,binding=push";
        let shown = shown(text);
        assert_eq!(shown, "binding=push,order=fifo,force=pids-classic,steal=none,factor=0.25");
        let pull = parse("home_quarter=2ms,ahead=3").map(|policy| policy.pull);
        let quarter = bary_model::time::Span::millis(2);
        assert_eq!(pull, Ok(PullConfig { alpha: 0.5, quarter, ahead: 3.0 }));
        assert_eq!(parse("giants=1.1").map(|policy| policy.giants), Ok(Some(1.1)));
        assert_eq!(parse("gravity").map(|policy| policy.giants), Ok(None));
        let bounds = parse("steal=bounded,queue_max=20").map(|policy| policy.steal.bounds());
        assert_eq!(bounds.map(|bounds| bounds.queue_max), Ok(20));
    }

    #[test]
    fn commas_in_parentheses_do_not_divide() {
        assert_eq!(items("a, b(c,(d,e)) ,f"), Ok(vec!["a", "b(c,(d,e))", "f"]));
        let long = "x".repeat(TEXT_BYTES_MAX + 1);
        assert_eq!(parse(&long).map(|_| ()), Err(PolicyError::Long { bytes: long.len() }));
    }

    #[test]
    fn each_parameter_belongs_to_choices_that_there_are() {
        for parameter in table::ALL {
            let part = parameter.part.name();
            for choice in parameter.of {
                let text = format!("{part}={choice},{}={}", parameter.key, parameter.usual());
                assert!(parse(&text).is_ok(), "{text}");
            }
        }
    }

    /// Some value of a parameter, by two numbers from 0 to 1.
    fn drawn(parameter: &Parameter, at: f64) -> Value {
        match parameter.domain {
            Domain::Number { min, max, .. } => Value::Number(min + at * (max.min(1e6) - min)),
            Domain::Whole { min, max, .. } => Value::Whole(min + (at * (max - min) as f64) as u64),
            Domain::Time { min, max, .. } => {
                let span = min.0 + (at * (max.0 - min.0) as f64) as u64;
                Value::Time(bary_model::time::Span(span))
            }
            Domain::Word { words } => Value::Word(words[(at * words.len() as f64) as usize]),
            Domain::Latencies { usual } => Value::Latencies(usual()),
        }
    }

    /// Parts, and values for some of the parameters that count with them, as a text.
    fn texts() -> impl Strategy<Value = String> {
        let parts = (
            select(vec!["pull", "push", "open"]),
            select(order::NAMES),
            select(force::NAMES),
            select(steal::NAMES),
        );
        let values = prop::collection::vec((any::<Index>(), 0.0..1.0), 0..6);
        (parts, values).prop_map(|((binding, order, force, steal), values)| {
            let counts = |parameter: &&&'static Parameter| match parameter.part {
                _ if parameter.of.is_empty() => true,
                crate::parameter::Part::Force => parameter.of.contains(&force),
                _ => parameter.of.contains(&steal),
            };
            let all: Vec<_> = table::ALL.iter().filter(counts).collect();
            let chosen: std::collections::BTreeMap<_, _> = values
                .iter()
                .map(|(index, at)| (all[index.index(all.len())], *at))
                .map(|(parameter, at)| (parameter.key, drawn(parameter, at)))
                .collect();
            let mut text = format!("binding={binding},order={order},force={force},steal={steal}");
            for (key, value) in chosen {
                text += &format!(",{key}={value}");
            }
            text
        })
    }

    proptest! {
        #[test]
        fn a_policy_parses_from_what_it_shows(text in texts()) {
            let policy = parse(&text).expect("each part of it is there");
            let again = parse(&policy.to_string()).expect("what is shown parses");
            prop_assert_eq!(again.to_string(), policy.to_string());
            let unusual = |policy: &Policy| {
                policy.given.unusual().map(|(p, v)| (p.key, v.clone())).collect::<Vec<_>>()
            };
            prop_assert_eq!(unusual(&again), unusual(&policy));
        }
    }
}
