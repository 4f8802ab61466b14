//! Tasks that are each a spec of their own between members: how many a second, and what each costs
//! on the wire. No range stands for two of them.

use std::time::Instant;

use serde_json::json;

use crate::bench::members::flock::Flock;
use crate::bench::members::{drain_first, finish, post, submit};
use crate::door::Door;

/// Tasks of one job, and jobs.
const EACH: u32 = 1_000;
const JOBS: u32 = 100;

/// Tasks a second that three members run of jobs which are all submitted at the first one. They are
/// let go when all of them have been read, as reading job files is not what is measured here.
pub(super) fn rate(flock: &Flock) -> Result<f64, String> {
    let mut door = flock.door(1);
    let jobs = held(&mut door)?;
    let begun = Instant::now();
    run(&mut door, &jobs)?;
    let seconds = begun.elapsed().as_secs_f64();
    let told = super::get(&mut door, "/v1/nodes")?;
    let nodes = told["nodes"].as_array().into_iter().flatten();
    if nodes.filter(|node| node["tasks_ended"].as_u64() > Some(0)).count() < 3 {
        return Err(format!("some member has run nothing: {told}"));
    }
    Ok(f64::from(EACH * JOBS) / seconds)
}

/// Bytes that cross the network for each of them where all run at the other member.
pub(super) fn wire(flock: &Flock) -> Result<f64, String> {
    let mut door = flock.door(1);
    drain_first(&mut door)?;
    let jobs = held(&mut door)?;
    let before = flock.bytes()?;
    run(&mut door, &jobs)?;
    Ok((flock.bytes()? - before) as f64 / f64::from(EACH * JOBS))
}

/// The jobs, of which nothing starts yet.
fn held(door: &mut Door) -> Result<Vec<u64>, String> {
    let job = |number: u32| {
        let task = |task: u32| format!("[[task]]\nfunction = \"noop\"\nargs = {task}\n");
        let file: String = (number * EACH..(number + 1) * EACH).map(task).collect();
        submit(door, &json!({ "file": file, "hold": true }))
    };
    (0..JOBS).map(job).collect()
}

/// Lets them go, and waits until all have ended.
fn run(door: &mut Door, jobs: &[u64]) -> Result<(), String> {
    for job in jobs {
        post(door, &format!("/v1/jobs/{job}/release"), &json!({}))?;
    }
    jobs.iter().try_for_each(|job| finish(door, *job))
}
