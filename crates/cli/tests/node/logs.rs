//! What tasks print while they run at another member than their home: it is read at once, at their
//! home and through any other member, and goes on where they run again.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Stdio};

use crate::bench::Run;
use crate::lab::{Lab, Member};

/// `bary logs -f`, as it goes on.
struct Following {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Following {
    fn of(lab: &Lab, member: &Member, job: &str) -> Self {
        let mut command = lab.bench.command(["logs", "-f", job]);
        command.env("BARY_ADDR", format!("http://{}", member.node.at));
        command.env("BARY_TOKEN", &member.node.token).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program is built");
        let out = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, out }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("it is text");
        line
    }

    /// All that is still to come.
    fn rest(mut self) -> String {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).expect("it is text");
        assert_eq!(self.child.wait().expect("it was started here").code(), Some(0));
        rest
    }
}

/// Two that know each other, of which the first is given no tasks.
fn two(lab: &Lab) -> [Member; 2] {
    let (mut alpha, line) = lab.found("alpha");
    let mut beta = lab.join_at("beta", &line, "127.0.0.2:0");
    alpha.meets(&beta);
    beta.meets(&alpha);
    lab.ask(&alpha, &["node", "drain", "alpha"]).says(0, "");
    [alpha, beta]
}

#[test]
fn who_follows_a_task_elsewhere_reads_at_once_what_it_prints() {
    let lab = Lab::new();
    let [alpha, beta] = two(&lab);
    // A pipe each: one of both could be opened again before its first writer has closed it.
    let script = "echo one; echo oops >&2; echo up > ready; read go < gate-1; echo two
                  read go < gate-2; echo three";
    lab.ask(&alpha, &["submit", "-q", "--", "sh", "-c", script]).is(0, "1\n");
    lab.ready(1);
    // It runs still: what there is so far is read, and nothing waits for more.
    let is_all = |run: &Run| run.code == Some(0) && run.out == "one\n" && run.err == "oops\n";
    while !is_all(&lab.ask(&alpha, &["logs", "1"])) {}
    let lines = alpha.node.ask("GET", "/v1/jobs/1/logs?stream=out");
    let lines = lines.header("Accept", "application/x-ndjson").send();
    assert!(lines.body.contains("b25lCg"), "{lines:?}");
    let mut at_home = Following::of(&lab, &alpha, "1");
    // Who asks the one that runs it is handed on to its home, which asks that one again.
    let mut through = Following::of(&lab, &beta, "alpha/1");
    assert_eq!([at_home.line(), through.line()], ["one\n", "one\n"]);
    lab.bench.file("gate-1", "go\n");
    assert_eq!([at_home.line(), through.line()], ["two\n", "two\n"]);
    lab.bench.file("gate-2", "go\n");
    assert_eq!([at_home.rest(), through.rest()], ["three\n", "three\n"]);
}

#[test]
fn what_prints_much_elsewhere_is_read_whole() {
    let lab = Lab::new();
    let [alpha, _beta] = two(&lab);
    let script = "echo up > ready; read go < gate; seq 1 40000";
    lab.ask(&alpha, &["submit", "-q", "--", "sh", "-c", script]).is(0, "1\n");
    lab.ready(1);
    let following = Following::of(&lab, &alpha, "1");
    lab.bench.file("gate", "go\n");
    let numbers: Vec<u32> = following.rest().lines().flat_map(str::parse).collect();
    assert!(numbers.into_iter().eq(1..=40_000));
}

#[test]
fn who_follows_goes_on_with_the_member_that_runs_the_task_next() {
    let lab = Lab::new();
    let (mut alpha, line) = lab.found("alpha");
    let mut beta = lab.join_at("beta", &line, "127.0.0.2:0");
    alpha.meets(&beta);
    let gamma = lab.join_at("gamma", &line, "127.0.0.3:0");
    beta.meets(&gamma);
    alpha.meets(&gamma);
    lab.ask(&alpha, &["node", "drain", "alpha"]).says(0, "");
    let script = "echo begun; echo up > ready; read go < gate; echo done";
    lab.ask(&alpha, &["submit", "-q", "--", "sh", "-c", script]).is(0, "1\n");
    lab.ready(1);
    let mut following = Following::of(&lab, &alpha, "1");
    assert_eq!(following.line(), "begun\n");
    let shown = lab.ask(&alpha, &["show", "1/1", "-o", "json"]).json();
    let runs = shown["jobs"][0]["tasks"][0]["node"].as_str().unwrap_or_default().to_owned();
    let (lost, _other) = if runs == "beta" { (beta, gamma) } else { (gamma, beta) };
    assert_eq!(lost.name, runs);
    drop(lost);
    lab.ready(1);
    assert_eq!(following.line(), "begun\n", "it runs once more");
    lab.bench.file("gate", "go\n");
    assert_eq!(following.rest(), "done\n");
}

/// The most memory that a node has had, in KiB.
fn most_memory(member: &Member) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", member.node.pid()));
    let status = status.expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it is told");
    line.trim().trim_end_matches(" kB").parse().expect("it is a number")
}

#[test]
fn what_prints_faster_than_is_read_is_shown_whole_and_never_is_all_in_memory() {
    let lab = Lab::new();
    let [alpha, _beta] = two(&lab);
    let before = most_memory(&alpha);
    let script = "yes | head -c 60000000; echo oops >&2";
    let run = lab.ask(&alpha, &["submit", "--wait", "-q", "--", "sh", "-c", script]);
    assert_eq!((run.code, run.out.len()), (Some(0), 60_000_000), "{}", run.err);
    assert!(run.err.ends_with("oops\n"), "{}", run.err);
    let all = lab.ask(&alpha, &["logs", "1"]);
    assert_eq!((all.code, all.out.len(), &*all.err), (Some(0), 60_000_000, "oops\n"));
    lab.ask(&alpha, &["logs", "1", "--tail", "5"]).is(0, "\ny\ny\n");
    // What waits for a reader is 64 pieces of 256 KiB at most; there are buffers of sockets too.
    let grown = most_memory(&alpha) - before;
    assert!(grown < 48 << 10, "{grown} KiB for an output of 58,594 KiB");
}
