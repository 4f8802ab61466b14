//! A node that was started for a test, and is killed with it.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};

use crate::bench::Bench;
use crate::http::{Answer, Ask};

/// A node that is up.
pub(crate) struct Standing {
    child: Child,
    log: BufReader<ChildStderr>,
    /// Lines of its log from before it said where it is.
    early: VecDeque<String>,
    pub(crate) at: SocketAddr,
    pub(crate) socket: PathBuf,
    pub(crate) token: String,
}

impl Standing {
    /// Brings up a node over the state `state` of the bench, with these flags too.
    pub(crate) fn up(bench: &Bench, flags: &[&str]) -> Self {
        let common = ["up", "--state", "state", "--listen", "127.0.0.1:0", "--socket", "s"];
        let words = [&common[..], flags].concat();
        let mut command = bench.command(words);
        command.env_remove("NOTIFY_SOCKET").stdout(Stdio::null()).stderr(Stdio::piped());
        Self::of(bench, command)
    }

    /// Brings up the node of a command.
    pub(crate) fn of(bench: &Bench, command: Command) -> Self {
        Self::at_state(bench, command, "state")
    }

    /// As [`Standing::of`], over the state of this name.
    pub(crate) fn at_state(bench: &Bench, mut command: Command, state: &str) -> Self {
        let mut child = command.spawn().expect("the program is built");
        let mut log = BufReader::new(child.stderr.take().expect("it is piped"));
        // A member may hear of others before it says where it is.
        let (mut line, mut early) = (String::new(), VecDeque::new());
        while !line.contains("http://") {
            early.extend(Some(std::mem::take(&mut line)).filter(|line| !line.is_empty()));
            let read = log.read_line(&mut line).expect("it is text");
            assert!(read > 0, "it came up: {early:?}");
        }
        let place = line.split_once("http://").expect("it says where it is").1;
        let at = place.split([' ', ';']).next().unwrap_or_default();
        let at = at.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
        let told = line.split_once("BARY_TOKEN=").map(|(_, token)| token.trim().to_owned());
        let token = told.unwrap_or_else(|| bench.read(&format!("{state}/token")).trim().to_owned());
        Self { child, log, early, at, socket: bench.path().join("s"), token }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A request with the token of the admin.
    pub(crate) fn ask(&self, method: &str, path: &str) -> Ask {
        Ask::new(method, path, self.at).bearer(&self.token)
    }

    /// Submits tasks, given as JSON; the number of the job.
    pub(crate) fn submit(&self, tasks: &str) -> u64 {
        let body = format!("{{\"tasks\":{tasks}}}");
        let answer = self.ask("POST", "/v1/jobs").json(&body).send();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.value()["job"].as_u64().expect("a job has a number")
    }

    /// Waits until a job has ended; how it is then.
    pub(crate) fn wait(&self, job: u64) -> Answer {
        self.ask("GET", &format!("/v1/jobs/{job}/wait?timeout=60")).send()
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args(["-s", signal, &self.pid().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()));
    }

    /// The next line of its log.
    pub(crate) fn line(&mut self) -> String {
        if let Some(line) = self.early.pop_front() {
            return line;
        }
        let mut line = String::new();
        self.log.read_line(&mut line).expect("it is text");
        line
    }

    /// What it ends with, and the rest of its log.
    pub(crate) fn ended(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.log, &mut rest).expect("it is text");
        (self.child.wait().expect("it was started here").code(), rest)
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        // One that has ended needs no killing.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
