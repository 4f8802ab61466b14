//! A storm: callers and workers at a node that is killed at drawn instants and started again, and
//! what must hold of all its lives.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::chaos::dice::Dice;
use crate::chaos::evidence;
use crate::chaos::node::Cast;
use crate::chaos::node::book::Entry;
use crate::chaos::node::hand::Hand;
use crate::chaos::node::marks::Marks;
use crate::chaos::node::recall::compare;
use crate::chaos::node::workers::{Torment, torment};
use crate::chaos::node::yard::Yard;
use crate::node::Node;
use crate::process::printed;

/// How a storm is to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Weather {
    /// How many tasks are asked for.
    pub(crate) tasks: u64,
    /// How long they are spread over, while the node is killed.
    pub(crate) length: Duration,
    /// How often the node is killed, about.
    pub(crate) every: Duration,
    pub(crate) seed: u64,
}

/// What a storm came to.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) jobs: u64,
    pub(crate) tasks: u64,
    pub(crate) kills: u64,
    /// How many of the kills came before the node had answered.
    pub(crate) early: u64,
    pub(crate) torment: Torment,
    /// Requests that were answered over gRPC, and at all.
    pub(crate) by_grpc: u64,
    pub(crate) answered: u64,
    /// Requests whose answer was lost.
    pub(crate) lost: u64,
    /// Submissions that were repeated under their keys.
    pub(crate) repeated: u64,
    /// Starts of tasks beyond the first of each.
    pub(crate) again: u64,
    /// How long it took from each start until the node answered.
    pub(crate) back: Vec<Duration>,
    pub(crate) faults: Vec<String>,
}

/// Callers at a time.
const HANDS: u64 = 12;
/// How often, in kills, the journal is looked at while the node is down.
const LOOK_INTO_JOURNAL: u64 = 10;
/// Of how many ended jobs the tasks are compared after a restart, about.
const COMPARED: u64 = 20;

/// Has a storm in a folder.
pub(crate) fn storm(cast: &Cast, weather: Weather) -> Result<Report, String> {
    let folder = cast.folder.as_path();
    let mut node = Node::new(&cast.bary, folder)?;
    let (marks, allowed) = (folder.join("marks"), folder.join("allowed"));
    let (marks, allowed) = (marks.to_string_lossy(), allowed.to_string_lossy());
    let env = [("CHAOS_MARKS", &*marks), ("CHAOS_OK", &*allowed)];
    let mut dice = Dice::new(weather.seed);
    node.begin(&["-j", "4"], &env)?;
    let yard = Yard::lay(folder, cast.crew(&node), weather.tasks, weather.length)?;
    let mut report = Report::default();
    let ended = AtomicBool::new(false);
    let thrown = std::thread::scope(|scope| {
        let of_workers = Dice::new(weather.seed ^ 0x5eed);
        let workers = scope.spawn(|| {
            let is_ended = || ended.load(Ordering::Relaxed);
            let torment = torment(&yard, weather.every, of_workers, is_ended);
            // Without workers the storm would wait for their tasks for ever.
            torment.inspect_err(|fault| yard.book().fault(fault))
        });
        let hands: Vec<_> = (0..HANDS)
            .map(|number| {
                let hand = Hand::new(&yard, number, weather.seed);
                scope.spawn(|| match hand {
                    Ok(hand) => hand.work(),
                    Err(fault) => yard.book().fault(fault),
                })
            })
            .collect();
        let mut sky = Sky { yard: &yard, node: &mut node, env: &env, every: weather.every };
        let thrown = sky.rage(&mut dice, &mut report);
        if let Err(fault) = &thrown {
            yard.book().fault(fault);
        }
        for hand in hands {
            if hand.join().is_err() {
                yard.book().fault("a caller panicked");
            }
        }
        ended.store(true, Ordering::Relaxed);
        if let Ok(Ok(torment)) = workers.join() {
            report.torment = torment;
        }
        thrown
    });
    if thrown.is_ok() {
        let closed = close(&yard, &mut node, &env, &mut report);
        report.faults.extend(closed.err());
    }
    let book = yard.book();
    report.jobs = book.entries.len() as u64;
    (report.tasks, report.lost, report.repeated) = (book.tasks, book.lost, book.repeated);
    (report.answered, report.by_grpc) = (book.answered, book.by_grpc);
    report.faults.extend(book.faults.iter().cloned());
    Ok(report)
}

