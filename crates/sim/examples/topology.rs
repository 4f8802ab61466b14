//! Prints what laying jobs out over regions gives in the engine itself, as a table of
//! docs/topology.md: `cargo run --release -p bary-sim --example topology [SEEDS] [FAMILY]`; and
//! with the word `flow` what room between homes gives in the sample `skew`, and with one latency
//! for all.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]
#![expect(clippy::print_stderr, reason = "why there is no table is no part of it")]

use std::path::Path;
use std::process::ExitCode;

use bary_sim::lab::load::load;
use bary_sim::lab::measures::MEASURES;
use bary_sim::lab::scenario::{self, Scenario};
use bary_sim::lab::{compare, sample, trial};

const FAMILIES: [(&str, &str); 4] = [
    ("stencil", "width = 32\ndepth = 20"),
    ("tree", "width = 256"),
    ("communities", "width = 64\ndepth = 8"),
    ("map-reduce", "width = 64"),
];
const SIZES: [(&str, &str); 4] =
    [("1 KB", "1KB"), ("100 KB", "100KB"), ("1 MB", "1MB"), ("10 MB", "10MB")];
/// The rules, each with its head; the first is what all others are held against.
const RULES: [(&str, &str); 6] = [
    ("least-loaded", "least-loaded"),
    ("gravity", "gravity"),
    ("eft,unit=10ms,bandwidth=1000", "T2"),
    ("topology,layout=one,unit=10ms,bandwidth=1000", "one region"),
    ("topology,layout=split,unit=10ms,bandwidth=1000", "split"),
    ("topology,unit=10ms,bandwidth=1000", "T3"),
];

/// Makespans in seconds and megabytes between regions, by rule and seed.
type Runs = Vec<Vec<(f64, f64)>>;

fn scenario(graph: &str, size: &str, output: &str) -> Result<Scenario, String> {
    let text = format!(
        "[[nodes]]\ncount = 16\nregion = \"a\"\n[[nodes]]\ncount = 16\nregion = \"b\"\n\
         [network]\nbandwidth = \"1GB\"\nbandwidth_between = \"25MB\"\n\
         [[workload]]\ngraph = \"{graph}\"\n{size}\ntasks = 1\noutput = \"{output}\"\n"
    );
    let mut none = |_: &str| Err(std::io::Error::other("there are no traces"));
    let read = scenario::read(&text, Path::new("topology.toml"), &mut none);
    read.map_err(|faults| format!("{} faults", faults.len()))
}

fn lived(scenario: &Scenario, seeds: u64) -> Result<Runs, String> {
    let [time, bytes] = ["makespan_seconds", "megabytes_between"]
        .map(|name| compare::position(name).ok_or_else(|| format!("no measure {name}")));
    let (time, bytes) = (time?, bytes?);
    let mut runs = vec![Vec::new(); RULES.len()];
    for seed in 1..=seeds {
        let load = load(scenario, seed);
        for ((policy, _), runs) in RULES.iter().zip(&mut runs) {
            let trial = trial::run(scenario, &load, policy, seed).map_err(|e| e.to_string())?;
            let of = |at: usize| (MEASURES[at].of)(&trial.measures);
            runs.push((of(time), of(bytes)));
        }
    }
    Ok(runs)
}

fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = values.clone().count().max(1);
    values.sum::<f64>() / count as f64
}

fn geometric(values: impl Iterator<Item = f64> + Clone) -> f64 {
    mean(values.map(|value| value.max(1e-9).ln())).exp()
}

/// Each rule's makespan over the first rule's, and its bytes.
fn relative(runs: &Runs) -> Vec<(f64, f64)> {
    let first = &runs[0];
    let bytes = mean(first.iter().map(|run| run.1)).max(1e-9);
    let rule = |runs: &Vec<(f64, f64)>| {
        let times = runs.iter().zip(first).map(|(run, first)| run.0 / first.0);
        (geometric(times), mean(runs.iter().map(|run| run.1)) / bytes)
    };
    runs.iter().map(rule).collect()
}

