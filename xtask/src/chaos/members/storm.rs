//! A storm over members: they are killed at drawn instants, cut off from each other, made to lose
//! what is sent, slowed down and made late, while callers submit and ask; and what must hold of all
//! of it.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::book::Book;
use super::capture::Capture;
use super::hand::Hand;
use super::judge::{Mishap, judge};
use super::land::{BRIDGE, Land};
use super::resident::Resident;
use super::town::Town;
use crate::chaos::dice::Dice;
use crate::door::Door;
use crate::process::printed;

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

/// What a storm came to.
#[derive(Debug, Default)]
pub(crate) struct Report {
    jobs: u64,
    tasks: u64,
    kills: u64,
    cuts: u64,
    losses: u64,
    slows: u64,
    delays: u64,
    /// How often a member came to stand in for one that was lost.
    takeovers: usize,
    repeated: u64,
    again: u64,
    answered: usize,
    /// Requests answered within a second, in percent.
    availability: f64,
    /// How long answers took, in order.
    waits: Vec<Duration>,
    /// Bytes between members that were written down and looked through.
    captured: usize,
    /// How long it took from the end of a mishap until all members saw all others.
    agreed: Vec<Duration>,
    pub(crate) faults: Vec<String>,
}

/// How many members there are.
const MEMBERS: u8 = 5;
/// Callers at a time.
const HANDS: u64 = 8;
/// How long the quiet before a mishap and a mishap itself are, at most, in milliseconds.
const SPAN_MS: u64 = 4_000;
/// How long after a mishap what it left behind may still come: a session that was cut off begins
/// anew, and what was granted over it is granted again.
const AFTER: Duration = Duration::from_secs(2);
/// How long members may take until they see each other again before that is a fault; how long they
/// do take is told.
const AGREED_MAX: Duration = Duration::from_secs(60);
/// What nobody may read between members: the cluster, a member, what tasks run, are called and
/// print, and a submission's key.
const SECRETS: [&str; 7] =
    [CONTROL, "storm", "resident-1", "task.sh", "k0-0", "succeeded", "sleep"];
/// What is sent in the clear, so that looking through what was sent is known to find things.
const CONTROL: &str = "in-the-clear";
/// How often one looks.
const LOOK: Duration = Duration::from_millis(10);

