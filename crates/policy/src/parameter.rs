//! The numbers that a policy's text may set, as `key=value`: which part each belongs to, what it
//! may be, and what it is where nobody says. The table of them all is `parameter::table`.

pub mod bounds;
pub mod given;
pub mod network;
pub mod table;
pub mod waiting;

use std::fmt;

use bary_model::time::Span;

use crate::latency::LatencyMap;

/// A number that rules read.
#[derive(Debug)]
pub struct Parameter {
    /// Its name in a policy's text.
    pub key: &'static str,
    /// The part it belongs to.
    pub part: Part,
    /// The choices of that part that read it; empty where all do.
    pub of: &'static [&'static str],
    /// What it may be, and what it is where nobody says.
    pub domain: Domain,
    /// The unit of a number, for people; times carry their own.
    pub unit: &'static str,
    /// What it does, in a line.
    pub what: &'static str,
}

/// A part of a policy, as far as parameters belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// How nodes pull; it counts under every binding, as nodes always ask.
    Pull,
    /// When a task is bound to its node.
    Binding,
    /// Which node a task goes to.
    Force,
    /// Who steals how much from whom.
    Steal,
    /// Who may go past whom while work waits for room.
    Queue,
    /// Which nodes may have a task at all, whatever the force.
    Guard,
}

impl Part {
    /// The part's name in a policy's text.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Binding => "binding",
            Self::Force => "force",
            Self::Steal => "steal",
            Self::Queue => "queue",
            Self::Guard => "guard",
        }
    }
}

/// What a parameter may be; `usual` is what it is where nobody says.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the least and the greatest value, and the usual one")]
pub enum Domain {
    /// A number.
    Number { min: f64, max: f64, usual: f64 },
    /// A whole number.
    Whole { min: u64, max: u64, usual: u64 },
    /// A time such as `1ms`.
    Time { min: Span, max: Span, usual: Span },
    /// One of some words, of which the first is usual.
    Word { words: &'static [&'static str] },
    /// Latencies between regions, such as `(eu/us:80ms,eu/asia:120ms)`.
    Latencies { usual: fn() -> LatencyMap },
}

/// What a parameter is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// A whole number.
    Whole(u64),
    /// A time.
    Time(Span),
    /// One of the parameter's words.
    Word(&'static str),
    /// Latencies between regions.
    Latencies(LatencyMap),
}

/// Why a text is no value of a parameter. Nothing was changed; the caller gives another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} {given:?} is not {allowed}")]
pub struct ValueError {
    /// The parameter.
    pub key: &'static str,
    /// What was given.
    pub given: String,
    /// What it may be, in words.
    pub allowed: String,
}

impl Parameter {
    /// The parameter of a name, where there is one.
    #[must_use]
    pub fn named(key: &str) -> Option<&'static Self> {
        table::ALL.iter().copied().find(|parameter| parameter.key == key)
    }

    /// What it is where nobody says.
    #[must_use]
    pub fn usual(&self) -> Value {
        match self.domain {
            Domain::Number { usual, .. } => Value::Number(usual),
            Domain::Whole { usual, .. } => Value::Whole(usual),
            Domain::Time { usual, .. } => Value::Time(usual),
            Domain::Word { words } => Value::Word(words.first().copied().unwrap_or("")),
            Domain::Latencies { usual } => Value::Latencies(usual()),
        }
    }

    /// The value that `text` says.
    ///
    /// # Errors
    /// Where it says none that this parameter may have.
    pub fn read(&self, text: &str) -> Result<Value, ValueError> {
        let value = match self.domain {
            Domain::Number { min, max, .. } => {
                let number = text.parse::<f64>().ok();
                number.filter(|number| (min..=max).contains(number)).map(Value::Number)
            }
            Domain::Whole { min, max, .. } => {
                let number = text.parse::<u64>().ok();
                number.filter(|number| (min..=max).contains(number)).map(Value::Whole)
            }
            Domain::Time { min, max, .. } => {
                span(text).filter(|span| (min..=max).contains(span)).map(Value::Time)
            }
            Domain::Word { words } => {
                words.iter().find(|word| **word == text).map(|word| Value::Word(word))
            }
            Domain::Latencies { .. } => LatencyMap::read(text).map(Value::Latencies),
        };
        let wrong = || ValueError {
            key: self.key,
            given: text.to_owned(),
            allowed: self.domain.to_string(),
        };
        value.ok_or_else(wrong)
    }

    /// Where it counts, as a policy's text says it, such as `force=gravity`.
    #[must_use]
    pub fn belongs_to(&self) -> String {
        let part = self.part.name();
        let each = self.of.iter().map(|choice| format!("{part}={choice}"));
        each.collect::<Vec<_>>().join(" or ")
    }
}

