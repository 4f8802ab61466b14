//! A large result that one member of a cluster made and another reads, beside a plain copy over TLS
//! on the same loopback; and what it takes of both members' memory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::bench::bary::{number, program};
use crate::bench::figure::{Bound, Row, median};
use crate::bench::trial::RUNS;
use crate::node::signal;
use crate::process::printed;
use crate::repo::Repo;

/// Bytes of the result.
const BYTES: u64 = 1 << 30;
/// How long two members may take to meet.
const HANG: Duration = Duration::from_secs(60);
/// How often one looks.
const LOOK: Duration = Duration::from_millis(5);

/// Two members of this machine, of which the second makes results for the first.
struct Pair {
    bary: PathBuf,
    folder: PathBuf,
    child: Child,
}

/// Measures both in turn.
pub(crate) fn run(repo: &Repo) -> Result<Vec<Row>, String> {
    let bary = program(repo)?;
    let build = ["build", "--quiet", "--release", "--package", "bary-transport", "--example"];
    printed(repo.cargo(&[&build[..], &["tls_copy"]].concat()))?;
    measure(&bary, &repo.example("tls_copy")?)
}

fn measure(bary: &Path, copy: &Path) -> Result<Vec<Row>, String> {
    let pair = Pair::begin(bary)?;
    let (mut ours, mut plain) = (Vec::new(), Vec::new());
    for round in 1..=RUNS {
        plain.push(rate(copied(copy, &pair.folder)?));
        ours.push(rate(pair.fetched(round)?));
        let last = [&plain, &ours].map(|runs| runs.last().copied().unwrap_or_default());
        eprintln!("  round {round}: copy {:.0} MiB/s, result {:.0} MiB/s", last[0], last[1]);
    }
    let theirs = median(&plain);
    let (unit, bound) = ("MiB", None);
    let (reader, maker) = (vec![pair.peak("node-1")?], vec![pair.peak("node-2")?]);
    Ok(vec![
        Row {
            figure: "a result of 1 GiB, from the member that made it to the one that reads it",
            runs: ours,
            unit: "MiB/s",
            bound: Some(Bound::AtLeast(0.6 * theirs)),
            peer: Some(("a plain copy over TLS", theirs)),
        },
        Row { figure: "most memory of the reader", runs: reader, unit, bound, peer: None },
        Row { figure: "most memory of the maker", runs: maker, unit, bound, peer: None },
    ])
}

fn rate(seconds: f64) -> f64 {
    BYTES as f64 / f64::from(1 << 20) / seconds
}

/// The seconds of a plain copy.
fn copied(copy: &Path, folder: &Path) -> Result<f64, String> {
    let mut command = Command::new(copy);
    let files = ["from", "to"].map(|name| folder.join(name));
    command.args(&files).arg(BYTES.to_string()).stdin(Stdio::null());
    let told = serde_json::from_slice(&printed(command)?).map_err(|cause| cause.to_string())?;
    for file in &files {
        fs::remove_file(file).map_err(|cause| format!("{}: {cause}", file.display()))?;
    }
    number(&told, "seconds")
}

impl Pair {
    fn begin(bary: &Path) -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("bary-bench-blob-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|cause| format!("{}: {cause}", folder.display()))?;
        let log = File::create(folder.join("log")).map_err(|cause| format!("the log: {cause}"))?;
        let mut command = Command::new(bary);
        command.args(["up", "--local", "2", "--state"]).arg(folder.join("all"));
        command.args(["--listen", "127.0.0.1:0", "--output-max", "2GiB", "--socket"]);
        command.arg(folder.join("s")).env_remove("NOTIFY_SOCKET");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().map_err(|cause| format!("bary did not run: {cause}"))?;
        let pair = Self { bary: bary.to_owned(), folder, child };
        pair.said("node-1: member node-2 is there", 1)?;
        pair.ask(&["node", "drain", "node-1"])?;
        Ok(pair)
    }

    /// Waits until the log has said this so often; the last of these lines.
    fn said(&self, text: &str, often: usize) -> Result<String, String> {
        let begun = Instant::now();
        while begun.elapsed() < HANG {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            let mut lines = log.lines().filter(|line| line.contains(text));
            if let Some(line) = lines.nth(often - 1) {
                return Ok(line.to_owned());
            }
            std::thread::sleep(LOOK);
        }
        Err(format!("the members did not say: {text}"))
    }

    fn ask(&self, words: &[&str]) -> Result<(), String> {
        let mut command = Command::new(&self.bary);
        command.args(words).env("BARY_ADDR", self.folder.join("s"));
        let null = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = null.status().map_err(|cause| format!("bary did not run: {cause}"))?;
        if status.success() { Ok(()) } else { Err(format!("{words:?} ended with {status}")) }
    }

    /// Has the maker make a result, and the home read it; the seconds that it took to come.
    fn fetched(&self, round: usize) -> Result<f64, String> {
        // No two of them are alike, so that none is here already.
        let script = format!("echo {round}; head -c {} /dev/zero", BYTES - 2);
        self.ask(&["submit", "--wait", "-q", "--", "sh", "-c", &script])?;
        self.ask(&["result", "last"])?;
        let line = self.said(&format!("fetched a result of {BYTES} bytes in "), round)?;
        self.ask(&["prune", "last"])?;
        let seconds = line.rsplit(" in ").next().and_then(|text| text.split(' ').next());
        let seconds = seconds.and_then(|text| text.parse().ok());
        seconds.ok_or_else(|| format!("the log tells no seconds: {line}"))
    }

    /// The most memory that a member had, in MiB.
    fn peak(&self, member: &str) -> Result<f64, String> {
        let path = self.folder.join("all").join(member).join("address");
        let text = fs::read_to_string(&path).map_err(|cause| format!("{path:?}: {cause}"))?;
        let pid = text.lines().find_map(|line| line.strip_prefix("pid "));
        let path = format!("/proc/{}/status", pid.unwrap_or_default());
        let text = fs::read_to_string(&path).map_err(|cause| format!("{path}: {cause}"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        kib.map(|kib| kib / 1024.0).ok_or_else(|| format!("{path} tells no memory"))
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        // Its members end with it.
        if let Err(fault) = signal(self.child.id(), "INT") {
            eprintln!("{fault}");
        }
        drop(self.child.wait());
        if let Err(cause) = fs::remove_dir_all(&self.folder) {
            eprintln!("{}: {cause}", self.folder.display());
        }
    }
}