/// Has a storm in a folder that holds the program, in a network that nobody else has.
pub(crate) fn storm(folder: &Path, weather: Weather) -> Result<Report, String> {
    let land = Land::lay(MEMBERS)?;
    let capture = Capture::begin(BRIDGE, &folder.join("capture"))?;
    land.call(CONTROL)?;
    let mut members = settle(folder, &land, weather.replicas)?;
    let sockets = members.iter().map(Resident::socket).collect();
    let town = Town::lay(folder, sockets, weather)?;
    let mut report = Report::default();
    agree(&members)?;
    std::thread::scope(|scope| {
        let hands: Vec<_> = (0..HANDS)
            .map(|number| {
                let hand = Hand::new(&town, number, weather.seed);
                scope.spawn(|| hand.work())
            })
            .collect();
        let mut sky = Sky { town: &town, land: &land, members: &mut members };
        if let Err(fault) = sky.rage(&mut Dice::new(weather.seed), &mut report) {
            town.book().fault(fault);
        }
        for hand in hands {
            if hand.join().is_err() {
                town.book().fault("a caller panicked");
            }
        }
    });
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

/// Brings up all members: the first founds the cluster, the others join it by its line.
fn settle(folder: &Path, land: &Land, replicas: u8) -> Result<Vec<Resident>, String> {
    let mut members: Vec<Resident> = Vec::new();
    let mut line = String::new();
    for number in 1..=MEMBERS {
        let mut member = Resident::new(folder, number, replicas)?;
        let founds = ["up", "--cluster", "storm"];
        let joins = ["join", &line];
        member.start(land, if number == 1 { &founds } else { &joins })?;
        member.up()?;
        if number == 1 {
            let words = ["auth", "join-line", "--uses", "100", "--state"];
            line = String::from_utf8_lossy(&printed(member.command(&words))?).trim().to_owned();
        }
        members.push(member);
    }
    Ok(members)
}

/// Waits until every member sees every other one.
fn agree(members: &[Resident]) -> Result<(), String> {
    let begun = Instant::now();
    for member in members {
        let mut door = Door::at_socket(&member.socket());
        loop {
            // One that begins again closes its doors for a moment.
            let answer = door.get("/v1/nodes").ok().filter(|answer| answer.status == 200);
            let told = answer.map(|answer| answer.json()).transpose()?.unwrap_or_default();
            let nodes = told["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
            if nodes.iter().filter(|node| node["state"] == "up").count() == members.len() {
                break;
            }
            if begun.elapsed() > AGREED_MAX {
                return Err(format!(
                    "{} does not see all members within {} s: {told}",
                    member.name(),
                    AGREED_MAX.as_secs()
                ));
            }
            std::thread::sleep(LOOK);
        }
    }
    Ok(())
}

/// What torments the members.
struct Sky<'a> {
    town: &'a Town,
    land: &'a Land,
    members: &'a mut [Resident],
}

impl Sky<'_> {
    /// Torments until the time is over, and leaves all well.
    fn rage(&mut self, dice: &mut Dice, report: &mut Report) -> Result<(), String> {
        while !self.town.is_over() {
            self.quiet(Duration::from_millis(dice.below(SPAN_MS)))?;
            let span = Duration::from_millis(100 + dice.below(SPAN_MS));
            let number = 1 + dice.below(u64::from(MEMBERS)) as u8;
            report.agreed.push(match dice.below(11) {
                0..5 => {
                    report.kills += 1;
                    self.kill(number, span, dice)?
                }
                5..8 => {
                    report.cuts += 1;
                    let other = 1 + dice.below(u64::from(MEMBERS)) as u8;
                    let cut = |land: &Land| land.cut(&[number, other]);
                    self.disturb(&format!("m{number} and m{other} cut off"), span, cut, None)?
                }
                8 => {
                    report.losses += 1;
                    let percent = 2 + dice.below(20);
                    let lose = |land: &Land| land.lose(number, percent);
                    let what = format!("{percent} % to m{number} lost");
                    self.disturb(&what, span, lose, None)?
                }
                9 => {
                    report.slows += 1;
                    let slow = |land: &Land| land.slow(number);
                    self.disturb(&format!("m{number} slow"), span, slow, Some(number))?
                }
                _ => {
                    report.delays += 1;
                    self.delay(number, span, Duration::from_millis(20 + dice.below(200)))?
                }
            });
        }
        Ok(())
    }

    /// Kills a member, with some luck another one while it is down, and starts them again.
    fn kill(&mut self, number: u8, span: Duration, dice: &mut Dice) -> Result<Duration, String> {
        let at = self.begins(format!("m{number} killed"));
        let mut down = vec![usize::from(number) - 1];
        self.members[down[0]].kill()?;
        let other = dice.below(u64::from(MEMBERS)) as usize;
        if other != down[0] && dice.below(4) == 0 {
            self.quiet(span / 2)?;
            self.members[other].kill()?;
            down.push(other);
        }
        self.quiet(span)?;
        // Either may wait for the other, where both keep a journal.
        for member in &down {
            self.members[*member].start(self.land, &["up"])?;
        }
        for member in down {
            self.members[member].up()?;
        }
        self.ends(at)
    }

    /// Has the network be as it should not be for a while.
    fn disturb(
        &mut self,
        what: &str,
        span: Duration,
        change: impl FnOnce(&Land) -> Result<(), String>,
        slowed: Option<u8>,
    ) -> Result<Duration, String> {
        let at = self.begins(what.to_owned());
        change(self.land)?;
        self.quiet(span)?;
        self.land.heal(slowed)?;
        self.ends(at)
    }

    /// Has all that goes to a member and comes from it be late for a while.
    fn delay(&mut self, number: u8, span: Duration, late: Duration) -> Result<Duration, String> {
        let at = self.begins(format!("m{number} is {} ms late", late.as_millis()));
        let relay = self.land.delay(number, late)?;
        self.quiet(span)?;
        drop(relay);
        self.ends(at)
    }

    fn begins(&self, what: String) -> usize {
        let from = self.town.place();
        let mut mishaps = self.town.mishaps();
        mishaps.push(Mishap { what, from, until: None });
        mishaps.len() - 1
    }

    /// Notes that a mishap is over, once what it left behind has come; how long it took from its
    /// end until all members saw each other.
    fn ends(&mut self, at: usize) -> Result<Duration, String> {
        let begun = Instant::now();
        agree(self.members)?;
        let agreed = begun.elapsed();
        self.quiet(AFTER)?;
        let until = self.town.place();
        self.town.mishaps()[at].until = Some(until);
        Ok(agreed)
    }

    /// Waits, and sees to it that nobody ends by himself.
    fn quiet(&mut self, span: Duration) -> Result<(), String> {
        let begun = Instant::now();
        while begun.elapsed() < span {
            self.members.iter_mut().try_for_each(Resident::check)?;
            std::thread::sleep(LOOK);
        }
        Ok(())
    }
}

