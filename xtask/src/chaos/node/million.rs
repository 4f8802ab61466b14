//! How soon a node is back that was killed over a large state: one with a million distinct tasks
//! that wait, and one with a million that have ended.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::door::{Door, base64};
use crate::node::Node;

/// How many tasks there are.
const TASKS: u64 = 1_000_000;
/// How many of them come with one submission.
const BATCH: u64 = 100;
/// How often each is started.
const STARTS: usize = 5;
/// How soon it is to be back.
pub(crate) const BACK_MAX: Duration = Duration::from_secs(2);

/// Plays the scene in a folder; what came of it in words. An error where it takes longer.
pub(crate) fn scene(bary: &Path, folder: &Path) -> Result<String, String> {
    let waiting = back(bary, &folder.join("waiting"), true)?;
    let ended = back(bary, &folder.join("ended"), false)?;
    let said = format!(
        "back over 1,000,000 tasks of 10,000 jobs that wait after {:.2} s, that have ended after \
         {:.2} s",
        waiting.as_secs_f64(),
        ended.as_secs_f64()
    );
    if waiting.max(ended) < BACK_MAX { Ok(said) } else { Err(said) }
}

/// The median time until it answers, over a state of tasks that are held or have ended.
fn back(bary: &Path, folder: &Path, hold: bool) -> Result<Duration, String> {
    let mut node = Node::new(bary, folder)?;
    let mut door = node.begin(&["-j", "2"], &[])?;
    for first in (0..TASKS).step_by(BATCH as usize) {
        let inputs: Vec<String> =
            (first..first + BATCH).map(|n| base64(n.to_string().as_bytes())).collect();
        let tasks = json!({ "function": "noop", "inputs": inputs });
        let reply = ask(&mut door, "POST", "/v1/jobs", &json!({ "tasks": tasks, "hold": hold }))?;
        if reply["tasks"] != BATCH {
            return Err(format!("{BATCH} tasks were acknowledged as {reply}"));
        }
    }
    let key = if hold { "tasks_waiting" } else { "tasks_ended" };
    while ask(&mut door, "GET", "/v1/info", &Value::Null)?[key] != TASKS {
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut spans = Vec::new();
    for _ in 0..STARTS {
        node.kill()?;
        let begun = Instant::now();
        let mut door = node.begin(&["-j", "2"], &[])?;
        spans.push(begun.elapsed());
        let info = ask(&mut door, "GET", "/v1/info", &Value::Null)?;
        if info[key] != TASKS {
            return Err(format!("of {TASKS} tasks it knows {info}"));
        }
    }
    spans.sort_unstable();
    Ok(spans[STARTS / 2])
}

fn ask(door: &mut Door, method: &str, path: &str, body: &Value) -> Result<Value, String> {
    let body = Some(body).filter(|body| !body.is_null());
    let answer = door.ask(method, path, body).map_err(|broke| format!("{path}: {broke}"))?;
    answer.json()
}
