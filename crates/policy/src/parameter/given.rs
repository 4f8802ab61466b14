//! The values of parameters that a text has given; all others are as usual.

use std::collections::BTreeMap;

use bary_model::time::Span;

use crate::latency::LatencyMap;
use crate::parameter::{Parameter, Value};

/// Values by parameter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Given(BTreeMap<&'static str, Value>);

impl Given {
    /// What a parameter is.
    #[must_use]
    pub fn value(&self, parameter: &Parameter) -> Value {
        self.0.get(parameter.key).cloned().unwrap_or_else(|| parameter.usual())
    }

    /// Gives a parameter a value, which is one of its own.
    pub fn set(&mut self, parameter: &'static Parameter, value: Value) {
        self.0.insert(parameter.key, value);
    }

    /// Forgets the value of a parameter; it is as usual then.
    pub fn unset(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// The parameters that differ from what is usual, by name.
    pub fn unusual(&self) -> impl Iterator<Item = (&'static Parameter, &Value)> {
        let known = self.0.iter().filter_map(|(key, value)| Some((Parameter::named(key)?, value)));
        known.filter(|(parameter, value)| parameter.usual() != **value)
    }

    /// The parameters that have been given a value, usual or not.
    pub(crate) fn keys(&self) -> Vec<&'static str> {
        self.0.keys().copied().collect()
    }

    /// What a parameter that is a number is; also a whole one, and a time in milliseconds.
    pub(crate) fn number(&self, parameter: &Parameter) -> f64 {
        match self.value(parameter) {
            Value::Number(number) => number,
            Value::Whole(number) => number as f64,
            Value::Time(span) => span.0 as f64 / 1e6,
            Value::Word(_) | Value::Latencies(_) => 0.0,
        }
    }

    /// What a parameter that is a whole number is; other numbers are rounded.
    pub(crate) fn whole(&self, parameter: &Parameter) -> u64 {
        match self.value(parameter) {
            Value::Whole(number) => number,
            _ => self.number(parameter) as u64,
        }
    }

    /// What a parameter that is a time is; a number counts as milliseconds.
    pub(crate) fn time(&self, parameter: &Parameter) -> Span {
        match self.value(parameter) {
            Value::Time(span) => span,
            _ => Span::from_secs_f64(self.number(parameter) / 1e3),
        }
    }

    /// What a parameter that is a word is.
    pub(crate) fn word(&self, parameter: &Parameter) -> &'static str {
        match self.value(parameter) {
            Value::Word(word) => word,
            _ => "",
        }
    }

    /// What a parameter that is latencies is; without any where it is something else.
    #[must_use]
    pub fn latencies(&self, parameter: &Parameter) -> LatencyMap {
        match self.value(parameter) {
            Value::Latencies(map) => map,
            _ => LatencyMap::default(),
        }
    }
}
