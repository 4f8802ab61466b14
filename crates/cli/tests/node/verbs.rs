//! The verbs against a node that is really there.

use serde_json::Value;

use crate::bench::Run;
use crate::desk::Desk;

impl Desk {
    fn job(&self, job: &str) -> Value {
        self.bary(&["ls", job, "-o", "json"]).json()["jobs"][0].clone()
    }
}

#[test]
fn a_command_that_is_waited_for_is_as_if_it_had_run_here() {
    let desk = Desk::new();
    let run = desk.bary(&["submit", "--wait", "--shell", "--", "pwd; echo no >&2; exit 9"]);
    let here = desk.bench.path().canonicalize().expect("it is there");
    run.is(9, &format!("{}\n", here.display()));
    assert_eq!(run.err, "no\n");
    desk.bary(&["wait", "last", "-q"]).is(9, "");
    desk.bary(&["logs", "1", "--stderr"]).is(0, "no\n");
    desk.bary(&["submit", "--wait", "-q", "--", "true"]).says(0, "");
}

#[test]
fn tasks_see_what_was_taken_along_and_nothing_else() {
    let desk = Desk::new();
    let mut command = desk.bench.command(["submit", "--wait", "--env", "TAKEN", "--env", "A=b"]);
    command.args(["--", "sh", "-c", "echo $TAKEN-$LEFT-$A"]);
    command.env("BARY_ADDR", desk.bench.path().join("s")).env("TAKEN", "yes").env("LEFT", "no");
    Run::of(command.output().expect("the program is built")).is(0, "yes--b\n");
    desk.bary(&["submit", "--wait", "--env", "ABSENT", "--", "x"]).says(2, "ABSENT");
}

#[test]
fn many_tasks_give_many_results() {
    let desk = Desk::new();
    desk.bench.file("lines", "a\nb\nc\n");
    desk.bary(&["submit", "-q", "--each-line", "lines", "--", "echo", "line"]).is(0, "1\n");
    desk.bary(&["wait"]).says(0, "3 of 3 succeeded");
    desk.bary(&["result"]).is(0, "line a\nline b\nline c\n");
    desk.bary(&["result", "last/2"]).is(0, "line b\n");
    let tasks = desk.bary(&["show", "1", "-o", "json"]).json();
    assert_eq!(tasks["jobs"][0]["total"], 3);
    desk.bary(&["submit", "--array", "1-3", "--", "test", "{}", "-ne", "2"]).says(0, "");
    desk.bary(&["wait", "last"]).says(1, "2 of 3 succeeded, 1 failed");
    desk.bary(&["show", "2", "--filter", "state=failed", "-q"]).is(0, "2/test[2]\n");
}

#[test]
fn a_job_is_held_released_and_cancelled() {
    let desk = Desk::new();
    desk.bary(&["submit", "--hold", "--tag", "a=b", "--priority", "3", "--", "echo", "x"]);
    assert_eq!((&desk.job("1")["state"], &desk.job("1")["priority"]), (&"held".into(), &3.into()));
    desk.bary(&["ls", "--filter", "tag.a=b", "-q"]).is(0, "1\n");
    desk.bary(&["submit", "--after", "1", "-q", "--", "echo", "y"]).is(0, "2\n");
    desk.bary(&["cancel", "2", "--reason", "not wanted"]).says(0, "");
    assert_eq!(desk.job("2")["reason"], "not wanted");
    desk.bary(&["release", "1"]).says(0, "");
    desk.bary(&["wait", "all"]).says(1, "job 1 succeeded");
    desk.bary(&["cancel", "all"]).says(0, "there is no job left to do this to");
    desk.bary(&["hold", "1"]).says(1, "");
    desk.bary(&["prune", "all", "-q"]).is(0, "1\n2\n");
    desk.bary(&["ls", "-q"]).is(0, "");
}

#[test]
fn an_open_job_takes_tasks_until_it_is_closed() {
    let desk = Desk::new();
    desk.bary(&["job", "open", "stream", "-q"]).is(0, "1\n");
    assert_eq!(desk.job("1")["name"], "stream");
    desk.bary(&["job", "add", "1", "--array", "1-2", "--", "echo", "{}"]).says(0, "");
    desk.bary(&["job", "add", "1", "-q", "--", "echo", "z"]).is(0, "3\n");
    desk.bary(&["job", "close", "1"]).says(0, "");
    desk.bary(&["wait", "1"]).says(0, "3 of 3 succeeded");
    desk.bary(&["job", "add", "1", "--", "echo", "late"]).says(1, "job 1 is closed");
}

#[test]
fn the_same_key_gives_the_same_job() {
    let desk = Desk::new();
    let words = ["submit", "-q", "--idempotency-key", "k", "--", "echo", "x"];
    desk.bary(&words).is(0, "1\n");
    desk.bary(&words).is(0, "1\n");
    desk.bary(&["submit", "-q", "--idempotency-key", "k", "--", "echo", "y"]).says(1, "");
}

