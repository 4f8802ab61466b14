//! Presets, parts and parameters: what parses, what is refused, and what is shown.

use super::*;
use crate::parameter::{Domain, Value, table};
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
    assert_eq!(shown("gravity,alpha=0.5,quarter=1000us"), gravity, "usual values are not shown");
    let stealing = "binding=push,order=fifo,force=round-robin,steal=half";
    assert_eq!(shown("work-stealing"), stealing);
    let line = "queue=easy,share.ann=2.5";
    assert_eq!(shown("gravity,share.ann=2.5,queue=easy"), format!("{gravity},{line}"));
    assert_eq!(parse(" gravity , order = fifo ").map(|p| p.name), Ok("gravity,order=fifo".into()));
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
    let looks = |text| parse(text).map(|policy| [5, 1_000].map(|len| policy.looks_at(len)));
    assert_eq!(looks("gravity"), Ok([None, None]));
    assert_eq!(looks("gravity,looks=100"), Ok([None, Some(100)]));
    assert_eq!(looks("power-of-two,looks=100"), Ok([Some(2), Some(2)]));
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
            Part::Force => parameter.of.contains(&force),
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
