//! A policy swapped on a node: what it gained, and what the simulator had foretold from the trace
//! of the work under the policy before.

mod work;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bench::bary::{program, told};
use crate::bench::figure::{Bound, Row, median};
use crate::bench::swap::work::Work;
use crate::door::{Answer, Door, Unanswered};
use crate::node::Node;
use crate::process::printed;
use crate::repo::Repo;

/// How many nodes of one slot run the work.
const NODES: u32 = 8;
/// How often each work runs under both policies, each time on a fresh node.
const TURNS: usize = 3;
/// How long a message between two nodes of one process takes, as far as a simulation needs it.
const LATENCY: &str = "100us";

/// A work, the policies before and after the swap, and what counts.
struct Case {
    work: fn() -> Work,
    before: &'static str,
    after: &'static str,
    counts: Counts,
    /// What its figures are called.
    gain: &'static str,
    off: &'static str,
}

/// What is to be small.
#[derive(Clone, Copy)]
enum Counts {
    /// Until the last task has ended.
    Makespan,
    /// From when a task came to its end, on average.
    Response,
}

const CASES: &[Case] = &[
    Case {
        work: work::heavy,
        before: "fifo",
        after: "heaviest-first",
        counts: Counts::Makespan,
        gain: "few heavy tasks, fifo to heaviest-first, makespan after over before",
        off: "the same, foretold beside measured",
    },
    Case {
        work: work::graph,
        before: "fifo",
        after: "b-level",
        counts: Counts::Makespan,
        gain: "a chain behind short tasks, fifo to b-level, makespan after over before",
        off: "the same, foretold beside measured",
    },
    Case {
        work: work::bursts,
        before: "fcfs",
        after: "shortest-remaining",
        counts: Counts::Response,
        gain: "short and long jobs, fcfs to shortest-remaining, response after over before",
        off: "the same, foretold beside measured",
    },
];

/// What one turn gave: a figure under both policies, as measured and as foretold.
struct Turn {
    measured: [f64; 2],
    foretold: [f64; 2],
}

impl Turn {
    fn gain(figures: [f64; 2]) -> f64 {
        figures[1] / figures[0]
    }

    /// How far the foretold gain is from the measured one, in percent.
    fn off(&self) -> f64 {
        (Self::gain(self.foretold) / Self::gain(self.measured) - 1.0).abs() * 100.0
    }
}

/// Measures all cases.
pub(crate) fn run(repo: &Repo) -> Result<Vec<Row>, String> {
    let bary = program(repo)?;
    let mut rows = Vec::new();
    for case in CASES {
        let turns: Vec<Turn> =
            (0..TURNS).map(|_| case.turn(&bary)).collect::<Result<_, String>>()?;
        let foretold: Vec<f64> = turns.iter().map(|turn| Turn::gain(turn.foretold)).collect();
        let peer = Some(("foretold", median(&foretold)));
        let runs = turns.iter().map(|turn| Turn::gain(turn.measured)).collect();
        rows.push(Row { figure: case.gain, runs, unit: "", bound: None, peer });
        let runs = turns.iter().map(Turn::off).collect();
        let bound = Some(Bound::AtMost(10.0));
        rows.push(Row { figure: case.off, runs, unit: "%", bound, peer: None });
    }
    Ok(rows)
}

impl Case {
    /// Runs the work under the policy before, foretells both from its trace, swaps the policy of
    /// the same node, and runs the work again.
    fn turn(&self, bary: &PathBuf) -> Result<Turn, String> {
        let folder = std::env::temp_dir().join(format!("bary-bench-swap-{}", std::process::id()));
        let _gone = Gone(folder.clone());
        let mut node = Node::new(bary, &folder)?;
        let nodes = NODES.to_string();
        let flags = ["--nodes", &nodes, "-j", "1", "--policy", self.before];
        let mut door = node.begin(&flags, &[])?;
        let before = self.live(&mut door)?;
        let foretold = self.foretell(bary, &node)?;
        let set = door.ask("PUT", "/v1/policy", Some(&json!({ "preset": self.after })));
        answered(set)?;
        let after = self.live(&mut door)?;
        node.drain()?;
        let turn = Turn { measured: [before, after], foretold };
        let [before, after] = turn.measured.map(|seconds| format!("{seconds:.3}"));
        let [first, second] = turn.foretold.map(|seconds| format!("{seconds:.3}"));
        eprintln!(
            "  {} {before} s (simulated {first}), {} {after} s (simulated {second})",
            self.before, self.after
        );
        Ok(turn)
    }

