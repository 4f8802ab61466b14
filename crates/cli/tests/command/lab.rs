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
    bench.bary(&["sim", "small.toml", "--plot", "a.gif"]).says(2, "ends in .svg or .png");
}

#[test]
fn a_chart_is_an_image_where_there_are_fonts_and_is_refused_before_anything_runs_elsewhere() {
    let bench = bench();
    let run = bench.bary(&["sim", "small.toml", "--plot", "a.png", "-q"]);
    let image = std::fs::read(bench.path().join("a.png"));
    match image {
        Ok(bytes) if cfg!(feature = "png") => {
            assert_eq!(run.err, "");
            let is_image = bytes.starts_with(b"\x89PNG\r\n");
            assert!(is_image && bytes.len() > 10_000, "{}", bytes.len());
        }
        Ok(_) => panic!("a program without PNG has written one"),
        Err(_) => {
            let (code, help) = if cfg!(feature = "png") {
                (1, "fonts-dejavu-core")
            } else {
                (2, "the feature png")
            };
            run.says(code, help);
            assert_eq!(run.out, "");
        }
    }
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
    bench.bary(&["sim", "small.toml", "--policy", "graviti"]).says(2, "did you mean `gravity`?");
    bench.bary(&["sim", "small.toml", "--policy", ","]).says(2, "no policy is called");
    bench.bary(&["sim", "small.toml", "--seeds", "-3"]).says(2, "-3 is not in 1..=1000");
    for file in ["--plot=no/a.svg", "--report=no/a.html"] {
        let run = bench.bary(&["sim", "small.toml", file]);
        run.says(3, "a directory that is there");
        assert_eq!(run.out, "", "nothing was lived");
    }
    bench.bary(&["sim", "small.toml", "--faults", "none"]).says(2, "--faults is of drawn worlds");
    let two = ["sim", "--seed", "1", "--policy", "gravity", "--policy", "fifo"];
    bench.bary(&two).says(2, "one policy at first");
}

#[test]
fn a_trace_is_lived_on_the_nodes_of_a_scenario_and_on_ten_without_one() {
    let bench = bench();
    let line = |number: u32, cores: u32| {
        format!("{number} {number} 0 30 {cores} -1 -1 {cores} 40 -1 1 1 1 1 1 -1 -1 -1\n")
    };
    let jobs: String = (1..20).map(|number| line(number, number % 3 + 1)).collect();
    bench.file("work.swf", &jobs);
    let trace = ["--trace", "work.swf", "--policy", "gravity", "--seeds", "1", "-o", "json"];
    let told = bench.bary(&[&["sim"][..], &trace].concat()).json();
    assert_eq!((told["tasks"].as_u64(), told["nodes"].as_u64()), (Some(19), Some(10)));
    let small = [&["sim", "small.toml"][..], &trace].concat();
    bench.bary(&small).says(2, "write split = true");
    bench.file("split.toml", SMALL.replace("tasks = 60", "split = true"));
    let told = bench.bary(&[&["sim", "split.toml"][..], &trace].concat()).json();
    assert_eq!((told["tasks"].as_u64(), told["nodes"].as_u64()), (Some(38), Some(4)));
}

#[test]
fn each_policy_is_lived_with_each_scaling() {
    let bench = bench();
    let scaling = "[[scaling]]\nrule = \"fixed\"\nnodes = 2\n[[scaling]]\nrule = \"queue\"\n";
    bench.file("scaled.toml", format!("{SMALL}{scaling}"));
    let words = ["sim", "scaled.toml", "--policy", "gravity,random", "-o", "json"];
    let told = bench.bary(&words).json();
    let rows: Vec<_> = told["policies"].as_array().into_iter().flatten().collect();
    let names: Vec<_> = rows.iter().filter_map(|row| row["policy"].as_str()).collect();
    let queue = "queue, 2 a node";
    let all = ["gravity; 2 fixed", "random; 2 fixed"].map(str::to_owned).into_iter();
    let all = all.chain(["gravity", "random"].map(|policy| format!("{policy}; {queue}")));
    assert_eq!(names, all.collect::<Vec<_>>());
    let table = bench.bary(&["sim", "scaled.toml", "--policy", "gravity"]).out;
    assert!(table.contains("NODE-HOURS h") && table.contains(queue), "{table}");
}

#[test]
fn tuning_tries_texts_and_tells_what_the_best_gains_elsewhere() {
    let bench = bench();
    let words = ["sim", "tune", "gravity", "--scenario", "small.toml", "--tries", "6"];
    let param = ["--param", "alpha=0.1..1", "--param", "ahead=1..4"];
    let words = [&words[..], &param].concat();
    let told = bench.bary(&[&words[..], &["-o", "json"]].concat()).json();
    assert_eq!(told["schema"], "bary.sim.tune/1");
    let tried: Vec<_> = told["tried"].as_array().into_iter().flatten().collect();
    assert!((3..=6).contains(&tried.len()), "{told}");
    let seeds = tried.iter().filter_map(|one| one["seeds"].as_u64());
    assert_eq!(told["runs"].as_u64(), Some(seeds.sum()));
    assert!(told["gain_percent"]["median"].is_number(), "{told}");
    let best = bench.bary(&[&words[..], &["-q"]].concat()).out;
    let shown = bench.bary(&words);
    assert!(shown.out.contains(best.trim()) && shown.out.contains(" runs of "), "{shown:?}");
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
    bench.bary(&["plan", "job.toml", "--nodes", "-2"]).says(2, "for '--nodes <N>'");
    bench.bary(&["plan", "large.toml", "--nodes", "2"]).says(5, "no node can run");
}
