//! `bary trace`: what is read is shown and converted, and what was run becomes a trace.

use serde_json::Value;

use crate::bench::Bench;

const GRAPH: &str = " 3\n 0 0 0\n 1 9 1 0\n 2 4 1 1\n 3 2 1 1\n 4 0 2 2 3\n";

fn bench() -> Bench {
    let bench = Bench::new();
    bench.file("g.stg", GRAPH);
    bench
}

fn figures(bench: &Bench, file: &str) -> Value {
    let shown = bench.bary(&["trace", "show", file, "-o", "json"]);
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    serde_json::from_str(&shown.out).expect("it is JSON")
}

#[test]
fn a_graph_is_shown_and_stays_the_same_when_it_is_converted() {
    let bench = bench();
    let before = figures(&bench, "g.stg");
    assert_eq!((&before["tasks"], &before["critical_path_seconds"]), (&3.into(), &13.0.into()));
    let converted = bench.bary(&["trace", "convert", "g.stg", "g.trace"]);
    assert_eq!((converted.code, &*converted.err), (Some(0), ""));
    assert_eq!(figures(&bench, "g.trace"), before);
    let back = bench.bary(&["trace", "convert", "g.trace", "-", "--to", "stg"]);
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&back.out), words(GRAPH));
}

#[test]
fn what_a_format_cannot_say_is_told() {
    let bench = bench();
    let converted = bench.bary(&["trace", "convert", "g.stg", "g.swf"]);
    assert_eq!(converted.code, Some(0));
    assert!(converted.err.contains("swf cannot say"), "{}", converted.err);
}

#[test]
fn a_wrong_file_is_refused_with_its_line_and_nothing_is_written() {
    let bench = bench();
    let wrong = GRAPH.replace("4 1 1", "-4 1 1");
    bench.file("w.stg", wrong);
    let run = bench.bary(&["trace", "convert", "w.stg", "w.trace"]);
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("w.stg: line 4:"), "{}", run.err);
    assert!(!bench.path().join("w.trace").exists());
    assert_eq!(bench.bary(&["trace", "show", "none.stg"]).code, Some(3));
}

/// Work with weights, an array that is waited for index by index, and inputs and results of some
/// bytes.
const FLOW: &str = "[[task]]\nname = \"a\"\nfunction = \"noop\"\narray = \"1-3\"\nweight = 2\n\
                    [[task]]\nname = \"b\"\nfunction = \"noop\"\narray = \"1-3\"\n\
                    after = [{ task = \"a\", aligned = true }]\n\
                    [[task]]\nname = \"c\"\nfunction = \"fibonacci\"\nargs = [\"30\"]\n\
                    after = [\"b\"]\n";

#[test]
fn what_ran_becomes_the_same_trace_from_the_run_and_from_its_state() {
    let bench = bench();
    bench.file("flow.toml", FLOW);
    let ran = bench.bary(&["run", "flow.toml", "--state", "s", "--trace", "run.trace"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let run = bench.bary(&["trace", "export", "--state", "s", "--out", "flow.trace"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let figures = figures(&bench, "flow.trace");
    assert_eq!((&figures["tasks"], &figures["dependencies"]), (&7.into(), &6.into()));
    assert!(figures["output_bytes"].as_u64() > Some(0), "{figures}");
    let text = bench.read("flow.trace");
    assert!(text.contains("\"function\":\"noop\"") && text.contains("\"weight\":2.0"), "{text}");
    assert!(text.contains("\"task\":\"b[3]\""), "tasks are called as people know them: {text}");
    let lines = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&bench.read("run.trace")), lines(&text), "only the trace's own name differs");
    // A run that ended before leaves the same trace again.
    let again = bench.bary(&["run", "flow.toml", "--state", "s", "--trace", "again.trace"]);
    assert_eq!(again.code, Some(0), "{}", again.err);
    assert_eq!(bench.read("again.trace"), bench.read("run.trace"));
}

#[test]
fn what_a_map_ran_is_lived_by_the_simulator() {
    let bench = bench();
    let words = ["map", "--array", "1-40", "--trace", "m.trace", "--nodes", "2", "--speeds", "1,2"];
    let ran = bench.bary(&[&words[..], &["--function", "noop"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(figures(&bench, "m.trace")["tasks"], 40);
    let scenario = "seeds = 1\n[[nodes]]\ncount = 2\n[[workload]]\ntrace = \"m.trace\"\n";
    bench.file("m.toml", scenario);
    let lived = bench.bary(&["sim", "m.toml", "--policy", "gravity", "-o", "json"]).json();
    assert_eq!((&lived["tasks"], &lived["policies"][0]["policy"]), (&40.into(), &"gravity".into()));
}

#[test]
fn a_trace_that_cannot_be_written_is_told_before_anything_runs() {
    let bench = bench();
    let run = |place: &str| bench.bary(&["run", "--trace", place, "--", "touch", "here"]);
    run("nowhere/x.trace").says(2, "no directory");
    run(".").says(2, "is a directory");
    run("-").says(2, "writes a file");
    assert!(!bench.path().join("here").exists());
}