/// Judges all lives together, once everything has ended.
fn close(members: &mut [Resident]) -> Result<(), String> {
    for member in members.iter() {
        let mut door = Door::at_socket(&member.socket());
        let info = door.get("/v1/info").map_err(|broke| format!("info: {broke}"))?.json()?;
        if info["tasks_waiting"] != 0 || info["tasks_running"] != 0 {
            return Err(format!("{}: all has ended, and something is left: {info}", member.name()));
        }
    }
    for member in members.iter_mut() {
        member.drain()?;
        printed(member.command(&["journal", "verify"]))?;
        let history = printed(member.command(&["journal", "export"]))?;
        let path = member.state().join("history");
        std::fs::write(&path, history).map_err(|cause| format!("{}: {cause}", path.display()))?;
        let mut judge = member.program(&["sim", "judge", "--ended"]);
        judge.arg(path);
        printed(judge).map_err(|fault| format!("{}: {fault}", member.name()))?;
    }
    Ok(())
}

impl Report {
    fn count(&mut self, book: &Book) {
        self.jobs = book.entries.len() as u64;
        (self.tasks, self.repeated) = (book.tasks, book.repeated);
        self.availability = book.availability();
        self.answered = book.waits.len();
        self.waits = book.waits.clone();
        self.waits.sort_unstable();
        self.agreed.sort_unstable();
    }

    pub(crate) fn line(&self, weather: Weather) -> String {
        let Self { jobs, tasks, kills, cuts, losses, slows, delays, repeated, again, .. } = self;
        let taken = match weather.replicas {
            1 => String::new(),
            kept => format!(" {} takeovers of {kept} replicas;", self.takeovers),
        };
        format!(
            "{MEMBERS} members, {kills} times killed, {cuts} cut off, {losses} times with losses, \
             {slows} slowed, {delays} late;{taken} {tasks} tasks of {jobs} jobs, {again} started again, \
             {repeated} submissions repeated; {} requests, {:.3} % answered within 1 s, \
             p99 {:.0} ms, at most {:.0} ms; agreed again after {:.0} ms, at most {:.0} ms; \
             looked through {} bytes between them; seed {}",
            self.answered,
            self.availability,
            at(&self.waits, 99),
            at(&self.waits, 100),
            at(&self.agreed, 50),
            at(&self.agreed, 100),
            self.captured,
            weather.seed,
        )
    }

    pub(crate) fn json(&self, weather: Weather) -> String {
        let document = json!({
            "schema": "bary.chaos.members/1", "seed": weather.seed, "members": MEMBERS,
            "jobs": self.jobs, "tasks": self.tasks, "kills": self.kills, "cuts": self.cuts,
            "replicas": weather.replicas, "takeovers": self.takeovers,
            "losses": self.losses, "slows": self.slows, "delays": self.delays,
            "submitted_again": self.repeated,
            "started_again": self.again, "requests": self.answered,
            "availability_percent": self.availability, "wait_p99_ms": at(&self.waits, 99),
            "wait_max_ms": at(&self.waits, 100), "agreed_p50_ms": at(&self.agreed, 50),
            "agreed_max_ms": at(&self.agreed, 100), "captured_bytes": self.captured,
        });
        format!("{document:#}")
    }
}

/// A percentile of spans in order, in milliseconds; 0 of none.
fn at(spans: &[Duration], percent: usize) -> f64 {
    let last = spans.len().saturating_sub(1);
    spans.get(last * percent / 100).map_or(0.0, |span| span.as_secs_f64() * 1e3)
}
