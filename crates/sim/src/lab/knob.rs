//! Parameters of a policy as a search turns them: each with the range that it is searched in.

use std::fmt;

use bary_model::time::Span;
use bary_policy::flow::Rule;
use bary_policy::layout::Plans;
use bary_policy::parameter::{Domain, Parameter, Value, table};
use bary_policy::preset::{self, Policy};

/// A parameter and where it is searched.
#[derive(Clone, Debug)]
pub struct Knob {
    parameter: &'static Parameter,
    least: f64,
    most: f64,
}

/// Why a text names no knob. Nothing was changed; the caller gives another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KnobError {
    /// It is not of the form `key=least..most`.
    #[error("`{0}` is not of the form alpha=0.1..1")]
    Form(String),
    /// The policy has no such parameter.
    #[error("{policy} has no parameter `{key}`; it has {allowed}")]
    Unknown {
        /// The policy.
        policy: String,
        /// What was given.
        key: String,
        /// The parameters that it has.
        allowed: String,
    },
    /// An end is no value of the parameter, or the ends are the wrong way round.
    #[error("{key}: {given} is no range of {allowed}")]
    Range {
        /// The parameter.
        key: &'static str,
        /// What was given.
        given: String,
        /// What it may be.
        allowed: String,
    },
}

/// The middle of the range of a time that is usually none: a tenth of a second, in nanoseconds.
const TENTH: f64 = 1e8;

/// The numeric parameters that count for a policy, each from a tenth of what it is usually to ten
/// times that, as far as it may.
#[must_use]
pub fn knobs(policy: &str) -> Vec<Knob> {
    let of = |parameter: &'static Parameter| {
        let (min, max, usual) = range(parameter)?;
        let text = with(policy, parameter.key, &parameter.usual().to_string());
        preset::parse(&text).ok()?;
        let none = if matches!(parameter.domain, Domain::Time { .. }) { TENTH } else { 1.0 };
        let middle = if usual.is_finite() && usual > 0.0 { usual } else { min.max(none) };
        let (least, most) = ((middle / 10.0).max(min), (middle * 10.0).min(max));
        (least < most).then_some(Knob { parameter, least, most })
    };
    table::ALL.iter().copied().filter_map(of).collect()
}

/// Those of [`knobs`] that change anything as the policy stands: what belongs to something that it
/// does not use is left out, unless its text names it.
#[must_use]
pub fn working(policy: &str) -> Vec<Knob> {
    let Ok(parsed) = preset::parse(policy) else { return Vec::new() };
    let named: Vec<&str> = parsed.given.unusual().map(|(parameter, _)| parameter.key).collect();
    let mut knobs = knobs(policy);
    knobs.retain(|knob| {
        let key = knob.parameter.key;
        named.contains(&key) || is_used(&parsed, key)
    });
    knobs
}

/// Whether a policy uses what a parameter belongs to.
fn is_used(policy: &Policy, key: &str) -> bool {
    match key {
        "slow_share" | "copies_max" | "age_min" => policy.queue.speculate.is_some(),
        "between" | "unit" => policy.carrying.layout != Plans::None,
        "flow_threshold" => policy.flow.rule == Rule::Laplacian,
        // Usually they forbid nothing, and what a search would try forbids little.
        "giants" | "looks" | "delay" => false,
        _ => true,
    }
}

/// The knob that a text such as `alpha=0.1..1` names.
///
/// # Errors
/// Where the text has another form, the policy has no such parameter, or the range is none.
pub fn knob(policy: &str, text: &str) -> Result<Knob, KnobError> {
    let form = || KnobError::Form(text.to_owned());
    let (key, ends) = text.split_once('=').ok_or_else(form)?;
    let (from, to) = ends.split_once("..").ok_or_else(form)?;
    let all = knobs(policy);
    let found = all.iter().find(|knob| knob.parameter.key == key.trim());
    let parameter = found.map(|knob| knob.parameter).ok_or_else(|| KnobError::Unknown {
        policy: policy.to_owned(),
        key: key.trim().to_owned(),
        allowed: all.iter().map(|knob| knob.parameter.key).collect::<Vec<_>>().join(", "),
    })?;
    let end = |text: &str| parameter.read(text.trim()).ok().and_then(|value| number(&value));
    match (end(from), end(to)) {
        (Some(least), Some(most)) if least < most => Ok(Knob { parameter, least, most }),
        _ => Err(KnobError::Range {
            key: parameter.key,
            given: ends.to_owned(),
            allowed: parameter.domain.to_string(),
        }),
    }
}

