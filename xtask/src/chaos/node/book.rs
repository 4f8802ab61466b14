//! What was asked of a node and what it acknowledged, as its callers know it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::chaos::node::job::{Job, Kind};
use crate::chaos::node::marks::{Known, Place};

/// What callers know of one job.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) job: Job,
    /// The number under which it was acknowledged; 0 before.
    pub(crate) number: u64,
    /// Where the request began that was answered with it.
    pub(crate) asked: Place,
    /// Counted up when something is asked of it, and again when that was answered: what is known
    /// of it is certain while this is even.
    pub(crate) version: u64,
    pub(crate) priority: i64,
    pub(crate) held: bool,
    pub(crate) open: bool,
    /// How it was listed when it had ended: the job, and its tasks.
    pub(crate) ended: Option<(Value, Value)>,
    pub(crate) pruned: bool,
    /// From where to where none of its tasks may start.
    pub(crate) quiet: Vec<(Place, Place)>,
}

/// All jobs, and what was found wrong.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) entries: Vec<Entry>,
    pub(crate) faults: Vec<String>,
    /// Requests that were answered, and how many of those over gRPC.
    pub(crate) answered: u64,
    pub(crate) by_grpc: u64,
    /// Requests whose answers were lost.
    pub(crate) lost: u64,
    /// Submissions that were repeated under their keys.
    pub(crate) repeated: u64,
    /// How many tasks were asked for.
    pub(crate) tasks: u64,
    /// How many tasks have ended.
    pub(crate) done: u64,
}

/// Most faults that are kept.
const FAULTS_MAX: usize = 50;

impl Book {
    /// Enters a job before it is submitted; its place here.
    pub(crate) fn enter(&mut self, job: Job) -> usize {
        let priority = job.body["priority"].as_i64().unwrap_or_default();
        let (held, open) = (job.kind == Kind::Held, job.kind == Kind::Open);
        self.tasks += job.names.len() as u64;
        self.entries.push(Entry {
            job,
            number: 0,
            asked: 0,
            version: 1,
            priority,
            held,
            open,
            ended: None,
            pruned: false,
            quiet: Vec::new(),
        });
        self.entries.len() - 1
    }

    /// Notes that something is asked of a job.
    pub(crate) fn ask(&mut self, at: usize) {
        self.entries[at].version += 1;
    }

    /// Notes what was answered.
    pub(crate) fn hear(&mut self, at: usize, change: impl FnOnce(&mut Entry)) {
        let entry = &mut self.entries[at];
        change(entry);
        entry.version += 1;
    }

    /// Notes something that must not be.
    pub(crate) fn fault(&mut self, fault: impl Into<String>) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault.into());
        }
    }

    /// What judging marks needs of each job that was acknowledged.
    pub(crate) fn known(&self) -> BTreeMap<String, Known> {
        let acknowledged = self.entries.iter().filter(|entry| entry.number > 0);
        let known = |entry: &Entry| {
            let fails = matches!(entry.job.kind, Kind::Flaky | Kind::Failing);
            let cancelled = entry.job.kind == Kind::Cancelled;
            let (job, asked, quiet) = (entry.number, entry.asked, entry.quiet.clone());
            (entry.job.key.clone(), Known { job, asked, fails, cancelled, quiet })
        };
        acknowledged.map(known).collect()
    }
}
