//! What was asked of the members and what they acknowledged, as callers know it, and how long
//! answers took.

use std::collections::BTreeMap;
use std::time::Duration;

/// A job that was acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The member it was submitted to.
    pub(crate) home: u8,
    /// Its number there.
    pub(crate) number: u64,
    /// How many tasks it has.
    pub(crate) tasks: u64,
    /// Whether what its tasks give is too large to be in a journal.
    pub(crate) is_large: bool,
    /// Whether it was seen to have ended.
    pub(crate) ended: bool,
}

/// All jobs, all answers, and what was found wrong.
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// Jobs by the keys under which they were submitted.
    pub(crate) entries: BTreeMap<String, Entry>,
    /// How many tasks were asked for.
    pub(crate) tasks: u64,
    /// How many of them are of jobs that were seen to have ended.
    pub(crate) ended: u64,
    /// How long each request waited for its answer, whoever gave it.
    pub(crate) waits: Vec<Duration>,
    /// Submissions whose answer was lost, and that were repeated under their key.
    pub(crate) repeated: u64,
    pub(crate) faults: Vec<String>,
}

/// Most faults that are kept.
const FAULTS_MAX: usize = 20;

/// Within what a request has to be answered to count as served (W26 of the published system).
const SERVED_WITHIN: Duration = Duration::from_secs(1);

impl Book {
    /// Notes something that must not be.
    pub(crate) fn fault(&mut self, fault: impl Into<String>) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault.into());
        }
    }

    /// Which share of the requests was answered in time, in percent.
    pub(crate) fn availability(&self) -> f64 {
        let served = self.waits.iter().filter(|wait| **wait <= SERVED_WITHIN).count();
        served as f64 * 100.0 / (self.waits.len() as f64).max(1.0)
    }
}

/// A percentile of spans in order, in milliseconds; 0 of none.
pub(crate) fn at(spans: &[Duration], percent: usize) -> f64 {
    let last = spans.len().saturating_sub(1);
    spans.get(last * percent / 100).map_or(0.0, |span| span.as_secs_f64() * 1e3)
}
