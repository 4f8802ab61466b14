//! Members of a cluster as processes that reach each other over loopback, for the tests of what
//! they do together.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use crate::bench::{Bench, Run};
use crate::standing::Standing;

/// A member over a state of its own.
pub(crate) struct Member {
    pub(crate) node: Standing,
    pub(crate) name: &'static str,
    /// Lines of its log that nobody has waited for.
    unread: Vec<String>,
}

/// A directory in which members run.
pub(crate) struct Lab {
    pub(crate) bench: Bench,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let lab = Self { bench: Bench::new() };
        for pipe in ["pipe", "pipe2", "ready", "gate", "gate-1", "gate-2"] {
            let made = Command::new("mkfifo").arg(lab.bench.path().join(pipe)).status();
            assert!(made.is_ok_and(|status| status.success()));
        }
        lab
    }

    pub(crate) fn member(&self, name: &'static str, words: &[&str]) -> Member {
        let state = ["--state", name, "--listen", "127.0.0.1:0", "--no-socket", "-j", "1"];
        let mut command = self.bench.command([words, &state].concat());
        command.env_remove("NOTIFY_SOCKET").stdout(Stdio::null()).stderr(Stdio::piped());
        let node = Standing::at_state(&self.bench, command, name);
        Member { node, name, unread: Vec::new() }
    }

    /// The first member, and the line that it prints.
    pub(crate) fn found(&self, name: &'static str) -> (Member, String) {
        let listen = ["--cluster-listen", "127.0.0.1:0"];
        let mut member =
            self.member(name, &[&["up", "--cluster", "lab", "--name", name], &listen[..]].concat());
        let line = member.line("others join with: bary join ");
        let line = line.rsplit(' ').next().unwrap_or_default().trim().to_owned();
        (member, line)
    }

    pub(crate) fn join(&self, name: &'static str, line: &str) -> Member {
        self.join_at(name, line, "127.0.0.1:0")
    }

    /// As [`Lab::join`], at an address.
    pub(crate) fn join_at(&self, name: &'static str, line: &str, at: &str) -> Member {
        let listen = ["--cluster-listen", at];
        self.member(name, &[&["join", line, "--name", name], &listen[..]].concat())
    }

    /// Asks a member.
    pub(crate) fn ask(&self, member: &Member, words: &[&str]) -> Run {
        let mut command = self.bench.command(words);
        command.env("BARY_ADDR", format!("http://{}", member.node.at));
        command.env("BARY_TOKEN", &member.node.token);
        Run::of(command.output().expect("the program is built"))
    }

    /// Runs two tasks of which neither ends unless both run at a time, on one slot each.
    pub(crate) fn both_run(&self, member: &Member) -> Run {
        let script = "if [ {} = 1 ]; then cat pipe; else echo met > pipe; fi";
        let words = ["submit", "--wait", "--array", "1-2", "--", "sh", "-c", script];
        self.ask(member, &words)
    }

    /// As [`Lab::both_run`], of three.
    pub(crate) fn three_run(&self, member: &Member) -> Run {
        let script = "case {} in
            1) echo met > pipe ;;
            2) echo met > pipe2 ;;
            3) cat pipe pipe2 ;;
        esac";
        let words = ["submit", "--wait", "--array", "1-3", "--", "sh", "-c", script];
        self.ask(member, &words)
    }

    /// Opens the gates of two tasks, each of which reads a line from its own.
    pub(crate) fn open_gates(&self) -> [File; 2] {
        ["gate-1", "gate-2"].map(|gate| {
            // A pipe that is opened so waits for no reader, and keeps what is written for one.
            let gate = File::options().read(true).write(true).open(self.bench.path().join(gate));
            let mut gate = gate.expect("it was made");
            gate.write_all(b"go\n").expect("a pipe takes a line");
            gate
        })
    }

    /// Waits until so many tasks have said that they are up.
    pub(crate) fn ready(&self, count: usize) {
        let mut up = String::new();
        while up.lines().count() < count {
            let ready = File::open(self.bench.path().join("ready"));
            ready.and_then(|mut ready| ready.read_to_string(&mut up)).expect("tasks write there");
        }
    }
}

impl Member {
    /// The next line of its log that says this; the others can be waited for still.
    pub(crate) fn line(&mut self, text: &str) -> String {
        if let Some(at) = self.unread.iter().position(|line| line.contains(text)) {
            return self.unread.remove(at);
        }
        loop {
            let line = self.node.line();
            assert!(!line.is_empty(), "{} has ended before it said: {text}", self.name);
            if line.contains(text) {
                return line;
            }
            self.unread.push(line);
        }
    }

    pub(crate) fn meets(&mut self, other: &Self) {
        self.line(&format!("member {} is there", other.name));
    }
}
