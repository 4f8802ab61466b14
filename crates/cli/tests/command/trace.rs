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

#[test]
fn what_ran_with_a_state_becomes_a_trace() {
    let bench = bench();
    let job = "[[task]]\nname = \"a\"\nfunction = \"noop\"\narray = \"1-3\"\nweight = 2\n\
               [[task]]\nname = \"b\"\nfunction = \"noop\"\nafter = [\"a\"]\n";
    bench.file("flow.toml", job);
    let ran = bench.bary(&["run", "flow.toml", "--state", "s"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let run = bench.bary(&["trace", "export", "--state", "s", "--out", "flow.trace"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let figures = figures(&bench, "flow.trace");
    assert_eq!((&figures["tasks"], &figures["dependencies"]), (&4.into(), &3.into()));
    let text = bench.read("flow.trace");
    assert!(text.contains("\"function\":\"noop\"") && text.contains("\"weight\":2.0"), "{text}");
}