/// What kills the node.
struct Sky<'a> {
    yard: &'a Yard,
    node: &'a mut Node,
    env: &'a [(&'a str, &'a str)],
    every: Duration,
}

impl Sky<'_> {
    /// Kills the node until the time is over.
    fn rage(&mut self, dice: &mut Dice, report: &mut Report) -> Result<(), String> {
        let mut is_up = true;
        while !self.yard.is_over() {
            let micros = self.every.as_micros() as u64;
            let wait = match is_up {
                true => micros / 4 + dice.below(micros * 3 / 2),
                false => dice.below(60_000),
            };
            std::thread::sleep(Duration::from_micros(wait));
            let before = self.kill(report)?;
            report.early += u64::from(!is_up);
            if report.kills.is_multiple_of(LOOK_INTO_JOURNAL) {
                printed(self.node.command(&["journal", "verify"]))?;
            }
            let slots = (1 + dice.below(6)).to_string();
            let nodes = (1 + dice.below(3)).to_string();
            let begun = Instant::now();
            self.node.start(&["-j", &slots, "--nodes", &nodes], self.env)?;
            is_up = dice.below(8) > 0;
            if is_up {
                let mut door = self.node.up()?;
                report.back.push(begun.elapsed());
                let share = (before.len() as u64 / COMPARED).max(1);
                let lot = dice.below(share);
                let chosen = |at: usize| at as u64 % share == lot;
                report.faults.extend(compare(self.yard, &mut door, &before, chosen)?);
                if !report.faults.is_empty() {
                    return Err(format!("after kill {}", report.kills));
                }
            }
        }
        if is_up { Ok(()) } else { self.node.up().map(drop) }
    }

    /// Kills it; what its callers knew once it was dead.
    fn kill(&mut self, report: &mut Report) -> Result<Vec<Entry>, String> {
        if let Some(status) = self.node.ended()? {
            return Err(format!("the node ended with {status}: {}", self.node.log()));
        }
        let from = Marks::place(&self.yard.marks);
        self.node.kill()?;
        self.yard.killed(from, None);
        report.kills += 1;
        Ok(self.yard.book().entries.clone())
    }
}

/// Judges all lives together, once everything has ended.
fn close(
    yard: &Yard,
    node: &mut Node,
    env: &[(&str, &str)],
    report: &mut Report,
) -> Result<(), String> {
    let before = yard.book().entries.clone();
    node.kill()?;
    let mut door = node.begin(&["-j", "4"], env)?;
    report.faults.extend(compare(yard, &mut door, &before, |_| true)?);
    let info = door.get("/v1/info").map_err(|broke| format!("info: {broke}"))?.json()?;
    if info["tasks_waiting"] != 0 || info["tasks_running"] != 0 {
        report.faults.push(format!("all has ended, and something is left to do: {info}"));
    }
    node.drain()?;
    let marks = Marks::read(&yard.marks);
    report.again = marks.repeated();
    report.faults.extend(marks.unwanted(&yard.book().known(), &yard.kills()));
    report.faults.extend(unstarted(&before, &marks));
    report.faults.extend(marks.faults);
    report.faults.extend(evidence::left(&yard.marks));
    printed(node.command(&["journal", "verify"]))?;
    let history = printed(node.command(&["journal", "export"]))?;
    let path = node.folder().join("history");
    std::fs::write(&path, history).map_err(|cause| format!("{}: {cause}", path.display()))?;
    let mut judge: Command = node.program();
    judge.args(["sim", "judge", "--ended"]).arg(path);
    printed(judge).map(drop)
}

/// Tasks that succeeded without ever having been started.
fn unstarted(entries: &[Entry], marks: &Marks) -> Vec<String> {
    let mut faults = Vec::new();
    for entry in entries.iter().filter(|entry| entry.job.marks()) {
        let Some((_, tasks)) = &entry.ended else { continue };
        let tasks = tasks["tasks"].as_array().into_iter().flatten();
        for (name, task) in entry.job.names.iter().zip(tasks) {
            if task["state"] == "succeeded" && !marks.starts.contains_key(name) {
                faults.push(format!("{name} succeeded and was never started"));
            }
        }
    }
    faults
}
