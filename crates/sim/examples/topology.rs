//! Prints what laying jobs out over regions gives in the engine itself, as a table of
//! docs/topology.md: `cargo run --release -p bary-sim --example topology [SEEDS] [FAMILY]`. With
//! the word `unseen` it does so on clusters and families that no rule was made on, with other
//! seeds; with `flow` it prints what room between homes gives in the sample `skew`, and with one
//! latency for all.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]
#![expect(clippy::print_stderr, reason = "why there is no table is no part of it")]

use std::ops::Range;
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
/// Where the rules were made: two equal regions.
const SEEN: [(&str, &str, u32); 1] = [(
    "2x16",
    "[[nodes]]\ncount = 16\nregion = \"a\"\n[[nodes]]\ncount = 16\nregion = \"b\"\n\
     [network]\nbandwidth = \"1GB\"\nbandwidth_between = \"25MB\"\n",
    25,
)];
/// Others, with the megabytes a second between their regions, which the rules are told.
const UNSEEN: [(&str, &str, u32); 2] = [
    (
        "3x8, 30 ms, 10 MB/s",
        "[[nodes]]\ncount = 8\nregion = \"a\"\n[[nodes]]\ncount = 8\nregion = \"b\"\n\
         [[nodes]]\ncount = 8\nregion = \"c\"\n\
         [network]\nbetween = \"30ms\"\nbandwidth = \"1GB\"\nbandwidth_between = \"10MB\"\n",
        10,
    ),
    (
        "12+4, 80 ms, 50 MB/s",
        "[[nodes]]\ncount = 12\nspeed = [0.5, 1, 2]\nregion = \"a\"\n\
         [[nodes]]\ncount = 4\nspeed = 2\nregion = \"b\"\n\
         [network]\nbetween = \"80ms\"\nbandwidth = \"1GB\"\nbandwidth_between = \"50MB\"\n",
        50,
    ),
];
const UNSEEN_FAMILIES: [(&str, &str); 3] = [
    ("layers", "width = 40\ndepth = 12"),
    ("chain", "width = 64\ndepth = 8"),
    ("fork-join", "width = 32\ndepth = 6"),
];
const UNSEEN_SIZES: [(&str, &str); 3] = [("30 KB", "30KB"), ("300 KB", "300KB"), ("3 MB", "3MB")];
/// The first of the seeds that no rule was made on.
const UNSEEN_SEED: u64 = 101;
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

fn scenario(nodes: &str, graph: &str, size: &str, output: &str) -> Result<Scenario, String> {
    let text = format!(
        "{nodes}[[workload]]\ngraph = \"{graph}\"\n{size}\ntasks = 1\noutput = \"{output}\"\n"
    );
    let mut none = |_: &str| Err(std::io::Error::other("there are no traces"));
    let read = scenario::read(&text, Path::new("topology.toml"), &mut none);
    read.map_err(|faults| format!("{} faults", faults.len()))
}

/// Lives each rule with each seed; those that look at bytes are told what goes between regions.
fn lived(scenario: &Scenario, seeds: Range<u64>, between: u32) -> Result<Runs, String> {
    let [time, bytes] = ["makespan_seconds", "megabytes_between"]
        .map(|name| compare::position(name).ok_or_else(|| format!("no measure {name}")));
    let (time, bytes) = (time?, bytes?);
    let mut runs = vec![Vec::new(); RULES.len()];
    for seed in seeds {
        let load = load(scenario, seed);
        for ((policy, _), runs) in RULES.iter().zip(&mut runs) {
            let told = if policy.contains("unit=") {
                format!(",between={between}")
            } else {
                String::new()
            };
            let policy = format!("{policy}{told}");
            let trial = trial::run(scenario, &load, &policy, seed).map_err(|e| e.to_string())?;
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

/// How much longer the last rule takes than the best of those that it chooses from, run by run.
fn regrets(runs: &Runs) -> Vec<f64> {
    let best =
        |at: usize| [0, 2, 3, 4].iter().map(|rule| runs[*rule][at].0).fold(f64::MAX, f64::min);
    runs[RULES.len() - 1].iter().enumerate().map(|(at, run)| run.0 / best(at)).collect()
}

/// Clusters, families with their shapes, and sizes.
type Cases<'a> =
    (&'a [(&'a str, &'a str, u32)], &'a [(&'a str, &'a str)], &'a [(&'a str, &'a str)]);

fn print(
    (clusters, families, sizes): Cases<'_>,
    seeds: &Range<u64>,
    only: Option<&str>,
) -> Result<(), String> {
    let heads: Vec<&str> = RULES[1..].iter().map(|(_, head)| *head).collect();
    println!("| nodes | family | bytes | least-loaded, s | {} | T3 / best |", heads.join(" | "));
    println!("|---|---|---|---|{}---|", "---|".repeat(heads.len()));
    let (mut all, mut worst): (Vec<Vec<(f64, f64)>>, Vec<f64>) = (Vec::new(), Vec::new());
    for (cluster, nodes, between) in clusters {
        for (family, shape) in families.iter().filter(|one| only.is_none_or(|only| only == one.0)) {
            for (name, output) in sizes {
                let scenario = scenario(nodes, family, shape, output)?;
                let runs = lived(&scenario, seeds.clone(), *between)?;
                let cells = relative(&runs);
                let least = mean(runs[0].iter().map(|run| run.0));
                let regret = geometric(regrets(&runs).into_iter());
                let cells_text = row(&cells);
                println!(
                    "| {cluster} | {family} | {name} | {least:.2} | {cells_text} | {regret:.2} |"
                );
                all.push(cells);
                worst.push(regret);
            }
        }
    }
    let of = |rule: usize| {
        let times = all.iter().map(move |cells| cells[rule].0);
        let bytes = all.iter().map(move |cells| cells[rule].1);
        (geometric(times), mean(bytes))
    };
    let means: Vec<(f64, f64)> = (0..RULES.len()).map(of).collect();
    let regret = geometric(worst.iter().copied());
    println!("| all | geometric mean (bytes: mean) | | | {} | {regret:.2} |", row(&means));
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
        Some("unseen") => {
            let cases = (&UNSEEN[..], &UNSEEN_FAMILIES[..], &UNSEEN_SIZES[..]);
            print(cases, &(UNSEEN_SEED..UNSEEN_SEED + seeds), None)
        }
        family => print((&SEEN, &FAMILIES, &SIZES), &(1..1 + seeds), family),
    };
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
