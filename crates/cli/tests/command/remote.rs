//! The verbs that ask a node: what they ask, what they print, and what they end with.

use serde_json::json;

use crate::bench::{Bench, Run};
use crate::fake::{Fake, TOKEN};

/// A directory, a node, and the program that asks it.
struct Desk {
    bench: Bench,
    fake: Fake,
}

impl Desk {
    fn new() -> Self {
        Self { bench: Bench::new(), fake: Fake::start() }
    }

    fn bary(&self, words: &[&str]) -> Run {
        let mut command = self.bench.command(words);
        command.env("BARY_ADDR", &self.fake.addr);
        Run::of(command.output().expect("the program is built"))
    }

    /// The job that was submitted last, and its spec.
    fn submitted(&self) -> (serde_json::Value, bary_model::job::JobSpec) {
        let request = self.fake.last("submit");
        let bytes: bary_api::v1::SubmitRequest =
            serde_json::from_value(request.clone()).expect("it is a request");
        let Some(bary_api::v1::submit_request::Job::Spec(bytes)) = bytes.job else {
            panic!("it is no spec: {request}")
        };
        (request, bary_api::spec::decode(&bytes).expect("it is a job"))
    }
}

fn words(spec: &bary_model::task::TaskSpec) -> Vec<String> {
    let bary_model::action::Action::Command { argv } = &spec.body.action else {
        panic!("it is no command")
    };
    let scope = bary_model::template::Scope { row: spec.inputs.row(0), ..Default::default() };
    let argv = bary_model::template::Template::expand_argv(argv, &scope);
    argv.into_iter().map(|word| String::from_utf8_lossy(&word).into_owned()).collect()
}

#[test]
fn without_a_node_a_verb_says_what_to_type() {
    let bench = Bench::new();
    let run = bench.bary(&["ls", "--addr", "./none.sock"]);
    run.is(69, "").says(69, "no node answers at unix:./none.sock").says(69, "bary up");
    bench.bary(&["ls", "--addr", "https://x"]).says(2, "TLS");
}

#[test]
fn jobs_are_listed_in_every_form() {
    let desk = Desk::new();
    let table = desk.bary(&["ls"]);
    let lines: Vec<&str> = table.out.lines().collect();
    assert!(lines[0].starts_with("JOB  NAME"), "{table:?}");
    assert!(lines[1].starts_with("  1  good") && lines[3].starts_with("  3  long"), "{table:?}");
    assert!(table.out.contains("bad\u{fffd}[31m"), "nothing in a name is obeyed: {table:?}");
    desk.bary(&["ls", "-q"]).is(0, "1\n2\n3\n");
    desk.bary(&["ls", "--format", "{id}:{tags.team}"]).is(0, "1:x\n2:x\n3:x\n");
    desk.bary(&["ls", "--format", "{nam}"]).says(2, "did you mean `name`?");
    let csv = desk.bary(&["ls", "-o", "csv"]);
    assert!(csv.out.lines().next().is_some_and(|head| head.contains("tags")), "{csv:?}");
    assert_eq!(csv.out.lines().count(), 4);
    let yaml = desk.bary(&["ls", "1", "-o", "yaml"]);
    assert!(yaml.out.contains("\n    name: \"good\"\n"), "{yaml:?}");
    assert_eq!(desk.bary(&["ls", "-o", "jsonl"]).out.lines().count(), 3);
    assert_eq!(desk.bary(&["ls", "--limit", "2", "-q"]).out, "2\n3\n");
}

#[test]
fn what_to_list_is_told_to_the_node() {
    let desk = Desk::new();
    desk.bary(&["ls", "--filter", "state=failed", "--filter", "tasks>1", "--sort", "-tasks"]);
    let asked = desk.fake.last("list_jobs");
    assert_eq!(asked["filter"], json!(["state=failed", "tasks>1"]));
    assert_eq!((&asked["sort"], &asked["limit"]), (&json!("-tasks"), &json!(100)));
    desk.bary(&["ls", "2-3,1", "-q"]).is(0, "1\n2\n3\n");
    desk.bary(&["ls", "9"]).says(3, "there is no job 9").says(3, "help: bary ls");
    desk.bary(&["ls", "4-9"]).says(3, "no job has such a number");
}

