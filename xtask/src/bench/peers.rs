//! Other systems beside ours in the same run: what a call costs, how many a second, and how many in
//! chunks. The scripts are in `bench/peers`; what they need is installed under `target/peers`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::bench::bary::{number, program};
use crate::bench::figure::{Bound, Row, median};
use crate::bench::node;
use crate::process::printed;
use crate::repo::Repo;
use crate::setup;

/// How often every system is asked, in turn.
const ROUNDS: usize = 3;
/// What pip is asked for.
const PACKAGES: &[&str] = &[
    "celery==5.7.0",
    "cloudpickle==3.1.2",
    "distributed==2026.8.0",
    "grpcio==1.85.1",
    "nats-py",
    "ray==2.60.0",
    "redis",
];
/// The exit code of a script that has nothing to measure.
const SKIPPED: i32 = 77;

/// A system that is measured.
struct System {
    name: &'static str,
    script: &'static str,
    /// What it gave so far, one value a round.
    runs: Vec<Value>,
    /// Why it is not measured.
    lack: Option<String>,
}

const fn system(name: &'static str, script: &'static str) -> System {
    System { name, script, runs: Vec::new(), lack: None }
}

/// What the scripts print: the key, what it is, its unit, and how many of the unit one is.
const FIGURES: [(&str, &str, &str, f64); 4] = [
    ("p50_us", "a call from Python to its result, p50", "ms", 1e-3),
    ("p99_us", "the same, p99", "ms", 1e-3),
    ("submit_rate", "calls from Python, each by itself", "1/s", 1.0),
    ("map_rate", "calls from Python in chunks of 100", "1/s", 1.0),
];

/// Measures ours and every peer that is to be had.
pub(crate) fn run(repo: &Repo) -> Result<Vec<Row>, String> {
    let bary = program(repo)?;
    let python = environment(repo)?;
    for lack in setup::servers() {
        eprintln!("peers: {lack}");
    }
    let trips = node::round_trips(repo, &bary)?;
    let mut ours = system("Barycenter", "barycenter.py");
    let mut peers = vec![
        system("process pool", "pool.py"),
        system("Celery and Redis", "celery_redis.py"),
        system("Dask", "dask_cluster.py"),
        system("Ray", "ray_node.py"),
        system("JetStream", "jetstream.py"),
    ];
    for round in 1..=ROUNDS {
        for system in std::iter::once(&mut ours).chain(&mut peers) {
            eprintln!("  round {round} of {ROUNDS}: {}", system.name);
            measure(repo, &bary, &python, system);
        }
    }
    if let Some(lack) = ours.lack {
        return Err(format!("ours was not measured: {lack}"));
    }
    for System { name, lack, .. } in &peers {
        if let Some(lack) = lack {
            eprintln!("peers: SKIPPED {name}: {lack}");
        }
    }
    peers.retain(|peer| peer.lack.is_none());
    rows(&trips, &ours, &peers)
}

/// Runs the script of a system once.
fn measure(repo: &Repo, bary: &Path, python: &Path, system: &mut System) {
    if system.lack.is_some() {
        return;
    }
    let mut command = Command::new(python);
    command.arg(repo.root.join("bench/peers").join(system.script)).current_dir(&repo.root);
    command.env("BARY_PROGRAM", bary).env("PYTHONPATH", repo.root.join("python"));
    command.env("PYTHONDONTWRITEBYTECODE", "1").env_remove("BARY_ADDR").env_remove("BARY_TOKEN");
    let output = command.stdin(Stdio::null()).output();
    match output.map_err(|cause| cause.to_string()).and_then(told) {
        Ok(told) => system.runs.push(told),
        Err(lack) => system.lack = Some(lack),
    }
}

