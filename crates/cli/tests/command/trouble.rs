//! What goes wrong: bad input, failures, signals, a reader that goes away.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command, Stdio};

use crate::bench::Bench;

#[test]
fn several_tasks_give_one_if_any_failed() {
    let bench = Bench::new();
    let script = "exit {}";
    bench.bary(&["map", "--shell", script, ":::", "0", "0"]).is(0, "");
    bench.bary(&["map", "--shell", script, ":::", "0", "9"]).says(1, "2 (9): exit code 9");
    bench.bary(&["map", "--shell", script, ":::", "9"]).says(9, "exit code 9");
    let many = ["map", "--array", "1-30", "false"];
    bench.bary(&many).says(1, "30 of 30 tasks failed").says(1, "and 20 more");
    bench.bary(&["map", "-q", "false", ":::", "a", "b"]).is(1, "").says(1, "");
}

#[test]
fn a_rule_stops_the_rest() {
    let bench = Bench::new();
    // All after the second wait for a file that nobody makes.
    let script = "[ {} = 2 ] && exit 1; [ {} = 1 ] || until [ -e never ]; do sleep 0.01; done";
    let words = ["map", "-j3", "--halt", "now,fail=1", "--shell", script];
    let run = bench.bary(&[&words[..], &[":::", "1", "2", "3", "4", "5"]].concat());
    run.says(1, "1 of 5 tasks failed");
    let script = "[ {} = 1 ] && exit 1; [ {} = 2 ] || until [ -e never ]; do sleep 0.01; done";
    let words = ["map", "-j3", "--halt", "now,success=1", "--shell", script];
    let run = bench.bary(&[&words[..], &[":::", "1", "2", "3", "4", "5"]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    bench.bary(&["map", "--halt", "fail=1", "true", ":::", "1"]).says(2, "soon|now");
}

#[test]
fn a_rule_that_is_met_lets_nothing_more_start() {
    let bench = Bench::new();
    let script = "echo {}; exit 1 #";
    for rule in ["soon,fail=1", "now,fail=1"] {
        let words = ["map", "-j1", "--halt", rule, "--shell", script, ":::", "1", "2", "3", "4"];
        let run = bench.bary(&words);
        run.is(1, "1\n").says(1, "4 tasks: 0 succeeded, 1 failed, 3 cancelled");
    }
    let run = bench.fed(&["map", "-j1", "--halt", "soon,fail=1", "--shell", script], "1\n2\n3\n");
    run.is(1, "1\n").says(1, "2 cancelled");
}

#[test]
fn failures_are_listed_in_the_order_of_inputs() {
    let bench = Bench::new();
    // The first task fails when the second has.
    let script = "case {} in a) until [ -e made ]; do :; done;; b) : > made;; esac; exit 4";
    let run = bench.bary(&["map", "-j2", "--shell", script, ":::", "a", "b"]);
    run.says(1, "  1 (a): exit code 4\n  2 (b): exit code 4\n");
}

#[test]
fn a_report_divides_by_nothing_too_small() {
    let bench = Bench::new();
    let words = ["map", "--report", "-j2", "--function", "noop", ":::", "1", "2", "3"];
    let run = bench.bary(&words);
    assert!(!run.err.contains("balance") && !run.err.contains("0.000 s\n\n"), "{run:?}");
    assert!(!run.err.contains("lower bound of 0.000"), "{run:?}");
    let words = ["map", "-o", "json", "-j2", "--function", "noop", ":::", "1", "2", "3"];
    assert_eq!(bench.bary(&words).json()["balance"], serde_json::Value::Null);
}

#[test]
fn an_interrupt_of_many_is_summed_up() {
    let bench = Bench::new();
    let script = "[ {} = 1 ] || { echo; exec sleep 1000; }";
    let words = ["map", "-u", "-j1", "--array", "1-100000", "--report", "--shell", script];
    for report in [false, true] {
        let words: Vec<&str> =
            words.into_iter().filter(|word| report || *word != "--report").collect();
        let mut child = bench.spawn(&[&words[..1], &["--line-buffer"], &words[2..]].concat());
        line(&mut child);
        signal(&child, "INT");
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(130), "{output:?}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains("100000 tasks: 1 succeeded, 99999 cancelled"), "{told}");
        assert!(!told.contains("duplicates"), "{told}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_hangup_that_was_ignored_stays_so() {
    let bench = Bench::new();
    let program = env!("CARGO_BIN_EXE_bary");
    let script = format!("trap '' HUP; exec {program} run --shell -- 'echo up; read it; echo $it'");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).stdin(Stdio::piped()).current_dir(bench.path());
    let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.expect("there is a shell");
    assert_eq!(line(&mut child), "up");
    signal(&child, "HUP");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(b"on\n").expect("the task reads");
    assert_eq!(line(&mut child), "on");
    assert!(child.wait().is_ok_and(|status| status.success()));
    let mut child = bench.spawn(&["run", "--shell", "--", "echo up; exec sleep 1000"]);
    assert_eq!(line(&mut child), "up");
    signal(&child, "HUP");
    assert_eq!(child.wait().expect("it ends").code(), Some(129));
}

#[test]
fn a_failed_task_is_tried_again() {
    let bench = Bench::new();
    let script = ": {}; echo >> tries; [ $(wc -l < tries) -ge 3 ]";
    let words = ["map", "-v", "--retries", "5", "--backoff", "1ms", "--shell", script];
    let run = bench.bary(&[&words[..], &[":::", "a"]].concat());
    run.says(0, "exit code 1, attempt 2; again in");
    assert_eq!(bench.read("tries").len(), 3);
}

#[test]
fn names_may_hold_any_byte() {
    let bench = Bench::new();
    let names: [&[u8]; 5] =
        [b"it's", b"two words", b"new\nline", b"\xff\xfe", b"-rf {} $(x) \"q\""];
    for name in names {
        let path = bench.path().join(OsStr::from_bytes(name));
        std::fs::write(path, b"x").expect("the file system takes any name");
    }
    let run = |words: &[&[u8]]| {
        let words = words.iter().map(|word| OsStr::from_bytes(word));
        bench.command(words).output().expect("the program is built")
    };
    for name in names {
        for command in [&b"cat --"[..], b"--shell"] {
            let words: Vec<&[u8]> = match command {
                b"--shell" => vec![b"map", b"--shell", b"cat -- {}", b":::", name],
                command => vec![b"map", command, b":::", name],
            };
            let output = run(&words);
            assert_eq!(output.stdout, b"x", "{:?}: {output:?}", String::from_utf8_lossy(name));
        }
    }
    let listed = names.join(&0);
    let fed = bench.fed(&["map", "-0", "cat", "--"], listed);
    assert_eq!((fed.code, fed.out.as_str()), (Some(0), "xxxxx"), "{fed:?}");
}

#[test]
fn bad_numbers_are_refused_before_anything_runs() {
    let bench = Bench::new();
    let cases: [(&[&str], &str); 9] = [
        (&["--timeout", "0"], "no time at all"),
        (&["--array", "5-1"], "is empty"),
        (&["--array", "1-9_999_999_999"], "array_indices_max"),
        (&["-n", "0"], "more than zero"),
        (&["-j", "x"], "50%"),
        (&["--cpus=-1"], "--cpus"),
        (&["--policy", "graviti"], "gravity"),
        (&["--speeds", "0"], "above 0"),
        (&["--retries", "many"], "--retries"),
    ];
    for (words, told) in cases {
        let run = bench.bary(&[&["map"], words, &["touch", "ran", ":::", "1"]].concat());
        run.says(2, told);
    }
    assert!(!bench.path().join("ran").exists());
}

#[test]
fn a_reader_that_goes_away_ends_the_run_quietly() {
    let bench = Bench::new();
    let mut yes = Command::new("yes").stdout(Stdio::piped()).spawn().expect("it is there");
    let mut command = bench.command(["map", "echo", "{}"]);
    command.stdin(yes.stdout.take().expect("it is piped"));
    let mut bary = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let bary = bary.as_mut().expect("the program is built");
    drop(command);
    let mut lines = BufReader::new(bary.stdout.take().expect("it is piped")).lines();
    for _ in 0..3 {
        assert_eq!(lines.next().and_then(Result::ok).as_deref(), Some("y"));
    }
    drop(lines);
    assert_eq!(bary.wait().expect("it ends").code(), Some(141));
    let mut told = String::new();
    let stderr = bary.stderr.as_mut().expect("it is piped");
    stderr.read_to_string(&mut told).expect("it is text");
    assert_eq!(told, "");
    yes.wait().expect("its reader has gone");
}

/// Sends a signal to a program that was started here.
fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-s", name, &pid]).status();
    assert!(sent.is_ok_and(|status| status.success()));
}

/// The next line that the child prints; nothing after it is taken from the pipe.
fn line(child: &mut Child) -> String {
    let mut text = Vec::new();
    let stdout = child.stdout.as_mut().expect("it is piped");
    let mut byte = [0];
    while stdout.read(&mut byte).expect("the pipe works") == 1 && byte != *b"\n" {
        text.push(byte[0]);
    }
    String::from_utf8(text).expect("it is text")
}

#[test]
fn an_interrupt_stops_the_tasks_and_tells() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let bench = Bench::new();
        let script = "trap 'echo stopped; exit 1' TERM; echo $$; while :; do sleep 0.01; done";
        let mut child = bench.spawn(&["run", "--report", "--shell", "--", script]);
        let pid = line(&mut child);
        signal(&child, name);
        assert_eq!(line(&mut child), "stopped");
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains("1 cancelled"), "{told}");
        assert!(!is_there(&pid), "the task must be gone");
    }
}