#[test]
fn a_wait_ends_with_the_code_of_its_task() {
    let desk = Desk::new();
    desk.bary(&["wait", "1"]).says(0, "job 1 succeeded: 2 of 2 succeeded, in 2.0s");
    desk.bary(&["wait", "2", "-q"]).is(7, "");
    desk.bary(&["wait", "1-2"]).is(1, "");
    let late = desk.bary(&["wait", "last", "--timeout", "50ms"]);
    late.says(124, "come back with: bary wait 3");
    let json = desk.bary(&["wait", "1", "-o", "json"]).json();
    assert_eq!((&json["schema"], &json["jobs"][0]["id"]), (&json!("bary.jobs/1"), &json!(1)));
    desk.bary(&["progress", "2"]).is(7, "");
}

#[cfg(unix)]
#[test]
fn an_interrupt_leaves_the_job_and_says_how_to_come_back() {
    use std::io::Read;
    let desk = Desk::new();
    let mut command = desk.bench.command(["wait", "3"]);
    command.env("BARY_ADDR", &desk.fake.addr).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().expect("the program is built");
    while desk.fake.count("wait") == 0 {
        std::thread::yield_now();
    }
    let pid = i32::try_from(child.id()).expect("it is a process");
    let pid = rustix::process::Pid::from_raw(pid).expect("it is not zero");
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it still runs");
    let status = child.wait().expect("it ends");
    let mut said = String::new();
    let mut err = child.stderr.take().expect("it is piped");
    err.read_to_string(&mut said).expect("it is text");
    assert_eq!(status.code(), Some(130), "{said}");
    assert!(said.contains("bary: detached; come back with: bary wait 3"), "{said}");
}

#[test]
fn output_goes_where_it_belongs() {
    let desk = Desk::new();
    let run = desk.bary(&["logs", "1"]);
    run.is(0, "hello\n");
    assert_eq!(run.err, "oh\n");
    desk.bary(&["logs", "1", "--stderr"]).is(0, "oh\n");
    desk.bary(&["logs", "1", "--stdout", "--tag"]).is(0, "work[1]\thello\n");
    desk.bary(&["logs", "1/work[1]", "-f", "--tail", "1K"]);
    let asked = desk.fake.last("logs");
    assert_eq!((&asked["tasks"], &asked["follow"]), (&json!(["work[1]"]), &json!(true)));
    assert_eq!(desk.bary(&["logs", "1", "-o", "jsonl"]).out.lines().count(), 2);
    desk.bary(&["logs", "1", "-o", "json"]).says(2, "-o jsonl");
    desk.bary(&["logs", "9"]).says(3, "there is no job 9");
}

