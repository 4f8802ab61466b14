//! The autoscaler: members come as processes when there is work for them, and go when there is
//! none, with nothing lost; a command of the user's does the same elsewhere, and may fail.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::lab::{Lab, Member};
use crate::standing::Standing;

/// A rule that acts at once, for members of one slot.
const QUICK: &str = "queue,per_node=1,most=3,every=100ms,pause_add=0s,pause_remove=0s,steady=0s,\
                     slots=1";

/// One that scales in this way.
fn scaling(lab: &Lab, plan: &str) -> Member {
    let (alpha, _) = lab.found("alpha");
    lab.ask(&alpha, &["config", "set", "autoscale", plan]).says(0, "before it was not set");
    alpha
}

/// What was decided.
fn decisions(lab: &Lab, member: &Member) -> Vec<Value> {
    let log = lab.ask(member, &["scale", "log", "--limit", "1000", "-o", "json"]).json();
    log["decisions"].as_array().cloned().unwrap_or_default()
}

/// The names that something was done to.
fn named(decisions: &[Value], act: &str) -> BTreeSet<String> {
    let all = decisions.iter().filter(|one| one["act"] == act);
    all.map(|one| one["node"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn members_come_for_work_and_go_with_nothing_lost() {
    let lab = Lab::new();
    let mut alpha = scaling(&lab, &format!("{QUICK},driver=local"));
    // None of them ends unless three run at a time; what each gives stays where it was made.
    let script = "case {} in
        1) echo met > pipe ;;
        2) echo met > pipe2 ;;
        3) cat pipe pipe2 ;;
    esac; head -c 999 /dev/zero | tr '\\0' {}; echo";
    for job in ["1", "2"] {
        let words = ["submit", "-q", "--wait", "--array", "1-3", "--", "sh", "-c", script];
        lab.ask(&alpha, &words).says(0, "");
        for name in ["auto-1", "auto-2"] {
            alpha.line(&format!("autoscaler: drain {name}: queue: "));
            alpha.line(&format!("{name} has ended: exit status: 0"));
        }
        let results = lab.ask(&alpha, &["result", job]);
        let lines: Vec<&str> = results.says(0, "").out.lines().collect();
        assert_eq!(lines.iter().filter(|line| line.len() == 999).count(), 3, "{results:?}");
    }
    let all = decisions(&lab, &alpha);
    let both = BTreeSet::from(["auto-1".to_owned(), "auto-2".to_owned()]);
    for act in ["add", "drain", "stop", "keep"] {
        assert!(named(&all, act).is_subset(&both), "there are three at most: {all:?}");
    }
    assert_eq!(named(&all, "add"), both);
    assert!(all.iter().all(|one| one["reason"] != "" && one["member"] == "alpha"), "{all:?}");
    let shown = lab.ask(&alpha, &["scale", "show"]);
    assert!(shown.says(0, "").out.contains("members   1 of 1 to 3"), "{shown:?}");
    let audit = lab.ask(&alpha, &["audit", "--limit", "0", "-o", "jsonl"]).out;
    let told = |target: &str| {
        let target = format!("\"target\":\"{target}\"");
        audit.lines().any(|line| line.contains("\"who\":\"autoscaler\"") && line.contains(&target))
    };
    assert!(told("add auto-1") && told("drain auto-1") && told("stop auto-1"), "{audit}");
}

#[test]
fn a_command_adds_and_removes_members() {
    let lab = Lab::new();
    let mut alpha = scaling(&lab, &format!("{QUICK},least=0,driver=none"));
    let command = "echo $BARY_SCALE $BARY_NODE >> scaled; echo \"$BARY_JOIN\" > line-$BARY_NODE";
    lab.ask(&alpha, &["config", "set", "autoscale-command", command]).says(0, "");
    let script = "echo up > ready; read go < gate-{}";
    let words = ["submit", "-q", "--array", "1-2", "--", "sh", "-c", script];
    lab.ask(&alpha, &words).is(0, "1\n");
    // What would be done is told first.
    alpha.line("autoscaler: add auto-1: queue: 2 tasks at 1 a node want 2 nodes; not done");
    let plan = format!("{QUICK},most=2,driver=command");
    lab.ask(&alpha, &["config", "set", "autoscale", &plan]).says(0, "");
    alpha.line("autoscaler: add auto-1: ");
    while !lab.bench.path().join("line-auto-1").exists() {}
    let line = lab.bench.read("line-auto-1");
    let mut new = lab.join_at("auto-1", line.trim(), "127.0.0.2:0");
    alpha.meets(&new);
    new.meets(&alpha);
    lab.ready(2);
    let _gates = lab.open_gates();
    lab.ask(&alpha, &["wait", "1"]).says(0, "2 of 2 succeeded");
    alpha.line("autoscaler: drain auto-1: ");
    alpha.line("autoscaler: stop auto-1: ");
    assert_eq!(new.node.ended().0, Some(0));
    while !lab.bench.read("scaled").contains("remove auto-1") {}
    assert_eq!(lab.bench.read("scaled").lines().next(), Some("add auto-1"));
}

#[test]
fn a_driver_that_fails_is_told_and_a_plan_that_is_none_is_refused() {
    let lab = Lab::new();
    let mut alpha = scaling(&lab, &format!("{QUICK},driver=command"));
    let script = "read go < gate-1";
    lab.ask(&alpha, &["submit", "-q", "--array", "1-2", "--", "sh", "-c", script]).is(0, "1\n");
    alpha.line("failed: there is no command: set autoscale-command; nothing is added for 15 s");
    let all = decisions(&lab, &alpha);
    assert_eq!(named(&all, "add"), BTreeSet::from(["auto-1".to_owned()]), "{all:?}");
    let wrong = ["config", "set", "autoscale", "queue,driver=local"];
    lab.ask(&alpha, &wrong).says(2, "say how many nodes there may be at most");
    lab.ask(&alpha, &["config", "unset", "autoscale"]).says(0, "");
    let shown = || lab.ask(&alpha, &["scale", "show"]).out;
    while !shown().contains("nothing is scaled") {}
}

#[test]
fn a_flag_says_it_too_and_a_node_alone_scales_nothing() {
    let lab = Lab::new();
    let plan = "queue,least=2,most=2,every=100ms,slots=1,driver=local";
    let words = ["up", "--cluster", "lab", "--name", "alpha", "--autoscale", plan];
    let listen = ["--cluster-listen", "127.0.0.1:0"];
    let mut alpha = lab.member("alpha", &[&words[..], &listen].concat());
    // The fewest are there without any work.
    alpha.line("member auto-1 is there");
    lab.both_run(&alpha).says(0, "");
    let mut alone = Standing::up(&lab.bench, &["--autoscale", "queue,most=2"]);
    assert!(alone.line().contains("nothing is scaled: the node is in no cluster"));
    lab.bench.bary(&["up", "--autoscale", "queue,mots=2"]).says(2, "`most`?");
}
