//! `bary sim` and its verbs: what is refused, what is counted, and what the same seed gives.

use crate::bench::Bench;

/// A hunt of some seeds that counts in a file of the bench.
fn hunt(bench: &Bench, words: &[&str]) -> crate::bench::Run {
    let most = ["sim", "hunt", "--tally", "tally", "-j", "1", "--faults", "none", "-o", "jsonl"];
    bench.bary(&[&most[..], words].concat())
}

#[test]
fn the_same_seed_gives_the_same_bytes_in_another_process() {
    let bench = Bench::new();
    for form in [&["--table"][..], &["-o", "jsonl"], &["-o", "json"]] {
        let words = [&["sim", "--seed", "11"][..], form].concat();
        let first = bench.bary(&words);
        assert_eq!(first.err, "", "{first:?}");
        bench.bary(&words).is(0, &first.out);
    }
}

#[test]
fn what_is_too_large_is_refused_by_the_name_of_its_limit() {
    let bench = Bench::new();
    let says = |words: &[&str], text: &str| {
        bench.bary(&[&["sim"], words].concat()).says(2, text);
    };
    says(&["--nodes", "100001"], "sim_nodes_max = 100000");
    says(&["--tasks", "99999999999"], "sim_tasks_max = 100000000");
    says(&["--nodes", "2000"], "sim_links_max = 1000000");
    says(&["--plain", "--nodes", "2000", "--homes", "2000"], "sim_links_max = 1000000");
    says(&["--nodes", "2", "--homes", "3"], "3 homes cannot be among 2 nodes");
    says(&["hunt", "--seeds", "0"], "--seeds");
    says(&["hunt", "--from", "18446744073709551615"], "--from");
}

#[test]
fn hunts_add_up_and_each_goes_on_where_the_last_ended() {
    let bench = Bench::new();
    let counted = |words: &[&str]| {
        let run = hunt(&bench, words);
        assert_eq!(run.err, "", "{run:?}");
        let told = run.json();
        (told["from"].as_u64(), told["seeds_of_build"].as_u64(), told["seeds_ever"].as_u64())
    };
    assert_eq!(counted(&["--seeds", "2"]), (Some(0), Some(2), Some(2)));
    assert_eq!(counted(&["--seeds", "1"]), (Some(2), Some(3), Some(3)));
    // Another world has seeds of its own, and one with a bug in it is not counted.
    assert_eq!(counted(&["--seeds", "1", "--nodes", "1"]), (Some(0), Some(1), Some(4)));
    assert_eq!(counted(&["--seeds", "1", "--flaw", "no-fence-check"]), (Some(0), None, None));
    assert_eq!(counted(&["--seeds", "1"]), (Some(3), Some(4), Some(5)));
}

#[cfg(target_os = "linux")]
#[test]
fn a_hunt_that_is_interrupted_counts_what_it_ran() {
    let bench = Bench::new();
    let words = ["sim", "hunt", "--minutes", "60", "--tally", "tally", "-j", "1", "-o", "json"];
    let hunt = bench.spawn(&[&words[..], &["--faults", "none", "--nodes", "1"]].concat());
    let pid = hunt.id().to_string();
    // Only once it listens does a signal not end it; then its dispositions say so.
    let caught = || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask >> 1 & 1 == 1 && mask >> 14 & 1 == 1)
    };
    while !caught() {
        std::thread::yield_now();
    }
    let sent = std::process::Command::new("kill").args(["-s", "INT", &pid]).status();
    assert!(sent.is_ok_and(|status| status.success()));
    let output = hunt.wait_with_output().expect("it was started here");
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(told["interrupted"], true);
    let seeds = told["seeds"].as_u64().expect("it counts");
    let tally = bench.read("tally");
    assert!(tally.contains(&format!(" {seeds} {seeds} 0\n")), "{tally}");
}

#[test]
fn a_flaw_is_found_and_its_command_shows_the_break() {
    let bench = Bench::new();
    let words = ["sim", "hunt", "--flaw", "no-fence-check", "--shrink", "5", "-o", "json"];
    let told = bench.bary(&words);
    assert_eq!(told.code, Some(1), "{told:?}");
    let command = told.json()["broken"]["command"].as_str().expect("it is told").to_owned();
    let replayed: Vec<&str> = command.split(' ').skip(1).collect();
    let again = bench.bary(&replayed);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.out.starts_with("broken: "), "{again:?}");
}

#[test]
fn nothing_is_proved_by_a_history_without_facts() {
    let bench = Bench::new();
    bench.fed(&["sim", "judge", "-"], "").says(2, "holds no fact");
    bench.fed(&["sim", "judge", "-"], [0xff]).says(2, "is no history");
    bench.fed(&["sim", "judge", "-"], "{}").says(2, "line 1 is no fact");
    bench.bary(&["sim", "judge", "nowhere"]).says(3, "nowhere");
    bench.bary(&["sim", "--seed", "3", "--history", "facts"]);
    let judged = bench.bary(&["sim", "judge", "--ended", "facts", "-o", "jsonl"]);
    assert_eq!(judged.code, Some(0), "{judged:?}");
    assert_eq!(judged.out.lines().count(), 1, "{judged:?}");
}
