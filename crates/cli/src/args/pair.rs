//! `name=value` as flags take it: parameters, variables, labels, named resources.

use bary_model::task::LabelRule;

/// A name and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// A countable thing and how many of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Countable {
    pub(crate) name: String,
    pub(crate) count: u64,
}

/// Why a text is no pair. Nothing was changed; the user writes another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PairError {
    #[error("`{0}` has no name and value; write {1}")]
    Form(String, &'static str),
    #[error("`{0}` is not a whole number above 0")]
    Count(String),
    #[error("the environment has no `{0}`; write NAME=VALUE to give it one")]
    NotSet(String),
}

/// Reads `name=value`; the value may be empty.
pub(crate) fn pair(text: &str) -> Result<Pair, PairError> {
    let wrong = || PairError::Form(text.to_owned(), "NAME=VALUE");
    let (name, value) = text.split_once('=').ok_or_else(wrong)?;
    if name.is_empty() {
        return Err(wrong());
    }
    Ok(Pair { name: name.to_owned(), value: value.to_owned() })
}

/// Reads `name=value`, or takes the value of `name` from the environment.
pub(crate) fn env_pair(text: &str) -> Result<Pair, PairError> {
    if text.is_empty() || text.contains('=') {
        return pair(text);
    }
    match std::env::var(text) {
        Ok(value) => Ok(Pair { name: text.to_owned(), value }),
        Err(_) => Err(PairError::NotSet(text.to_owned())),
    }
}

/// Reads `name=count`.
pub(crate) fn countable(text: &str) -> Result<Countable, PairError> {
    let Pair { name, value } = pair(text)?;
    match value.replace('_', "").parse() {
        Ok(count) if count > 0 => Ok(Countable { name, count }),
        _ => Err(PairError::Count(value)),
    }
}

/// Reads `label=value`, or `label-`, which takes a label away and is read as one without a value.
pub(crate) fn label_change(text: &str) -> Result<Pair, PairError> {
    let gone = text.strip_suffix('-').filter(|name| !name.is_empty() && !name.contains('='));
    match gone {
        Some(name) => Ok(Pair { name: name.to_owned(), value: String::new() }),
        None => pair(text).map_err(|_| PairError::Form(text.to_owned(), "LABEL=VALUE or LABEL-")),
    }
}

/// Reads `label=value` or `label!=value`.
pub(crate) fn label_rule(text: &str) -> Result<LabelRule, PairError> {
    let wrong = || PairError::Form(text.to_owned(), "LABEL=VALUE or LABEL!=VALUE");
    let Pair { name, value } = pair(text).map_err(|_| wrong())?;
    let (label, not) = name.strip_suffix('!').map_or((name.as_str(), false), |label| (label, true));
    if label.is_empty() {
        return Err(wrong());
    }
    Ok(LabelRule { label: label.into(), value: value.into(), not })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_hold_equal_signs() {
        let read = pair("A=b=c").expect("it has a name and a value");
        assert_eq!((read.name.as_str(), read.value.as_str()), ("A", "b=c"));
        assert!(pair("=x").is_err());
        assert!(pair("x").is_err());
        assert_eq!(countable("gpu=0"), Err(PairError::Count("0".into())));
    }

    #[test]
    fn a_label_is_given_or_taken_away() {
        let read = |text| label_change(text).map(|pair| (pair.name, pair.value));
        assert_eq!(read("disk=ssd-"), Ok(("disk".into(), "ssd-".into())));
        assert_eq!(read("disk-"), Ok(("disk".into(), String::new())));
        assert!(read("disk").is_err() && read("-").is_err() && read("=x").is_err());
    }

    #[test]
    fn a_label_may_have_to_differ() {
        let rule = label_rule("disk!=hdd").expect("it is a rule");
        assert_eq!((&*rule.label, &*rule.value, rule.not), ("disk", "hdd", true));
        assert!(label_rule("!=hdd").is_err());
    }
}
