//! A worker that is stopped for longer than a node waits for it, and then goes on: its task runs
//! elsewhere meanwhile, and what the late one says counts for nothing.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::chaos::node::Cast;
use crate::chaos::node::marks::{By, Marks};
use crate::chaos::node::workers::Worker;
use crate::door::{Door, base64};
use crate::node::Node;

/// How long the task takes, in milliseconds.
const TASK: u64 = 3_000;
/// Longer than a node takes to see that a worker is gone, and to have its task run again.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often one looks.
const LOOK: Duration = Duration::from_millis(20);

/// Plays the scene in a folder; what came of it in words.
pub(crate) fn scene(cast: &Cast) -> Result<String, String> {
    let (bary, folder) = (&cast.bary, &cast.folder);
    let mut node = Node::new(bary, folder)?;
    let mut door = node.begin(&["-j", "1"], &[])?;
    let marks = folder.join("marks");
    let crew = cast.crew(&node);
    let first = Worker::start(&crew, &marks, "first")?;
    let input = base64(format!("k/1 {TASK}").as_bytes());
    let work = json!({ "tasks": { "function": "scribe", "inputs": [input] } });
    let reply = door.post("/v1/jobs", &work).map_err(|broke| format!("{broke}"))?.json()?;
    if reply["job"] != 1 {
        return Err(format!("a submission: {reply}"));
    }
    until("the task begins", || Ok(starts(&marks) == 1))?;
    first.signal("STOP")?;
    let begun = Instant::now();
    let _second = Worker::start(&crew, &marks, "second")?;
    until("the task begins again", || Ok(starts(&marks) == 2))?;
    let cut_off = begun.elapsed();
    // The node has closed a connection that was idle for so long.
    let mut door = node.up()?;
    // It wakes while the other one is at work, and says first what it has.
    first.signal("CONT")?;
    until("the job ends", || Ok(job(&mut door)?["finished"] != ""))?;
    let registered = |name: &str| {
        let text = std::fs::read_to_string(&marks).unwrap_or_default();
        text.lines().filter(|line| line.starts_with(&format!("c - {name}."))).count()
    };
    until("the first worker is back", || Ok(registered("first") == 2))?;
    let told = job(&mut door)?;
    if told["succeeded"] != 1 || told["tasks"] != 1 || told["failed"] != 0 {
        return Err(format!("the task was counted otherwise than once: {told}"));
    }
    let list = door.get("/v1/jobs/1/tasks").map_err(|broke| format!("{broke}"))?.json()?;
    let by = &list["tasks"][0]["node"];
    if by != "second" {
        return Err(format!("the outcome that counts is of {by}"));
    }
    let starts = Marks::read(&marks).starts.remove("k/1").unwrap_or_default();
    let named = |start: &By| matches!(start, By::Worker { name, .. } if name == "second");
    if starts.len() != 2 || !named(&starts[1].by) {
        return Err(format!("it was started by others: {starts:?}"));
    }
    drop(first);
    node.drain()?;
    Ok(format!(
        "a stopped worker was cut off and its task begun elsewhere after {:.0} s; its late outcome \
         changed nothing",
        cut_off.as_secs_f64()
    ))
}

fn starts(marks: &Path) -> usize {
    Marks::read(marks).starts.get("k/1").map_or(0, Vec::len)
}

fn job(door: &mut Door) -> Result<serde_json::Value, String> {
    let answer = door.get("/v1/jobs/1").map_err(|broke| format!("job 1: {broke}"))?;
    Ok(answer.json()?["jobs"][0].take())
}

fn until(what: &str, mut is: impl FnMut() -> Result<bool, String>) -> Result<(), String> {
    let begun = Instant::now();
    while !is()? {
        if begun.elapsed() > PATIENCE {
            return Err(format!("waited {} s until {what}", PATIENCE.as_secs()));
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}
