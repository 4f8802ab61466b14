//! Prints how long large traces take to read, in seconds of a processor, in formats that hold one:
//! `reading [JOBS]`. Run it with `cargo run --release -p bary-trace --example reading`.
#![expect(clippy::print_stdout, reason = "an example prints its figures")]

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;

use bary_model::time::Span;
use bary_trace::format::Format;
use bary_trace::read::read;
use bary_trace::trace::{Job, Task, Trace};
use bary_trace::write::write;

/// How often each file is read.
const ROUNDS: usize = 5;
/// How many jobs there are where nobody says.
const JOBS: u32 = 200_000;

fn main() -> Result<(), Box<dyn Error>> {
    let jobs = std::env::args().nth(1).map_or(Ok(JOBS), |word| word.parse())?;
    for (name, format, trace) in [
        ("own", Format::Bary, log(jobs)),
        ("swf", Format::Swf, log(jobs)),
        ("graph", Format::Bary, graph(jobs)),
    ] {
        let text = write(&trace, format)?.text;
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let (began, before) = (now(), worked());
            let found = read("large", text.as_bytes(), Some(format))?;
            let wall = began.elapsed().as_secs_f64();
            times.push(match (before, worked()) {
                (Some(before), Some(after)) if after > before => (after - before) / 1e9,
                _ => wall,
            });
            if black_box(found).tasks() != trace.tasks() {
                return Err(format!("{name}: not all tasks came back").into());
            }
        }
        let secs: Vec<String> = times.iter().map(|secs| format!("{secs:.3}")).collect();
        println!("{name} {} bytes {}", secs.join(" "), text.len());
    }
    Ok(())
}

/// A log of so many jobs of one task, with all that a log tells of each.
fn log(jobs: u32) -> Trace {
    let job = |number: u32| {
        let task = Task {
            function: (number % 97).to_string().into(),
            estimate: Some(Span::secs(u64::from(number % 7_200 + 60))),
            milli_cpus: u64::from(number % 128 + 1) * 1_000,
            memory: u64::from(number % 64 + 1) << 20,
            ..Task::new(Span::secs(u64::from(number % 3_600 + 1)))
        };
        Job {
            name: (number + 1).to_string().into(),
            owner: (number % 300).to_string().into(),
            arrival: Span::secs(u64::from(number) * 7),
            tasks: [task].into(),
        }
    };
    Trace { name: "log".into(), unit: Trace::UNIT, jobs: (0..jobs).map(job).collect() }
}

/// One job of so many tasks, each of which waits for two before it.
fn graph(tasks: u32) -> Trace {
    let task = |number: u32| {
        let mut after = vec![number.saturating_sub(1), number / 2];
        after.retain(|on| *on < number);
        after.sort_unstable();
        after.dedup();
        Task {
            name: format!("task {number}").into(),
            output: u64::from(number),
            after: after.into(),
            ..Task::new(Span::millis(u64::from(number % 1_000 + 1)))
        }
    };
    let tasks = (0..tasks).map(task).collect();
    let job = Job { name: "graph".into(), owner: Arc::default(), arrival: Span::ZERO, tasks };
    Trace { name: "graph".into(), unit: Trace::UNIT, jobs: vec![job] }
}

/// Nanoseconds for which a processor has worked for this thread, where the system tells: what
/// other programs of a busy machine take does not count.
fn worked() -> Option<f64> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split(' ').next()?.parse().ok()
}

#[expect(clippy::disallowed_methods, reason = "a measurement needs the clock")]
#[expect(clippy::disallowed_types, reason = "a measurement needs the clock")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}
