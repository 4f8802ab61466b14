//! Members of a cluster as processes of this machine: the published PIDS run, tasks that do
//! nothing, what a task costs on the wire, how soon the tasks of a killed member run again and
//! another one has its jobs, and how soon a change is shown.

mod distinct;
mod flock;
mod sight;
mod takeover;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::bench::bary::{number, program, repeated};
use crate::bench::figure::{Bound, Row};
use crate::bench::members::flock::Flock;
use crate::door::Door;
use crate::repo::Repo;

/// Tasks of the published run, and its workers.
const TASKS: usize = 1_000;
const WORKERS: u32 = 10;
/// Tasks that do nothing, for each of the members that they are submitted to.
const NOTHINGS: u64 = 300_000;
/// Most that anything takes.
const HANG: Duration = Duration::from_secs(180);
/// How often one looks.
const LOOK: Duration = Duration::from_millis(2);

/// Measures all of it.
pub(crate) fn run(repo: &Repo) -> Result<Vec<Row>, String> {
    let bary = program(repo)?;
    let published = repeated(|| told(published(&Flock::up(&bary, WORKERS)?)))?;
    let nothings = repeated(|| told(nothings(&Flock::up(&bary, 3)?)))?;
    let wire = repeated(|| told(wire(&Flock::apart(&bary, 2)?)))?;
    let trips = repeated(|| told(trips(&Flock::up(&bary, 2)?)))?;
    let own = repeated(|| told(distinct::rate(&Flock::up(&bary, 3)?)))?;
    let own_wire = repeated(|| told(distinct::wire(&Flock::apart(&bary, 2)?)))?;
    let gone = repeated(|| told(sight::death(&mut Flock::up(&bary, 3)?)))?;
    let back = repeated(|| told(sight::back(&mut Flock::up(&bary, 3)?)))?;
    let takeover = repeated(|| told(takeover::run(&mut Flock::kept(&bary, 3)?)))?;
    let again = repeated(|| told(again(&mut Flock::up(&bary, 3)?)))?;
    let of = |all: &[Value], key: &str| all.iter().map(|one| number(one, key)).collect();
    let row = |figure, runs: Result<Vec<f64>, String>, unit, bound| {
        Ok::<_, String>(Row { figure, runs: runs?, unit, bound: Some(bound), peer: None })
    };
    let (least, most) = (Bound::AtLeast, Bound::AtMost);
    Ok(vec![
        row("PIDS' 1,000 tasks, 10 members: balance", of(&published, "balance"), "%", least(99.5))?,
        row("the same, messages a task", of(&published, "claims"), "", most(0.6))?,
        row("the same, makespan over bound", of(&published, "makespan"), "", most(1.05))?,
        row("the same, started more than once", of(&published, "again"), "", most(0.0))?,
        row("tasks that do nothing, 3 members", Ok(nothings), "1/s", least(1e5))?,
        row("the same, each a spec of its own, 1 home", Ok(own), "1/s", least(1e5))?,
        row("bytes on the wire a task", Ok(wire), "B", most(200.0))?,
        row("the same, each a spec of its own", Ok(own_wire), "B", most(200.0))?,
        row("submission to result elsewhere, p50", Ok(trips), "ms", most(1.0))?,
        row("a killed member's task runs again", Ok(again), "s", most(2.0))?,
        row("another has the jobs of a killed member", Ok(takeover), "s", most(2.0))?,
        row("list and graph show a killed member gone", Ok(gone), "s", most(1.0))?,
        row("list and graph show one that has started", Ok(back), "s", most(1.0))?,
    ])
}

/// Says what one run came to: they take minutes together.
fn told<T: std::fmt::Display>(one: Result<T, String>) -> Result<T, String> {
    one.inspect(|one| eprintln!("  {one}"))
}

/// Work that is all submitted at one member: how even the busy times of the members are, in
/// percent, and how long it took, beside what no placement could beat.
fn published(flock: &Flock) -> Result<Value, String> {
    let spans = spans();
    let tasks = spans.iter().map(|span| {
        format!("[[task]]\nfunction = \"sleep\"\nargs = {span:.4}\nweight = {:.3}\n", span * 100.0)
    });
    let mut door = flock.door(1);
    let before = messages(flock)?;
    let begun = Instant::now();
    let job = submit(&mut door, &json!({ "file": tasks.collect::<String>() }))?;
    finish(&mut door, job)?;
    let took = begun.elapsed().as_secs_f64();
    let claims = (messages(flock)? - before) / TASKS as f64;
    let told = get(&mut door, "/v1/nodes")?;
    let nodes = told["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let busy: Vec<f64> = nodes.iter().filter_map(|node| node["busy_seconds"].as_f64()).collect();
    if busy.len() != WORKERS as usize {
        return Err(format!("{WORKERS} members ran it: {told}"));
    }
    let mean = busy.iter().sum::<f64>() / f64::from(WORKERS);
    let variance = busy.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / f64::from(WORKERS);
    let all = get(&mut door, &format!("/v1/jobs/{job}/tasks?limit={TASKS}"))?;
    let again = all["tasks"].as_array().into_iter().flatten();
    let again = again.filter(|task| task["attempt"].as_u64() > Some(1)).count();
    let longest = spans.iter().copied().fold(0.0, f64::max);
    let bound = (spans.iter().sum::<f64>() / f64::from(WORKERS)).max(longest);
    let balance = 100.0 * (1.0 - variance.sqrt() / mean);
    let makespan = took / bound;
    Ok(json!({ "balance": balance, "makespan": makespan, "again": again, "claims": claims }))
}

/// Messages that placing work has taken so far, of all members.
fn messages(flock: &Flock) -> Result<f64, String> {
    let of = |member| number(&get(&mut flock.door(member), "/v1/info")?, "placing_messages");
    (1..=WORKERS).map(of).sum()
}

/// How long the tasks take, in seconds: from 10 to 100 ms, always the same ones.
fn spans() -> Vec<f64> {
    let mut state = 1_u64;
    let draws = (0..TASKS).map(|_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        0.01 + 0.09 * (state >> 33) as f64 / f64::from(1_u32 << 31)
    });
    draws.collect()
}