/// What a script printed, or why it did not.
fn told(output: std::process::Output) -> Result<Value, String> {
    let last = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        text.trim_end().lines().last().unwrap_or_default().to_owned()
    };
    if !output.status.success() {
        let skipped = output.status.code() == Some(SKIPPED);
        let how = if skipped { String::new() } else { format!("{}: ", output.status) };
        return Err(format!("{how}{}", last(&output.stderr)));
    }
    let line = last(&output.stdout);
    serde_json::from_str(&line).map_err(|cause| format!("`{line}` is no figure: {cause}"))
}

/// Ours beside each peer.
fn rows(trips: &[Value], ours: &System, peers: &[System]) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    let pick = |runs: &[Value], key: &str, unit: f64| -> Result<Vec<f64>, String> {
        runs.iter().map(|run| Ok(number(run, key)? * unit)).collect()
    };
    let rust = [
        ("p50_ms", "p50_us", "a call from Rust to its result, p50", 0.2),
        ("p99_ms", "p99_us", "the same, p99", 1.0),
    ];
    for (key, theirs, figure, most) in rust {
        for peer in peers {
            let value = median(&pick(&peer.runs, theirs, 1e-3)?);
            rows.push(Row {
                figure,
                runs: pick(trips, key, 1.0)?,
                unit: "ms",
                bound: Some(Bound::AtMost(most)),
                peer: Some((peer.name, value)),
            });
        }
    }
    for (key, figure, unit, scale) in FIGURES {
        for peer in peers {
            let value = median(&pick(&peer.runs, key, scale)?);
            rows.push(Row {
                figure,
                runs: pick(&ours.runs, key, scale)?,
                unit,
                bound: bound(key, peer.name, value),
                peer: Some((peer.name, value)),
            });
        }
    }
    Ok(rows)
}

/// What is promised of a figure beside a peer's.
fn bound(key: &str, peer: &str, theirs: f64) -> Option<Bound> {
    match (key, peer) {
        ("p50_us", _) => Some(Bound::AtMost(0.5)),
        ("submit_rate", "Ray") => Some(Bound::AtLeast(5.0 * theirs)),
        ("map_rate", _) => Some(Bound::AtLeast(50_000.0)),
        _ => None,
    }
}

/// A Python with the peers' packages; those that cannot be had are missed by their scripts.
fn environment(repo: &Repo) -> Result<PathBuf, String> {
    let place = repo.root.join("target").join("peers");
    let python = place.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if !python.exists() {
        let mut command = Command::new("python3");
        command.args(["-m", "venv"]).arg(&place);
        printed(command)?;
    }
    for package in PACKAGES {
        let mut command = Command::new(&python);
        command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]);
        if let Err(complaint) = printed(command) {
            let last = complaint.trim_end().lines().last().unwrap_or_default();
            eprintln!("peers: pip did not install {package}: {last}");
        }
    }
    Ok(python)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{FIGURES, rows, system};
    use crate::bench::figure::table;

    #[test]
    fn each_figure_stands_beside_each_peer() {
        let run = |factor: f64| {
            json!({ "p50_us": 100.0 * factor, "p99_us": 200.0 * factor,
            "submit_rate": 1e4 / factor, "map_rate": 1e5 / factor })
        };
        let mut ours = system("Barycenter", "");
        ours.runs = vec![run(1.0)];
        let mut peers = [system("Ray", ""), system("Dask", "")];
        peers.iter_mut().for_each(|peer| peer.runs = vec![run(4.0), run(8.0), run(9.0)]);
        let trips = [json!({ "p50_ms": 0.1, "p99_ms": 0.2 })];
        let rows = rows(&trips, &ours, &peers).expect("all figures are there");
        assert_eq!(rows.len(), (2 + FIGURES.len()) * 2);
        let text = table(&[("peers", rows)]);
        let submits = text.lines().find(|line| line.contains("each by itself"));
        let submits = submits.expect("it is a row");
        assert!(
            submits.contains("10000") && submits.contains("≥ 6250") && submits.contains("kept")
        );
        assert!(submits.contains("Ray 1250") && submits.contains("8.00"), "{submits}");
    }
}
