//! What a member is asked about the jobs of another: every kind of verb, by every door, with the
//! role that the caller has here, and what is said where that other is not there.

use std::process::Stdio;

use crate::bench::Run;
use crate::http::Ask;
use crate::lab::{Lab, Member};

/// Two that know each other.
fn two(lab: &Lab) -> [Member; 2] {
    let (mut alpha, line) = lab.found("alpha");
    let mut beta = lab.join_at("beta", &line, "127.0.0.2:0");
    alpha.meets(&beta);
    beta.meets(&alpha);
    [alpha, beta]
}

/// Asks a member with a token of its own.
fn ask_as(lab: &Lab, member: &Member, token: &str, words: &[&str]) -> Run {
    let mut command = lab.bench.command(words);
    command.env("BARY_ADDR", format!("http://{}", member.node.at)).env("BARY_TOKEN", token);
    Run::of(command.output().expect("the program is built"))
}

#[test]
fn jobs_of_another_member_are_given_read_and_steered_from_here() {
    let lab = Lab::new();
    let [alpha, _beta] = two(&lab);
    let ask = |words: &[&str]| lab.ask(&alpha, words);
    ask(&["submit", "--home", "beta", "--", "echo", "hello"])
        .is(0, "job beta/1: 1 task, kept in the state on disk\n");
    ask(&["wait", "beta/1"]).says(0, "job beta/1 succeeded: 1 of 1 succeeded");
    ask(&["result", "beta/1"]).is(0, "hello\n");
    ask(&["logs", "beta/last"]).is(0, "hello\n");
    ask(&["ls", "-q", "beta/all"]).is(0, "beta/1\n");
    assert!(ask(&["show", "beta/1"]).out.contains("job        beta/1"));
    assert!(ask(&["why", "beta/1/1"]).out.contains("succeeded"));
    assert!(ask(&["events", "beta/1"]).out.contains("finished"));
    ask(&["ls", "1"]).says(3, "there is no job 1 of alpha");
    for verb in ["show", "cancel", "result", "why", "wait", "prune", "hold"] {
        ask(&[verb, "beta/999"]).says(3, "there is no job 999 of beta");
    }
    // What is changed there is that member's, and is printed as it is named here.
    ask(&["job", "open", "--home", "beta", "-q"]).is(0, "beta/2\n");
    ask(&["job", "add", "beta/2", "-q", "--", "true"]).is(0, "1\n");
    for verb in ["hold", "release"] {
        let changed = ask(&[verb, "beta/2", "-o", "json"]).json();
        let job = &changed["jobs"][0];
        assert_eq!((&job["home"], &job["id"]), (&"beta".into(), &2.into()), "{changed}");
    }
    ask(&["priority", "beta/2", "--to", "3"]).says(0, "");
    ask(&["job", "close", "beta/2"]).says(0, "");
    ask(&["wait", "beta/1-2"]).says(0, "job beta/2 succeeded");
    ask(&["submit", "-q", "--", "false"]).is(0, "1\n");
    ask(&["submit", "-q", "--home", "beta", "--", "false"]).is(0, "beta/3\n");
    ask(&["wait", "1", "beta/3"]).says(1, "job beta/3 failed");
    let again = ask(&["retry", "1", "beta/3", "-q"]);
    again.is(0, "1\nbeta/3\n");
    ask(&["wait", "all", "beta/all"]).says(1, "job 1 failed");
    ask(&["prune", "beta/3", "-q"]).is(0, "beta/3\n");
    ask(&["submit", "--after", "beta/1", "--", "true"]).says(2, "jobs of its own member");
}

#[test]
fn streams_in_both_directions_go_through() {
    let lab = Lab::new();
    let [alpha, _beta] = two(&lab);
    lab.ask(&alpha, &["node", "drain", "alpha", "--home", "beta"]).says(0, "");
    let script = "echo up > ready; read go < gate";
    let words = ["submit", "-q", "--home", "beta", "--", "sh", "-c", script];
    lab.ask(&alpha, &words).is(0, "beta/1\n");
    lab.ready(1);
    let beside = lab.ask(&alpha, &["exec", "-T", "beta/1", "--", "sh", "-c", "echo beside"]);
    beside.is(0, "beside\n");
    let mut follow = lab.bench.command(["logs", "-f", "beta/1"]);
    follow.env("BARY_ADDR", format!("http://{}", alpha.node.at));
    follow.env("BARY_TOKEN", &alpha.node.token).stdout(Stdio::piped());
    let follow = follow.spawn().expect("the program is built");
    lab.bench.file("gate", "go\n");
    let followed = Run::of(follow.wait_with_output().expect("it ends with the job"));
    followed.is(0, "");
}

