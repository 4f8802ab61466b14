//! Holds what a node says after a restart against what it acknowledged before.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::chaos::node::book::Entry;
use crate::chaos::node::yard::Yard;
use crate::door::Door;

/// Fields that no journal keeps: moments that rest on no outcome, which are known roughly after a
/// restart, and what workers that have gone were called.
const ROUGH: &[&str] = &["started", "finished", "wait_seconds", "node"];

/// Compares all that was known for certain when the node was down with what it lists now. Of jobs
/// that had ended the tasks are compared too, where `tasks` says so of the place in the book.
pub(crate) fn compare(
    yard: &Yard,
    door: &mut Door,
    before: &[Entry],
    tasks: impl Fn(usize) -> bool,
) -> Result<Vec<String>, String> {
    let listed = list(door)?;
    let mut faults = Vec::new();
    let mut numbers = BTreeMap::new();
    for job in listed.values() {
        let key = job["tags"]["key"].as_str().unwrap_or_default();
        if let Some(other) = numbers.insert(key, &job["id"]) {
            faults.push(format!("{key} was submitted as job {other} and as job {}", job["id"]));
        }
    }
    for (at, known) in before.iter().enumerate() {
        // An answer was on its way when the node died: nobody knows what was done.
        if known.version % 2 == 1 {
            continue;
        }
        let mut found = of(known, listed.get(&known.number));
        if found.is_empty()
            && let (Some((_, wanted)), false, true) = (&known.ended, known.pruned, tasks(at))
        {
            let path = format!("/v1/jobs/{}/tasks", known.number);
            let answer = door.get(&path).map_err(|broke| format!("{path}: {broke}"))?;
            if answer.status == 200 {
                found.extend(different("tasks", wanted, &answer.json()?));
            } else {
                found.push(format!("its tasks: {}", answer.text()));
            }
        }
        // What was asked of the job since the list was made may have changed it.
        if yard.book().entries[at].version == known.version {
            let key = &known.job.key;
            faults.extend(found.into_iter().map(|fault| format!("{key}: {fault}")));
        }
    }
    Ok(faults)
}

/// What is wrong with a job as it is listed.
fn of(known: &Entry, job: Option<&Value>) -> Vec<String> {
    let mut faults = Vec::new();
    let (number, key) = (known.number, &known.job.key);
    match (job, known.pruned) {
        (None, true) => {}
        (Some(_), true) => faults.push(format!("job {number} was pruned and is back")),
        (None, false) => faults.push(format!("job {number} was acknowledged and is gone")),
        (Some(job), false) => {
            if job["tags"]["key"] != **key {
                faults.push(format!("job {number} is another: {job}"));
            } else if let Some((wanted, _)) = &known.ended {
                faults.extend(different("job", wanted, job));
            } else {
                let count = known.job.names.len() as u64;
                let same = job["tasks"] == count
                    && job["priority"] == known.priority
                    && job["open"] == known.open
                    && (!known.held || job["state"] == "held" || !job["finished"].is_null());
                if !same {
                    faults.push(format!("job {number} is not as it was acknowledged: {job}"));
                }
            }
        }
    }
    faults
}

/// The first field that differs.
fn different(what: &str, before: &Value, now: &Value) -> Option<String> {
    match (before, now) {
        (Value::Object(old), Value::Object(new)) => old
            .iter()
            .filter(|(field, _)| !ROUGH.contains(&field.as_str()))
            .find_map(|(field, old)| different(&format!("{what}.{field}"), old, &new[field])),
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            let mut pairs = old.iter().zip(new).enumerate();
            pairs.find_map(|(at, (old, new))| different(&format!("{what}[{at}]"), old, new))
        }
        (old, new) if old == new => None,
        (old, new) => Some(format!("{what} was {old} and is {new}")),
    }
}

/// All jobs by their numbers.
fn list(door: &mut Door) -> Result<BTreeMap<u64, Value>, String> {
    let answer = door.get("/v1/jobs").map_err(|broke| format!("the list of jobs: {broke}"))?;
    let mut reply = answer.json()?;
    let Value::Array(jobs) = reply["jobs"].take() else {
        return Err(format!("the list of jobs: {}", answer.text()));
    };
    Ok(jobs.into_iter().map(|job| (job["id"].as_u64().unwrap_or_default(), job)).collect())
}
