//! Whoever leads the members of a cluster is killed again and again, while callers ask for as many
//! tasks as there is room for: the others go on with more than half of what they do in calm, and
//! terms rise no faster than leaders go.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::book::at;
use super::company::{MEMBERS, agree, close, quiet, settle, with_callers};
use super::judge::judge;
use super::land::Land;
use super::resident::Resident;
use super::town::{Flow, Town};
use super::{PROGRAM, Said};
use crate::door::Door;

/// How leaders are to be killed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Flap {
    /// For how long, after a calm of a fifth of it.
    pub(crate) length: Duration,
    pub(crate) seed: u64,
}

impl Default for Flap {
    fn default() -> Self {
        Self { length: Duration::from_secs(300), seed: 0 }
    }
}

/// How often a leader is killed.
const EVERY: Duration = Duration::from_secs(3);
/// How long it is away.
const AWAY: Duration = Duration::from_secs(1);
/// How long members are given to get going, and what was killed last to leave nothing behind.
const AROUND: Duration = Duration::from_secs(2);
/// Which part of the calm throughput has to stay.
const SHARE_MIN: f64 = 0.5;
/// Without a leader's end another one follows it only after it was much better for ten seconds.
const RIVAL: Duration = Duration::from_secs(10);
/// How long it may take until all name one leader.
const LED_MAX: Duration = Duration::from_secs(60);
/// How often one looks.
const LOOK: Duration = Duration::from_millis(10);

/// What came of it.
#[derive(Debug, Default)]
struct Report {
    kills: u64,
    /// Tasks a second that ended in calm, and while leaders were killed.
    calm: f64,
    flapping: f64,
    /// By how much the term rose from the first kill on.
    terms: u64,
    /// How long it took from each kill until all, and who was killed, named another leader.
    led: Vec<Duration>,
}

/// Kills leaders in a folder that holds the program, in a network that nobody else has.
pub(crate) fn flap(folder: &Path, flap: Flap) -> Result<Said, String> {
    let land = Land::lay(MEMBERS)?;
    let mut members = settle(folder, &land, &folder.join(PROGRAM), 1)?;
    let town = Town::lay(folder, &members, Flow::steady(f64::INFINITY))?;
    agree(&members)?;
    let mut report = Report::default();
    with_callers(&town, flap.seed, || {
        let mut crown = Crown { town: &town, land: &land, members: &mut members };
        let fell = crown.fall(flap, &mut report);
        town.close();
        fell
    });
    let mut faults = town.book().faults.clone();
    if faults.is_empty() {
        faults.extend(close(&mut members).err());
        faults.extend(report.faults(flap));
    }
    report.led.sort_unstable();
    let marks = std::fs::read(&town.marks).unwrap_or_default();
    let judged = judge(&String::from_utf8_lossy(&marks), &town.book().entries, &town.mishaps());
    faults.extend(judged.faults);
    Ok(report.said(flap, &town, judged.again, faults))
}

/// What kills leaders.
struct Crown<'a> {
    town: &'a Town,
    land: &'a Land,
    members: &'a mut [Resident],
}

