//! Submissions, made up step by step.

use std::time::Duration;

use bary_api::problem::Refused;
use bary_api::spec;
use bary_api::v1::submit_request::Job;
use bary_api::v1::{SubmitRequest, Tasks};
use bary_model::job::JobSpec;
use bytes::Bytes;

/// A job on its way to a node. Nothing is checked before the node sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Submission {
    request: SubmitRequest,
}

impl Submission {
    /// One command, run as it is, or for each of some inputs; `{}` stands for the input.
    #[must_use]
    pub fn command<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        let command = words.into_iter().map(Into::into).collect();
        Self::of(Job::Tasks(Tasks { command, ..Tasks::default() }))
    }

    /// A function that the node or a worker registered, called once for each input.
    #[must_use]
    pub fn function<I: Into<Bytes>>(name: &str, inputs: impl IntoIterator<Item = I>) -> Self {
        let inputs = inputs.into_iter().map(Into::into).collect();
        Self::of(Job::Tasks(Tasks { function: name.to_owned(), inputs, ..Tasks::default() }))
    }

    /// The text of a job file, TOML or JSON. Files that it names are read by the node.
    #[must_use]
    pub fn file(text: impl Into<String>) -> Self {
        Self::of(Job::File(text.into()))
    }

    /// A job of any shape.
    ///
    /// # Errors
    /// Where it holds what no node would read, or is too large for one request.
    pub fn spec(job: &JobSpec) -> Result<Self, Refused> {
        Ok(Self::of(Job::Spec(spec::encode(job)?)))
    }

    fn of(job: Job) -> Self {
        Self { request: SubmitRequest { job: Some(job), ..SubmitRequest::default() } }
    }

    /// One task for each number: `1-100`, `0-9:3`. Of a command or function only.
    #[must_use]
    pub fn array(self, numbers: &str) -> Self {
        self.tasks(|tasks| numbers.clone_into(&mut tasks.array))
    }

    /// One task for each of these texts. Of a command or function only.
    #[must_use]
    pub fn inputs<I: Into<Bytes>>(self, inputs: impl IntoIterator<Item = I>) -> Self {
        self.tasks(|tasks| tasks.inputs = inputs.into_iter().map(Into::into).collect())
    }

    /// Cores that each task takes, fractions too. Of a command or function only.
    #[must_use]
    pub fn cpus(self, cpus: f64) -> Self {
        self.tasks(|tasks| tasks.cpus = cpus)
    }

    /// Bytes of memory that each task takes. Of a command or function only.
    #[must_use]
    pub fn memory(self, bytes: u64) -> Self {
        self.tasks(|tasks| tasks.memory = bytes)
    }

    /// How many more attempts a failed task gets. Of a command or function only.
    #[must_use]
    pub fn retries(self, retries: u32) -> Self {
        self.tasks(|tasks| tasks.retries = retries)
    }

    /// How long one attempt may take; an hour where not said. Of a command or function only.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.tasks(|tasks| tasks.timeout = timeout.as_secs_f64())
    }

    /// How old a result of equal work may be for a task to take it instead of running; each runs
    /// where not said. For work that gives the same whenever it is given the same. Of a command or
    /// function only.
    #[must_use]
    pub fn cache(self, age: Duration) -> Self {
        self.tasks(|tasks| tasks.cache = age.as_secs_f64())
    }

    /// How many tasks are one gang: so many that follow each other are started together and tried
    /// again together, as ranks that meet at `MASTER_ADDR` and `MASTER_PORT`. Without inputs and
    /// array there are as many tasks. Of a command only.
    #[must_use]
    pub fn gang(self, size: u32) -> Self {
        self.tasks(|tasks| tasks.gang = size)
    }

    /// A variable of the environment. Of a command only.
    #[must_use]
    pub fn env(self, name: &str, value: &str) -> Self {
        self.tasks(|tasks| drop(tasks.env.insert(name.to_owned(), value.to_owned())))
    }

    /// The directory that commands run in. Of a command only.
    #[must_use]
    pub fn cwd(self, directory: &str) -> Self {
        self.tasks(|tasks| directory.clone_into(&mut tasks.cwd))
    }

    fn tasks(mut self, change: impl FnOnce(&mut Tasks)) -> Self {
        if let Some(Job::Tasks(tasks)) = &mut self.request.job {
            change(tasks);
        }
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.request.name);
        self
    }

    /// A tag, by which it may be found.
    #[must_use]
    pub fn tag(mut self, name: &str, value: &str) -> Self {
        self.request.tags.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The jobs that must have succeeded first.
    #[must_use]
    pub fn after(mut self, jobs: &[u32]) -> Self {
        self.request.after = jobs.to_vec();
        self
    }

    /// Not before this moment, as RFC 3339 writes it.
    #[must_use]
    pub fn at(mut self, moment: &str) -> Self {
        moment.clone_into(&mut self.request.at);
        self
    }

    /// Higher runs first.
    #[must_use]
    pub fn priority(mut self, priority: i32) -> Self {
        self.request.priority = priority;
        self
    }

    /// Accepted, but not started before it is released.
    #[must_use]
    pub fn held(mut self) -> Self {
        self.request.hold = true;
        self
    }

    /// More tasks may be added until it is closed.
    #[must_use]
    pub fn open(mut self) -> Self {
        self.request.open = true;
        self
    }

    /// The same key with the same content gives the first answer again; 1 to 255 bytes.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        key.clone_into(&mut self.request.idempotency_key);
        self
    }

    /// What the acknowledgement is to be worth at least.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        durability.word().clone_into(&mut self.request.durability);
        self
    }

    /// A value for a parameter of the job file.
    #[must_use]
    pub fn param(mut self, name: &str, value: &str) -> Self {
        self.request.params.insert(name.to_owned(), value.to_owned());
        self
    }
}

/// What an acknowledgement is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// What was acknowledged lives as long as the node's process.
    Memory,
    /// What was acknowledged had been synced to a disk before. A node without a state refuses it.
    Disk,
    /// What was acknowledged had been synced to the disks of a majority of the members that keep
    /// it. A node whose jobs nobody else keeps refuses it.
    Replicated,
}

impl Durability {
    /// Its word in messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Disk => "disk",
            Self::Replicated => "replicated",
        }
    }
}

impl From<Submission> for SubmitRequest {
    fn from(submission: Submission) -> Self {
        submission.request
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_are_of_tasks_leave_other_jobs_alone() {
        let made: SubmitRequest = Submission::command(["a"]).array("1-3").cpus(2.0).held().into();
        let Some(Job::Tasks(tasks)) = &made.job else { panic!("it is of tasks") };
        assert_eq!((tasks.array.as_str(), tasks.cpus, made.hold), ("1-3", 2.0, true));
        let file = Submission::file("x = 1");
        assert_eq!(file.clone().cpus(2.0), file);
    }
}
