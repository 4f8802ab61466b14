//! `bary run`: job files, single commands, their exit codes, and kept runs.

use std::process::Stdio;

use serde_json::json;

use crate::bench::Bench;

const DIAMOND: &str = r#"
name = "diamond"

[params]
n = 3

[[task]]
name = "start"
command = ["echo", "{n}"]

[[task]]
name = "square"
array = "1-4"
command = "expr {index} '*' {index}"
after = "start"
reduce = "SUM"

[[task]]
name = "never"
command = ["false"]
after = "start"
run-if = "failure"
"#;

#[test]
fn a_job_file_runs_to_its_result() {
    let bench = Bench::new();
    bench.file("job.toml", DIAMOND);
    let run = bench.bary(&["run", "job.toml", "--set", "n=7"]);
    run.is(0, "30\n").says(0, "1 skipped").says(0, "lower bound");
    let document = bench.bary(&["run", "job.toml", "-o", "json", "--nodes", "3", "-j1"]).json();
    assert_eq!(document["schema"], "bary.run/1");
    assert_eq!(document["results"]["square.reduce"], json!(30));
    assert_eq!(document["results"]["start"], json!(3));
    assert_eq!((&document["skipped"], &document["duplicates"]), (&json!(1), &json!(0)));
    let tasks: u64 = (0..3).filter_map(|n| document["nodes"][n]["tasks"].as_u64()).sum();
    assert_eq!(tasks, 6, "every task that ran is counted at one node: {document}");
    let lines = bench.bary(&["run", "job.toml", "-o", "jsonl"]).out;
    for line in lines.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
    assert!(lines.contains(r#""event":"finished""#));
}

#[test]
fn a_wrong_job_file_is_refused_with_place_and_fix() {
    let bench = Bench::new();
    bench.file("job.toml", "[[task]]\nname = \"a\"\ncomand = [\"touch\", \"ran\"]\n");
    let refused = bench.bary(&["run", "job.toml"]);
    refused.says(2, "job.toml:3:1:").says(2, "did you mean `command`?");
    let cycle = "[[task]]\nname = \"a\"\ncommand = \"touch ran\"\nafter = \"b\"\n\
                 [[task]]\nname = \"b\"\ncommand = \"touch ran\"\nafter = \"a\"\n";
    bench.file("job.toml", cycle);
    bench.bary(&["run", "job.toml"]).says(2, "job.toml:");
    for (key, value) in [("weight", "nan"), ("weight", "0"), ("timeout", "0"), ("array", "0")] {
        bench.file(
            "job.toml",
            format!("[[task]]\nname = \"a\"\ncommand = \"touch ran\"\n{key} = {value}\n"),
        );
        bench.bary(&["run", "job.toml"]).says(2, "job.toml:4:");
    }
    bench.file("job.toml", "[[task]]\nname = \"a\"\nfunction = \"nothing\"\n");
    bench.bary(&["run", "job.toml"]).says(2, "nothing");
    bench.bary(&["run", "none.toml"]).says(3, "none.toml");
    assert!(!bench.path().join("ran").exists(), "nothing may run of a file that is wrong");
}

#[test]
fn one_command_ends_with_its_own_code() {
    let bench = Bench::new();
    bench.bary(&["run", "--", "echo", "a  b", "{}", "$HOME"]).is(0, "a  b {} $HOME\n");
    bench.bary(&["run", "--", "sh", "-c", "echo x >&2; exit 7"]).says(7, "x\n").is(7, "");
    bench.bary(&["run", "--shell", "--", "kill -9 $$"]).says(137, "SIGKILL");
    bench.bary(&["run", "--", "no-such-program"]).says(127, "no-such-program");
    let slow = ["run", "--timeout", "50ms", "--grace", "50ms", "--", "sleep", "60"];
    bench.bary(&slow).says(124, "timed out");
    bench.fed(&["run", "--", "cat"], "through\n").is(0, "through\n");
    let data = bench.bary(&["run", "-o", "json", "--", "echo", "5"]).json();
    assert_eq!(data["results"]["echo"], json!(5));
}

#[test]
fn what_cannot_be_placed_is_told_at_once() {
    let bench = Bench::new();
    let refusal = "cannot be placed: needs 8 gpus, the largest node has 0";
    bench.bary(&["run", "--gpus", "8", "--", "true"]).says(5, refusal);
    bench.bary(&["map", "--gpus", "8", "true", ":::", "1"]).says(5, refusal);
    bench.fed(&["map", "--gpus", "8", "true"], "1\n").says(5, refusal);
    bench.bary(&["run", "--where", "disk=ssd", "--", "true"]).says(5, "disk = ssd");
    bench.bary(&["run", "--labels", "disk=ssd", "--where", "disk=ssd", "--", "true"]).is(0, "");
}

#[test]
fn a_kept_run_says_why() {
    let bench = Bench::new();
    bench.file("job.toml", DIAMOND);
    bench.bary(&["why", "start"]).says(3, "no run is kept");
    bench.bary(&["run", "--keep", "job.toml"]).says(0, "kept as ");
    let told = bench.bary(&["why", "square[3]"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    for part in ["`start` had succeeded", "granted to n0", "attempt 1 began", "succeeded, after"] {
        assert!(told.out.contains(part), "{part} is not in {told:?}");
    }
    let document = bench.bary(&["why", "never", "-o", "json"]).json();
    assert_eq!(document["outcome"], "skipped");
    bench.bary(&["why", "sqare[3]"]).says(3, "did you mean `square`?");
    let all = bench.bary(&["why", "square"]);
    assert!(all.out.contains("4 succeeded, 0 failed, 0 never ran"), "{all:?}");
    assert!(all.out.contains("the longest wait was that of square["), "{all:?}");
    bench.bary(&["map", "--keep", "--retries", "1", "--backoff", "1ms", "false", ":::", "a"]);
    let told = bench.bary(&["why", "1"]);
    assert!(told.out.contains("attempt 1 on n0 failed: exit code 1"), "{told:?}");
    assert!(told.out.contains("attempt 2 began"), "{told:?}");
}

#[test]
fn reference_pages_and_completions_are_printed() {
    let bench = Bench::new();
    let pages = bench.bary(&["docs"]).out;
    for page in ["jobfile", "jobfile-schema", "limits", "cli", "exit-codes"] {
        assert!(pages.lines().any(|line| line == page), "{page}");
        assert_eq!(bench.bary(&["docs", page]).code, Some(0));
    }
    bench.bary(&["docs", "nothing"]).says(3, "exit-codes");
    assert!(bench.bary(&["completions", "bash"]).out.contains("_bary"));
    assert!(bench.bary(&["policy", "ls"]).out.contains("gravity"));
    assert!(bench.bary(&["--version"]).out.starts_with("bary "));
    let full = bench.command(["docs", "cli"]).stdout(Stdio::null()).status();
    assert!(full.is_ok_and(|status| status.success()));
}
