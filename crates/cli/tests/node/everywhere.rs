//! The jobs of all members as one list, and what is said of those whose member is away.

use std::io::Write;
use std::process::{Child, Stdio};

use crate::bench::Run;
use crate::lab::{Lab, Member};

/// Two that know each other, with two jobs each: alpha's, beta's, alpha's, beta's.
fn two_with_jobs(lab: &Lab) -> [Member; 2] {
    let (mut alpha, line) = lab.found("alpha");
    let mut beta = lab.join_at("beta", &line, "127.0.0.2:0");
    alpha.meets(&beta);
    beta.meets(&alpha);
    for tag in ["odd", "even"] {
        for member in [&alpha, &beta] {
            let tag = format!("n={tag}");
            lab.ask(member, &["submit", "-q", "--wait", "--tag", &tag, "--", "true"]).says(0, "");
        }
    }
    [alpha, beta]
}

#[test]
fn any_member_lists_the_jobs_of_all_by_when_they_came() {
    let lab = Lab::new();
    let [alpha, beta] = two_with_jobs(&lab);
    lab.ask(&alpha, &["ls", "-q"]).is(0, "1\nbeta/1\n2\nbeta/2\n");
    lab.ask(&beta, &["ls", "-q"]).is(0, "alpha/1\n1\nalpha/2\n2\n");
    lab.ask(&alpha, &["ls", "-q", "--here"]).is(0, "1\n2\n");
    lab.ask(&alpha, &["ls", "-q", "--home", "beta"]).is(0, "beta/1\nbeta/2\n");
    lab.ask(&alpha, &["ls", "-q", "--filter", "tag.n=odd"]).is(0, "1\nbeta/1\n");
    let last = lab.ask(&alpha, &["ls", "-q", "--limit", "3"]);
    last.is(0, "beta/1\n2\nbeta/2\n");
    lab.ask(&alpha, &["ls", "--limit", "3"]).says(0, "1 more; --limit 0 shows all");
    let json = lab.ask(&alpha, &["ls", "-o", "json", "--consistent"]).json();
    let jobs = json["jobs"].as_array().into_iter().flatten();
    let homes: Vec<_> = jobs.map(|job| &job["home"]).collect();
    assert_eq!(homes, ["alpha", "beta", "alpha", "beta"]);
    // A program reads it in parts.
    let part = |offset: u32| {
        let path = format!("/v1/jobs?everywhere=true&limit=2&offset={offset}");
        let part = alpha.node.ask("GET", &path).send().value();
        let named = |job: &serde_json::Value| format!("{}/{}", job["home"], job["id"]);
        assert_eq!((&part["total"], &part["home"]), (&4.into(), &"alpha".into()), "{part}");
        part["jobs"].as_array().into_iter().flatten().map(named).collect::<Vec<_>>()
    };
    let all: Vec<String> = [0, 2, 4].into_iter().flat_map(part).collect();
    assert_eq!(all, ["\"alpha\"/1", "\"beta\"/1", "\"alpha\"/2", "\"beta\"/2"]);
    let named = alpha.node.ask("GET", "/v1/jobs/1?everywhere=true").send();
    assert_eq!(named.status, 400, "{named:?}");
}

#[test]
fn what_waits_for_a_lost_home_is_said_plainly() {
    let lab = Lab::new();
    let [mut alpha, beta] = two_with_jobs(&lab);
    let script = "echo up > ready; read go < gate";
    let words = ["submit", "-q", "--array", "1-3", "--", "sh", "-c", script];
    lab.ask(&beta, &words).is(0, "3\n");
    lab.ready(2);
    // Its beats tell how much of its work is unfinished.
    let waits = |run: &Run| run.err.contains("1 job of it (3 tasks) wait");
    let busy = || {
        let shown = lab.ask(&alpha, &["node", "show", "beta", "-o", "json"]).json();
        shown["nodes"][0]["busy"] == 1
    };
    while !busy() {}
    drop(beta);
    alpha.line("member beta has gone");
    let listed = lab.ask(&alpha, &["ls"]);
    listed.says(0, "beta has been away for ");
    assert!(waits(&listed), "{listed:?}");
    let json = lab.ask(&alpha, &["ls", "-o", "json"]).json();
    let missing = &json["unreached"][0];
    assert_eq!((&missing["member"], &missing["tasks"]), (&"beta".into(), &3.into()), "{json}");
    lab.ask(&alpha, &["ls", "-q"]).is(0, "1\n2\n");
    lab.ask(&alpha, &["ls", "--consistent"]).says(69, "the jobs of beta cannot be read");
    lab.ask(&alpha, &["ls", "--consistent", "--here"]).says(0, "");
    lab.ask(&alpha, &["wait", "--timeout", "1ms", "beta/3"]).says(124, "the time is over");
}

