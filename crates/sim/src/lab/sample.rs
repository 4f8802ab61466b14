//! Scenarios to begin with, with comments that explain them.

use std::path::Path;
use std::sync::Arc;

use bary_jobfile::keys::{Key, Shape};
use bary_trace::trace::Trace;

use crate::lab::keys::TOP;
use crate::lab::scenario::{self, Scenario};

/// One of them.
#[derive(Debug)]
pub struct Sample {
    /// Its name.
    pub name: &'static str,
    /// What it shows, in one line.
    pub what: &'static str,
    /// Its file.
    pub text: &'static str,
}

macro_rules! sample {
    ($name:literal, $what:literal) => {
        Sample {
            name: $name,
            what: $what,
            text: include_str!(concat!("../../../../examples/scenarios/", $name, ".toml")),
        }
    };
}

/// Every sample; the first is what runs where no scenario is named.
pub static SAMPLES: [Sample; 16] = [
    sample!("default", "ten equal nodes, a thousand tasks at once"),
    sample!("lan", "nodes of unequal speed"),
    sample!("regions", "two regions, 50 ms apart"),
    sample!("arrivals", "tasks that come one by one, at 0.8 of what the nodes can do"),
    sample!("heavy-tail", "few heavy tasks, and weights that are wrong"),
    sample!("graphs", "tasks that wait for others"),
    sample!("data", "tasks that hand megabytes to each other, between two regions"),
    sample!("faults", "crashes, a slow node, a region cut off, lost messages"),
    sample!("gossip", "nodes that learn of each other by gossip, and two that die"),
    sample!("scaling", "nodes that come and go at a rule's word, over a day"),
    sample!("adaptive", "tasks that are made while nodes have room for them"),
    sample!("burst", "twenty tasks of a second on five nodes"),
    sample!("gradual", "ten tasks that come one after another"),
    sample!("long", "five tasks of five seconds on five nodes"),
    sample!("skew", "four fifths of all tasks at a tenth of the homes, in five regions"),
    sample!("pids", "the world of the published PIDS table"),
];

impl Sample {
    /// Its file with all that a scenario may say besides, as comments.
    #[must_use]
    pub fn with_all_keys(&self) -> String {
        let mut text = format!("{}\n# All that a scenario may say:\n#\n", self.text.trim_end());
        let (tables, plain): (Vec<&Key>, Vec<&Key>) = TOP.iter().partition(|key| is_table(key));
        plain.into_iter().for_each(|key| comment(&mut text, key));
        for table in tables {
            let doc = table.doc.trim_end_matches('.');
            text += &format!("#\n# {}  # {doc}\n", table.example);
            keys_of(&table.shape).iter().for_each(|key| comment(&mut text, key));
        }
        text
    }
}

/// Whether a key is a table of its own, rather than a line.
fn is_table(key: &Key) -> bool {
    key.example.starts_with('[')
}

fn keys_of(shape: &Shape) -> &'static [Key] {
    match shape {
        Shape::Record(keys) => keys,
        Shape::List(of) => keys_of(of),
        _ => &[],
    }
}

/// A line for a key, and one for each key of its table where it is one.
fn comment(text: &mut String, key: &Key) {
    let usual = if key.default.is_empty() { "" } else { " Usually " };
    *text += &format!("# {}  # {}{usual}{}\n", key.example, key.doc, key.default);
    for inner in keys_of(&key.shape) {
        *text += &format!("#     {}  # {}\n", inner.example, inner.doc);
    }
}

/// The sample of a name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Sample> {
    SAMPLES.iter().find(|sample| sample.name == name)
}

/// Samples name no traces.
fn none(name: &str) -> std::io::Result<Vec<u8>> {
    Err(std::io::Error::other(format!("a sample cannot read {name}")))
}

/// What runs where no scenario is named.
///
/// # Panics
/// Never: a test reads every sample.
#[must_use]
pub fn usual() -> Scenario {
    match scenario::read(SAMPLES[0].text, Path::new("default.toml"), &mut none) {
        Ok(scenario) => scenario,
        Err(faults) => panic!("{} faults in a sample", faults.len()),
    }
}

/// A trace on ten nodes, each with as many cores as its largest task needs.
#[must_use]
pub fn of_trace(trace: Arc<Trace>) -> Scenario {
    let mut scenario = usual();
    let tasks = trace.jobs.iter().flat_map(|job| &job.tasks);
    let most = tasks.map(|task| task.milli_cpus).max().unwrap_or(0);
    let cores = most.div_ceil(1_000).clamp(1, u64::from(u32::MAX)) as u32;
    for group in &mut scenario.nodes {
        (group.cpus, group.slots) = (cores, cores);
    }
    scenario.replaced(trace)
}
