//! Drawn jobs of a storm: what is submitted, what its tasks write down, and what they give.

use std::path::Path;

use serde_json::{Value, json};

use crate::chaos::dice::Dice;
use crate::chaos::task::{self, chain, fibonacci};
use crate::door::base64;

/// What a job is made of, and what is done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Commands, one for each of some numbers.
    Commands,
    /// Calls of a function that the node has.
    Functions,
    /// Calls of a function of worker processes.
    Workers,
    /// Commands that wait for others and read their results.
    Graph,
    /// Commands whose first attempts fail.
    Flaky,
    /// Commands that fail until they are retried as a job.
    Failing,
    /// Commands of a job that is extended while it is open.
    Open,
    /// Commands of a job that is held at first.
    Held,
    /// Commands that go on until they are cancelled.
    Cancelled,
}

/// Each kind, as often as it is drawn.
const KINDS: [Kind; 16] = [
    Kind::Commands,
    Kind::Commands,
    Kind::Commands,
    Kind::Commands,
    Kind::Functions,
    Kind::Functions,
    Kind::Workers,
    Kind::Workers,
    Kind::Workers,
    Kind::Graph,
    Kind::Graph,
    Kind::Flaky,
    Kind::Failing,
    Kind::Open,
    Kind::Held,
    Kind::Cancelled,
];

/// A job on its way.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) key: String,
    pub(crate) kind: Kind,
    /// The request that submits it.
    pub(crate) body: Value,
    /// What its tasks write down, in the order of their numbers; of functions of the node their
    /// inputs.
    pub(crate) names: Vec<String>,
}

impl Job {
    /// Draws a job of at most so many tasks, but at least four, under a key of its own.
    pub(crate) fn draw(key: String, script: &Path, most: u64, dice: &mut Dice) -> Self {
        let kind = KINDS[dice.below(KINDS.len() as u64) as usize];
        Self::of(kind, key, script, 1 + dice.below(most.clamp(4, 24)), dice)
    }

    /// A few commands that wait for another job.
    pub(crate) fn behind(key: String, script: &Path, after: u64, dice: &mut Dice) -> Self {
        let count = 1 + dice.below(4);
        let mut job = Self::of(Kind::Commands, key, script, count, dice);
        job.body["after"] = json!([after]);
        job
    }

    fn of(kind: Kind, key: String, script: &Path, count: u64, dice: &mut Dice) -> Self {
        let number = |n: u64| format!("{key}/{n}");
        let names: Vec<String> = match kind {
            Kind::Functions => (1..=count).map(|n| (n + 1).to_string()).collect(),
            Kind::Graph => task::graph_names(&key, count.div_ceil(4)),
            _ => (1..=count).map(number).collect(),
        };
        let mut job = Self { key, kind, body: Value::Null, names };
        let mut body = job.content(script, count, dice);
        body["tags"] = json!({ "key": job.key });
        body["idempotency_key"] = json!(job.key);
        body["priority"] = json!(dice.below(7) as i64 - 3);
        body["hold"] = json!(kind == Kind::Held);
        body["open"] = json!(kind == Kind::Open);
        job.body = body;
        job
    }

    fn content(&self, script: &Path, count: u64, dice: &mut Dice) -> Value {
        let script = script.to_string_lossy();
        let command = |mode: &str| {
            let word = format!("{}/{{}}", self.key);
            json!({ "command": ["sh", script, word, mode], "array": format!("1-{count}") })
        };
        let tasks = match self.kind {
            Kind::Functions => {
                let inputs: Vec<String> = self.names.iter().map(|n| base64(n.as_bytes())).collect();
                json!({ "function": "fibonacci", "inputs": inputs })
            }
            Kind::Workers => {
                let millis = [0, 0, 1, 5, 40][dice.below(5) as usize];
                let input = |name: &String| base64(format!("{name} {millis}").as_bytes());
                let inputs: Vec<String> = self.names.iter().map(input).collect();
                json!({ "function": "scribe", "inputs": inputs })
            }
            Kind::Graph => {
                let file = task::graph(&script, &self.key, count.div_ceil(4));
                return json!({ "file": file });
            }
            Kind::Flaky => {
                let mut tasks = command("flaky");
                tasks["retries"] = json!(2);
                tasks
            }
            Kind::Failing => command("failing"),
            Kind::Cancelled => command("long"),
            Kind::Commands | Kind::Open | Kind::Held => command("plain"),
        };
        json!({ "tasks": tasks })
    }

    /// A request that adds so many tasks, and what they write down.
    pub(crate) fn more(&self, script: &Path, turn: u64, count: u64) -> (Value, Vec<String>) {
        let prefix = format!("{}/x{turn}-", self.key);
        let word = format!("{prefix}{{}}");
        let command = json!(["sh", script.to_string_lossy(), word, "plain"]);
        let body = json!({ "tasks": { "command": command, "array": format!("1-{count}") } });
        (body, (1..=count).map(|n| format!("{prefix}{n}")).collect())
    }

    /// Whether its tasks write down that they start.
    pub(crate) fn marks(&self) -> bool {
        self.kind != Kind::Functions
    }

    /// What each task gives, in the order of their numbers.
    pub(crate) fn results(&self) -> Vec<String> {
        let of = |name: &String| match self.kind {
            Kind::Functions => fibonacci(name.parse().unwrap_or_default()).to_string(),
            Kind::Graph => chain(name),
            _ => name.clone(),
        };
        self.names.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Job, Kind};
    use crate::chaos::dice::Dice;

    #[test]
    fn every_kind_is_drawn_and_knows_its_results() {
        let mut dice = Dice::new(1);
        let jobs: Vec<Job> =
            (0..200).map(|n| Job::draw(format!("k{n}"), Path::new("s"), 20, &mut dice)).collect();
        for kind in super::KINDS {
            assert!(jobs.iter().any(|job| job.kind == kind), "{kind:?}");
        }
        for job in jobs {
            assert_eq!(job.results().len(), job.names.len());
            if job.kind == Kind::Graph {
                let (key, last) = (&job.key, job.results().len() - 2);
                let each = (job.names.len() - 1) / 3;
                let wanted = format!("{key}/c{each}{key}/b{each}{key}/a{each}");
                assert_eq!(job.results()[last], wanted);
            }
        }
    }
}
