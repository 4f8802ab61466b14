//! Jobs that are large or cannot be: what is a range stays one, and what is too much is named.

use serde_json::{Value, json};

use crate::bench::Bench;
use crate::http::Answer;
use crate::standing::Standing;

fn submit(node: &Standing, body: &Value) -> Answer {
    node.ask("POST", "/v1/jobs").json(&body.to_string()).send()
}

#[test]
fn a_billion_tasks_are_a_range_and_more_are_refused() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let array = |numbers: &str| json!({ "tasks": { "function": "noop", "array": numbers } });
    let mut held = array("1-1_000_000_000");
    held["hold"] = json!(true);
    let taken = submit(&node, &held);
    assert_eq!(taken.value()["tasks"], 1_000_000_000, "{taken:?}");
    let told = node.ask("GET", "/v1/jobs/1").send().value();
    assert_eq!(told["jobs"][0]["waiting"], 1_000_000_000);
    let cancelled = node.ask("POST", "/v1/jobs/1/cancel").json("{}").send().value();
    assert_eq!(cancelled["jobs"][0]["cancelled"], 1_000_000_000, "{cancelled}");
    for numbers in ["1-1_000_000_001", "1-99_999_999_999", "0-18446744073709551615"] {
        let refused = submit(&node, &array(numbers));
        assert_eq!(refused.status, 400, "{numbers}: {refused:?}");
    }
}

#[test]
fn a_circle_is_named_and_nothing_of_it_is_kept() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let task = |name: &str, after: &str| {
        format!("[[task]]\nname = \"{name}\"\nfunction = \"noop\"\nafter = \"{after}\"\n")
    };
    let circle = task("a", "c") + &task("b", "a") + &task("c", "b");
    let refused = submit(&node, &json!({ "file": circle }));
    assert_eq!(refused.status, 400, "{refused:?}");
    let told = refused.value()["title"].as_str().unwrap_or_default().to_owned();
    assert!(told.contains("a -> b -> c -> a"), "{told}");
    assert_eq!(node.ask("GET", "/v1/jobs").send().value()["total"], 0);
}

#[test]
fn a_graph_of_many_edges_is_taken_as_what_it_says() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    // Each index of the second waits for all of the first: a million edges in two lines.
    let file = "[[task]]\nname = \"a\"\nfunction = \"noop\"\narray = \"1-1000\"\n\
                [[task]]\nname = \"b\"\nfunction = \"noop\"\narray = \"1-1000\"\nafter = \"a\"\n";
    let taken = submit(&node, &json!({ "file": file }));
    assert_eq!(taken.value()["tasks"], 2_000, "{taken:?}");
    let ended = node.wait(1).value();
    assert_eq!(ended["jobs"][0]["succeeded"], 2_000, "{ended}");
}