impl Crown<'_> {
    fn fall(&mut self, flap: Flap, report: &mut Report) -> Result<(), String> {
        quiet(self.members, AROUND)?;
        report.calm = self.throughput(|crown| quiet(crown.members, flap.length / 5))?;
        let mishap = self.town.begins("leaders killed".to_owned());
        let (_, first) = self.leader(0)?;
        let mut term = first;
        report.flapping = self.throughput(|crown| {
            let begun = Instant::now();
            while begun.elapsed() < flap.length && !crown.town.is_troubled() {
                term = crown.kill(report, term)?;
            }
            Ok(())
        })?;
        report.terms = term - first;
        agree(self.members)?;
        quiet(self.members, AROUND)?;
        self.town.is_over(mishap);
        Ok(())
    }

    /// How many tasks end in a second, while something is done.
    fn throughput(
        &mut self,
        during: impl FnOnce(&mut Self) -> Result<(), String>,
    ) -> Result<f64, String> {
        let (begun, before) = (Instant::now(), self.town.book().ended);
        during(self)?;
        let ended = self.town.book().ended - before;
        Ok(ended as f64 / begun.elapsed().as_secs_f64())
    }

    /// Kills who leads in a term at least as high, and starts it again; the next one's term.
    fn kill(&mut self, report: &mut Report, term: u64) -> Result<u64, String> {
        let (number, term) = self.leader(term)?;
        let begun = Instant::now();
        self.members[usize::from(number) - 1].kill()?;
        report.kills += 1;
        quiet(self.members, AWAY)?;
        let member = &mut self.members[usize::from(number) - 1];
        member.start(self.land, &["up"])?;
        member.up()?;
        let (_, next) = self.leader(term + 1)?;
        report.led.push(begun.elapsed());
        quiet(self.members, EVERY.saturating_sub(begun.elapsed()))?;
        Ok(next)
    }

    /// Waits until all members name one leader, of this term or of a later one; who it is, and its
    /// term.
    fn leader(&mut self, term: u64) -> Result<(u8, u64), String> {
        let begun = Instant::now();
        loop {
            let mut named: Vec<(String, u64)> = Vec::new();
            for member in self.members.iter_mut() {
                member.check()?;
                let said = Door::at_socket(&member.socket()).get("/v1/graph");
                let graph = said.map_err(|broke| format!("graph: {broke}"))?.json()?;
                let leader = graph["leader"].as_str().unwrap_or_default().to_owned();
                named.push((leader, graph["term"].as_u64().unwrap_or_default()));
            }
            named.dedup();
            if let [(leader, led)] = &named[..]
                && let Some(one) = self.members.iter().find(|member| member.name() == *leader)
                && *led >= term
            {
                return Ok((one.number, *led));
            }
            if begun.elapsed() > LED_MAX {
                let seconds = LED_MAX.as_secs();
                return Err(format!("members name no one leader within {seconds} s: {named:?}"));
            }
            std::thread::sleep(LOOK);
        }
    }
}

impl Report {
    /// Most that terms may rise: by one with each leader that is killed, and by one where another
    /// was much better for long.
    fn terms_max(&self, flap: Flap) -> u64 {
        self.kills + (flap.length.as_secs_f64() / RIVAL.as_secs_f64()) as u64
    }

    fn faults(&self, flap: Flap) -> Vec<String> {
        let mut faults = Vec::new();
        if self.flapping <= self.calm * SHARE_MIN {
            let (flapping, calm) = (self.flapping, self.calm);
            faults.push(format!(
                "{flapping:.0} tasks/s while leaders are killed: not half of {calm:.0} in calm"
            ));
        }
        let most = self.terms_max(flap);
        if self.terms > most {
            faults.push(format!("the term rose by {}, and {most} would be much", self.terms));
        }
        faults
    }

    fn said(&self, flap: Flap, town: &Town, again: u64, faults: Vec<String>) -> Said {
        let (book, most) = (town.book(), self.terms_max(flap));
        let Self { kills, calm, flapping, terms, led } = self;
        let (tasks, jobs, requests) = (book.tasks, book.entries.len(), book.waits.len());
        let share = flapping * 100.0 / calm.max(f64::MIN_POSITIVE);
        let line = format!(
            "{MEMBERS} members, {kills} leaders killed; {flapping:.0} tasks/s meanwhile, which is \
             {share:.0} % of {calm:.0} in calm; the term rose by {terms}, of {most} at most; \
             another led after {:.0} ms, at most {:.0} ms; {tasks} tasks of {jobs} jobs, \
             {again} started again, {} submissions repeated; {requests} requests, {:.3} % \
             answered within 1 s; seed {}",
            at(led, 50),
            at(led, 100),
            book.repeated,
            book.availability(),
            flap.seed,
        );
        let json = json!({
            "schema": "bary.chaos.leader/1", "seed": flap.seed, "members": MEMBERS, "jobs": jobs,
            "tasks": tasks, "kills": kills, "calm_tasks_per_second": calm,
            "tasks_per_second": flapping, "share_percent": share, "terms": terms,
            "terms_max": most, "led_p50_ms": at(led, 50), "led_max_ms": at(led, 100),
            "started_again": again, "submitted_again": book.repeated, "requests": requests,
            "availability_percent": book.availability(),
        });
        Said { faults, line, json }
    }
}
