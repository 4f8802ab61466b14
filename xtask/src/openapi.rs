//! The JSON door is held against its own description: schemathesis makes requests up from it, good
//! and bad ones, and looks whether a node answers as described. What a run does is fixed by a seed.
//!
//! `BARY_EXAMPLES=500` tries so many requests of each kind instead of a few.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::check::Outcome;
use crate::process::{capture, printed};
use crate::repo::{Program, Repo};

/// What pip is asked for, and what it is called when it is imported.
const PACKAGE: &str = "schemathesis==4.32.5";
const PROBE: &str = "import schemathesis";
/// Requests of each kind that are made up, where nothing else is said.
const EXAMPLES: &str = "4";
/// What chooses the requests.
const SEED: &str = "1";
/// Seconds until a stream that goes on is left.
const PATIENCE: &str = "2";
/// What would end the node, or the token of the run.
const LEFT_OUT: [&str; 2] = ["shutdown", "revoke-token"];

/// Checks every operation.
pub(crate) fn check(repo: &Repo) -> Outcome {
    let bary = match repo.program("dev") {
        Program::Ready(program) => program,
        Program::Absent(why) => return Outcome::Skipped(why.into()),
        Program::Broken(complaint) => return Outcome::failure(complaint),
    };
    if let Err(why) = install(&place(repo)) {
        return Outcome::Skipped(why);
    }
    match judge(repo, &bary) {
        Ok(outcome) => outcome,
        Err(complaint) => Outcome::failure(complaint),
    }
}

/// Where pip puts what it installs.
fn place(repo: &Repo) -> PathBuf {
    repo.root.join("target").join("schemathesis")
}

fn install(place: &Path) -> Result<(), String> {
    let python = |words: &[&str]| {
        let mut command = Command::new("python3");
        command.args(words).env("PYTHONPATH", place);
        printed(command).map(drop)
    };
    if python(&["-c", PROBE]).is_ok() {
        return Ok(());
    }
    let folder = place.to_string_lossy();
    let words = ["-m", "pip", "install", "--quiet", "--upgrade", "--target", &*folder, PACKAGE];
    let installed = python(&words).and_then(|()| python(&["-c", PROBE]));
    installed.map_err(|said| {
        let last = said.trim_end().lines().last().unwrap_or_default().to_owned();
        format!("pip did not install {PACKAGE}: {last}")
    })
}

fn judge(repo: &Repo, bary: &Path) -> Result<Outcome, String> {
    let folder = place(repo).join("run");
    fs::create_dir_all(&folder).map_err(|cause| format!("{}: {cause}", folder.display()))?;
    let node = Node::start(bary, &folder)?;
    let examples = std::env::var("BARY_EXAMPLES").unwrap_or_else(|_| EXAMPLES.to_owned());
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", place(repo)).current_dir(&folder);
    command.args(["-m", "schemathesis.cli", "--no-color", "--config-file"]);
    command.arg(repo.root.join("xtask/schemathesis.toml"));
    command.args(["run", &format!("{}/openapi.json", node.address)]);
    command.args(["-H", &format!("Authorization: Bearer {}", node.token)]);
    command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", &examples]);
    command.args(["--seed", SEED, "--request-timeout", PATIENCE, "--continue-on-failure"]);
    command.args(["--warnings", "off"]);
    command.args(LEFT_OUT.iter().flat_map(|name| ["--exclude-operation-id", name]));
    let ended = capture(command).map_err(|fault| fault.to_string())?;
    Ok(if ended.ok {
        let tried = ended.output.lines().find(|line| line.contains(" generated"));
        Outcome::Passed(tried.map(|line| line.trim().to_owned()).into_iter().collect())
    } else {
        Outcome::failure(ended.output.trim_end())
    })
}

/// A node in memory that finds no program to run. It is killed when this is dropped.
struct Node {
    child: Child,
    address: String,
    token: String,
}

impl Node {
    fn start(bary: &Path, folder: &Path) -> Result<Self, String> {
        let failed = |cause: std::io::Error| format!("the node did not start: {cause}");
        let mut command = Command::new(bary);
        command.args(["dev", "--listen", "127.0.0.1:0", "--no-socket"]).current_dir(folder);
        command.env_clear().env("HOME", folder).env("PATH", folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let said = child.stderr.take().map(BufReader::new);
        let mut node = Self { child, address: String::new(), token: String::new() };
        let mut lines = said.ok_or("the node says nothing")?;
        let mut line = String::new();
        lines.read_line(&mut line).map_err(failed)?;
        // What it says later must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        let (address, token) =
            reached(&line).ok_or_else(|| format!("it said `{}`", line.trim()))?;
        (node.address, node.token) = (address, token);
        Ok(node)
    }
}

/// Where a node is and what opens it, from its first line.
fn reached(line: &str) -> Option<(String, String)> {
    let mut words = line.trim().split([' ', ';', '=']);
    let address = words.find(|word| word.starts_with("http://"))?.to_owned();
    let token = words.find(|word| word.starts_with("bary_"))?.to_owned();
    Some((address, token))
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Err(cause) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("the node was not killed: {cause}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::reached;

    #[test]
    fn the_first_line_says_where_a_node_is_and_what_opens_it() {
        let line = "bary: up at http://127.0.0.1:9; nothing is kept; BARY_TOKEN=bary_x\n";
        let found = ("http://127.0.0.1:9".to_owned(), "bary_x".to_owned());
        assert_eq!(reached(line), Some(found));
        assert_eq!(reached("bary: 127.0.0.1:9 is taken"), None);
    }
}
