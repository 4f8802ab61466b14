//! How soon another member goes on with the jobs of one that was killed, which it keeps with it.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::bench::members::flock::Flock;
use crate::bench::members::{finish, get, submit};

/// Longer than any of it takes.
const HANG: Duration = Duration::from_secs(60);
/// How often one looks.
const LOOK: Duration = Duration::from_millis(5);
/// Jobs that were acknowledged before.
const JOBS: u64 = 200;

/// Seconds from the death of the second of three members until a job is accepted for it at the
/// first. What it had acknowledged is all there then.
pub(super) fn run(flock: &mut Flock) -> Result<f64, String> {
    let (mut first, mut second) = (flock.door(1), flock.door(2));
    let begun = Instant::now();
    while get(&mut second, "/v1/info")?["durability"] != "replicated" {
        if begun.elapsed() > HANG {
            return Err("nobody else keeps the jobs of a member".to_owned());
        }
        std::thread::sleep(LOOK);
    }
    let body = json!({ "tasks": { "function": "noop" } });
    let mut last = 0;
    for _ in 0..JOBS {
        last = submit(&mut second, &body)?;
    }
    finish(&mut second, last)?;
    let begun = Instant::now();
    flock.kill("node-2")?;
    let accepted = loop {
        // Until another one stands in for it, there is nobody to ask.
        if let Ok(answer) = first.post("/v1/jobs?home=node-2", &body)
            && answer.status == 200
        {
            break begun.elapsed().as_secs_f64();
        }
        if begun.elapsed() > HANG {
            return Err("nobody stands in for a member that was killed".to_owned());
        }
        std::thread::sleep(LOOK);
    };
    let told = get(&mut first, "/v1/jobs?home=node-2&limit=1")?;
    match told["total"].as_u64() {
        Some(total) if total == JOBS + 1 => Ok(accepted),
        total => Err(format!("{} jobs were acknowledged, and there are {total:?}", JOBS + 1)),
    }
}
