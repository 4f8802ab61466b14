//! A caller in a storm: submits drawn jobs and steers them, asks again when an answer was lost, and
//! holds what it is told against what it was told before.

use std::fs;
use std::sync::MutexGuard;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::chaos::dice::Dice;
use crate::chaos::node::book::{Book, Entry};
use crate::chaos::node::caller::Caller;
use crate::chaos::node::job::{Job, Kind};
use crate::chaos::node::marks::{Marks, Place};
use crate::chaos::node::yard::Yard;
use crate::door::{Answer, Door, Unanswered, base64};

/// A caller with connections of its own to both doors. Which one it asks at is drawn anew each
/// time, also where an answer was lost: what one acknowledged, the other one has to know.
pub(crate) struct Hand<'a> {
    yard: &'a Yard,
    door: Door,
    caller: Caller,
    dice: Dice,
    name: String,
    /// Where the last request began.
    asked: Place,
}

/// How long one request is repeated before the node counts as gone.
const HANG: Duration = Duration::from_secs(120);
/// How long until a node that is down is asked again.
const AGAIN: Duration = Duration::from_millis(3);

impl<'a> Hand<'a> {
    pub(crate) fn new(yard: &'a Yard, number: u64, seed: u64) -> Result<Self, String> {
        let dice = Dice::new(seed.wrapping_mul(1_000).wrapping_add(number));
        let (door, caller) = (yard.door(), yard.caller()?);
        Ok(Self { yard, door, caller, dice, name: format!("k{number}"), asked: 0 })
    }

    /// Has jobs run until the yard wants no more; what stopped it otherwise is a fault.
    pub(crate) fn work(mut self) {
        let mut turn = 0_u64;
        loop {
            let most = match self.yard.wanted() {
                None => return,
                Some(0) => {
                    std::thread::sleep(AGAIN);
                    continue;
                }
                Some(most) => most,
            };
            let key = format!("{}-{turn}", self.name);
            turn += 1;
            let job = Job::draw(key.clone(), &self.yard.script, most, &mut self.dice);
            let at = self.book().enter(job.clone());
            if let Err(fault) = self.see_through(at, &job) {
                self.book().fault(format!("{key} ({:?}): {fault}", job.kind));
                return;
            }
        }
    }

