//! Runs that keep their state: killed at any instant, they go on; nothing is lost and nothing that
//! was accepted runs again.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command};

use crate::bench::{Bench, Run};

/// Kills a program that was started here, as nothing can be kept from being killed.
fn kill(mut child: Child) {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-s", "KILL", &pid]).status();
    assert!(sent.is_ok_and(|status| status.success()));
    assert_eq!(child.wait().expect("it was started here").code(), None, "a signal ended it");
}

/// Starts a run, kills it when it has printed so many lines, and gives these.
fn killed_after(bench: &Bench, words: &[&str], lines: usize) -> Vec<String> {
    let mut child = bench.spawn(words);
    let stdout = child.stdout.take().expect("it is piped");
    // The pipe stays open until then: a run whose reader goes away ends by itself.
    let mut reader = BufReader::new(stdout).lines();
    let read = reader.by_ref().take(lines).map(|line| line.expect("it is text"));
    let printed: Vec<String> = read.collect();
    assert_eq!(printed.len(), lines, "it is killed before its end");
    kill(child);
    drop(reader);
    printed
}

/// The words of a map with its state in `state`, then these.
fn map<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&["map", "--state", "state"][..], words].concat()
}

fn lines(numbers: impl Iterator<Item = u32>) -> String {
    numbers.map(|number| format!("{number}\n")).collect()
}

/// Tasks that note that they ran, and wait for a file once ten of them have.
const NOTED: &str =
    "echo {} >> ran; [ {} -le 10 ] || until [ -e go ]; do sleep 0.01; done; echo {}";

#[test]
fn a_map_that_was_killed_goes_on_where_it_was() {
    let bench = Bench::new();
    let words = map(&["-j2", "--array", "1-30", "--shell", NOTED]);
    assert_eq!(killed_after(&bench, &words, 10).len(), 10);
    let before = bench.read("ran");
    bench.file("go", "");
    bench.bary(&words).is(0, &lines(1..=30));
    let after = bench.read("ran");
    let again: Vec<&str> = after[before.len()..].lines().collect();
    let accepted = (1..=10).any(|number| again.contains(&number.to_string().as_str()));
    assert!(!accepted, "what was accepted runs once: {again:?}");
    assert!(again.len() >= 20, "all others run: {again:?}");
    // A run that has finished tells it all again, and runs nothing.
    bench.bary(&words).is(0, &lines(1..=30));
    assert_eq!(bench.read("ran"), after);
}

#[test]
fn it_may_be_killed_again_and_again() {
    let bench = Bench::new();
    let words =
        map(&["-j1", "-u", "--distinct", "--array", "1-40", "--shell", "echo {} >> ran; echo {}"]);
    let mut accepted = Vec::new();
    for count in [1, 3, 8] {
        let printed = killed_after(&bench, &words, count);
        let before = bench.read("ran");
        accepted.push((printed, before.len()));
    }
    bench.bary(&words).is(0, &lines(1..=40));
    let ran = bench.read("ran");
    for (printed, before) in accepted {
        let later: Vec<&str> = ran[before..].lines().collect();
        let again = printed.iter().find(|number| later.contains(&number.as_str()));
        assert_eq!(again, None, "what was printed had been accepted: {ran}");
    }
}

#[test]
fn a_failure_stays_until_it_is_run_once_more() {
    let bench = Bench::new();
    let script = "echo {} >> ran; [ {} != 2 ] || [ -e good ] || exit 3; echo {}";
    let words = map(&["--array", "1-4", "--shell", script]);
    let again = [&words[..3], &["--resume-failed"], &words[3..]].concat();
    bench.bary(&again).says(2, "no job has run");
    let first = bench.bary(&words);
    first.is(1, "1\n3\n4\n").says(1, "exit code 3");
    bench.bary(&words).is(1, "1\n3\n4\n").says(1, "exit code 3");
    assert_eq!(bench.read("ran").lines().count(), 4);
    bench.bary(&again).is(1, "1\n3\n4\n");
    assert_eq!(bench.read("ran").lines().count(), 5, "only the failure runs once more");
    bench.file("good", "");
    bench.bary(&again).is(0, "1\n2\n3\n4\n");
    bench.bary(&words).is(0, "1\n2\n3\n4\n");
    assert_eq!(bench.read("ran").lines().count(), 6);
    let one = ["run", "--state", "one", "--shell", "--", "echo out; exit 7"];
    for _ in 0..2 {
        bench.bary(&one).is(7, "out\n");
    }
}

