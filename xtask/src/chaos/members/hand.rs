//! A caller in a storm over members: submits jobs to any of them, asks again where an answer was
//! lost, and waits until each job has ended well.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::book::Entry;
use super::recall::LARGE_BYTES;
use super::resident::Resident;
use super::town::Town;
use crate::chaos::dice::Dice;
use crate::door::{Answer, Door, Unanswered};

/// A caller who knows the sockets of all members.
pub(crate) struct Hand<'a> {
    town: &'a Town,
    doors: Vec<Door>,
    dice: Dice,
    name: String,
}

/// Most tasks of one job.
const TASKS_MAX: u64 = 40;
/// Of so many jobs one has large results.
const LARGE_EVERY: u64 = 4;
/// How long a caller waits at one member before it asks the next.
const PATIENCE: Duration = Duration::from_millis(900);
/// How long one job may take before it counts as lost.
const HANG: Duration = Duration::from_secs(180);
/// How long until it asks again.
const AGAIN: Duration = Duration::from_millis(20);

impl<'a> Hand<'a> {
    pub(crate) fn new(town: &'a Town, number: u64, seed: u64) -> Self {
        let dice = Dice::new(seed.wrapping_mul(1_000).wrapping_add(number));
        let door = |socket| Door::at_socket(socket).with_patience(PATIENCE);
        let doors = town.sockets.iter().map(|socket| door(socket)).collect();
        Self { town, doors, dice, name: format!("k{number}") }
    }

    /// Has jobs run until the town wants no more; what stopped it otherwise is a fault.
    pub(crate) fn work(mut self) {
        let mut turn = 0_u64;
        loop {
            let most = match self.town.wanted() {
                None => return,
                Some(0) => {
                    self.question();
                    std::thread::sleep(AGAIN);
                    continue;
                }
                Some(most) => most,
            };
            let key = format!("{}-{turn}", self.name);
            turn += 1;
            let is_large = turn.is_multiple_of(LARGE_EVERY);
            let tasks = 1 + self.dice.below(most.clamp(1, TASKS_MAX));
            if let Err(fault) = self.see_through(&key, tasks, is_large) {
                self.town.book().fault(format!("{key}: {fault}"));
                return;
            }
        }
    }

    fn see_through(&mut self, key: &str, tasks: u64, is_large: bool) -> Result<(), String> {
        self.town.book().tasks += tasks;
        let (home, number) = self.submit(key, tasks, is_large)?;
        let ended = self.wait(home, number)?;
        if ended["succeeded"] != tasks || ended["state"] != "succeeded" {
            return Err(format!("{tasks} tasks at m{} ended as {ended}", home + 1));
        }
        let mut book = self.town.book();
        book.ended += tasks;
        if let Some(entry) = book.entries.get_mut(key) {
            entry.ended = true;
        }
        Ok(())
    }

    /// Submits at a member that is there, and repeats it to that one's home, through any member,
    /// where the answer was lost.
    fn submit(&mut self, key: &str, tasks: u64, is_large: bool) -> Result<(usize, u64), String> {
        let (begun, millis) = (Instant::now(), 1 + self.dice.below(150));
        let script = self.town.script.to_string_lossy();
        let bytes = if is_large { LARGE_BYTES.to_string() } else { "0".to_owned() };
        let (name, millis) = (format!("{key}/{{}}"), format!("{millis:03}"));
        let command = json!(["sh", script, name, millis, bytes]);
        let body = json!({
            "tasks": { "command": command, "array": format!("1-{tasks}"), "retries": 0 },
            "idempotency_key": key,
        });
        let mut home = self.any();
        let mut is_bound = false;
        while begun.elapsed() < HANG {
            let (asked, path) = match is_bound {
                true => (self.any(), format!("/v1/jobs?home={}", Resident::called(home as u8 + 1))),
                false => (home, "/v1/jobs".to_owned()),
            };
            match self.doors[asked].post(&path, &body) {
                Ok(Answer { status: 200, body, .. }) => {
                    let reply: Value = serde_json::from_slice(&body)
                        .map_err(|error| format!("an answer is no JSON: {error}"))?;
                    let number = reply["job"].as_u64().ok_or("a job without a number")?;
                    let (home_no, ended) = (home as u8 + 1, false);
                    let entry = Entry { home: home_no, number, tasks, is_large, ended };
                    let mut book = self.town.book();
                    book.waits.push(begun.elapsed());
                    book.entries.insert(key.to_owned(), entry);
                    return Ok((home, number));
                }
                Ok(answer) if answer.retry_after.is_none() => {
                    return Err(format!("it was refused: {} {}", answer.status, answer.text()));
                }
                // It may have been done.
                Ok(Answer { status: 503, .. }) => {
                    self.town.book().repeated += u64::from(!is_bound);
                    is_bound = true;
                    std::thread::sleep(AGAIN);
                }
                // Nothing was done, so that any other may be asked.
                Ok(_) | Err(Unanswered::Closed(_)) if !is_bound => home = self.next(home),
                Ok(_) | Err(Unanswered::Closed(_)) => std::thread::sleep(AGAIN),
                Err(Unanswered::Lost(_) | Unanswered::Silent) => {
                    self.town.book().repeated += u64::from(!is_bound);
                    is_bound = true;
                    std::thread::sleep(AGAIN);
                }
            }
        }
        Err(format!("m{} did not acknowledge it within {} s", home + 1, HANG.as_secs()))
    }

    /// Waits until a job has ended; how it did. Any member is asked, of whose it is or not: where
    /// its home is away, another may stand in for that.
    fn wait(&mut self, home: usize, number: u64) -> Result<Value, String> {
        let path = format!("/v1/jobs/{number}?home={}", Resident::called(home as u8 + 1));
        let begun = Instant::now();
        let mut last = String::new();
        while begun.elapsed() < HANG {
            let asked = self.any();
            if let Ok(answer) = self.doors[asked].get(&path) {
                last = answer.text();
                // A home that was cut off may not know yet what another took in its place.
                if answer.status == 404 && self.is_gone(asked, &path) {
                    let (home, asked) = (home + 1, asked + 1);
                    let gone = format!("it was acknowledged by m{home} and is gone");
                    return Err(format!("{gone}, says m{asked}: {last}"));
                }
                let mut told = answer.json().unwrap_or_default();
                let job = told.pointer_mut("/jobs/0").map(Value::take).unwrap_or_default();
                if job["finished"].as_str().is_some_and(|at| !at.is_empty()) {
                    return Ok(job);
                }
            }
            self.question();
            std::thread::sleep(AGAIN);
        }
        Err(format!(
            "job {number} of m{} has not ended within {} s: {last}",
            home + 1,
            HANG.as_secs()
        ))
    }

    /// Whether a member finds no such job where what it says has to be true.
    fn is_gone(&mut self, asked: usize, path: &str) -> bool {
        let answer = self.doors[asked].get(&format!("{path}&consistent=true"));
        answer.is_ok_and(|answer| answer.status == 404)
    }

    /// Asks any member something that all can answer, and the next one where that one is not
    /// there; notes how long it took until somebody had answered.
    fn question(&mut self) {
        let begun = Instant::now();
        let mut at = self.any();
        while begun.elapsed() < HANG {
            if self.doors[at].get("/v1/info").is_ok_and(|answer| answer.status == 200) {
                break;
            }
            at = self.next(at);
        }
        self.town.book().waits.push(begun.elapsed());
    }

    fn any(&mut self) -> usize {
        self.dice.below(self.doors.len() as u64) as usize
    }

    fn next(&self, at: usize) -> usize {
        (at + 1) % self.doors.len()
    }
}
