//! A node that stays, under load from another process: submissions, questions, round trips,
//! memory, and how soon it is there.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::bench::bary::{number, program, repeated};
use crate::bench::figure::{Bound, Row, median};
use crate::process::printed;
use crate::repo::Repo;

/// Seconds that each load of many connections goes on.
const SECONDS: &str = "3";

/// Measures a durable node, and one in memory where that is what is promised.
pub(crate) fn run(repo: &Repo) -> Result<Vec<Row>, String> {
    let (bary, load) = (program(repo)?, load(repo)?);
    let durable = |kind: &str, number: &str| loads(&bary, &load, true, kind, number);
    let memory = |kind: &str, number: &str| loads(&bary, &load, false, kind, number);
    let (singles, queries) = (durable("singles", SECONDS)?, durable("queries", SECONDS)?);
    let (disk_trips, trips) = (durable("round-trips", "2000")?, memory("round-trips", "5000")?);
    let workers = worker_trips(repo, &bary, &load)?;
    let (acked, lives) = (durable("batches", "500000")?, durable("lives", "300000")?);
    let memory_lives = memory("lives", "500000")?;
    let starts = repeated(|| Ok(Node::start(&bary, true)?.millis))?;
    let idle = repeated(|| Node::start(&bary, true)?.resident())?;
    let pending = repeated(|| {
        let node = Node::start(&bary, true)?;
        node.load(&load, "pending", "1000000")?;
        node.resident()
    })?;
    let row =
        |figure, runs, unit, bound, peer| Row { figure, runs, unit, bound: Some(bound), peer };
    let (least, most) = (Bound::AtLeast, Bound::AtMost);
    let pick = |all: &[Value], key: &str| all.iter().map(|one| number(one, key)).collect();
    let of = |all: &[Value], key: &str| -> Result<Vec<f64>, String> { pick(all, key) };
    let hq = Some(("HyperQueue's server, measured earlier", 43_000.0));
    Ok(vec![
        row(
            "single submissions, fsync, 64 connections",
            of(&singles, "rate")?,
            "1/s",
            least(1e4),
            None,
        ),
        row("the same, p99", of(&singles, "p99_ms")?, "ms", most(10.0), None),
        row(
            "tasks acknowledged in batches of 100, fsync",
            of(&acked, "rate")?,
            "1/s",
            least(2e5),
            None,
        ),
        row("questions, 64 connections", of(&queries, "rate")?, "1/s", least(1e4), None),
        row("the same, p99", of(&queries, "p99_ms")?, "ms", most(10.0), None),
        row("submission to result in memory, p50", of(&trips, "p50_ms")?, "ms", most(0.2), None),
        row("the same, p99", of(&trips, "p99_ms")?, "ms", most(1.0), None),
        row("submission to result on disk, p50", of(&disk_trips, "p50_ms")?, "ms", most(1.0), None),
        row("the same by a worker process, p50", of(&workers, "p50_ms")?, "ms", most(0.5), None),
        row("distinct tasks run, in memory", of(&memory_lives, "rate")?, "1/s", least(3e5), hq),
        row("distinct tasks run, durable", of(&lives, "rate")?, "1/s", least(1e5), hq),
        row("from start to ready", starts, "ms", most(50.0), None),
        row("memory when idle", idle, "MB", most(20.0), None),
        row("memory, 10⁶ distinct tasks pending", pending, "MB", most(300.0), None),
    ])
}

/// The program that loads a node, built for release.
fn load(repo: &Repo) -> Result<PathBuf, String> {
    let build = ["build", "--quiet", "--release", "--package", "bary-client", "--example", "load"];
    printed(repo.cargo(&build))?;
    repo.example("load")
}

/// Calls one after another from Rust on nodes in memory, as `p50_ms` and `p99_ms`.
pub(crate) fn round_trips(repo: &Repo, bary: &Path) -> Result<Vec<Value>, String> {
    loads(bary, &load(repo)?, false, "round-trips", "5000")
}

