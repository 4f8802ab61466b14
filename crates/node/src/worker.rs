//! Workers: programs in any language that run functions. Each is a node of its own in the cluster,
//! whose executor is the stream that it has to this process.

use bary_api::problem::{Kind, Refused};
use bary_api::v1::Register;
use bary_model::id::NodeId;
use bary_model::node::{NodeInfo, Offers};
use bary_model::resources::Resources;

use crate::options::machine_memory;

pub(crate) mod executor;
pub(crate) mod seat;
pub(crate) mod suspects;
pub(crate) mod talk;

mod live;
mod translate;

/// Most tasks that a worker may say it runs at a time.
const SLOTS_MAX: u32 = 4_096;
/// Most functions, and most labels, of a worker.
const WORDS_MAX: usize = 10_000;
/// Most bytes of a worker's name, of a function's and of a label.
const WORD_BYTES_MAX: usize = 255;

/// The limits of workers as the documentation lists them: name, default and meaning.
pub(crate) const TABLE: &[(&str, &str, &str)] = &[
    ("worker_slots_max", "4,096", "tasks that a worker may say it runs at a time"),
    ("worker_words_max", "10,000", "functions, and labels, that a worker may name"),
    ("worker_word_bytes_max", "255", "bytes of a worker's name, of a function's and of a label"),
    ("worker_run_bytes_max", "4 MiB", "bytes of inputs in one message, where it has several tasks"),
    (
        "worker_kill_grace",
        "5 s",
        "how long a worker has to end what is killed before it is cut off",
    ),
    ("worker_register_timeout", "20 s", "how long a worker has to say what it offers"),
    ("worker_suspects_max", "100,000", "tasks that are run alone since a worker went with them"),
    ("worker_output_bytes_max", "1 MiB", "bytes kept of what a task's worker says it printed"),
    ("workers_gone_max", "1,000", "workers that have left and are still remembered"),
];

/// What a worker's first message makes it: a node without an id.
///
/// # Errors
/// Where it says what cannot be.
pub(crate) fn node_of(register: Register) -> Result<NodeInfo, Refused> {
    let Register { name, functions, slots, labels, memory, gpus } = register;
    if slots > SLOTS_MAX {
        let title = format!("a worker has at most {SLOTS_MAX} slots, not {slots}");
        return Err(Refused::new(Kind::Invalid, title));
    }
    if functions.len() > WORDS_MAX || labels.len() > WORDS_MAX {
        let title = format!("a worker names at most {WORDS_MAX} functions, and labels");
        return Err(Refused::new(Kind::TooLarge, title));
    }
    if functions.is_empty() {
        let title = "a worker without functions would never be given a task";
        return Err(Refused::new(Kind::Invalid, title).help("register at least one function"));
    }
    if !(gpus.is_finite() && (0.0..=1e6).contains(&gpus)) {
        return Err(Refused::new(Kind::Invalid, format!("{gpus} is no number of GPUs")));
    }
    if !name.is_empty() {
        check("the worker", &name)?;
    }
    functions.iter().try_for_each(|function| check("a function", function))?;
    labels.iter().try_for_each(|(label, value)| {
        check("a label", label)?;
        if value.is_empty() { Ok(()) } else { check("a label's value", value) }
    })?;
    let slots = slots.max(1);
    let memory = if memory == 0 { machine_memory() } else { memory };
    let milli_gpus = (gpus * 1e3).round() as u64;
    let functions = functions.into_iter().map(Into::into).collect();
    Ok(NodeInfo {
        id: NodeId::ANY,
        name: name.into(),
        region: "local".into(),
        resources: Resources { memory, milli_gpus, ..Resources::cpus(slots) },
        slots,
        speed: 1.0,
        labels: labels.into_iter().map(|(label, value)| (label.into(), value.into())).collect(),
        offers: Offers { commands: false, functions: Some(functions) },
    })
}

fn check(what: &str, word: &str) -> Result<(), Refused> {
    if word.is_empty() || word.len() > WORD_BYTES_MAX || word.chars().any(char::is_control) {
        let title = format!("{what} has 1 to {WORD_BYTES_MAX} bytes without control characters");
        return Err(Refused::new(Kind::Invalid, title));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register() -> Register {
        Register { functions: vec!["f".to_owned()], ..Register::default() }
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        let node = node_of(Register { gpus: 0.5, ..register() }).expect("it is good");
        assert_eq!((node.slots, node.resources.milli_cpus), (1, 1_000));
        assert_eq!((node.resources.milli_gpus, node.offers.commands), (500, false));
        assert!(node.offers.has(Some("f")) && !node.offers.has(Some("g")));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let wrong = [
            Register { slots: SLOTS_MAX + 1, ..register() },
            Register { functions: Vec::new(), ..register() },
            Register { functions: vec![String::new()], ..register() },
            Register { functions: vec!["f".to_owned(); WORDS_MAX + 1], ..register() },
            Register { name: "a\nb".to_owned(), ..register() },
            Register { name: "x".repeat(WORD_BYTES_MAX + 1), ..register() },
            Register { gpus: f64::NAN, ..register() },
            Register { gpus: -1.0, ..register() },
        ];
        for register in wrong {
            assert!(node_of(register.clone()).is_err(), "{register:?}");
        }
    }
}
