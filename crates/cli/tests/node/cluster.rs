//! Two members of a cluster, as processes that reach each other over loopback: both run what either
//! is given, and what a member held runs again when it dies.

use crate::lab::Lab;

#[test]
fn what_one_member_is_given_runs_on_both() {
    let lab = Lab::new();
    let (mut alpha, line) = lab.found("alpha");
    let mut beta = lab.join("beta", &line);
    alpha.meets(&beta);
    beta.meets(&alpha);
    lab.both_run(&alpha).says(0, "");
    lab.both_run(&beta).says(0, "");
    for member in [&alpha, &beta] {
        let nodes = lab.ask(member, &["node", "ls", "-q"]);
        nodes.says(0, "");
        let mut names: Vec<&str> = nodes.out.lines().collect();
        names.sort_unstable();
        assert_eq!(names, ["alpha", "beta"]);
    }
}

#[test]
fn a_result_that_another_member_made_is_read_where_the_job_is() {
    let lab = Lab::new();
    let (mut alpha, line) = lab.found("alpha");
    let _beta = {
        let beta = lab.join("beta", &line);
        alpha.meets(&beta);
        beta
    };
    let script = "if [ {} = 1 ]; then cat pipe; else echo met > pipe; fi > /dev/null
                  head -c 1048576 /dev/zero | tr '\\0' {}";
    let words = ["submit", "--wait", "-q", "--array", "1-2", "--", "sh", "-c", script];
    lab.ask(&alpha, &words).says(0, "");
    let both = ["1".repeat(1 << 20), "2".repeat(1 << 20)].concat();
    let read = lab.ask(&alpha, &["result", "last"]);
    assert!(read.out.replace('\n', "") == both, "{} bytes came", read.out.len());
}

#[test]
fn what_a_member_held_runs_again_when_it_dies() {
    let lab = Lab::new();
    let (mut alpha, line) = lab.found("alpha");
    let beta = lab.join("beta", &line);
    alpha.meets(&beta);
    let script = "[ -e killed ] && exec echo again; echo up > ready; cat gate";
    let words = ["submit", "-q", "--array", "1-2", "--", "sh", "-c", script];
    lab.ask(&alpha, &words).is(0, "1\n");
    lab.ready(2);
    lab.bench.file("killed", "");
    drop(beta);
    alpha.line("member beta has gone");
    lab.bench.file("gate", "first\n");
    lab.ask(&alpha, &["wait", "1"]).says(0, "2 of 2 succeeded");
    let read = lab.ask(&alpha, &["result", "1"]).out;
    assert!(read.contains("again"), "{read}");
}

#[test]
fn a_member_that_comes_back_is_one_again() {
    let lab = Lab::new();
    let (mut alpha, line) = lab.found("alpha");
    let beta = lab.join("beta", &line);
    alpha.meets(&beta);
    beta.node.signal("TERM");
    assert_eq!(beta.node.ended().0, Some(0));
    alpha.line("member beta has gone");
    let beta = lab.member("beta", &["up"]);
    alpha.meets(&beta);
    lab.both_run(&beta).says(0, "");
}

#[test]
fn nobody_is_let_in_by_a_used_token_or_the_line_of_another_cluster() {
    let lab = Lab::new();
    let (_alpha, line) = lab.found("alpha");
    let once = lab.bench.bary(&["auth", "join-line", "--state", "alpha"]);
    let once = once.says(0, "").out.trim();
    let _beta = lab.join("beta", once);
    let refused = |line: &str, why: &str| {
        let words = ["join", line, "--name", "c", "--state", "c", "--no-socket"];
        let listen = ["--listen", "127.0.0.1:0", "--cluster-listen", "127.0.0.1:0"];
        lab.bench.bary(&[&words[..], &listen].concat()).says(1, why);
        assert!(!lab.bench.path().join("c/cluster/certificate").exists());
    };
    refused(once, "is not known here, was revoked, or is used up");
    let other = Lab::new();
    let (_gamma, strange) = other.found("gamma");
    let (_, print) = strange.rsplit_once('/').expect("it has three parts");
    let (rest, _) = line.rsplit_once('/').expect("it has three parts");
    refused(&format!("{rest}/{print}"), "no member let this node in");
    let taken = ["join", &line, "--name", "alpha", "--state", "d", "--no-socket"];
    let listen = ["--listen", "127.0.0.1:0", "--cluster-listen", "127.0.0.1:0"];
    let taken = lab.bench.bary(&[&taken[..], &listen].concat());
    taken.says(1, "there is a member `alpha` already");
}
