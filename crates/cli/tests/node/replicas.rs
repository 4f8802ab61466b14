//! Members that keep each other's jobs: where one dies, or only stands still, another goes on with
//! what it had acknowledged, and gives it back.

use crate::bench::Run;
use crate::lab::{Lab, Member};

/// Three of which all keep the jobs of the second.
pub(crate) fn three(lab: &Lab) -> [Member; 3] {
    let (mut alpha, line) = lab.found("alpha");
    let listen = ["--cluster-listen", "127.0.0.2:0", "--name", "beta", "--replicas", "3"];
    let mut beta = lab.member("beta", &[&["join", &*line], &listen[..]].concat());
    alpha.meets(&beta);
    let mut gamma = lab.join_at("gamma", &line, "127.0.0.3:0");
    gamma.meets(&beta);
    beta.line("its shard is kept by");
    [alpha, beta, gamma]
}

/// Which of two comes to stand in for beta.
fn stand_in<'a>(lab: &Lab, one: &'a mut Member, other: &'a mut Member) -> &'a mut Member {
    // Whoever it is, both know as soon as one of them is asked and answers.
    let asked = lab.ask(one, &["wait", "beta/1"]);
    asked.says(0, "job beta/1 succeeded");
    who_stands_in(lab, one, other)
}

/// Which of two stands in for beta.
pub(crate) fn who_stands_in<'a>(
    lab: &Lab,
    one: &'a mut Member,
    other: &'a mut Member,
) -> &'a mut Member {
    let here = lab.ask(one, &["node", "ls", "-o", "json"]).json();
    let nodes = here["nodes"].as_array().expect("there are nodes").clone();
    let home = nodes.iter().find(|node| node["name"] == "beta-home").expect("it is there");
    let is_own = home["round_trip_seconds"].as_f64().unwrap_or_default() == 0.0;
    if is_own { one } else { other }
}

/// What is answered once a member knows who stands in for beta.
fn once_there(lab: &Lab, asked: &Member, words: &[&str]) -> Run {
    loop {
        let run = lab.ask(asked, words);
        if run.code != Some(69) {
            return run;
        }
    }
}

/// Which policy the home of beta's jobs follows, wherever it is.
fn follows(lab: &Lab, asked: &Member) -> String {
    let words = ["policy", "show", "--home", "beta", "-o", "json"];
    let shown = lab.ask(asked, &words).json();
    shown["policy"]["name"].as_str().unwrap_or_default().to_owned()
}

/// A member says by whom beta's jobs are kept, and who of them is away.
fn keeps(lab: &Lab, asked: &Member, keepers: &[&str], away: &[&str]) {
    let shown = lab.ask(asked, &["node", "show", "beta", "-o", "json"]).json();
    let beta = &shown["nodes"][0];
    let (replicas, kept_by) = (&beta["replicas"], &beta["kept_by"]);
    let expected = (&keepers.len().into(), &keepers.into(), &away.into());
    assert_eq!((replicas, kept_by, &beta["keepers_away"]), expected, "{shown}");
}

#[test]
fn another_goes_on_with_the_jobs_of_one_that_died_and_gives_them_back() {
    let lab = Lab::new();
    let [mut alpha, beta, mut gamma] = three(&lab);
    lab.ask(&beta, &["node", "drain", "beta"]).says(0, "");
    lab.ask(&beta, &["policy", "set", "fifo"]).says(0, "it was gravity");
    let script = "echo {} >> ran; echo up > ready; read go < gate-{}; echo done {}";
    let words = ["submit", "--array", "1-2", "--", "sh", "-c", script];
    let kept = lab.ask(&beta, &words);
    kept.is(0, "job 1: 2 tasks, kept in the states of several members\n");
    lab.ready(2);
    let all = ["alpha", "beta", "gamma"];
    keeps(&lab, &gamma, &all, &[]);
    // What is acknowledged after the grants is durable after them.
    lab.ask(&beta, &["submit", "-q", "--", "echo", "later"]).is(0, "2\n");
    drop(beta);
    alpha.line("member beta has gone");
    gamma.line("member beta has gone");
    // One of the tasks runs where its home is stood in for, and one at the other.
    for task in ["beta/1/1", "beta/1/2"] {
        let words = ["exec", "-T", task, "--", "echo", "beside"];
        once_there(&lab, &gamma, &words).is(0, "beside\n");
    }
    let _gates = lab.open_gates();
    // What the others ran goes on, and is theirs to tell whoever is the home by now.
    let stands = stand_in(&lab, &mut alpha, &mut gamma).name;
    keeps(&lab, &gamma, &all, &["beta"]);
    let shown = lab.ask(&alpha, &["node", "show", stands]);
    assert!(shown.says(0, "").out.contains("stands in    for beta"), "{shown:?}");
    let shown = lab.ask(&alpha, &["node", "show", "beta"]);
    let kept = "kept by      alpha, beta, gamma; away: beta";
    assert!(shown.says(0, "").out.contains(kept), "{shown:?}");
    // It follows what the cluster does.
    lab.ask(&gamma, &["config", "set", "policy", "fifo"]).says(0, "before it was not set");
    let followed = || {
        let shown = lab.ask(&alpha, &["policy", "show", "--home", "beta", "-o", "json"]).json();
        shown["policy"]["name"].as_str().unwrap_or_default().to_owned()
    };
    while followed() != "fifo" {}
    lab.ask(&gamma, &["result", "beta/1"]).is(0, "done 1\ndone 2\n");
    lab.ask(&alpha, &["submit", "--home", "beta", "-q", "--", "echo", "more"]).is(0, "beta/3\n");
    lab.ask(&gamma, &["wait", "beta/2", "beta/3"]).says(0, "job beta/3 succeeded");
    lab.ask(&gamma, &["ls", "-q"]).is(0, "beta/1\nbeta/2\nbeta/3\n");
    // It follows what its home did, and then what all are told to.
    assert_eq!(follows(&lab, &gamma), "fifo");
    lab.ask(&alpha, &["policy", "set", "random", "--cluster"]).says(0, "");
    while follows(&lab, &gamma) != "random" {}
    assert_eq!(lab.bench.read("ran").lines().count(), 2, "nothing ran twice");
    let beta = lab.member("beta", &["up"]);
    let stood = if stands == "alpha" { &mut alpha } else { &mut gamma };
    stood.line("no longer stands in for beta");
    lab.ask(&beta, &["wait", "1", "2", "3"]).says(0, "job 3 succeeded");
    lab.ask(&beta, &["result", "3"]).is(0, "more\n");
    lab.ask(&beta, &["submit", "--wait", "-q", "--", "true"]).says(0, "");
    lab.ask(&alpha, &["ls", "-q"]).is(0, "beta/1\nbeta/2\nbeta/3\nbeta/4\n");
}

