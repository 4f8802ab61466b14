//! The work of a soak: a bit of everything, one step after another, with old jobs forgotten.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::chaos::dice::Dice;
use crate::door::{Answer, Door, base64};

/// What works on a node.
pub(crate) struct Load {
    door: Door,
    dice: Dice,
    next: Instant,
    /// Jobs that may not have ended, the oldest first, each with how it may be steered.
    under_way: VecDeque<u64>,
    pub(crate) jobs: u64,
    pub(crate) tasks: u64,
    pub(crate) questions: u64,
    faults: Vec<String>,
}

/// How often something is done.
const STEP: Duration = Duration::from_millis(200);
/// How old a job is, in seconds, when it is forgotten.
const OLD: f64 = 30.0;
/// How many jobs are under way before one is waited for.
const UNDER_WAY_MAX: usize = 20;
/// Most faults that are told.
const FAULTS_MAX: usize = 10;

impl Load {
    pub(crate) fn new(door: Door, dice: Dice) -> Self {
        let (next, under_way, faults) = (Instant::now(), VecDeque::new(), Vec::new());
        Self { door, dice, next, under_way, jobs: 0, tasks: 0, questions: 0, faults }
    }

    /// What was answered as it should not have been.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.faults.clone()
    }

    /// Does the next thing when it is time for it.
    pub(crate) fn step(&mut self) -> Result<(), String> {
        std::thread::sleep(self.next.saturating_duration_since(Instant::now()));
        self.next = Instant::now() + STEP;
        match self.dice.below(20) {
            0..=5 => self.submit(&json!({ "tasks": { "function": "noop", "array": "1-100" } })),
            6..=7 => self.submit(&self.commands(5)),
            8..=9 => self.submit(&graph()),
            10 => self.submit(&self.printing()),
            11 => self.cancelled(),
            12 => self.held(),
            13 => self.opened(),
            14 => self.ask("POST", "/v1/prune", Some(&json!({ "older_than": OLD }))).map(drop),
            _ => self.look(),
        }?;
        self.reap()
    }

    fn commands(&self, count: u64) -> Value {
        let array = format!("1-{count}");
        json!({ "tasks": { "command": ["sh", "-c", "echo {}"], "array": array } })
    }

    /// Some output and a result too large to ride along.
    fn printing(&self) -> Value {
        let script = "i=0; while [ $i -lt 500 ]; do echo line $i; i=$((i+1)); done";
        json!({ "tasks": { "command": ["sh", "-c", script] } })
    }

    fn submit(&mut self, body: &Value) -> Result<(), String> {
        let reply = self.ask("POST", "/v1/jobs", Some(body))?;
        let (job, tasks) = (number(&reply, "job"), number(&reply, "tasks"));
        self.jobs += 1;
        self.tasks += tasks;
        self.under_way.push_back(job);
        Ok(())
    }

    fn steer(&mut self, verb: &str, body: &Value) -> Result<(), String> {
        let job = self.under_way.back().copied().unwrap_or_default();
        self.ask("POST", &format!("/v1/jobs/{job}/{verb}"), Some(body)).map(drop)
    }

    fn cancelled(&mut self) -> Result<(), String> {
        let tasks = json!({ "command": ["sleep", "600"], "array": "1-3" });
        self.submit(&json!({ "tasks": tasks, "tags": { "end": "cancelled" } }))?;
        self.steer("cancel", &json!({ "reason": "soaked" }))
    }

    fn held(&mut self) -> Result<(), String> {
        let inputs: Vec<String> = (0..20).map(|n| base64(format!("{n}").as_bytes())).collect();
        let tasks = json!({ "function": "fibonacci", "inputs": inputs });
        self.submit(&json!({ "tasks": tasks, "hold": true, "name": "held" }))?;
        self.steer("release", &json!({}))
    }

    fn opened(&mut self) -> Result<(), String> {
        self.submit(&json!({ "open": true }))?;
        self.steer("tasks", &json!({ "tasks": { "function": "noop", "array": "1-10" } }))?;
        self.tasks += 10;
        self.steer("close", &json!({}))
    }

    /// Looks at jobs, at tasks, and at what they gave and printed.
    fn look(&mut self) -> Result<(), String> {
        let job = self.under_way.front().copied().unwrap_or(0);
        let path = match self.dice.below(6) {
            0 => "/v1/info".to_owned(),
            1 => "/v1/jobs?limit=50".to_owned(),
            2 => "/v1/nodes".to_owned(),
            _ if job == 0 => "/v1/policies".to_owned(),
            3 => format!("/v1/jobs/{job}/tasks"),
            4 => format!("/v1/jobs/{job}/results"),
            _ => format!("/v1/events?jobs={job}"),
        };
        self.questions += 1;
        self.answer("GET", &path, None).map(drop)
    }

    /// Waits for the oldest job while there are many.
    fn reap(&mut self) -> Result<(), String> {
        while self.under_way.len() > UNDER_WAY_MAX {
            let Some(job) = self.under_way.pop_front() else { break };
            let over = self.ask("GET", &format!("/v1/jobs/{job}/wait?timeout=60"), None)?;
            let ended = &over["jobs"][0];
            let good = ended["tags"]["end"] == "cancelled" || ended["state"] == "succeeded";
            if over["done"] != true || !good {
                self.fault(format!("job {job} is not as it should be: {over}"));
            }
        }
        Ok(())
    }

    fn ask(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let answer = self.answer(method, path, body)?;
        answer.json().map_err(|error| format!("{method} {path}: {error}"))
    }

    fn answer(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, String> {
        let answer = self.door.ask(method, path, body);
        let answer = answer.map_err(|broke| format!("{method} {path}: {broke}"))?;
        if answer.status != 200 {
            self.fault(format!("{method} {path}: {} {}", answer.status, answer.text()));
        }
        Ok(answer)
    }

    fn fault(&mut self, fault: String) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        }
    }
}

/// Three specs, one after another, index by index.
fn graph() -> Value {
    const FILE: &str = "[[task]]\nname = \"a\"\narray = \"1-20\"\nfunction = \"noop\"\n\
        [[task]]\nname = \"b\"\narray = \"1-20\"\nfunction = \"noop\"\n\
        after = [{ task = \"a\", aligned = true }]\n\
        [[task]]\nname = \"c\"\nfunction = \"noop\"\nafter = \"b\"\n";
    json!({ "file": FILE })
}

fn number(reply: &Value, key: &str) -> u64 {
    reply[key].as_u64().unwrap_or_default()
}