#[test]
fn json_and_the_socket_name_a_home_too() {
    let lab = Lab::new();
    let [alpha, beta] = two(&lab);
    let submitted = alpha.node.ask("POST", "/v1/jobs?home=beta");
    let submitted = submitted.json(r#"{"tasks":{"command":["echo","hi"]}}"#).send();
    assert_eq!((submitted.status, &submitted.value()["job"]), (200, &1.into()), "{submitted:?}");
    let waited = alpha.node.ask("GET", "/v1/jobs/1/wait").header("Bary-Home", "beta").send();
    assert_eq!(waited.value()["done"], true, "{waited:?}");
    let listed = alpha.node.ask("GET", "/v1/jobs?limit=5&home=beta").send();
    assert_eq!(listed.value()["jobs"][0]["home"], "beta", "{listed:?}");
    assert!(listed.head.contains("\r\nbary-consistent: false"), "{listed:?}");
    let sure = alpha.node.ask("GET", "/v1/jobs?home=beta&consistent=true").send();
    assert!(sure.head.contains("\r\nbary-consistent: true"), "{sure:?}");
    assert!(!submitted.head.contains("bary-consistent"), "{submitted:?}");
    let own = alpha.node.ask("GET", "/v1/jobs?home=alpha").send().value();
    assert_eq!(own["total"], 0, "{own}");
    let told = alpha.node.ask("GET", "/v1/events?jobs=1&home=beta").send();
    assert!(told.body.ends_with("event: end\ndata: {}\n\n"), "{told:?}");
    let logs = alpha.node.ask("GET", "/v1/jobs/1/logs?home=beta");
    let logs = logs.header("Accept", "application/x-ndjson").send();
    assert!(logs.body.contains("aGkK"), "{logs:?}");
    let unknown = alpha.node.ask("GET", "/v1/jobs?home=gamma").send();
    assert_eq!(unknown.status, 404, "{unknown:?}");
    assert_eq!(unknown.value()["title"], "there is no member `gamma`");
    let strange = Ask::new("GET", "/v1/jobs?home=gamma", alpha.node.at).send();
    assert_eq!(strange.status, 401, "who is not known hears nothing of members");
    let two = alpha.node.ask("GET", "/v1/jobs?home=beta").header("Bary-Home", "alpha").send();
    assert_eq!(two.status, 400, "{two:?}");
    let audit = lab.ask(&beta, &["audit", "-o", "jsonl"]).out;
    let line = audit.lines().find(|line| line.contains("\"submit\"")).expect("it is told");
    assert!(line.contains("\"who\":\"admin via alpha\"") && line.contains("\"door\":\"member\""));
}

#[test]
fn a_caller_may_there_what_he_may_here() {
    let lab = Lab::new();
    let [alpha, beta] = two(&lab);
    let token = lab.ask(&alpha, &["token", "new", "eve", "--role", "viewer", "-q"]);
    let token = token.says(0, "").out.trim();
    let eve = |words: &[&str]| ask_as(&lab, &alpha, token, words);
    eve(&["ls", "--home", "beta"]).says(0, "");
    eve(&["submit", "--home", "beta", "--", "true"]).says(4, "submit needs the role operator");
    eve(&["audit", "--home", "beta"]).says(4, "audit needs the role admin");
    ask_as(&lab, &beta, token, &["ls"]).says(4, "");
    let audit = lab.ask(&alpha, &["audit", "-o", "jsonl"]).out;
    let told = |line: &str| line.contains("\"who\":\"eve\"") && line.contains("\"home beta\"");
    assert!(audit.lines().any(told), "{audit}");
    assert!(!lab.ask(&beta, &["audit", "-o", "jsonl"]).out.contains("eve"), "beta was not asked");
}

#[test]
fn what_only_a_member_says_means_nothing_from_others() {
    let lab = Lab::new();
    let [alpha, _beta] = two(&lab);
    let token = lab.ask(&alpha, &["token", "new", "eve", "--role", "viewer", "-q"]);
    let token = token.says(0, "").out.trim();
    let forged = |ask: Ask| ask.header("Bary-Caller", "root").header("Bary-Role", "admin");
    for path in ["/v1/audit", "/v1/audit?home=beta", "/v1/audit?home=alpha"] {
        let nobody = forged(Ask::new("GET", path, alpha.node.at)).send();
        assert_eq!(nobody.status, 401, "{path}: {nobody:?}");
        let eve = forged(Ask::new("GET", path, alpha.node.at).bearer(token)).send();
        assert_eq!(eve.status, 403, "{path}: {eve:?}");
    }
    let named = alpha.node.ask("POST", "/v1/jobs?home=beta");
    let named = forged(named).json(r#"{"tasks":{"function":"noop"}}"#).send();
    assert_eq!(named.status, 200, "{named:?}");
    let audit = lab.ask(&alpha, &["audit", "--home", "beta", "-o", "jsonl"]).out;
    assert!(audit.contains("admin via alpha") && !audit.contains("root"), "{audit}");
}

#[test]
fn a_home_that_is_away_is_said_to_be_and_waited_for() {
    let lab = Lab::new();
    let [mut alpha, beta] = two(&lab);
    lab.ask(&alpha, &["submit", "--home", "gamma", "--", "true"]).says(3, "bary node ls lists");
    let script = "[ -e again ] && exit; echo up > ready; read go < gate-1";
    let words = ["submit", "-q", "--home", "beta", "--", "sh", "-c", script];
    lab.ask(&alpha, &words).is(0, "beta/1\n");
    lab.ready(1);
    let mut wait = lab.bench.command(["wait", "beta/1"]);
    wait.env("BARY_ADDR", format!("http://{}", alpha.node.at));
    wait.env("BARY_TOKEN", &alpha.node.token).stdout(Stdio::piped()).stderr(Stdio::piped());
    let wait = wait.spawn().expect("the program is built");
    lab.bench.file("again", "");
    drop(beta);
    alpha.line("member beta has gone");
    lab.ask(&alpha, &["ls", "beta/1"]).says(69, "beta has been away for ");
    lab.ask(&alpha, &["why", "beta/1"]).says(69, "beta has been away for ");
    let brief = lab.ask(&alpha, &["wait", "--timeout", "10ms", "beta/1"]);
    brief.says(124, "the time is over");
    let beta = lab.member("beta", &["up"]);
    alpha.meets(&beta);
    let _gates = lab.open_gates();
    let waited = Run::of(wait.wait_with_output().expect("it ends with the job"));
    waited.says(0, "job beta/1 succeeded");
}
