//! Another policy on a node under work.

use serde_json::{Value, json};

use crate::bench::Bench;
use crate::desk::Desk;
use crate::process::{begin, release};
use crate::standing::Standing;

/// How many tasks of growing weight wait, and how many of an array.
const SINGLE: usize = 6;
const ARRAY: u64 = 300;

fn job() -> String {
    let named = |number: usize| format!("t{number}");
    let task = |number| json!({ "name": named(number), "function": "noop", "weight": number });
    let mut tasks: Vec<Value> = (1..=SINGLE).map(task).collect();
    let array = json!({ "name": "many", "function": "noop", "array": ARRAY, "weight": 0.5 });
    tasks.push(array);
    json!({ "task": tasks }).to_string()
}

/// All that happened, as lines of JSON.
fn events(desk: &Desk) -> Vec<Value> {
    let told = desk.bary(&["events", "-o", "jsonl"]);
    told.out.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect()
}

#[test]
fn another_policy_holds_at_once_for_all_that_has_not_begun_and_loses_nothing() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &["-j", "1", "--policy", "fifo"]);
    // The only slot is taken, and what comes next is granted behind it by the first policy.
    let first = begin(&bench, &node);
    let desk = Desk { bench, node };
    let asked = json!({ "file": job() }).to_string();
    let taken = desk.node.ask("POST", "/v1/jobs").json(&asked).send().value();
    assert_eq!(taken["job"], 2);
    desk.bary(&["policy", "set", "least-loaded,order=heaviest-first"]).says(0, "it was fifo");
    release(&desk.bench);
    let all = SINGLE as u64 + ARRAY;
    desk.bary(&["wait", "2"]).says(0, &format!("{all} of {all} succeeded"));
    let happened = events(&desk);
    let of = |kind: &str| {
        let kind = json!(kind);
        happened.iter().filter(move |event| event["kind"] == kind)
    };
    let followed: Vec<&Value> = of("followed").map(|event| &event["detail"]).collect();
    assert_eq!(followed.last(), Some(&&json!("least-loaded,order=heaviest-first")));
    let began: Vec<&str> =
        of("started").filter_map(|event| event["task"].as_str()?.strip_prefix("t")).collect();
    assert_eq!(began, ["6", "5", "4", "3", "2", "1"], "the heaviest first, from here on");
    let ended: u64 = of("ended").filter_map(|event| event["tasks"].as_u64()).sum();
    assert_eq!((ended, of("superseded").count()), (all + 1, 0), "each ended once");
    let why = |task: &str| desk.bary(&["why", task]).out;
    assert!(why("2/t3").contains("least loaded"), "{}", why("2/t3"));
    let before = why(&format!("{first}/1"));
    assert!(before.contains("gravity") && !before.contains("least loaded"), "{before}");
}