#[test]
fn another_job_on_the_same_state_is_refused() {
    let bench = Bench::new();
    let words = ["--retries", "1", "touch", "ran.{}", ":::", "a", "b"];
    bench.bary(&map(&words)).is(0, "");
    let others: [(&[&str], &str); 5] = [
        (&["--retries", "1", "touch", "run.{}", ":::", "a", "b"], "command"),
        (&["--retries", "2", "touch", "ran.{}", ":::", "a", "b"], "--retries"),
        (&["--retries", "1", "touch", "ran.{}", ":::", "a", "c"], "inputs"),
        (&["--retries", "1", "touch", "ran.{}", ":::", "a", "b", "c"], "2 tasks, not 3"),
        (&["--retries", "1", "rm", "ran.{}", ":::", "a", "b"], "`touch`, not `rm`"),
    ];
    for (other, how) in others {
        bench.bary(&map(other)).is(2, "").says(2, how);
    }
    assert!(bench.path().join("ran.a").exists() && !bench.path().join("ran.c").exists());
    // What only says where and how it runs and prints is no other job.
    let same = ["-j1", "--nodes", "3", "--policy", "fifo", "-u", "--tag", "--joblog", "log"];
    bench.bary(&map(&[&same[..], &words].concat())).is(0, "");
    assert_eq!(bench.read("log").lines().count(), 3);
}

#[test]
fn a_state_has_one_process_at_a_time() {
    let bench = Bench::new();
    let words =
        map(&["--shell", "echo up; until [ -e go ]; do sleep 0.01; done; : {}", ":::", "1"]);
    let words = [&words[..3], &["--line-buffer"], &words[3..]].concat();
    let mut child = bench.spawn(&words);
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
    stdout.read_line(&mut line).expect("it is text");
    let second = bench.bary(&words);
    second.says(75, "lock").says(75, &child.id().to_string());
    bench.file("go", "");
    assert!(child.wait().is_ok_and(|status| status.success()));
    bench.bary(&words).is(0, "up\n");
}

#[test]
fn what_is_no_state_is_told_in_a_line() {
    let bench = Bench::new();
    bench.bary(&map(&["--resume-failed", "echo", ":::", "1"])).says(2, "no job has run on `state`");
    std::fs::remove_dir_all(bench.path().join("state")).expect("it was made there");
    bench.file("state", "").bary(&map(&["echo", ":::", "1"])).says(2, "not a directory");
    std::fs::remove_file(bench.path().join("state")).expect("it was made here");
    let words = map(&["echo", ":::", "1", "2"]);
    bench.bary(&words).is(0, "1\n2\n");
    let birth = bench.read("state/state");
    bench.file("state/state", "bary-state 9\n").bary(&words).says(1, "newer version");
    bench.file("state/state", "gone").bary(&words).says(1, "damaged");
    bench.file("state/state", birth).bary(&words).is(0, "1\n2\n");
    // One that has lost its name is left as it is, so that the name may come back.
    let (name, away) = (bench.path().join("state/state"), bench.path().join("away"));
    std::fs::rename(&name, &away).expect("it is there");
    bench.bary(&words).says(1, "its file `state` is missing");
    assert!(!name.exists());
    std::fs::rename(&away, &name).expect("it is there");
    let path = bench.path().join("state/journal/0000000001.log");
    let mut log = std::fs::read(&path).expect("it is the journal");
    let at = log.windows(4).position(|four| four == b"echo").expect("the job is in it");
    log[at] ^= 1;
    std::fs::write(&path, log).expect("it can be changed");
    bench.bary(&words).is(1, "").says(1, "damaged");
}

/// Runs a map that reads standard input, and gives it this.
fn fed(bench: &Bench, words: &[&str], input: &str) -> Run {
    bench.fed(&map(words), input)
}

#[test]
fn a_stream_is_read_again_and_goes_on() {
    for distinct in [false, true] {
        let bench = Bench::new();
        let mut words = vec!["-j2", "--shell", NOTED];
        if distinct {
            words.insert(0, "--distinct");
        }
        let mut child = bench.spawn(&map(&words));
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(lines(1..=15).as_bytes()).expect("it reads");
        let stdout = child.stdout.take().expect("it is piped");
        assert_eq!(BufReader::new(stdout).lines().take(10).count(), 10);
        kill(child);
        let before = bench.read("ran");
        bench.file("go", "");
        let changed = lines(1..=30).replace("\n7\n", "\n70\n");
        fed(&bench, &words, &changed).is(2, "").says(2, "differs");
        fed(&bench, &words, &lines(1..=9)).is(2, "").says(2, "ends earlier");
        assert_eq!(bench.read("ran"), before, "nothing runs with another input");
        fed(&bench, &words, &lines(1..=30)).is(0, &lines(1..=30));
        let after = bench.read("ran");
        let again: Vec<&str> = after[before.len()..].lines().collect();
        assert!(!(1..=10).any(|number: u32| again.contains(&number.to_string().as_str())));
        fed(&bench, &words, &lines(1..=30)).is(0, &lines(1..=30));
        fed(&bench, &words, &lines(1..=31)).is(2, "").says(2, "goes on");
        assert_eq!(bench.read("ran"), after);
    }
}