impl fmt::Display for Knob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, most) = (self.text(self.least), self.text(self.most));
        write!(f, "{}={least}..{most}", self.parameter.key)
    }
}

impl Knob {
    /// A place of the range, from 0 to 1; by ratio where the range spans much.
    #[must_use]
    pub fn at(&self, place: f64) -> f64 {
        if self.least > 0.0 && self.most / self.least >= 8.0 {
            // Halves of halves by square roots, which are exact to the last bit everywhere.
            let (mut low, mut high, mut left) = (self.least, self.most, place);
            for _ in 0..20 {
                let middle = (low * high).sqrt();
                left *= 2.0;
                if left >= 1.0 {
                    (low, left) = (middle, left - 1.0);
                } else {
                    high = middle;
                }
            }
            return low;
        }
        self.least + (self.most - self.least) * place
    }

    /// A value as a policy's text says it, to three digits.
    fn text(&self, value: f64) -> String {
        let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
        let value = match self.parameter.domain {
            Domain::Whole { .. } => Value::Whole(value.round() as u64),
            Domain::Time { .. } => Value::Time(Span(rounded as u64)),
            _ => Value::Number(rounded),
        };
        value.to_string()
    }
}

/// The least, the greatest and the usual value; times in nanoseconds.
fn range(parameter: &Parameter) -> Option<(f64, f64, f64)> {
    match parameter.domain {
        Domain::Number { min, max, usual } => Some((min, max, usual)),
        Domain::Whole { min, max, usual } => Some((min as f64, max as f64, usual as f64)),
        Domain::Time { min, max, usual } => Some((min.0 as f64, max.0 as f64, usual.0 as f64)),
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Whole(number) => Some(*number as f64),
        Value::Time(span) => Some(span.0 as f64),
        _ => None,
    }
}

/// A policy's text with each knob at a place of its range, from 0 to 1; none where that is no
/// policy.
#[must_use]
pub fn placed(policy: &str, knobs: &[Knob], places: &[f64]) -> Option<String> {
    let mut text = policy.to_owned();
    for (knob, place) in knobs.iter().zip(places) {
        text = with(&text, knob.parameter.key, &knob.text(knob.at(*place)));
    }
    preset::parse(&text).is_ok().then_some(text)
}

/// A policy's text with a parameter set anew.
fn with(policy: &str, key: &str, value: &str) -> String {
    let items = preset::items(policy).unwrap_or_default();
    let is_other = |item: &&&str| item.split_once('=').is_none_or(|(name, _)| name.trim() != key);
    let others: Vec<&str> = items.iter().filter(is_other).copied().collect();
    format!("{},{key}={value}", others.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_policy_has_is_refused() {
        let told = |text: &str| knob("gravity", text).expect_err("it is wrong").to_string();
        assert!(told("alpha").contains("alpha=0.1..1"));
        assert!(told("factor=0.1..1").contains("no parameter `factor`"));
        assert!(told("alpha=1..0.1").contains("no range"));
        assert!(told("alpha=0.1..7").contains("number from"));
    }

    #[test]
    fn what_a_policy_does_not_use_is_searched_only_where_it_is_named() {
        let keys = |policy: &str| {
            let knobs = working(policy);
            knobs.iter().map(|knob| knob.parameter.key).collect::<Vec<_>>()
        };
        assert!(keys("gravity").contains(&"alpha") && !keys("gravity").contains(&"giants"));
        assert!(!keys("gravity").contains(&"age_min"));
        assert!(keys("gravity,speculate=late").contains(&"age_min"));
        assert!(keys("gravity,giants=4").contains(&"giants"));
        assert!(knob("gravity", "giants=1..10").is_ok());
    }

    #[test]
    fn a_parameter_that_is_set_already_is_replaced() {
        assert_eq!(with("gravity,alpha=0.5,ahead=2", "alpha", "1"), "gravity,ahead=2,alpha=1");
    }
}
