//! The state of one spec: a single task, or an array of them.

use std::sync::{Arc, LazyLock};

use bary_model::action::Action;
use bary_model::id::SpecNo;
use bary_model::outcome::End;
use bary_model::task::{Body, RunIf, TaskSpec};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use crate::array::{ArrayState, Holder, Tries, runs};
use crate::graph::Dependent;
use crate::kept::Kept;

/// One spec of a job and how far it is.
#[derive(Clone, Debug)]
pub(crate) struct SpecState {
    pub(crate) spec: Arc<TaskSpec>,
    /// Who waits for it, and as which of its aligned dependencies where it is one.
    pub(crate) dependents: Box<[Dependent]>,
    pub(crate) progress: Progress,
    pub(crate) kept: Option<Box<Kept>>,
    /// Dependencies on whole specs that have not ended.
    pub(crate) waits: u32,
    /// A spec it waited for as a whole that did not succeed.
    pub(crate) bad: Option<SpecNo>,
    /// Whether those that wait for all of it have heard that it is over.
    pub(crate) told: bool,
}

/// How far: one task or many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Progress {
    One(One, Tries),
    Many(Box<ArrayState>),
}

/// The state of a task that is a spec of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum One {
    Blocked,
    Ready,
    Granted(Holder),
    Ended(End),
}

/// Specs are immutable and shared: the same one is in the same place, or was read back.
impl PartialEq for SpecState {
    fn eq(&self, other: &Self) -> bool {
        (Arc::ptr_eq(&self.spec, &other.spec) || self.spec == other.spec)
            && self.dependents == other.dependents
            && self.progress == other.progress
            && self.kept == other.kept
            && (self.waits, self.bad, self.told) == (other.waits, other.bad, other.told)
    }
}

impl SpecState {
    pub(crate) fn new(spec: &Arc<TaskSpec>, dependents: Box<[Dependent]>) -> Self {
        let aligned = spec.after.iter().filter(|after| after.aligned).count();
        let progress = if spec.count == 1 && aligned == 0 {
            Progress::One(One::Blocked, Tries::default())
        } else {
            Progress::Many(Box::new(ArrayState::new(spec.count, aligned)))
        };
        let waits = (spec.after.len() - aligned) as u32;
        let kept = spec.body.keep_results.then(Box::default);
        Self { spec: Arc::clone(spec), dependents, progress, kept, waits, bad: None, told: false }
    }

    pub(crate) fn left(&self) -> u32 {
        match &self.progress {
            Progress::One(One::Ended(_), _) => 0,
            Progress::One(..) => 1,
            Progress::Many(array) => array.left,
        }
    }

    pub(crate) fn all_succeeded(&self) -> bool {
        match &self.progress {
            Progress::One(one, _) => matches!(one, One::Ended(End::Succeeded)),
            Progress::Many(array) => array.all_succeeded(),
        }
    }

    pub(crate) fn may_run(&self, bad: bool) -> bool {
        match self.spec.body.run_if {
            RunIf::Success => !bad,
            RunIf::Failure => bad,
            RunIf::Always => true,
        }
    }
}

/// A range in parts by whether an upstream of the part did not succeed.
pub(crate) fn split_by_bad(state: &SpecState, first: u32, count: u32) -> Vec<(u32, u32, bool)> {
    if state.bad.is_some() {
        return vec![(first, count, true)];
    }
    let Progress::Many(array) = &state.progress else { return vec![(first, count, false)] };
    if array.bad.is_empty() {
        return vec![(first, count, false)];
    }
    let mut all = RoaringBitmap::new();
    all.insert_range(first..first + count);
    let bad = &all & &array.bad;
    let good = &all - &array.bad;
    let tag = |set: &RoaringBitmap, bad| runs(set).into_iter().map(move |(f, c)| (f, c, bad));
    tag(&good, false).chain(tag(&bad, true)).collect()
}

/// What stands for a spec that is over and had inputs, so that they need not be held.
pub(crate) fn spent() -> Arc<TaskSpec> {
    static SPENT: LazyLock<Arc<TaskSpec>> = LazyLock::new(|| {
        let nothing = Action::Command { argv: Vec::new() };
        Arc::new(TaskSpec::new(Arc::new(Body::new(nothing))))
    });
    Arc::clone(&SPENT)
}
