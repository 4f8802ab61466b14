//! A storm over members: what befalls them while callers submit and ask, and what must hold of
//! all of it.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::book::{Book, at};
use super::capture::Capture;
use super::company::{MEMBERS, agree, close, settle, with_callers};
use super::judge::judge;
use super::land::{BRIDGE, Land};
use super::playback::Played;
use super::recall::recall;
use super::resident::Resident;
use super::sky::{Mishaps, Sky};
use super::town::{Flow, Town};
use super::{PROGRAM, Said};

/// How a storm is to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Weather {
    /// How many tasks are asked for.
    pub(crate) tasks: u64,
    /// How long they are spread over, while members are tormented.
    pub(crate) length: Duration,
    pub(crate) seed: u64,
    /// How many members keep each one's journal; 1 is none but itself.
    pub(crate) replicas: u8,
}

impl Default for Weather {
    fn default() -> Self {
        Self { tasks: 20_000, length: Duration::from_secs(600), seed: 0, replicas: 1 }
    }
}

/// What a storm came to.
#[derive(Debug, Default)]
struct Report {
    jobs: u64,
    tasks: u64,
    mishaps: Mishaps,
    /// How often a member came to stand in for one that was lost.
    takeovers: usize,
    /// How many large results were read while one member was away.
    read: u64,
    repeated: u64,
    again: u64,
    answered: usize,
    /// Requests answered within a second, in percent.
    availability: f64,
    /// How long answers took, in order.
    waits: Vec<Duration>,
    /// Bytes between members that were written down and looked through.
    captured: usize,
    faults: Vec<String>,
}

/// What nobody may read between members: the cluster, a member, what tasks run, are called and
/// print, and a submission's key.
const SECRETS: [&str; 7] =
    [CONTROL, "storm", "resident-1", "task.sh", "k0-0", "succeeded", "sleep"];
/// What is sent in the clear, so that looking through what was sent is known to find things.
const CONTROL: &str = "in-the-clear";

/// Has a storm in a folder that holds the program, in a network that nobody else has.
pub(crate) fn storm(folder: &Path, weather: Weather) -> Result<Said, String> {
    let report = rage(folder, weather)?;
    Ok(Said { line: report.line(weather), json: report.json(weather), faults: report.faults })
}

fn rage(folder: &Path, weather: Weather) -> Result<Report, String> {
    let land = Land::lay(MEMBERS)?;
    let capture = Capture::begin(BRIDGE, &folder.join("capture"))?;
    land.call(CONTROL)?;
    let mut members = settle(folder, &land, &folder.join(PROGRAM), weather.replicas)?;
    let town = Town::lay(folder, &members, Flow::over(weather.tasks, weather.length))?;
    let mut report = Report::default();
    agree(&members)?;
    with_callers(&town, weather.seed, || {
        let mut sky = Sky { town: &town, land: &land, members: &mut members };
        sky.rage(weather, &mut report.mishaps)
    });
    if weather.replicas > 1 && town.book().faults.is_empty() {
        let read = recall(&town, &land, &mut members);
        report.read = *read.as_ref().unwrap_or(&0);
        report.faults.extend(read.err());
    }
    if town.book().faults.is_empty() {
        let closed = close(&mut members);
        report.faults.extend(closed.err());
    }
    report.takeovers = members.iter().map(Resident::takeovers).sum();
    let marks = std::fs::read(&town.marks).unwrap_or_default();
    let book = town.book();
    let judged = judge(&String::from_utf8_lossy(&marks), &book.entries, &town.mishaps());
    report.faults.extend(book.faults.iter().cloned());
    report.faults.extend(judged.faults);
    report.again = judged.again;
    let (captured, mut readable) = capture.read(&SECRETS)?;
    report.captured = captured;
    if readable.first() == Some(&CONTROL) {
        readable.remove(0);
    } else {
        report.faults.push("what is sent in the clear was not seen".to_owned());
    }
    let seen = readable.iter().map(|text| format!("`{text}` can be read between members"));
    report.faults.extend(seen);
    report.count(&book);
    Ok(report)
}

impl Report {
    fn count(&mut self, book: &Book) {
        self.jobs = book.entries.len() as u64;
        (self.tasks, self.repeated) = (book.tasks, book.repeated);
        self.availability = book.availability();
        self.answered = book.waits.len();
        self.waits = book.waits.clone();
        self.waits.sort_unstable();
        self.mishaps.agreed.sort_unstable();
    }

    fn agreed(&self) -> Vec<Duration> {
        self.mishaps.agreed.iter().map(|(agreed, _)| *agreed).collect()
    }

    /// What it was after which members took longest to see each other.
    fn slowest(&self) -> &str {
        self.mishaps.agreed.last().map_or("nothing was wrong", |(_, what)| what)
    }

    fn line(&self, weather: Weather) -> String {
        let Self { jobs, tasks, repeated, again, .. } = self;
        let Mishaps { kills, cuts, losses, slows, delays, stills, .. } = &self.mishaps;
        let Played { times, again: replayed, elsewhere, forged } = &self.mishaps.played;
        let agreed = self.agreed();
        let taken = match weather.replicas {
            1 => String::new(),
            kept => {
                let Self { takeovers, read, .. } = self;
                format!(
                    " {takeovers} takeovers of {kept} replicas, {read} times a large result read \
                     with one away;"
                )
            }
        };
        format!(
            "{MEMBERS} members, {kills} times killed, {cuts} cut off, {losses} times with losses, \
             {slows} slowed, {delays} late, {stills} stood still;{taken} {tasks} tasks of {jobs} \
             jobs, {again} started again, \
             {repeated} submissions repeated; {} requests, {:.3} % answered within 1 s, \
             p99 {:.0} ms, at most {:.0} ms; agreed again after {:.0} ms, at most {:.0} ms, when \
             {}; \
             looked through {} bytes between them; {replayed} datagrams sent again, {elsewhere} to \
             others or much later, {forged} made up, in {times} times; seed {}",
            self.answered,
            self.availability,
            at(&self.waits, 99),
            at(&self.waits, 100),
            at(&agreed, 50),
            at(&agreed, 100),
            self.slowest(),
            self.captured,
            weather.seed,
        )
    }

    fn json(&self, weather: Weather) -> Value {
        let (mishaps, played, agreed) = (&self.mishaps, &self.mishaps.played, self.agreed());
        json!({
            "schema": "bary.chaos.members/1", "seed": weather.seed, "members": MEMBERS,
            "jobs": self.jobs, "tasks": self.tasks, "kills": mishaps.kills, "cuts": mishaps.cuts,
            "replicas": weather.replicas, "takeovers": self.takeovers,
            "large_results_read": self.read,
            "losses": mishaps.losses, "slows": mishaps.slows, "delays": mishaps.delays,
            "stood_still": mishaps.stills, "playbacks": played.times,
            "datagrams_again": played.again, "datagrams_elsewhere": played.elsewhere,
            "datagrams_forged": played.forged,
            "submitted_again": self.repeated,
            "started_again": self.again, "requests": self.answered,
            "availability_percent": self.availability, "wait_p99_ms": at(&self.waits, 99),
            "wait_max_ms": at(&self.waits, 100), "agreed_p50_ms": at(&agreed, 50),
            "agreed_max_ms": at(&agreed, 100), "agreed_last_when": self.slowest(),
            "captured_bytes": self.captured,
        })
    }
}
