//! The hunt: runs plan after plan, each drawn from a seed, until one breaks something; then makes
//! that plan as small as it gets. One seed is one call, so that a caller may use as many threads
//! as it likes.

pub mod case;
pub mod cut;
pub mod shrink;

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bary_model::id::NodeId;
use bary_model::time::Span;

use crate::oracle::Oracle;
use crate::oracle::judge::Break;
use crate::plan::Plan;
use crate::report::{Report, Verdict};
use crate::table::Table;
use crate::watch::Watch;
use crate::world;

/// A world in which nothing happened for so long is at rest, though a timer is still set.
const QUIET: Span = Span::secs(30);

/// What went wrong in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// An invariant did not hold.
    Broken(Break),
    /// The program's own assertions stopped it.
    Panicked(String),
}

/// One run that was judged.
#[derive(Debug)]
pub struct Judged {
    /// What went wrong, if anything did.
    pub finding: Option<Finding>,
    /// How the run went; none where it was stopped by an assertion.
    pub report: Option<Report>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(broken) => broken.fmt(f),
            Self::Panicked(text) => write!(f, "assertion: {text}"),
        }
    }
}

impl Finding {
    /// Whether another finding is of the same invariant, or of an assertion with the same words
    /// apart from numbers.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Broken(a), Self::Broken(b)) => {
                // Work that is left and unrest without work are two things.
                let left = |broken: &Break| broken.what.contains("never ended");
                a.invariant == b.invariant && left(a) == left(b)
            }
            (Self::Panicked(a), Self::Panicked(b)) => words(a) == words(b),
            _ => false,
        }
    }

    /// The invariant's name, or `assertion`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Broken(broken) => &broken.invariant,
            Self::Panicked(_) => "assertion",
        }
    }
}

fn words(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_ascii_digit()).take(60).collect()
}

/// Runs one plan and judges it.
#[must_use]
pub fn run(plan: &Plan) -> Judged {
    judged(plan, Oracle::new(plan), None)
}

/// Runs one plan under an oracle that was made for it; the table gets a row for everything.
#[must_use]
pub fn judged(plan: &Plan, mut oracle: Oracle, table: Option<&mut dyn Table>) -> Judged {
    let mut judged = watched(plan, &mut oracle, table);
    // What an oracle saw before an assertion is the better account of the same break.
    if let Some(broken) = oracle.judge().broken() {
        judged.finding = Some(Finding::Broken(broken.clone()));
    }
    if let (Some(report), None) = (&judged.report, &judged.finding) {
        judged.finding = at_end(plan, oracle, report);
    }
    judged
}

/// Runs one plan under somebody's eyes. Only the program's own assertions are findings.
#[must_use]
pub fn watched(plan: &Plan, watch: &mut dyn Watch, table: Option<&mut dyn Table>) -> Judged {
    let table = table.map(|table| -> &mut dyn Table { table });
    match catch_unwind(AssertUnwindSafe(move || world::run(plan, Some(watch), table))) {
        Ok(report) => Judged { finding: None, report: Some(report) },
        Err(payload) => Judged { finding: Some(Finding::Panicked(text(&*payload))), report: None },
    }
}

/// What is found when a run is over: something left, or no end of it.
fn at_end(plan: &Plan, oracle: Oracle, report: &Report) -> Option<Finding> {
    let judge = oracle.finish(report.until);
    // A timer of a task that ended long ago is no unrest.
    let quiet = plan.deadline() + QUIET < report.until;
    let broken = judge.broken().cloned().or_else(|| {
        let what = match report.verdict {
            Verdict::Rest => return None,
            Verdict::Late if quiet => return None,
            Verdict::Late => "every task has ended, but events go on",
            Verdict::Apart => "nodes that live do not see each other, or see one that does not",
            Verdict::TooMany => "there are more events than the plan allows",
            Verdict::Still => "events go on without end at one moment",
        };
        let (at, node) = (report.until, NodeId(0));
        Some(Break { invariant: "liveness".into(), at, node, what: what.to_owned() })
    });
    broken.map(Finding::Broken)
}

fn text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no words").to_owned()
}
