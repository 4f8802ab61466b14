//! Habits that people bring along: flags of xargs and GNU parallel, `-` for standard input,
//! quotes around placeholders, and slips of the fingers.

use crate::bench::Bench;

#[cfg(unix)]
#[test]
fn no_input_runs_as_code_wherever_its_placeholder_stands() {
    let bench = Bench::new();
    let evil = "x'; touch PWN; echo '\"; touch PWN; $(touch PWN) `touch PWN`\ntouch PWN #";
    for script in ["echo {}", "echo '{}'", "echo \"{}\"", "echo $(echo {}) \"`echo '{}'`\""] {
        bench.bary(&["map", "--shell", script, ":::", evil]);
        assert!(!bench.path().join("PWN").exists(), "{script}");
    }
    let said = bench.bary(&["map", "--shell", "printf '%s\\n' \"a: '{}'\"", ":::", "it's $HOME"]);
    said.is(0, "a: 'it's $HOME'\n");
}

#[test]
fn flags_of_xargs_and_parallel_are_known_or_refused_by_name() {
    let bench = Bench::new();
    let map = |words: &[&str], input: &str| bench.fed(&[&["map"], words].concat(), input);
    map(&["-P", "2", "-N", "2", "echo"], "a\nb\nc\n").is(0, "a b\nc\n");
    map(&["-I", "%", "echo", "<%>"], "a\nb\n").is(0, "<a>\n<b>\n");
    map(&["-d", ",", "echo"], "a,b,c").is(0, "a\nb\nc\n");
    map(&["--bar", "--wd", "/", "pwd", ";"], "").is(0, "");
    map(&["-L", "1", "echo"], "a\n").says(2, "-n N");
    map(&["--delay", "1", "echo"], "a\n").says(2, "-j N");
    map(&["-t", "echo"], "a\n").says(2, "--dry-run");
    let unknown = map(&["--sshlogin", "x", "echo"], "a\n");
    assert!(!unknown.says(2, "--sshlogin").err.contains("-- --sshlogin"), "{unknown:?}");
}

#[test]
fn one_number_is_an_array_of_so_many() {
    let bench = Bench::new();
    bench.bary(&["map", "--array", "3", "echo"]).is(0, "0\n1\n2\n");
}

#[test]
fn a_flag_after_the_command_is_told_of() {
    let bench = Bench::new();
    let run = bench.bary(&["map", "echo", "--tag", ":::", "a"]);
    run.is(0, "--tag a\n").says(0, "the command gets `--tag`");
    for silent in [
        &["map", "--", "echo", "--tag", ":::", "a"][..],
        &["map", "-q", "echo", "--tag", ":::", "a"],
        &["map", "echo", "a", ":::", "--tag"],
    ] {
        assert!(!bench.bary(silent).err.contains("the command gets"), "{silent:?}");
    }
    let piped = bench.fed(&["map", "echo", "--tag"], "a\n");
    assert!(!piped.is(0, "--tag a\n").err.contains("the command gets"), "{piped:?}");
}

#[test]
fn more_speeds_than_nodes_are_refused() {
    let bench = Bench::new();
    let words = ["map", "--nodes", "2", "--speeds", "1,2,3", "echo", ":::", "a"];
    bench.bary(&words).says(2, "--speeds names 3 for 2 nodes");
    bench.bary(&["map", "--regions", "eu,us", "echo", ":::", "a"]).says(2, "2 for 1 node");
}

#[test]
fn a_job_file_can_come_from_standard_input() {
    let bench = Bench::new();
    bench.fed(&["run", "-"], "[[task]]\ncommand = 'echo hello'\n").is(0, "hello\n");
    bench.fed(&["run", "-"], "[[task]]\ncomand = 'x'\n").says(2, "stdin:2:1:");
    bench.bary(&["run", "."]).says(2, ". is a directory");
    bench.file("j.toml", b"[[task]]\ncommand = '\xff'\n");
    bench.bary(&["run", "j.toml"]).says(2, "j.toml:2:12: this byte is not UTF-8");
    bench.file("s.toml", "[[task]]\ncommand = 'ls | wc'\n");
    bench.bary(&["run", "s.toml"]).says(2, "s.toml:2:11:").says(2, "set shell = true");
}

#[test]
fn a_kept_array_takes_a_line_a_range_and_each_index_is_found() {
    let bench = Bench::new();
    bench.bary(&["map", "--keep", "--array", "1-100000", "--function", "noop"]).says(0, "kept");
    let runs = bench.path().join("state/bary/runs");
    let run = std::fs::read_dir(runs).expect("a run is kept").next().expect("there is one");
    let events = run.expect("it can be read").path().join("events.jsonl");
    let lines = std::fs::read_to_string(events).expect("events are kept").lines().count();
    assert!(lines < 20_000, "{lines} lines");
    let one = bench.bary(&["why", "77777"]);
    assert!(one.out.contains("succeeded, after"), "{one:?}");
    bench.bary(&["why", ""]).says(2, "a value is required");
}