/// Calls one after another on nodes in memory that a worker of a process of its own runs.
fn worker_trips(repo: &Repo, bary: &Path, load: &Path) -> Result<Vec<Value>, String> {
    let build = ["build", "--quiet", "--release", "--package", "bary-client", "--example"];
    printed(repo.cargo(&[&build[..], &["scribe"]].concat()))?;
    let scribe = repo.example("scribe")?;
    let runs = repeated(|| {
        let node = Node::start(bary, false)?;
        let mut worker = node.worker(&scribe)?;
        let told = node.load(load, "worker-trips", "3000");
        // It ends with its input.
        drop(worker.stdin.take());
        worker.wait().map_err(|cause| format!("the worker did not end: {cause}"))?;
        told
    })?;
    told("worker-trips", runs)
}

/// The same load on a fresh node several times.
fn loads(bary: &Path, load: &Path, disk: bool, kind: &str, n: &str) -> Result<Vec<Value>, String> {
    let runs = repeated(|| Node::start(bary, disk)?.load(load, kind, n))?;
    told(kind, runs)
}

/// Says how fast it went.
fn told(kind: &str, runs: Vec<Value>) -> Result<Vec<Value>, String> {
    let rates: Result<Vec<f64>, String> = runs.iter().map(|run| number(run, "rate")).collect();
    eprintln!("  {kind}: {:.0}/s", median(&rates?));
    Ok(runs)
}

/// A node of its own, gone when it is dropped.
struct Node {
    process: Child,
    state: PathBuf,
    address: String,
    /// Until it said that it is there.
    millis: f64,
}

impl Node {
    fn start(bary: &Path, disk: bool) -> Result<Self, String> {
        let failed = |cause: std::io::Error| format!("the node did not start: {cause}");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let address = port.map_err(failed)?.to_string();
        let state = std::env::temp_dir().join(format!("bary-bench-{}", address.replace(':', "-")));
        std::fs::create_dir_all(&state).map_err(failed)?;
        let mut command = Command::new(bary);
        command.arg(if disk { "up" } else { "dev" }).args(["--listen", &address, "--no-socket"]);
        if disk {
            command.arg("--state").arg(&state);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let begun = Instant::now();
        let mut process = command.spawn().map_err(failed)?;
        let said = process.stderr.take().ok_or("the node says nothing")?;
        let mut lines = BufReader::new(said);
        let mut line = String::new();
        lines.read_line(&mut line).map_err(failed)?;
        let millis = begun.elapsed().as_secs_f64() * 1e3;
        // What it says later must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        let node = Self { process, state, address, millis };
        if !disk {
            let token = line.trim().split(['=', ' ']).find(|word| word.starts_with("bary_"));
            let token = token.ok_or_else(|| format!("no token in `{}`", line.trim()))?;
            std::fs::write(node.state.join("token"), token).map_err(failed)?;
        }
        Ok(node)
    }

    fn load(&self, load: &Path, kind: &str, number: &str) -> Result<Value, String> {
        let mut command = Command::new(load);
        command.args([kind, &self.address]).arg(self.state.join("token")).arg(number);
        serde_json::from_slice(&printed(command)?).map_err(|cause| format!("load: {cause}"))
    }

    /// A worker of one slot, in a process of its own.
    fn worker(&self, scribe: &Path) -> Result<Child, String> {
        let mut command = Command::new(scribe);
        command.arg(&self.address).arg(self.state.join("token")).arg(self.state.join("written"));
        command.args(["bench", "1"]).stdin(Stdio::piped()).stdout(Stdio::null());
        command.spawn().map_err(|cause| format!("the worker did not start: {cause}"))
    }

    /// Resident memory in megabytes.
    fn resident(&self) -> Result<f64, String> {
        let path = format!("/proc/{}/status", self.process.id());
        let text = std::fs::read_to_string(&path).map_err(|cause| format!("{path}: {cause}"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        kib.map(|kib| kib * 1024.0 / 1e6).ok_or_else(|| format!("{path} tells no memory"))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let ended = self.process.kill().and_then(|()| self.process.wait());
        let removed = std::fs::remove_dir_all(&self.state);
        if let Err(cause) = ended.map(|_| ()).and(removed) {
            eprintln!("{}: {cause}", self.state.display());
        }
    }
}