    /// Runs the work on the node, each job when it is due.
    fn live(&self, door: &mut Door) -> Result<f64, String> {
        let work: Vec<(f64, Value)> = (self.work)()
            .into_iter()
            .map(|(at, file)| (at, json!({ "file": file.to_string() })))
            .collect();
        let (begun, mut jobs) = (Instant::now(), Vec::new());
        for (at, job) in &work {
            std::thread::sleep(Duration::from_secs_f64(*at).saturating_sub(begun.elapsed()));
            let reply = answered(door.post("/v1/jobs", job))?;
            jobs.push(reply["job"].as_u64().ok_or("a submission has no number")?);
        }
        let mut spans = Vec::new();
        for job in jobs {
            while answered(door.get(&format!("/v1/jobs/{job}/wait?timeout=60")))?["done"] != true {}
            let reply = answered(door.get(&format!("/v1/jobs/{job}/tasks")))?;
            let tasks = reply["tasks"].as_array().ok_or("a job has no tasks")?;
            for task in tasks {
                let spans_of = [&task["wait_seconds"], &task["run_seconds"]].map(Value::as_f64);
                let [Some(waited), Some(ran)] = spans_of else {
                    return Err(format!("a task has no times: {task}"));
                };
                spans.push(waited + ran);
            }
        }
        Ok(match self.counts {
            Counts::Makespan => spans.iter().copied().fold(0.0, f64::max),
            Counts::Response => spans.iter().sum::<f64>() / spans.len() as f64,
        })
    }

    /// What the simulator makes of the node's trace under both policies.
    fn foretell(&self, bary: &PathBuf, node: &Node) -> Result<[f64; 2], String> {
        let mut export = node.program();
        export.args(["trace", "export", "--out", "work.trace", "--addr", node.address()]);
        export.arg("--token-file").arg(node.token());
        printed(export)?;
        let scenario = format!(
            "seeds = 3\n[[nodes]]\ncount = {NODES}\n[network]\nlatency = \"{LATENCY}\"\n\
             [[workload]]\ntrace = \"work.trace\"\n"
        );
        let file = node.folder().join("work.toml");
        std::fs::write(&file, scenario).map_err(|cause| format!("{}: {cause}", file.display()))?;
        let file = file.to_string_lossy();
        let policies = format!("{};{}", self.before, self.after);
        let lived = told(bary, &["sim", &file, "--policy", &policies, "-o", "json"])?;
        let measure = match self.counts {
            Counts::Makespan => "makespan_seconds",
            Counts::Response => "response_mean_seconds",
        };
        let of = |at: usize| {
            let median = &lived["policies"][at]["measures"][measure]["median"];
            median.as_f64().ok_or_else(|| format!("the simulator tells no {measure}"))
        };
        Ok([of(0)?, of(1)?])
    }
}

/// What the node answered, where it did what was asked.
fn answered(answer: Result<Answer, Unanswered>) -> Result<Value, String> {
    let answer = answer.map_err(|fault| fault.to_string())?;
    if answer.status == 200 { answer.json() } else { Err(answer.text()) }
}

/// A folder that goes with this.
struct Gone(PathBuf);

impl Drop for Gone {
    fn drop(&mut self) {
        if let Err(cause) = std::fs::remove_dir_all(&self.0) {
            eprintln!("{}: {cause}", self.0.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Turn;

    #[test]
    fn how_far_off_is_of_the_gain_and_not_of_the_times() {
        let turn = Turn { measured: [10.0, 5.0], foretold: [20.0, 11.0] };
        assert!((turn.off() - 10.0).abs() < 1e-9);
    }
}