#[test]
fn what_runs_at_another_member_is_shown_as_running() {
    let lab = Lab::new();
    let [alpha, _beta] = two_with_jobs(&lab);
    lab.ask(&alpha, &["node", "drain", "alpha"]).says(0, "");
    let script = "echo up > ready; read go < gate-1";
    let words = ["submit", "-q", "--", "sh", "-c", script];
    lab.ask(&alpha, &words).is(0, "3\n");
    lab.ready(1);
    let job = || lab.ask(&alpha, &["show", "3", "-o", "json"]).json()["jobs"][0].clone();
    while job()["job"]["state"] != "running" {}
    let shown = job();
    let task = &shown["tasks"][0];
    assert_eq!((&task["state"], &task["node"]), (&"running".into(), &"beta".into()), "{shown}");
    assert_eq!((&task["attempt"], &shown["job"]["running"]), (&1.into(), &1.into()), "{shown}");
    assert!(task["run_seconds"].as_f64().is_some_and(|ran| ran > 0.0), "{shown}");
    let events = lab.ask(&alpha, &["events", "3", "--kind", "started", "-o", "jsonl"]).out;
    assert!(events.contains("\"node\":\"beta\""), "{events}");
    let cancelled = lab.ask(&alpha, &["cancel", "3"]);
    cancelled.says(0, "");
    // What ran when it was cancelled counts as an attempt.
    while job()["job"]["state"] != "cancelled" {}
    assert_eq!(job()["job"]["attempts"], 1, "{}", job());
}

#[test]
fn a_command_runs_beside_a_task_at_another_member_than_its_home() {
    let lab = Lab::new();
    let [alpha, beta] = two_with_jobs(&lab);
    lab.ask(&alpha, &["node", "drain", "alpha"]).says(0, "");
    let script = "echo up > ready; read go < gate-1";
    let words = ["submit", "-q", "--env", "MINE=of the task", "--", "sh", "-c", script];
    lab.ask(&alpha, &words).is(0, "3\n");
    lab.ready(1);
    // It is known a moment after it has begun.
    while lab.ask(&alpha, &["exec", "3", "--", "true"]).code != Some(0) {}
    // The home is asked directly, and by the member where the task runs.
    for (asked, job) in [(&alpha, "3"), (&beta, "alpha/3")] {
        let script = "echo $MINE; cat; echo no >&2; exit 5";
        let mut command = lab.bench.command(["exec", job, "--", "sh", "-c", script]);
        command.env("BARY_ADDR", format!("http://{}", asked.node.at));
        command.env("BARY_TOKEN", &asked.node.token);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program is built");
        child.stdin.take().expect("it is piped").write_all(b"hi\n").expect("it reads");
        let run = Run::of(child.wait_with_output().expect("it was started here"));
        assert_eq!(run.is(5, "of the task\nhi\n").err, "no\n");
    }
    lab.ask(&alpha, &["exec", "3", "--", "no-such-program"]).says(2, "no-such-program");
    let log = lab.ask(&alpha, &["audit", "--home", "beta", "--limit", "0", "-o", "jsonl"]).out;
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("\"exec\"")).collect();
    let is_told = |line: &&str| line.contains("via alpha") && line.contains("alpha/3/");
    assert!(lines.len() >= 4 && lines.iter().all(is_told), "{log}");
}

/// A command beside job 3 that stays until something ends it.
fn stays_beside(lab: &Lab, asked: &Member) -> Child {
    let mut beside = lab.bench.command(["exec", "3", "--", "sh", "-c", "echo up > ready; cat"]);
    beside.env("BARY_ADDR", format!("http://{}", asked.node.at));
    beside.env("BARY_TOKEN", &asked.node.token);
    let beside = beside.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    lab.ready(1);
    beside.expect("the program is built")
}