#[test]
fn results_are_put_together_and_failures_told() {
    let desk = Desk::new();
    desk.bary(&["result", "1"]).is(0, "one\n");
    desk.bary(&["result", "2"]).is(1, "one\n").says(1, "2/work[2] failed: it broke");
    let json = desk.bary(&["result", "2", "-o", "json"]).json();
    assert_eq!(json["schema"], "bary.results/1");
    assert_eq!(json["results"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_command_is_submitted_as_it_stands() {
    let desk = Desk::new();
    let run = desk.bary(&[
        "submit",
        "--name",
        "n",
        "--tag",
        "a=b",
        "--priority",
        "5",
        "--cpus",
        "2",
        "--after",
        "1",
        "--hold",
        "--idempotency-key",
        "k",
        "--",
        "find",
        "-exec",
        "{}",
    ]);
    run.is(0, "job 2: 1 task, kept in the state on disk\n");
    let (request, job) = desk.submitted();
    for (field, value) in [
        ("name", json!("n")),
        ("tags", json!({ "a": "b" })),
        ("priority", json!(5)),
        ("after", json!([1])),
        ("hold", json!(true)),
        ("idempotency_key", json!("k")),
    ] {
        assert_eq!(request[field], value, "{field}");
    }
    assert_eq!(words(&job.specs[0]), ["find", "-exec", "{}"]);
    let body = &job.specs[0].body;
    assert_eq!((body.request.resources.milli_cpus, body.priority), (2_000, 0));
    assert_eq!(body.surroundings.capture, bary_model::action::Capture::Lines);
    let here = body.surroundings.cwd.as_ref().and_then(|cwd| cwd.literal_bytes());
    let here = here.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let path = desk.bench.path().canonicalize().expect("it is there");
    assert_eq!(here, Some(path.display().to_string()));
    assert!(body.surroundings.env.iter().any(|(name, _)| &**name == "PATH"));
    desk.bary(&["submit", "-q", "--", "x"]).is(0, "2\n");
}

#[test]
fn inputs_make_tasks() {
    let desk = Desk::new();
    desk.bench.file("lines", "a b\nc\n").file("values", r#"["x", {"y": 1}]"#);
    desk.bary(&["submit", "--array", "1-3", "--", "echo", "{}"]);
    let (_, job) = desk.submitted();
    assert_eq!((job.tasks(), words(&job.specs[0])), (3, vec!["echo".into(), "1".into()]));
    desk.bary(&["submit", "--each-line", "lines", "--env-none", "--", "echo"]);
    let (_, job) = desk.submitted();
    assert_eq!((job.tasks(), words(&job.specs[0])), (2, vec!["echo".into(), "a b".into()]));
    assert!(job.specs[0].body.surroundings.env.is_empty());
    desk.bary(&["submit", "--from-json", "values", "--", "echo", "{}"]);
    let (_, job) = desk.submitted();
    assert_eq!((job.tasks(), words(&job.specs[0])), (2, vec!["echo".into(), "x".into()]));
    desk.bary(&["submit", "--array", "1-2", "--function", "noop"]).says(0, "");
    desk.bary(&["submit", "--each-line", "none", "--", "x"]).says(3, "none");
}

#[test]
fn a_script_brings_its_flags_along() {
    let desk = Desk::new();
    let text = "#!/bin/sh -e\n#BARY --cpus 3 --name from-head\n#BARY --retries 2\necho hi $1\n";
    desk.bench.file("build.sh", text);
    desk.bary(&["submit", "--name", "mine", "build.sh", "there"]).says(0, "");
    let (request, job) = desk.submitted();
    assert_eq!(request["name"], "mine", "the command line wins");
    let body = &job.specs[0].body;
    assert_eq!((body.request.resources.milli_cpus, body.retries), (3_000, 2));
    let sent = words(&job.specs[0]);
    assert_eq!(
        (&sent[..3], sent[3].as_str()),
        (&["/bin/sh".into(), "-e".into(), "-c".into()][..], text)
    );
    assert_eq!(sent.last().map(String::as_str), Some("there"));
    desk.bench.file("wrong.sh", "#!/bin/sh\n#BARY --cpu 3\n");
    desk.bary(&["submit", "wrong.sh"]).says(2, "wrong.sh");
}

#[test]
fn a_job_file_is_submitted_whole() {
    let desk = Desk::new();
    let text = "[params]\nn = 1\n[[task]]\nname = \"a\"\ncommand = [\"echo\", \"{n}\"]\n";
    desk.bench.file("flow.toml", text);
    desk.bary(&["submit", "flow.toml", "--set", "n=7"]).says(0, "");
    let (request, job) = desk.submitted();
    assert_eq!((&*job.name, request["open"].as_bool()), ("flow", Some(false)));
    assert_eq!(words(&job.specs[0]), ["echo", "7"]);
    desk.bary(&["submit", "flow.toml", "--cpus", "2"]).says(2, "a job file says itself");
    desk.bary(&["submit", "none.toml"]).says(3, "none.toml");
    desk.bary(&["submit"]).says(2, "there is nothing to run");
}

#[test]
fn refusals_have_their_codes_and_say_when_to_try_again() {
    let desk = Desk::new();
    desk.bary(&["submit", "--name", "full", "x"]).says(75, "1 job waits").says(75, "again in 2.5s");
    desk.bary(&["submit", "--name", "large", "x"]).says(5, "no node has 99 cores");
    desk.bench.file("token", format!("{TOKEN}\n")).file("bad", "other");
    desk.bary(&["ls", "--token-file", "token"]).says(0, "");
    desk.bary(&["ls", "--token-file", "bad"]).says(4, "no such token");
    desk.bary(&["ls", "--token-file", "none"]).says(4, "the token file none");
}

#[test]
fn a_submission_that_is_waited_for_prints_and_ends_as_its_command() {
    let desk = Desk::new();
    let run = desk.bary(&["submit", "--wait", "--", "x"]);
    run.is(7, "hello\n");
    assert_eq!(run.err, "oh\n");
}

#[test]
fn jobs_are_steered() {
    let desk = Desk::new();
    desk.bary(&["cancel", "all", "--reason", "enough", "--keep-running"]).says(0, "");
    let asked = desk.fake.last("cancel");
    assert_eq!(asked, json!({ "jobs": [3], "reason": "enough", "keep_running": true }));
    desk.bary(&["retry", "--failed", "all"]).says(0, "");
    assert_eq!(desk.fake.last("retry")["jobs"], json!([2]));
    desk.bary(&["priority", "3", "--to", "-5"]).says(0, "");
    assert_eq!(desk.fake.last("set_priority")["priority"], json!(-5));
    desk.bary(&["hold", "3"]).says(0, "");
    desk.bary(&["release", "3"]).says(0, "");
    desk.bary(&["prune", "all", "--older-than", "1d", "--dry-run"]).says(0, "would be forgotten");
    assert_eq!(
        desk.fake.last("prune"),
        json!({ "jobs": [], "older_than": 86_400.0, "dry_run": true })
    );
    desk.bary(&["prune"]).says(2, "JOB");
    desk.bary(&["job", "open", "--name", "o", "-q"]).is(0, "2\n");
    assert_eq!(desk.submitted().0["open"], json!(true));
    desk.bary(&["job", "add", "3", "--array", "2", "--", "echo", "{}"])
        .is(0, "job 3 has 4 tasks now\n");
    desk.bary(&["job", "close", "3"]).says(0, "");
}

#[test]
fn the_rest_is_shown() {
    let desk = Desk::new();
    let show = desk.bary(&["show", "1"]);
    assert!(show.out.contains("tags") && show.out.contains("1/work[2]"), "{show:?}");
    let one = desk.bary(&["show", "1/work[1]"]);
    assert!(one.out.starts_with("task      1/work[1]"), "{one:?}");
    let why = desk.bary(&["why", "1/work[1]"]);
    assert!(why.out.starts_with("it ran where there was room\n"), "{why:?}");
    let job = desk.bary(&["why", "last"]);
    assert!(job.out.contains("task      3/work[1]"), "{job:?}");
    job.says(0, "of the tasks of job 3, 1 more are failed");
    let events = desk.bary(&["events"]);
    assert!(events.out.contains("3/work[1] and 1 more"), "{events:?}");
    desk.bary(&["events", "-f", "-o", "json"]).says(2, "-o jsonl");
    desk.bary(&["node", "ls", "-q"]).is(0, "n0\n");
    desk.bary(&["node", "drain", "n0", "--reason", "r"]).says(0, "");
    assert_eq!(desk.fake.last("change_node")["action"], "drain");
    desk.bary(&["node", "label", "n0", "a=b"]).says(0, "");
    assert_eq!(desk.fake.last("change_node")["labels"], json!({ "a": "b" }));
    assert!(desk.bary(&["node", "show", "n0"]).out.contains("zone=a"));
    assert!(desk.bary(&["policy", "show"]).out.contains("gravity"));
    desk.bary(&["policy", "set", "fiedler", "--part", "order=fifo", "-q"]).is(0, "fiedler\n");
    let tried = desk.bary(&["policy", "try", "gravity", "--load", "10", "--weight", "5.2"]);
    assert!(tried.out.contains("force         5.2"), "{tried:?}");
    desk.bary(&["token", "new", "ci", "--role", "viewer", "-q"]).is(0, "bary_new\n");
    desk.bary(&["token", "ls", "-q"]).is(0, "ci\n");
    desk.bary(&["token", "revoke", "ci"]).says(0, "worthless");
    desk.bary(&["audit", "-q"]).is(0, "1\n");
    desk.bary(&["audit", "verify"]).says(3, "there is no audit log");
}