/// Tasks a second that three members run which each have as many submitted.
fn nothings(flock: &Flock) -> Result<f64, String> {
    let mut doors = [flock.door(1), flock.door(2), flock.door(3)];
    let body = json!({ "tasks": { "function": "noop", "array": format!("1-{NOTHINGS}") } });
    let begun = Instant::now();
    let mut jobs = Vec::new();
    for door in &mut doors {
        jobs.push(submit(door, &body)?);
    }
    for (door, job) in doors.iter_mut().zip(jobs) {
        finish(door, job)?;
    }
    Ok((3 * NOTHINGS) as f64 / begun.elapsed().as_secs_f64())
}

/// Bytes that cross the network for each task which does nothing and runs at the other member:
/// all that its kernel counts, with what the members say anyway.
fn wire(flock: &Flock) -> Result<f64, String> {
    let mut door = flock.door(1);
    drain_first(&mut door)?;
    let body = json!({ "tasks": { "function": "noop", "array": format!("1-{NOTHINGS}") } });
    let before = flock.bytes()?;
    let job = submit(&mut door, &body)?;
    finish(&mut door, job)?;
    Ok((flock.bytes()? - before) as f64 / NOTHINGS as f64)
}

/// Milliseconds from a submission until the result of its one task is known, which runs at the
/// other member: the median of many.
fn trips(flock: &Flock) -> Result<f64, String> {
    const TRIPS: usize = 500;
    let mut door = flock.door(1);
    drain_first(&mut door)?;
    let body = json!({ "tasks": { "function": "noop" } });
    let mut took = Vec::new();
    for _ in 0..TRIPS {
        let begun = Instant::now();
        let job = submit(&mut door, &body)?;
        get(&mut door, &format!("/v1/jobs/{job}/wait"))?;
        took.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    Ok(crate::bench::figure::median(&took))
}

/// Seconds from the death of a member until the task that it ran begins elsewhere.
fn again(flock: &mut Flock) -> Result<f64, String> {
    let mark = flock.folder().join("mark");
    let script = "date +%s.%N >> \"$0\"; sleep 600";
    let command = json!(["sh", "-c", script, mark.to_string_lossy()]);
    let mut door = flock.door(1);
    drain_first(&mut door)?;
    let job = submit(&mut door, &json!({ "tasks": { "command": command } }))?;
    let began = |count: usize| -> Result<f64, String> {
        let begun = Instant::now();
        while begun.elapsed() < HANG {
            let text = std::fs::read_to_string(&mark).unwrap_or_default();
            if let Some(line) = text.lines().nth(count)
                && text.ends_with('\n')
            {
                return line.parse().map_err(|error| format!("`{line}`: {error}"));
            }
            std::thread::sleep(LOOK);
        }
        Err(format!("the task did not begin {} times", count + 1))
    };
    began(0)?;
    // That it runs is known here a little later than where it runs.
    let begun = Instant::now();
    let node = loop {
        let told = get(&mut door, &format!("/v1/jobs/{job}/tasks"))?;
        match told["tasks"][0]["node"].as_str() {
            Some(node) if !node.is_empty() => break node.to_owned(),
            _ if begun.elapsed() > HANG => return Err(format!("it is not told where {job} runs")),
            _ => std::thread::sleep(LOOK),
        }
    };
    let died = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
    flock.kill(&node)?;
    let took = began(1)? - died.as_secs_f64();
    post(&mut door, &format!("/v1/jobs/{job}/cancel"), &json!({}))?;
    Ok(took)
}

/// Has the first member run nothing, so that all runs elsewhere.
fn drain_first(door: &mut Door) -> Result<(), String> {
    post(door, "/v1/nodes/node-1/drain", &json!({})).map(drop)
}

fn submit(door: &mut Door, body: &Value) -> Result<u64, String> {
    let told = post(door, "/v1/jobs", body)?;
    told["job"].as_u64().ok_or_else(|| format!("a job without a number: {told}"))
}

/// Waits until all tasks of a job have succeeded.
fn finish(door: &mut Door, job: u64) -> Result<(), String> {
    let begun = Instant::now();
    while begun.elapsed() < HANG {
        let told = get(door, &format!("/v1/jobs/{job}/wait"))?;
        match told["jobs"][0]["state"].as_str() {
            Some("succeeded") => return Ok(()),
            Some("failed" | "cancelled") => return Err(format!("it did not end well: {told}")),
            _ => {}
        }
    }
    Err(format!("job {job} has not ended within {} s", HANG.as_secs()))
}

fn get(door: &mut Door, path: &str) -> Result<Value, String> {
    let answer = door.get(path).map_err(|broke| format!("{path}: {broke}"))?;
    good(path, &answer)
}

fn post(door: &mut Door, path: &str, body: &Value) -> Result<Value, String> {
    let answer = door.post(path, body).map_err(|broke| format!("{path}: {broke}"))?;
    good(path, &answer)
}

fn good(path: &str, answer: &crate::door::Answer) -> Result<Value, String> {
    match answer.status {
        200 => answer.json(),
        status => Err(format!("{path}: {status} {}", answer.text())),
    }
}