#[test]
fn over_tcp_a_token_is_needed_and_its_role_counts() {
    let desk = Desk::new();
    let looks = desk.bary(&["token", "new", "look", "--role", "viewer", "-q"]).out;
    desk.bench.file("token", looks);
    let tcp = desk.node.at.to_string();
    desk.bary(&["ls", "--addr", &tcp]).says(4, "");
    desk.bary(&["ls", "--addr", &tcp, "--token-file", "token", "-q"]).is(0, "");
    desk.bary(&["submit", "--addr", &tcp, "--token-file", "token", "--", "x"]).says(4, "");
    desk.bary(&["token", "revoke", "look"]).says(0, "");
    desk.bary(&["ls", "--addr", &tcp, "--token-file", "token"]).says(4, "");
    desk.bary(&["audit", "verify", "--state", "state"]).says(0, "");
    desk.bary(&["audit", "verify", "state"]).says(0, "");
    desk.bary(&["audit", "verify", "nowhere"]).says(3, "no audit log");
    let audit = desk.bary(&["audit", "-o", "jsonl"]).out;
    assert!(audit.lines().any(|line| line.contains("\"refused\"")), "{audit}");
    desk.bary(&["doctor", "--state", "state", "-o", "jsonl"]).says(0, "");
}

#[test]
fn policies_and_nodes_change_while_work_goes_on() {
    let desk = Desk::new();
    desk.bary(&["policy", "set", "round-robin"]).says(0, "before it was gravity");
    let tried = desk.bary(&["policy", "try", "gravity", "--load", "10", "--weight", "5.2"]);
    assert!(tried.out.contains("formula"), "{tried:?}");
    let nodes = desk.bary(&["node", "ls", "-o", "json"]).json();
    let name = nodes["nodes"][0]["name"].as_str().expect("it has a name").to_owned();
    desk.bary(&["node", "drain", &name, "--reason", "r"]).says(0, "");
    desk.bary(&["submit", "-q", "--", "echo", "x"]).is(0, "1\n");
    let why = desk.bary(&["why", "1/1"]);
    assert!(why.out.contains("drained"), "{why:?}");
    desk.bary(&["node", "undrain", &name]).says(0, "");
    desk.bary(&["wait", "1"]).says(0, "");
}

#[test]
fn what_is_large_goes_in_chunks() {
    let desk = Desk::new();
    let lines: String = (0..400_000).map(|n| format!("line number {n}\n")).collect();
    assert!(lines.len() > bary_client::chunked::WHOLE_BYTES_MAX);
    desk.bench.file("lines", &lines);
    let words = ["submit", "-q", "--each-line", "lines", "--function", "noop", "--hold"];
    let keyed = [&words[..], &["--idempotency-key", "k"]].concat();
    desk.bary(&keyed).is(0, "1\n");
    desk.bary(&keyed).is(0, "1\n");
    assert_eq!(desk.job("1")["tasks"], 400_000);
    let audit = desk.bary(&["audit", "-o", "jsonl"]).out;
    let told = |verb: &str| audit.matches(&format!("\"verb\":\"{verb}\"")).count();
    assert_eq!((told("commit"), told("submit"), told("chunk")), (2, 0, 0), "{audit}");
}

#[test]
fn a_submission_says_what_its_acknowledgement_is_to_be_worth() {
    let desk = Desk::new();
    let kept = desk.bary(&["submit", "--durability", "disk", "--", "true"]);
    assert!(kept.code == Some(0) && kept.out.contains("kept in the state on disk"), "{kept:?}");
    let more = desk.bary(&["submit", "--durability", "memory", "-o", "json", "--", "true"]);
    assert_eq!(more.json()["durability"], "disk", "it is worth more than was asked for");
}

#[test]
fn a_shell_completes_the_jobs_that_there_are() {
    let desk = Desk::new();
    desk.bary(&["submit", "-q", "--", "true"]).is(0, "1\n");
    desk.bary(&["submit", "-q", "--", "true"]).is(0, "2\n");
    let script = "source <(bary completions bash); COMP_WORDS=(bary show \"$1\"); COMP_CWORD=2; \
                  _bary_with_jobs bary \"$1\" show; echo \"${COMPREPLY[@]}\"";
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_bary"));
    let mut path = program.parent().expect("it lies somewhere").as_os_str().to_owned();
    path.push(":/usr/local/bin:/usr/bin:/bin");
    let completed = |word: &str, at: &str| {
        let mut bash = std::process::Command::new("bash");
        bash.args(["-c", script, "bash", word]).env("PATH", &path).env("BARY_ADDR", at);
        Run::of(bash.output().expect("there is bash")).out
    };
    let at = desk.bench.path().join("s").display().to_string();
    assert_eq!(completed("2", &at), "2\n");
    assert!(completed("", &at).contains("last all 1 2"));
    assert_eq!(completed("2", "/nowhere/s"), "\n", "without a node there is nothing, and no word");
}