#[test]
fn files_and_blocks_are_streams_too() {
    let bench = Bench::new();
    bench.file("in", lines(1..=2_000));
    let words = map(&["-a", "in", "-n", "7", "--shell", "echo {} | wc -w"]);
    let whole = bench.bary(&words);
    assert_eq!(whole.out.lines().count(), 286);
    bench.bary(&words).is(0, &whole.out);
    let words =
        ["map", "--state", "blocks", "-a", "in", "--pipe", "--block", "1k", "--", "tail", "-n1"];
    let whole = bench.bary(&words);
    assert!(whole.out.ends_with("\n2000\n"), "{whole:?}");
    bench.bary(&words).is(0, &whole.out);
}

#[test]
fn large_results_are_kept_and_checked() {
    let bench = Bench::new();
    let script = "head -c {}00000 /dev/zero | tr '\\0' {}; echo; echo e{} >&2";
    let words = map(&["-j1", "--shell", script, ":::", "1", "2", "3"]);
    let whole = bench.bary(&words);
    assert_eq!((whole.code, whole.out.len()), (Some(0), 600_003));
    let again = bench.bary(&words);
    again.is(0, &whole.out);
    assert_eq!(again.err, whole.err);
    let blobs = bench.path().join("state/blobs/000001.blobs");
    let mut bytes = std::fs::read(&blobs).expect("they are there");
    bytes[150_000] ^= 1;
    std::fs::write(&blobs, bytes).expect("it can be changed");
    let told = bench.bary(&words);
    assert_eq!(told.code, Some(1));
    assert!(told.err.contains("state/blobs/000001.blobs` is damaged at offset "), "{}", told.err);
    assert!(!told.err.contains("goes on"), "{}", told.err);
    // Without its journal a state with results is none that has just begun.
    let journal = bench.path().join("state/journal/0000000001.log");
    std::fs::remove_file(journal).expect("it is there");
    bench.bary(&words).is(1, "").says(1, "but not its journal");
}

const JOB: &str = r#"
[[task]]
name = "numbers"
shell = true
command = """
echo {index} >> ran
[ {index} -le 4 ] || until [ -e go ]; do sleep 0.01; done
echo {index}"""
array = "1-8"
reduce = "SUM"

[[task]]
name = "after"
command = ["echo", "{result.numbers.reduce}"]
after = "numbers.reduce"
"#;

#[test]
fn a_job_file_goes_on_with_its_dependencies_and_reductions() {
    let bench = Bench::new();
    bench.file("job.toml", JOB);
    let words = ["run", "--state", "state", "-o", "jsonl", "-j1", "job.toml"];
    let mut child = bench.spawn(&words);
    let stdout = child.stdout.take().expect("it is piped");
    let mut reader = BufReader::new(stdout).lines();
    let ended = reader.by_ref().map(|line| line.expect("it is text"));
    let mut tasks = 0;
    for line in ended.filter(|line| line.contains("\"ended\"")) {
        let event: serde_json::Value = serde_json::from_str(&line).expect("it is JSON");
        tasks += event["range"][2].as_u64().expect("it has a count");
        if tasks == 4 {
            break;
        }
    }
    kill(child);
    drop(reader);
    bench.file("go", "");
    let words = ["run", "--state", "state", "-o", "json", "job.toml"];
    for _ in 0..2 {
        let told = bench.bary(&words).json();
        assert_eq!(told["results"]["after"], 36, "{told}");
        assert_eq!((&told["succeeded"], &told["durability"]), (&10.into(), &"disk".into()));
    }
    let ran = bench.read("ran");
    let times = |number: u32| ran.lines().filter(|line| *line == number.to_string()).count();
    assert!((1..=4).all(|number| times(number) == 1), "{ran}");
    bench.file("job.toml", JOB.replace("1-8", "1-9"));
    bench.bary(&words).says(2, "another job");
    bench.file("job.toml", JOB.replace("\"echo\", ", "\"printf\", "));
    bench.bary(&words).says(2, "its command of `after`");
}

#[test]
fn an_interrupt_leaves_the_state_as_it_is() {
    let bench = Bench::new();
    let words = map(&["-j1", "--array", "1-30", "--shell", NOTED]);
    let mut child = bench.spawn(&words);
    let stdout = child.stdout.take().expect("it is piped");
    let mut printed = BufReader::new(stdout).lines();
    assert_eq!(printed.by_ref().take(10).count(), 10);
    let sent = Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()));
    assert_eq!(printed.count(), 0);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("10 of 30 tasks have ended"), "{told}");
    bench.file("go", "");
    bench.bary(&words).is(0, &lines(1..=30));
}

#[test]
fn lines_that_were_live_are_told_again() {
    let bench = Bench::new();
    let words = map(&["--line-buffer", "-j1", "--shell", "echo a{}; echo b{}", ":::", "1", "2"]);
    for _ in 0..2 {
        bench.bary(&words).is(0, "a1\nb1\na2\nb2\n");
    }
    let one = ["run", "--state", "one", "--shell", "--", "echo out; echo >> ran"];
    for _ in 0..2 {
        bench.bary(&one).is(0, "out\n");
    }
    assert_eq!(bench.read("ran"), "\n");
}