fn row(cells: &[(f64, f64)]) -> String {
    let cells = cells[1..].iter().map(|(time, bytes)| format!("{time:.2} ({bytes:.2})"));
    cells.collect::<Vec<_>>().join(" | ")
}

fn print(seeds: u64, only: Option<&str>) -> Result<(), String> {
    let heads: Vec<&str> = RULES[1..].iter().map(|(_, head)| *head).collect();
    println!("| family | bytes | least-loaded, s | {} |", heads.join(" | "));
    println!("|---|---|---|{}", "---|".repeat(heads.len()));
    let mut all: Vec<Vec<(f64, f64)>> = Vec::new();
    for (family, shape) in FAMILIES.iter().filter(|one| only.is_none_or(|only| only == one.0)) {
        for (name, output) in SIZES {
            let runs = lived(&scenario(family, shape, output)?, seeds)?;
            let cells = relative(&runs);
            let least = mean(runs[0].iter().map(|run| run.0));
            println!("| {family} | {name} | {least:.2} | {} |", row(&cells));
            all.push(cells);
        }
    }
    let of = |rule: usize| {
        let times = all.iter().map(move |cells| cells[rule].0);
        let bytes = all.iter().map(move |cells| cells[rule].1);
        (geometric(times), mean(bytes))
    };
    let means: Vec<(f64, f64)> = (0..RULES.len()).map(of).collect();
    println!("| all | geometric mean (bytes: mean) | | {} |", row(&means));
    Ok(())
}

const FLOWS: [&str; 4] = ["none", "greedy", "laplacian", "laplacian,flow_threshold=0.1"];

/// The sample `skew` as it is, and where all regions are one.
fn sites() -> Result<[(&'static str, String); 2], String> {
    let sample = sample::named("skew").ok_or("there is no sample skew")?;
    let mut near = sample.text.to_owned();
    for region in ["b", "c", "d", "e"] {
        near = near.replace(&format!("region = \"{region}\""), "region = \"a\"");
    }
    let rows = near.find("latencies = [").zip(near.find("[[workload]]"));
    let (from, to) = rows.ok_or("the sample has no latencies")?;
    near.replace_range(from..to, "latency = \"1ms\"\n\n");
    Ok([("five regions in a line", sample.text.to_owned()), ("one region", near)])
}

fn print_flows(seeds: u64) -> Result<(), String> {
    let columns = ["wait_mean_seconds", "wait_p99_seconds", "messages_per_task"];
    let columns = columns.map(|name| compare::position(name).unwrap_or_default());
    println!("| homes | flow | mean wait, ms | p99, ms | messages a task |\n|---|---|---|---|---|");
    for (name, text) in sites()? {
        let mut none = |_: &str| Err(std::io::Error::other("there are no traces"));
        let read = scenario::read(&text, Path::new("skew.toml"), &mut none);
        let scenario = read.map_err(|faults| format!("{} faults", faults.len()))?;
        for flow in FLOWS {
            let mut sums = [0.0; 3];
            for seed in 1..=seeds {
                let load = load(&scenario, seed);
                let trial = trial::run(&scenario, &load, &format!("gravity,flow={flow}"), seed);
                let measures = trial.map_err(|error| error.to_string())?.measures;
                for (sum, at) in sums.iter_mut().zip(columns) {
                    *sum += (MEASURES[at].of)(&measures) / seeds as f64;
                }
            }
            let [wait, late, messages] = sums;
            let (wait, late) = (wait * 1e3, late * 1e3);
            println!("| {name} | {flow} | {wait:.1} | {late:.0} | {messages:.1} |");
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let mut given = std::env::args().skip(1);
    let seeds = given.next().and_then(|seeds| seeds.parse().ok()).unwrap_or(3);
    let word = given.next();
    let printed = match word.as_deref() {
        Some("flow") => print_flows(seeds),
        family => print(seeds, family),
    };
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
