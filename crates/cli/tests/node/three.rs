//! Three members of a cluster at addresses of their own: each knows the others by whichever let it
//! in, any of them may die, and a home that comes back goes on with what the others run for it.

use crate::lab::{Lab, Member};

/// Three that all know each other. The last one was told of the first only.
fn three(lab: &Lab) -> [Member; 3] {
    let (mut alpha, line) = lab.found("alpha");
    let mut beta = lab.join_at("beta", &line, "127.0.0.2:0");
    alpha.meets(&beta);
    let mut gamma = lab.join_at("gamma", &line, "127.0.0.3:0");
    gamma.meets(&beta);
    beta.meets(&gamma);
    [alpha, beta, gamma]
}

#[test]
fn what_any_of_three_is_given_runs_on_all() {
    let lab = Lab::new();
    for member in &three(&lab) {
        lab.three_run(member).says(0, "");
    }
}

#[test]
fn two_go_on_without_a_third_and_take_it_back() {
    let lab = Lab::new();
    let [mut alpha, beta, mut gamma] = three(&lab);
    drop(beta);
    alpha.line("member beta has gone");
    gamma.line("member beta has gone");
    lab.both_run(&alpha).says(0, "");
    lab.both_run(&gamma).says(0, "");
    let mut beta = lab.member("beta", &["up"]);
    for other in [&mut alpha, &mut gamma] {
        other.meets(&beta);
        beta.meets(other);
    }
    lab.three_run(&beta).says(0, "");
}

#[test]
fn a_home_that_was_killed_waits_for_those_that_run_its_tasks_and_not_for_ever() {
    let lab = Lab::new();
    let [alpha, beta, gamma] = three(&lab);
    lab.ask(&alpha, &["node", "drain", "alpha"]).says(0, "");
    let script = "echo {} >> ran
                  [ -e again ] && exit
                  echo up > ready; read go < gate-{}";
    let words = ["submit", "-q", "--array", "1-2", "--", "sh", "-c", script];
    lab.ask(&alpha, &words).is(0, "1\n");
    lab.ready(2);
    drop(alpha);
    drop(gamma);
    lab.bench.file("again", "");
    let mut alpha = lab.member("alpha", &["up"]);
    alpha.meets(&beta);
    let _gates = lab.open_gates();
    lab.ask(&alpha, &["wait", "1"]).says(0, "2 of 2 succeeded");
    // What beta ran all the while was not begun anew; what gamma had was, once it was given up.
    assert_eq!(lab.bench.read("ran").lines().count(), 3);
}

#[test]
fn members_restart_one_after_the_other_while_work_goes_on() {
    let lab = Lab::new();
    let mut members = Vec::from(three(&lab));
    let words = ["submit", "-q", "--array", "1-900", "--", "sh", "-c", "echo {} >> ran"];
    lab.ask(&members[0], &words).is(0, "1\n");
    for _ in 0..3 {
        let Member { node, name, .. } = members.remove(0);
        node.signal("TERM");
        assert_eq!(node.ended().0, Some(0));
        for other in &mut members {
            other.line(&format!("member {name} has gone"));
        }
        let mut again = lab.member(name, &["up"]);
        for other in &mut members {
            again.meets(other);
            other.meets(&again);
        }
        members.push(again);
    }
    lab.ask(&members[0], &["wait", "1"]).says(0, "900 of 900 succeeded");
    // What a member ran is known at the homes before it goes, so that nothing runs again.
    let ran = lab.bench.read("ran");
    let mut ran: Vec<u32> = ran.lines().map(|line| line.parse().expect("a number")).collect();
    ran.sort_unstable();
    assert!(ran.into_iter().eq(1..=900));
}