#[test]
fn what_runs_beside_a_task_elsewhere_ends_with_it_and_with_its_member() {
    let lab = Lab::new();
    let [mut alpha, beta] = two_with_jobs(&lab);
    lab.ask(&alpha, &["node", "drain", "alpha"]).says(0, "");
    let script = "echo up > ready; read go < gate-1";
    lab.ask(&alpha, &["submit", "-q", "--", "sh", "-c", script]).is(0, "3\n");
    lab.ready(1);
    let ended = |beside: Child| Run::of(beside.wait_with_output().expect("it was started here"));
    // It is known a moment after it has begun.
    while lab.ask(&alpha, &["exec", "3", "--", "true"]).code != Some(0) {}
    let beside = stays_beside(&lab, &alpha);
    drop(beta);
    ended(beside).says(69, "beta has gone");
    alpha.line("member beta has gone");
    let _beta = lab.member("beta", &["up"]);
    // The task runs again there.
    lab.ready(1);
    while lab.ask(&alpha, &["exec", "3", "--", "true"]).code != Some(0) {}
    let beside = stays_beside(&lab, &alpha);
    lab.ask(&alpha, &["cancel", "3"]).says(0, "");
    ended(beside).says(137, "the task has ended");
    lab.ask(&alpha, &["exec", "3", "--", "true"]).says(1, "does not run: it is cancelled");
}

#[test]
fn nodes_are_shown_and_changed_for_the_jobs_of_all_homes() {
    let lab = Lab::new();
    let [alpha, beta] = two_with_jobs(&lab);
    let ended = |at: &Member| {
        let nodes = lab.ask(at, &["node", "ls", "-o", "json"]).json();
        let each = nodes["nodes"].as_array().into_iter().flatten();
        each.map(|node| node["tasks_ended"].as_u64().unwrap_or_default()).sum::<u64>()
    };
    assert_eq!([ended(&alpha), ended(&beta)], [4, 4]);
    lab.ask(&alpha, &["node", "drain", "beta"]).says(0, "is given nothing more");
    let state = lab.ask(&beta, &["node", "show", "beta", "-o", "json"]).json();
    assert_eq!(state["nodes"][0]["state"], "drained", "{state}");
    lab.ask(&beta, &["submit", "--wait", "-q", "--", "true"]).says(0, "");
    let task = lab.ask(&beta, &["show", "last/1", "-o", "json"]).json();
    assert_eq!(task["jobs"][0]["tasks"][0]["node"], "alpha", "{task}");
    drop(beta);
    lab.ask(&alpha, &["node", "undrain", "beta"]).says(0, "; for jobs of beta once it is back");
}

/// The state of node alpha, and its label `disk`, as a member's home has them.
fn alpha_for(lab: &Lab, home: &Member) -> (String, String) {
    let shown = lab.ask(home, &["node", "show", "alpha", "-o", "json"]);
    if shown.code == Some(3) {
        // It has not met it yet.
        return Default::default();
    }
    let shown = shown.json();
    let (state, disk) = (&shown["nodes"][0]["state"], &shown["nodes"][0]["labels"]["disk"]);
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    (text(state), text(disk))
}

#[test]
fn what_was_decided_of_a_node_reaches_homes_that_were_away_or_come_later() {
    let lab = Lab::new();
    let (mut alpha, line) = lab.found("alpha");
    let mut beta = lab.join_at("beta", &line, "127.0.0.2:0");
    alpha.meets(&beta);
    beta.meets(&alpha);
    drop(beta);
    alpha.line("member beta has gone");
    lab.ask(&alpha, &["node", "drain", "alpha"]).says(0, "; for jobs of beta once it is back");
    lab.ask(&alpha, &["node", "label", "alpha", "disk=ssd"]).says(0, "has other labels");
    let is = |state: &str, disk: &str| (state.to_owned(), disk.to_owned());
    let beta = lab.member("beta", &["up"]);
    while alpha_for(&lab, &beta) != is("drained", "ssd") {}
    // What one home alone is asked for since holds, when it comes again too.
    lab.ask(&alpha, &["node", "undrain", "alpha", "--home", "beta"]).says(0, "");
    assert_eq!(alpha_for(&lab, &beta), is("up", "ssd"));
    drop(beta);
    alpha.line("member beta has gone");
    lab.ask(&alpha, &["node", "label", "alpha", "disk=hdd"]).says(0, "has other labels");
    let beta = lab.member("beta", &["up"]);
    while alpha_for(&lab, &beta).1 != "hdd" {}
    assert_eq!(alpha_for(&lab, &beta), is("up", "hdd"));
    assert_eq!(alpha_for(&lab, &alpha), is("drained", "hdd"));
    let gamma = lab.join_at("gamma", &line, "127.0.0.3:0");
    while alpha_for(&lab, &gamma) != is("drained", "hdd") {}
    lab.ask(&gamma, &["node", "undrain", "alpha"]).says(0, "alpha is given tasks again");
    assert_eq!(alpha_for(&lab, &alpha), is("up", "hdd"));
}