#[test]
fn a_second_interrupt_kills_what_does_not_stop() {
    let bench = Bench::new();
    let script = "trap 'echo deaf' TERM; echo $$; while :; do sleep 0.01; done";
    let mut child = bench.spawn(&["run", "--grace", "1h", "--shell", "--", script]);
    let pid = line(&mut child);
    signal(&child, "INT");
    assert_eq!(line(&mut child), "deaf");
    signal(&child, "INT");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert!(!is_there(&pid), "the task must be gone");
}

fn is_there(pid: &str) -> bool {
    let words: [OsString; 2] = ["-0".into(), pid.into()];
    Command::new("kill").args(words).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

#[test]
fn a_memory_request_is_a_hard_limit_only_where_it_is_asked_to_be() {
    let bench = Bench::new();
    let hungry = "x=$(head -c 60000000 /dev/zero | tr '\\0' a); echo ${#x} #";
    let words = ["map", "--memory", "20MiB", "--shell", hungry, ":::", "1"];
    bench.bary(&words).is(0, "60000000\n");
    let limited = ["map", "--limit-memory", "--memory", "20MiB", "--shell", hungry, ":::", "1"];
    let run = bench.bary(&limited);
    assert_ne!(run.code, Some(0), "a shell cannot hold sixty million letters in twenty MiB");
}
