//! Several nodes of one machine that one command brings up: they are a cluster, and end together.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use crate::bench::{Bench, Run};

/// The command, and what it says.
struct Local<'a> {
    bench: &'a Bench,
    child: Child,
    log: BufReader<ChildStderr>,
    /// The standard output that all the nodes have, so that it ends when the last of them does.
    out: ChildStdout,
    unread: Vec<String>,
}

impl<'a> Local<'a> {
    fn up(bench: &'a Bench, more: &[&str]) -> Self {
        let words = ["up", "--local", "3", "--state", "all", "--listen", "127.0.0.1:0", "-j", "1"];
        let mut command = bench.command([&words[..], &["--socket", "s"], more].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program is built");
        let log = BufReader::new(child.stderr.take().expect("it is piped"));
        let out = child.stdout.take().expect("it is piped");
        let mut local = Self { bench, child, log, out, unread: Vec::new() };
        local.meet();
        local
    }

    /// As up, with replicas; and the process of the second node, which stands still and whose jobs
    /// another one has.
    fn stood_in_for(bench: &'a Bench) -> (Self, u32) {
        let mut local = Self::up(bench, &["--replicas", "3"]);
        local.line("node-2: its shard is kept by");
        let node = local.node(2);
        send("STOP", node);
        local.line("stands in for node-2");
        (local, node)
    }

    /// The next line that says this.
    fn line(&mut self, text: &str) {
        if let Some(at) = self.unread.iter().position(|line| line.contains(text)) {
            self.unread.remove(at);
            return;
        }
        loop {
            let mut line = String::new();
            self.log.read_line(&mut line).expect("it is text");
            assert!(!line.is_empty(), "it ended before it said {text}: {:?}", self.unread);
            if line.contains(text) {
                return;
            }
            self.unread.push(line);
        }
    }

    /// Waits until all nodes are up and know each other.
    fn meet(&mut self) {
        self.line("3 nodes are up");
        for node in 1..=3 {
            for other in (1..=3).filter(|other| *other != node) {
                self.line(&format!("node-{node}: member node-{other} is there"));
            }
        }
    }

    /// Asks the node whose socket this is.
    fn ask(&self, socket: &str, words: &[&str]) -> Run {
        let mut command = self.bench.command(words);
        command.env("BARY_ADDR", format!("unix:{}", self.bench.path().join(socket).display()));
        Run::of(command.output().expect("the program is built"))
    }

    fn signal(&self, signal: &str) {
        send(signal, self.child.id());
    }

    /// The process of one of the nodes.
    fn node(&self, number: u32) -> u32 {
        let (word, here) = (format!("--local-node={number}"), self.bench.path());
        let here = here.canonicalize().expect("it is there");
        let processes = std::fs::read_dir("/proc").expect("the system shows processes");
        let is_it = |process: &Path| {
            let words = std::fs::read_to_string(process.join("cmdline")).unwrap_or_default();
            let at = std::fs::read_link(process.join("cwd"));
            words.split('\0').any(|one| one == word) && at.is_ok_and(|at| at == here)
        };
        let mut all = processes.filter_map(|entry| Some(entry.ok()?.path()));
        let found = all.find(|process| is_it(process)).expect("it runs");
        let number = found.file_name().and_then(|name| name.to_str()?.parse().ok());
        number.expect("processes have numbers")
    }

    /// Waits until the last of the nodes has ended; how the command did.
    fn ended(mut self) -> Option<i32> {
        let mut rest = Vec::new();
        self.out.read_to_end(&mut rest).expect("it can be read");
        self.child.wait().expect("it was started here").code()
    }
}

fn send(signal: &str, process: u32) {
    let sent = Command::new("kill").args(["-s", signal, &process.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()));
}

impl Drop for Local<'_> {
    fn drop(&mut self) {
        // The nodes end with it. One that has ended needs no killing.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn one_command_brings_up_a_cluster_and_ctrl_c_ends_all_of_it() {
    let bench = Bench::new();
    for pipe in ["one", "two"] {
        let made = Command::new("mkfifo").arg(bench.path().join(pipe)).status();
        assert!(made.is_ok_and(|status| status.success()));
    }
    let script = "case {} in 1) echo met > one ;; 2) echo met > two ;; 3) cat one two ;; esac";
    let words = ["submit", "--wait", "--array", "1-3", "--", "sh", "-c", script];
    // The second time they come back as the members that they are.
    for _ in 0..2 {
        let local = Local::up(&bench, &[]);
        for socket in ["s", "all/node-3/bary.sock"] {
            local.ask(socket, &words).says(0, "");
        }
        let names = local.ask("s", &["node", "ls", "-q"]).out;
        let mut names: Vec<&str> = names.lines().collect();
        names.sort_unstable();
        assert_eq!(names, ["node-1", "node-2", "node-3"]);
        local.signal("INT");
        assert_eq!(local.ended(), Some(0));
    }
}

#[test]
fn nodes_end_with_the_command_that_began_them_even_where_it_is_killed() {
    let bench = Bench::new();
    let local = Local::up(&bench, &[]);
    local.signal("KILL");
    assert_eq!(local.ended(), None);
}

#[test]
fn one_that_stood_still_too_long_begins_again_and_the_others_go_on() {
    let bench = Bench::new();
    let (mut local, node) = Local::stood_in_for(&bench);
    send("CONT", node);
    local.line("node-2: warning: another member has taken over the shard of this one");
    local.line("no longer stands in for node-2");
    let submitted = || {
        let words = ["submit", "-q", "--wait", "--", "true"];
        local.ask("all/node-2/bary.sock", &words)
    };
    // It may be about to begin again still.
    let mut run = submitted();
    while run.code == Some(69) {
        run = submitted();
    }
    run.says(0, "");
    local.signal("INT");
    assert_eq!(local.ended(), Some(0));
}

#[test]
fn one_that_waits_for_the_others_ends_with_the_command_too() {
    let bench = Bench::new();
    let (local, node) = Local::stood_in_for(&bench);
    // It begins again when nobody is left to wait for.
    local.signal("KILL");
    send("CONT", node);
    assert_eq!(local.ended(), None);
}

#[test]
fn a_node_that_cannot_come_up_takes_the_others_with_it() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path().join("all")).expect("there is room");
    bench.file("all/node-2", "no directory");
    let words = ["up", "--local", "2", "--state", "all", "--listen", "127.0.0.1:0", "--no-socket"];
    let run = bench.bary(&words);
    run.says(1, "node-2 has ended: it exited with 1");
    run.says(1, "node-1: drains");
}
