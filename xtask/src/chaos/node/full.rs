//! A node whose disk fills up: new work is refused with a word on when to come back, what runs
//! ends, and all goes on by itself once there is space.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::chaos::full::{Disk, MIB};
use crate::door::{Answer, Door, base64};
use crate::node::Node;
use crate::process::printed;

/// Bytes of one input of a job that fills the journal.
const INPUT_BYTES: usize = 64 << 10;
/// Jobs that fill what any journal has set aside.
const JOBS_MAX: usize = 400;
/// Small jobs, the audit lines of which need more than any log has set aside.
const SMALL_JOBS_MAX: u64 = 20_000;
/// Longer than it takes a node to notice that there is space.
const PATIENCE: Duration = Duration::from_secs(60);

/// Plays the scene on a disk that may be filled; what came of it in words.
pub(crate) fn scene(bary: &Path, disk: &Disk<'_>) -> Result<String, String> {
    let mut node = Node::new(bary, &disk.folder.join("node"))?;
    let mut door = node.begin(&["-j", "3"], &[])?;
    let go = disk.folder.join("go");
    let wait = format!("until [ -e {} ]; do sleep 0.05; done; echo went", go.display());
    let running = json!({ "tasks": { "command": ["sh", "-c", wait, "{}"], "array": "1-2" } });
    let running = job(&door.post("/v1/jobs", &running))?;
    until(&mut door, &format!("/v1/jobs/{running}"), |told| told["jobs"][0]["running"] == 2)?;
    let beside = taken_beside(&mut door, disk)?;
    // Room for the audit log, but not for another part of the journal.
    disk.fill(MIB)?;
    let taken = beside + fill_journal(&mut door)?;
    until(&mut door, "/v1/info", |told| told["status"] == "full")?;
    disk.fill(0)?;
    refused(&door.post("/v1/jobs", &small()))?;
    fs::write(&go, "").map_err(|cause| format!("{}: {cause}", go.display()))?;
    ended(&mut door, running, 2)?;
    disk.free()?;
    let begun = Instant::now();
    let late = loop {
        let answer = door.post("/v1/jobs", &small());
        if answer.as_ref().is_ok_and(|answer| answer.status == 200) {
            break job(&answer)?;
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!("there is space again, and it refuses: {answer:?}"));
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let back = begun.elapsed().as_millis();
    ended(&mut door, late, 1)?;
    until(&mut door, "/v1/info", |told| told["status"] == "ready")?;
    node.kill()?;
    let mut door = node.begin(&["-j", "2"], &[])?;
    let all = door.get("/v1/jobs").map_err(|broke| format!("{broke}"))?.json()?;
    if all["total"] != taken + 2 {
        return Err(format!("{} jobs were acknowledged: {}", taken + 2, all["total"]));
    }
    node.drain()?;
    printed(node.command(&["journal", "verify"]))?;
    let within = taken - beside;
    Ok(format!(
        "a node took {beside} jobs without room for its audit log and {within} without room for \
         its journal, refused the next and took others again {back} ms after there was room"
    ))
}

/// Fills the disk to its end while the journal still has room of its own, so that it is the audit
/// log that has none; how many jobs were taken. What was refused was not done, and what is there
/// can be ended.
fn taken_beside(door: &mut Door, disk: &Disk<'_>) -> Result<u64, String> {
    let endless = json!({ "tasks": { "command": ["sleep", "1000"] } });
    let endless = job(&door.post("/v1/jobs", &endless))?;
    disk.fill(0)?;
    let mut taken = 1;
    let refusal = loop {
        let answer = door.post("/v1/jobs", &small());
        if answer.as_ref().is_ok_and(|answer| answer.status == 200) && taken < SMALL_JOBS_MAX {
            taken += 1;
        } else {
            break answer;
        }
    };
    refused(&refusal)?;
    let told = door.get("/v1/jobs?limit=1").map_err(|broke| format!("the list: {broke}"))?;
    if told.json()?["total"] != taken + 1 {
        return Err(format!("{taken} jobs were acknowledged: {}", told.text()));
    }
    until(door, "/v1/info", |told| told["status"] == "full")?;
    let path = format!("/v1/jobs/{endless}/cancel");
    let ended = door.post(&path, &json!({})).map_err(|broke| format!("{path}: {broke}"))?;
    if ended.status != 200 {
        return Err(format!("a job should end on a full disk: {}", ended.text()));
    }
    disk.free()?;
    until(door, "/v1/info", |told| told["status"] == "ready")?;
    Ok(taken)
}

/// Submits until there is no room for more; how many jobs were taken.
fn fill_journal(door: &mut Door) -> Result<u64, String> {
    let mut taken = 0;
    for number in 0..JOBS_MAX {
        // Bytes that no compression and no sharing makes less.
        let mut dice = crate::chaos::dice::Dice::new(number as u64);
        let input: Vec<u8> = (0..INPUT_BYTES).map(|_| dice.below(256) as u8).collect();
        let tasks = json!({ "function": "noop", "inputs": [base64(&input)] });
        let answer = door.post("/v1/jobs", &json!({ "tasks": tasks }));
        if answer.as_ref().is_ok_and(|answer| answer.status == 200) {
            taken += 1;
        } else {
            refused(&answer)?;
            return Ok(taken);
        }
    }
    Err(format!("{JOBS_MAX} jobs were taken in though the disk is full"))
}

fn small() -> Value {
    json!({ "tasks": { "function": "noop" } })
}

fn job(answer: &Result<Answer, crate::door::Unanswered>) -> Result<u64, String> {
    let answer = answer.as_ref().map_err(|broke| format!("a submission: {broke}"))?;
    let number = answer.json()?["job"].as_u64();
    number.ok_or_else(|| format!("a submission: {}", answer.text()))
}

/// It was refused since something is full, with a word on when to try again.
fn refused(answer: &Result<Answer, crate::door::Unanswered>) -> Result<(), String> {
    let answer = answer.as_ref().map_err(|broke| format!("a submission: {broke}"))?;
    let hint = answer.retry_after.is_some_and(|seconds| seconds > 0.0);
    if answer.status == 429 && hint && answer.json()?["type"] == "full" {
        return Ok(());
    }
    Err(format!("it should be refused as full: {} {}", answer.status, answer.text()))
}

fn ended(door: &mut Door, job: u64, tasks: u64) -> Result<(), String> {
    let path = format!("/v1/jobs/{job}/wait?timeout=60");
    let told = door.get(&path).map_err(|broke| format!("{path}: {broke}"))?.json()?;
    if told["done"] == true && told["jobs"][0]["succeeded"] == tasks {
        return Ok(());
    }
    Err(format!("job {job} should have ended: {told}"))
}

/// Asks until the answer is as it should be.
fn until(door: &mut Door, path: &str, is: impl Fn(&Value) -> bool) -> Result<(), String> {
    let begun = Instant::now();
    loop {
        let told = door.get(path).map_err(|broke| format!("{path}: {broke}"))?.json()?;
        if is(&told) {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!("{path} stays {told}"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
