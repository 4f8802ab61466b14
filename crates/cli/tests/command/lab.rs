//! `bary sim SCENARIO.toml`, `bary sim tune` and `bary plan`: what they print, write and refuse.

use crate::bench::Bench;

const SMALL: &str = "seeds = 2\n[[nodes]]\ncount = 4\n[[workload]]\ntasks = 60\n";

/// A bench with a small scenario.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.file("small.toml", SMALL);
    bench
}

#[test]
fn the_same_scenario_gives_the_same_bytes_in_another_process() {
    let bench = bench();
    for form in ["table", "wide", "json", "yaml", "jsonl", "csv", "quiet"] {
        let words = ["sim", "small.toml", "--policy", "gravity,random", "-o", form];
        let first = bench.bary(&words);
        assert_eq!(first.err, "", "{first:?}");
        assert!(first.out.contains("gravity") && first.out.contains("random"), "{first:?}");
        bench.bary(&[&words[..], &["-j", "1"]].concat()).is(0, &first.out);
    }
}

#[test]
fn a_document_has_a_row_for_each_policy_and_a_line_for_each_run() {
    let bench = bench();
    let policies = "gravity,alpha=0.25;random,fifo";
    let told = bench.bary(&["sim", "small.toml", "--policy", policies, "-o", "json"]).json();
    assert_eq!(told["schema"], "bary.sim.lab/1");
    let names: Vec<_> = told["policies"].as_array().into_iter().flatten().collect();
    let names: Vec<_> = names.iter().filter_map(|row| row["policy"].as_str()).collect();
    assert_eq!(names, ["gravity,alpha=0.25", "random", "fifo"]);
    let run = bench.bary(&["sim", "small.toml", "--policy", policies, "-o", "jsonl"]);
    assert_eq!(run.out.lines().count(), 6, "{run:?}");
}

#[test]
fn charts_and_reports_are_files_that_need_nothing_else() {
    let bench = bench();
    let words = ["sim", "small.toml", "--plot", "a.svg", "--report", "a.html", "-q"];
    assert_eq!(bench.bary(&words).err, "");
    let (chart, page) = (bench.read("a.svg"), bench.read("a.html"));
    assert!(chart.starts_with("<svg") && chart.trim_end().ends_with("</svg>"));
    assert!(page.starts_with("<!doctype html>") && !page.contains("<script"));
    assert!(!page.contains(" src=") && !page.contains(" href="));
    bench.bary(&["sim", "small.toml", "--plot", "a.gif"]).says(2, "ends in .svg");
}

#[test]
fn a_scenario_to_begin_with_runs_and_is_never_overwritten() {
    let bench = Bench::new();
    bench.bary(&["sim", "--init", "burst"]).says(0, "bary sim burst.toml");
    assert_eq!(bench.bary(&["sim", "burst.toml", "--seeds", "1"]).err, "");
    bench.bary(&["sim", "--init", "burst"]).says(2, "is there already");
    bench.bary(&["sim", "--init", "bursts"]).says(2, "default, lan, regions");
}

#[test]
fn what_is_wrong_is_told_before_anything_runs() {
    let bench = bench();
    bench.file("wrong.toml", "sedes = 3\n");
    bench.bary(&["sim", "wrong.toml"]).says(2, "did you mean `seeds`?");
    bench.bary(&["sim", "none.toml"]).says(3, "bary sim --init default");
    bench.bary(&["sim", "small.toml", "--policy", "graviti"]).says(2, "graviti");
    bench.bary(&["sim", "small.toml", "--faults", "none"]).says(2, "--faults is of drawn worlds");
    let two = ["sim", "--seed", "1", "--policy", "gravity", "--policy", "fifo"];
    bench.bary(&two).says(2, "one policy at first");
}

#[test]
fn tuning_tries_texts_and_tells_what_the_best_gains_elsewhere() {
    let bench = bench();
    let words = ["sim", "tune", "gravity", "--scenario", "small.toml", "--tries", "6"];
    let told = bench.bary(&[&words[..], &["--param", "alpha=0.1..1", "-o", "json"]].concat());
    let told = told.json();
    assert_eq!(told["schema"], "bary.sim.tune/1");
    let tried = told["tried"].as_array().map_or(0, Vec::len);
    assert!((3..=6).contains(&tried), "{told}");
    assert!(told["gain_percent"]["median"].is_number(), "{told}");
    let wrong = [&words[..], &["--param", "alpha=1..0.1"]].concat();
    bench.bary(&wrong).says(2, "no range");
    bench.bary(&["sim", "tune", "gravity", "--param", "beta=0..1"]).says(2, "no parameter `beta`");
}

#[test]
fn a_job_is_foretold_for_each_policy_and_nothing_runs() {
    let bench = Bench::new();
    let text = "[[task]]\nname = \"a\"\ncommand = \"touch here\"\narray = \"0-7\"\n";
    bench.file("job.toml", text);
    let words = ["plan", "job.toml", "--nodes", "2", "--policy", "gravity,random", "-o", "json"];
    let told = bench.bary(&words).json();
    assert_eq!((told["schema"].as_str(), told["nodes"].as_u64()), (Some("bary.plan/1"), Some(2)));
    assert_eq!(told["policies"].as_array().map(Vec::len), Some(2));
    assert!(!bench.path().join("here").exists());
    bench.file("large.toml", "[[task]]\ncommand = \"true\"\ngpus = 64\n");
    bench.bary(&["plan", "large.toml", "--nodes", "2"]).says(5, "no node can run");
}