/// What may be given, in words that follow "is not".
impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { min, max, .. } => write!(f, "a number from {min} to {max}"),
            Self::Whole { min, max, .. } => write!(f, "a whole number from {min} to {max}"),
            Self::Time { min, max, .. } => {
                let (min, max) = (Value::Time(*min), Value::Time(*max));
                write!(f, "a time such as 1ms or 2.5s, from {min} to {max}")
            }
            Self::Word { words } => write!(f, "one of {}", words.join(", ")),
            Self::Latencies { .. } => {
                f.write_str("latencies between regions such as (eu/us:80ms,eu/asia:120ms)")
            }
        }
    }
}

/// The value as a policy's text says it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Time(Span(nanos)) => {
                let fits = |unit: &&(&str, u64)| nanos % unit.1 == 0;
                let (unit, size) = UNITS.iter().find(fits).unwrap_or(&("ns", 1));
                write!(f, "{}{unit}", nanos / size)
            }
            Self::Word(word) => f.write_str(word),
            Self::Latencies(map) => write!(f, "{map}"),
        }
    }
}

/// The units of time, the largest first.
const UNITS: [(&str, u64); 4] = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)];

/// A time such as `1ms`; none where the text says none.
pub(crate) fn span(text: &str) -> Option<Span> {
    let end = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(end);
    let (_, size) = UNITS.iter().find(|(name, _)| *name == unit)?;
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(*size).map(Span);
    }
    let nanos = number.parse::<f64>().ok()? * *size as f64;
    (0.0..1e18).contains(&nanos).then(|| Span(nanos.round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_units_and_shown_as_they_are_read() {
        let times = [("1ms", "1ms"), ("1500us", "1500us"), ("0.5s", "500ms"), ("0ns", "0s")];
        for (text, shown) in times {
            assert_eq!(span(text).map(|span| Value::Time(span).to_string()), Some(shown.into()));
        }
        assert!(["", "1", "ms", "-1ms", "nans", "1h", "1e30s"].iter().all(|t| span(t).is_none()));
    }

    #[test]
    fn each_parameter_has_a_name_of_its_own_and_reads_what_is_usual() {
        for (at, parameter) in table::ALL.iter().enumerate() {
            let text = parameter.usual().to_string();
            assert_eq!(parameter.read(&text), Ok(parameter.usual()), "{}", parameter.key);
            let same = |other: &&&Parameter| other.key == parameter.key;
            assert_eq!(table::ALL.iter().position(|other| same(&other)), Some(at));
            assert!(!parameter.what.is_empty() && parameter.read("(").is_err());
        }
    }

    #[test]
    fn a_value_out_of_range_is_told_with_what_is_allowed() {
        let told = |key: &str, text: &str| {
            let parameter = Parameter::named(key).expect("it is in the table");
            parameter.read(text).expect_err("none of these is good").to_string()
        };
        assert_eq!(told("alpha", "0"), "alpha \"0\" is not a number from 0.000001 to 1");
        assert_eq!(told("alpha", "nan"), "alpha \"nan\" is not a number from 0.000001 to 1");
        assert!(told("quarter", "1").contains("a time such as 1ms"));
        assert!(told("queue_max", "1.5").contains("a whole number from 1"));
        assert!(told("steal_by", "nobody").contains("one of full, idle"));
    }
}
