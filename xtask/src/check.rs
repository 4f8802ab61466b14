//! A check: its name, and what came of it.

use crate::repo::Repo;

/// One check of `verify`.
pub(crate) struct Check {
    /// What `--only` and `--skip` call it.
    pub(crate) name: &'static str,
    /// A second name it shares with its kin, so that they can be chosen together.
    pub(crate) group: &'static str,
    /// Does the work; reads only.
    pub(crate) run: fn(&Repo) -> Outcome,
}

/// What came of a check.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is well; the notes are printed under the check's line.
    Passed(Vec<String>),
    /// Nothing could be checked, and this is why.
    Skipped(String),
    /// What is wrong, one finding each.
    Failed(Vec<String>),
}

impl Outcome {
    /// Passed when there are no findings.
    pub(crate) fn of(findings: Vec<String>) -> Self {
        if findings.is_empty() { Self::Passed(Vec::new()) } else { Self::Failed(findings) }
    }

    /// Failed with one finding.
    pub(crate) fn failure(finding: impl Into<String>) -> Self {
        Self::Failed(vec![finding.into()])
    }
}