#[test]
fn one_that_stood_still_too_long_counts_no_more_and_begins_again() {
    let lab = Lab::new();
    let [mut alpha, mut beta, mut gamma] = three(&lab);
    lab.ask(&beta, &["submit", "-q", "--", "true"]).is(0, "1\n");
    lab.ask(&beta, &["wait", "1"]).says(0, "");
    beta.node.signal("STOP");
    alpha.line("member beta has gone");
    gamma.line("member beta has gone");
    stand_in(&lab, &mut alpha, &mut gamma);
    lab.ask(&alpha, &["submit", "--home", "beta", "-q", "--", "echo", "mine"]).is(0, "beta/2\n");
    lab.ask(&gamma, &["wait", "beta/2"]).says(0, "job beta/2 succeeded");
    beta.node.signal("CONT");
    beta.line("another member has taken over the shard of this one");
    beta.line("up at");
    lab.ask(&gamma, &["result", "beta/2"]).is(0, "mine\n");
    // It is where it was.
    lab.ask(&beta, &["result", "2"]).is(0, "mine\n");
    lab.ask(&alpha, &["submit", "--home", "beta", "--wait", "-q", "--", "true"]).says(0, "");
}

/// Who keeps a member's shard by now, as it says itself.
pub(crate) fn keepers(member: &mut Member) -> Vec<String> {
    let line = member.line("its shard is kept by ");
    let (_, names) = line.trim_end().rsplit_once(" by ").expect("it names them");
    let mut names: Vec<_> = names.split(", ").map(str::to_owned).collect();
    names.sort_unstable();
    names
}

#[test]
fn who_keeps_a_shard_changes_with_the_number_and_with_who_is_a_member() {
    let lab = Lab::new();
    let (mut alpha, line) = lab.found("alpha");
    let listen = ["--cluster-listen", "127.0.0.2:0", "--name", "beta", "--replicas", "3"];
    let mut beta = lab.member("beta", &[&["join", &*line], &listen[..]].concat());
    let _gamma = lab.join_at("gamma", &line, "127.0.0.3:0");
    assert_eq!(keepers(&mut beta), ["alpha", "beta", "gamma"]);
    let mut delta = lab.join_at("delta", &line, "127.0.0.4:0");
    beta.meets(&delta);
    lab.ask(&beta, &["submit", "--wait", "-q", "--", "echo", "kept"]).says(0, "");
    // One that is a member no more is replaced, by one that has nothing of it yet.
    lab.ask(&alpha, &["node", "remove", "gamma"]).says(0, "gamma is a member no more");
    assert_eq!(keepers(&mut beta), ["alpha", "beta", "delta"]);
    drop(beta);
    delta.line("member beta has gone");
    stand_in(&lab, &mut alpha, &mut delta);
    let words = ["submit", "--home", "beta", "-q", "--", "true"];
    once_there(&lab, &delta, &words).is(0, "beta/2\n");
    let mut beta = lab.member("beta", &["up", "--replicas", "1"]);
    assert_eq!(keepers(&mut beta), ["beta"]);
    let alone = lab.ask(&beta, &["submit", "--", "true"]);
    alone.is(0, "job 3: 1 task, kept in the state on disk\n");
    drop(beta);
    let mut beta = lab.member("beta", &["up", "--replicas", "3"]);
    assert_eq!(keepers(&mut beta), ["alpha", "beta", "delta"]);
    let kept = lab.ask(&beta, &["submit", "--", "true"]);
    kept.is(0, "job 4: 1 task, kept in the states of several members\n");
    lab.ask(&beta, &["wait", "1", "2", "3", "4"]).says(0, "job 4 succeeded");
}

#[test]
fn a_number_of_members_that_makes_no_majority_is_refused() {
    let lab = Lab::new();
    for wrong in ["0", "2", "8", "9", "x"] {
        let command = lab.bench.command(["up", "--state", "s", "--replicas", wrong]).output();
        let run = Run::of(command.expect("the program is built"));
        run.says(2, "there are 1, 3, 5 and 7");
    }
}