    fn book(&self) -> MutexGuard<'a, Book> {
        self.yard.book()
    }

    fn see_through(&mut self, at: usize, job: &Job) -> Result<(), String> {
        let number = self.submit(at, job)?;
        let path = format!("/v1/jobs/{number}");
        let plain = matches!(job.kind, Kind::Commands | Kind::Functions | Kind::Graph);
        let behind = if plain && self.dice.below(6) == 0 {
            Some(self.submit_behind(&job.key, number)?)
        } else {
            None
        };
        match job.kind {
            Kind::Open => self.extend(at, job, &path)?,
            Kind::Held => {
                let priority = self.dice.below(9) as i64;
                self.prioritise(at, &path, priority)?;
                self.steer(at, &path, "release", &json!({}), |entry| entry.held = false)?;
            }
            Kind::Cancelled => self.cancel(at, &path)?,
            _ if self.dice.below(8) == 0 => {
                self.steer(at, &path, "hold", &json!({ "reason": "x" }), |e| e.held = true)?;
                self.steer(at, &path, "release", &json!({}), |entry| entry.held = false)?;
            }
            _ => {}
        }
        self.finish(at, &path)?;
        if job.kind == Kind::Failing {
            self.retry(at, job, &path)?;
        }
        if let Some((at, number)) = behind {
            self.finish(at, &format!("/v1/jobs/{number}"))?;
        }
        if self.dice.below(4) == 0 {
            self.prune(at, number, &path)?;
        }
        if self.dice.below(6) == 0 {
            self.submit_again(job, number)?;
        }
        Ok(())
    }

    fn submit(&mut self, at: usize, job: &Job) -> Result<u64, String> {
        let (answer, lost) = self.persist("POST", "/v1/jobs", Some(&job.body))?;
        let reply = good(&answer)?;
        let number = reply["job"].as_u64().unwrap_or_default();
        let wanted = job.names.len() as u64;
        if reply["tasks"] != wanted || reply["durability"] != "disk" || number == 0 {
            return Err(format!("{wanted} tasks were acknowledged as {reply}"));
        }
        let mut book = self.book();
        book.repeated += u64::from(lost);
        let asked = self.asked;
        book.hear(at, |entry| (entry.number, entry.asked) = (number, asked));
        drop(book);
        if self.dice.below(10) == 0 {
            self.submit_again(job, number)?;
        }
        Ok(number)
    }

    /// Submits a job that waits for this one; its place in the book, and its number.
    fn submit_behind(&mut self, key: &str, number: u64) -> Result<(usize, u64), String> {
        let key = format!("{key}-behind");
        let job = Job::behind(key, &self.yard.script, number, &mut self.dice);
        let at = self.book().enter(job.clone());
        Ok((at, self.submit(at, &job)?))
    }

    /// The same key is the same job, whatever has become of it.
    fn submit_again(&mut self, job: &Job, number: u64) -> Result<(), String> {
        let (answer, _) = self.persist("POST", "/v1/jobs", Some(&job.body))?;
        let again = good(&answer)?["job"].as_u64();
        self.book().repeated += 1;
        match again {
            Some(again) if again == number => Ok(()),
            again => Err(format!("its key gave job {number} and then {again:?}")),
        }
    }

    /// Adds tasks while the job is open. An addition has no key: where its answer was lost, the
    /// count says whether it was made.
    fn extend(&mut self, at: usize, job: &Job, path: &str) -> Result<(), String> {
        for turn in 0..1 + self.dice.below(3) {
            let count = 1 + self.dice.below(6);
            let (body, names) = job.more(&self.yard.script, turn, count);
            let before = self.book().entries[at].job.names.len() as u64;
            self.book().ask(at);
            loop {
                let (answer, _) = self.ask("POST", &format!("{path}/tasks"), Some(&body))?;
                match answer {
                    Some(answer) => {
                        good(&answer)?;
                        break;
                    }
                    None => {
                        let job = self.look(path)?;
                        match job["tasks"].as_u64() {
                            Some(tasks) if tasks == before + count => break,
                            Some(tasks) if tasks == before => {}
                            _ => return Err(format!("of {before} and {count} tasks it has {job}")),
                        }
                    }
                }
            }
            let mut book = self.book();
            book.tasks += count;
            book.hear(at, |entry| entry.job.names.extend(names));
        }
        self.steer(at, path, "close", &json!({}), |entry| entry.open = false)
    }

    fn cancel(&mut self, at: usize, path: &str) -> Result<(), String> {
        let begun = Instant::now();
        let running = self.dice.below(2) == 0;
        while running && self.look(path)?["running"] == 0 {
            if begun.elapsed() > HANG {
                return Err(format!("nothing of it runs within {} s", HANG.as_secs()));
            }
            std::thread::sleep(AGAIN);
        }
        self.steer(at, path, "cancel", &json!({ "reason": "drawn" }), |_| {})
    }

    fn prioritise(&mut self, at: usize, path: &str, priority: i64) -> Result<(), String> {
        self.book().ask(at);
        let body = json!({ "priority": priority });
        let (answer, _) = self.persist("PUT", &format!("{path}/priority"), Some(&body))?;
        good(&answer)?;
        self.book().hear(at, |entry| entry.priority = priority);
        Ok(())
    }

    /// Steers a job that may have ended meanwhile.
    fn steer(
        &mut self,
        at: usize,
        path: &str,
        verb: &str,
        body: &Value,
        change: impl FnOnce(&mut Entry),
    ) -> Result<(), String> {
        self.book().ask(at);
        let (answer, lost) = self.persist("POST", &format!("{path}/{verb}"), Some(body))?;
        let over = answer.status == 409 && (lost || matches!(verb, "hold" | "release"));
        if !over {
            good(&answer)?;
        }
        self.book().hear(at, change);
        Ok(())
    }

    /// Waits until the job has ended, and holds its end against what it is.
    fn finish(&mut self, at: usize, path: &str) -> Result<(), String> {
        loop {
            let (answer, _) = self.persist("GET", &format!("{path}/wait?timeout=5"), None)?;
            if good(&answer)?["done"] == true {
                break;
            }
        }
        let place = Marks::place(&self.yard.marks);
        let job = self.look(path)?;
        let (answer, _) = self.persist("GET", &format!("{path}/tasks"), None)?;
        let tasks = good(&answer)?;
        let entry = self.book().entries[at].clone();
        self.judge(&entry, &job, &tasks)?;
        self.results(&entry, path, &tasks)?;
        let mut book = self.book();
        book.done += entry.job.names.len() as u64;
        book.hear(at, |entry| {
            // An even number stays even.
            entry.version += 1;
            entry.ended = Some((job, tasks));
            entry.quiet.push((place, Place::MAX));
        });
        Ok(())
    }

    fn judge(&self, entry: &Entry, job: &Value, tasks: &Value) -> Result<(), String> {
        let count = entry.job.names.len() as u64;
        let of = |key: &str| job[key].as_u64().unwrap_or_default();
        let ended = of("succeeded") + of("failed") + of("cancelled") + of("skipped");
        let listed = tasks["tasks"].as_array().map_or(0, Vec::len) as u64;
        if (of("tasks"), ended, listed) != (count, count, count) {
            return Err(format!("of {count} tasks {ended} have ended, {listed} are listed: {job}"));
        }
        let first = entry.quiet.is_empty();
        let sound = match entry.job.kind {
            Kind::Failing if first => of("failed") == count,
            // What took three workers with it is quarantined.
            Kind::Workers => of("succeeded") + of("failed") == count,
            Kind::Cancelled => of("cancelled") == count,
            _ => of("succeeded") == count,
        };
        if sound { Ok(()) } else { Err(format!("it ended otherwise than it should: {job}")) }
    }

    /// Holds what tasks gave against what they are.
    fn results(&mut self, entry: &Entry, path: &str, tasks: &Value) -> Result<(), String> {
        let (answer, _) = self.persist("GET", &format!("{path}/results"), None)?;
        if answer.status != 200 {
            return good(&answer).map(drop);
        }
        let wanted = entry.job.results();
        let given = answer.lines()?;
        for result in &given {
            let number = result["number"].as_u64().unwrap_or_default() as usize;
            let name = number.checked_sub(1).and_then(|at| wanted.get(at));
            let name = name.ok_or_else(|| format!("there is no task of the result {result}"))?;
            let data = result["data"].as_str().unwrap_or_default();
            let same = [base64(name.as_bytes()), base64(format!("{name}\n").as_bytes())];
            if result["state"] == "succeeded" && !same.iter().any(|same| same == data) {
                return Err(format!("task {number} should give `{name}`: {result}"));
            }
        }
        let succeeded = tasks["tasks"].as_array().into_iter().flatten();
        let succeeded = succeeded.filter(|task| task["state"] == "succeeded").count();
        let told = given.iter().filter(|result| result["state"] == "succeeded").count();
        if told == succeeded { Ok(()) } else { Err(format!("{told} of {succeeded} gave results")) }
    }

    /// Lets what failed succeed, and runs it once more.
    fn retry(&mut self, at: usize, job: &Job, path: &str) -> Result<(), String> {
        let allowed = self.yard.allowed.join(&job.key);
        fs::write(&allowed, "").map_err(|cause| format!("{}: {cause}", allowed.display()))?;
        let place = Marks::place(&self.yard.marks);
        let mut book = self.book();
        book.ask(at);
        let entry = &mut book.entries[at];
        entry.ended = None;
        entry.quiet.iter_mut().for_each(|(_, to)| *to = place);
        drop(book);
        let (answer, lost) = self.persist("POST", &format!("{path}/retry"), Some(&json!({})))?;
        if !(lost && answer.status == 409) {
            good(&answer)?;
        }
        self.book().hear(at, |_| {});
        self.finish(at, path)
    }

    fn prune(&mut self, at: usize, number: u64, path: &str) -> Result<(), String> {
        self.book().ask(at);
        let body = json!({ "jobs": [number] });
        let (answer, lost) = self.persist("POST", "/v1/prune", Some(&body))?;
        if !(lost && answer.status == 404) {
            good(&answer)?;
        }
        self.book().hear(at, |entry| entry.pruned = true);
        let (answer, _) = self.persist("GET", path, None)?;
        if answer.status == 404 { Ok(()) } else { Err(format!("it is pruned: {}", answer.text())) }
    }

    fn look(&mut self, path: &str) -> Result<Value, String> {
        let (answer, _) = self.persist("GET", path, None)?;
        Ok(good(&answer)?["jobs"][0].take())
    }

    /// Asks until there is an answer; whether one was lost before it.
    fn persist(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(Answer, bool), String> {
        let begun = Instant::now();
        let mut lost = false;
        while begun.elapsed() < HANG {
            let asked = self.ask(method, path, body);
            match asked.map_err(|fault| format!("{method} {path}: {fault}"))? {
                (Some(answer), _) => return Ok((answer, lost)),
                (None, unknown) => lost |= unknown,
            }
        }
        Err(format!("{method} {path}: no answer within {} s", HANG.as_secs()))
    }

    /// Asks once, at either door; none where the request is to be repeated, and whether nobody
    /// knows then that it was not done.
    fn ask(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(Option<Answer>, bool), String> {
        let way = self.dice.below(4);
        self.asked = Marks::place(&self.yard.marks);
        let answer = match way {
            0 | 1 => self.door.ask(method, path, body),
            _ => self.caller.ask((method, path, body), way == 3)?,
        };
        if answer.is_ok() {
            let mut book = self.book();
            book.answered += 1;
            book.by_grpc += u64::from(way > 1);
        }
        let unknown = match &answer {
            Ok(answer) => answer.status == 503,
            Err(unanswered) => matches!(unanswered, Unanswered::Lost(_)),
        };
        Ok((self.heard(answer)?, unknown))
    }

    /// An answer that counts; none where the request is to be repeated.
    fn heard(&mut self, answer: Result<Answer, Unanswered>) -> Result<Option<Answer>, String> {
        match answer {
            Ok(answer) if matches!(answer.status, 429 | 503) => {
                let wait = answer.retry_after.map_or(AGAIN, Duration::from_secs_f64);
                std::thread::sleep(wait);
                Ok(None)
            }
            Ok(answer) => Ok(Some(answer)),
            Err(Unanswered::Closed(_)) => {
                std::thread::sleep(AGAIN);
                Ok(None)
            }
            Err(Unanswered::Lost(_)) => {
                self.book().lost += 1;
                Ok(None)
            }
            Err(Unanswered::Silent) => Err("a node that is up does not answer".to_owned()),
        }
    }
}

/// What was answered, where all was well.
fn good(answer: &Answer) -> Result<Value, String> {
    match answer.status {
        200 => answer.json(),
        status => Err(format!("{status} {}", answer.text())),
    }
}
