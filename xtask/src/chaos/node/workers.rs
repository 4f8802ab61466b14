//! The worker processes of a storm, which are killed, paused and started again.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::chaos::dice::Dice;
use crate::chaos::node::crew::Crew;
use crate::chaos::node::marks::Marks;
use crate::chaos::node::yard::Yard;
use crate::node::signal;

/// A worker process. It is killed when this is dropped.
pub(crate) struct Worker {
    child: Child,
    pub(crate) name: String,
}

/// Tasks that a worker runs at a time.
const SLOTS: &str = "2";
/// How many workers there are at a time.
const WORKERS: u64 = 2;
/// How often the storm is asked whether it is over.
const LOOK: Duration = Duration::from_millis(20);
/// The longest pause of a worker, in milliseconds.
const PAUSE_MAX: u64 = 4_000;

impl Worker {
    pub(crate) fn start(crew: &Crew, marks: &Path, name: &str) -> Result<Self, String> {
        let mut command = Command::new(&crew.scribe);
        command.arg(&crew.address).arg(&crew.token).arg(marks).args([name, SLOTS]);
        command.env("CHAOS_MARKS", marks);
        // It ends with its input, should this process go.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|cause| format!("a worker did not start: {cause}"))?;
        Ok(Self { child, name: name.to_owned() })
    }

    pub(crate) fn signal(&self, name: &str) -> Result<(), String> {
        signal(self.child.id(), name)
    }

    fn kill(&mut self) -> Result<(), String> {
        let killed = self.child.kill().and_then(|()| self.child.wait());
        killed.map(drop).map_err(|cause| format!("a worker was not killed: {cause}"))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Err(fault) = self.kill() {
            eprintln!("{fault}");
        }
    }
}

/// What was done to the workers of a storm.
#[derive(Debug, Default)]
pub(crate) struct Torment {
    pub(crate) kills: u64,
    pub(crate) pauses: u64,
}

/// Keeps workers at work until the end, and kills or pauses one now and then while the storm goes
/// on. Each process has a name of its own.
pub(crate) fn torment(
    yard: &Yard,
    every: Duration,
    mut dice: Dice,
    ended: impl Fn() -> bool,
) -> Result<Torment, String> {
    let mut torment = Torment::default();
    let mut born = 0_u64;
    let mut start = || {
        born += 1;
        yard.worker(&format!("w{born}"))
    };
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        workers.push(start()?);
    }
    while !yard.is_over() {
        rest(Duration::from_millis(dice.below(every.as_millis() as u64 * 5)), || yard.is_over());
        let at = dice.below(WORKERS) as usize;
        if dice.below(3) == 0 {
            workers[at].signal("STOP")?;
            rest(Duration::from_millis(dice.below(PAUSE_MAX)), || yard.is_over());
            workers[at].signal("CONT")?;
            torment.pauses += 1;
        } else {
            let from = Marks::place(&yard.marks);
            workers[at].kill()?;
            yard.killed(from, Some(workers[at].name.clone()));
            workers[at] = start()?;
            torment.kills += 1;
        }
    }
    while !ended() {
        std::thread::sleep(LOOK);
    }
    Ok(torment)
}

/// Sleeps so long, or until it is over.
fn rest(span: Duration, over: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while begun.elapsed() < span && !over() {
        std::thread::sleep(LOOK.min(span));
    }
}
