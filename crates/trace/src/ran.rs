//! What ran of one job, folded from what its home tells: the entries of the job, and stretches of
//! their tasks that ended alike. Arrays stay ranges until the tasks of a trace are made.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_model::action::Action;
use bary_model::event::{Event, EventKind};
use bary_model::id::{NodeId, TaskId, TaskRange};
use bary_model::inputs::Inputs;
use bary_model::outcome::{End, Results, Usage};
use bary_model::roster::shown_index;
use bary_model::task::TaskSpec;
use bary_model::time::Span;
use bary_model::weight::Weight;

use crate::limits::{EDGES_MAX, MILLI_CPUS_MAX, SPAN_MAX, TASK_BYTES_MAX, TASKS_MAX};
use crate::ran::join::Draft;
use crate::trace::Task;

mod join;

/// The entries of a job and what ran of them.
#[derive(Clone, Debug, Default)]
pub struct Ran {
    entries: Vec<Entry>,
    /// Inputs of the entries, as long as some of their tasks have not succeeded.
    inputs: BTreeMap<u32, Rows>,
    /// By entry and first index; no two overlap.
    stretches: BTreeMap<(u32, u32), Stretch>,
    tasks: u64,
}

/// One task or one array of a job, and what all of its tasks share.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its name; empty where it has none.
    pub name: Box<str>,
    /// Whether its tasks are known by an index.
    pub array: bool,
    /// The index that people know its first task by.
    pub index: i64,
    /// How far the index of the next is from it.
    pub step: i64,
    /// What it runs: a function's name, or a program.
    pub function: Arc<str>,
    /// The weight of each task.
    pub weight: Weight,
    /// How long each was said to run at speed 1, where somebody said so.
    pub estimate: Option<Span>,
    /// Thousandths of processors that each holds.
    pub milli_cpus: u64,
    /// Bytes of memory that each holds.
    pub memory: u64,
    /// The entries that it waits for: their places among all entries, and whether it waits index by
    /// index rather than for the whole.
    pub after: Box<[(u32, bool)]>,
}

/// Neighbours of one entry that ran and were told of together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// How many; never 0.
    pub count: u32,
    /// How long each ran at speed 1.
    pub run: Span,
    /// How many bytes of input each had of its own; none where all had none.
    pub read: Box<[u64]>,
    /// How many bytes each left; none where all left none.
    pub left: Box<[u64]>,
}

/// Why what ran is no trace. Nothing was made; the caller leaves out jobs, or exports in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RanError {
    /// More tasks ran than a trace may have.
    #[error("{0} tasks are more than a trace may have, which is {TASKS_MAX} (limit TASKS_MAX)")]
    Tasks(u64),
    /// They waited for each other in more pairs than a trace may have.
    #[error("there are more dependencies than a trace may have: {EDGES_MAX} (limit EDGES_MAX)")]
    Edges,
}

/// The inputs of an entry.
#[derive(Clone, Debug)]
struct Rows {
    inputs: Inputs,
    first: u64,
    /// How many tasks have not succeeded.
    left: u32,
}

impl Entry {
    /// What is known of a spec, where the specs that were submitted with it begin at `base`.
    #[must_use]
    pub fn of(spec: &TaskSpec, base: u32) -> Self {
        let resources = &spec.body.request.resources;
        let index = |index| shown_index(spec, TaskId { index, ..TaskId::default() });
        let after = spec.after.iter().map(|after| (base + after.spec.0, after.aligned));
        let step = if spec.count > 1 { index(1).saturating_sub(index(0)) } else { 1 };
        Self {
            name: spec.name.clone(),
            array: spec.array,
            index: index(0),
            step,
            function: runs(&spec.body.action).into(),
            weight: spec.weight,
            estimate: (spec.estimate > Span::ZERO).then_some(spec.estimate),
            milli_cpus: resources.milli_cpus.min(MILLI_CPUS_MAX),
            memory: resources.memory.min(TASK_BYTES_MAX),
            after: after.collect(),
        }
    }
}

/// The function's name, or the program's where it is the same for all tasks.
fn runs(action: &Action) -> String {
    match action {
        Action::Function { name, .. } => name.to_string(),
        Action::Command { argv } => {
            let program = argv.first().and_then(|word| word.literal_bytes());
            program.map_or_else(String::new, |bytes| String::from_utf8_lossy(bytes).into_owned())
        }
    }
}

/// How many bytes of input of its own a row has; an array's number is none.
#[must_use]
pub fn input_bytes(inputs: &Inputs, row: u64) -> u64 {
    let row = inputs.row(row);
    if row.number().is_some() {
        return 0;
    }
    row.values().map(|value| value.len() as u64).sum()
}

/// One size for each task, or none where all of them are 0.
#[must_use]
pub fn sizes(each: impl Iterator<Item = u64>) -> Box<[u64]> {
    let all: Box<[u64]> = each.map(|bytes| bytes.min(TASK_BYTES_MAX)).collect();
    if all.iter().all(|bytes| *bytes == 0) { Box::default() } else { all }
}

impl Ran {
    /// Folds an event of the job in; `speed` says how fast a node is.
    pub fn on_event(&mut self, event: &Event, speed: impl Fn(NodeId) -> f64) {
        match &event.kind {
            EventKind::Submitted { specs, .. } => self.on_specs(specs),
            EventKind::Ended(ended) => {
                let speed = speed(ended.node);
                self.on_ended(ended.range, &ended.end, &ended.results, ended.usage, speed);
            }
            _ => {}
        }
    }

    /// Adds specs that were submitted together.
    pub fn on_specs(&mut self, specs: &[Arc<TaskSpec>]) {
        let base = self.entries.len() as u32;
        for (number, spec) in (base..).zip(specs) {
            let first = spec.first_row;
            if spec.inputs.rows() > 0 && spec.inputs.row(first).number().is_none() {
                let (inputs, left) = (spec.inputs.clone(), spec.count);
                self.inputs.insert(number, Rows { inputs, first, left });
            }
            self.entries.push(Entry::of(spec, base));
        }
    }

    /// Takes in that tasks of one spec ended, on a node of this speed. Only what ran to its end
    /// counts, and not what the result cache answered.
    pub fn on_ended(
        &mut self,
        range: TaskRange,
        end: &End,
        results: &Results,
        usage: Usage,
        speed: f64,
    ) {
        if !ran(end) || usage.cached || range.count == 0 {
            return;
        }
        let left = match results {
            Results::Nothing => Box::default(),
            Results::Each(all) => sizes(all.iter().map(|result| result.len())),
        };
        let read = self.read(range, *end == End::Succeeded);
        let run = run_time(usage.busy, range.count, speed);
        self.add_stretch(
            range.spec.0,
            range.first,
            Stretch { count: range.count, run, read, left },
        );
    }

    /// The input sizes of tasks; once all have succeeded, inputs are let go of.
    fn read(&mut self, range: TaskRange, done: bool) -> Box<[u64]> {
        let Some(rows) = self.inputs.get_mut(&range.spec.0) else { return Box::default() };
        let row = |index: u32| input_bytes(&rows.inputs, rows.first + u64::from(index));
        let read = sizes((range.first..range.end()).map(row));
        rows.left = rows.left.saturating_sub(if done { range.count } else { 0 });
        if rows.left == 0 {
            self.inputs.remove(&range.spec.0);
        }
        read
    }

    /// Adds an entry behind those that there are.
    pub fn add_entry(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// How many entries there are.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.entries.len()
    }

    /// Adds tasks of an entry that ran, from an index on; what ran of them before was done again.
    pub fn add_stretch(&mut self, entry: u32, first: u32, stretch: Stretch) {
        self.tasks += u64::from(stretch.count);
        if self.tasks > TASKS_MAX as u64 {
            // What is no trace any more need not be kept; only how much it would be is told.
            self.stretches.clear();
            return;
        }
        self.cut(entry, first, first.saturating_add(stretch.count));
        self.stretches.insert((entry, first), stretch);
    }

    /// Takes the tasks between two indices out.
    fn cut(&mut self, entry: u32, first: u32, end: u32) {
        while let Some((&(_, from), _)) = self.stretches.range((entry, 0)..(entry, end)).next_back()
        {
            let Some(old) = self.stretches.get(&(entry, from)) else { return };
            let until = from.saturating_add(old.count);
            if until <= first {
                return;
            }
            let Some(old) = self.stretches.remove(&(entry, from)) else { return };
            self.tasks -= u64::from(until.min(end) - from.max(first));
            if from < first {
                self.stretches.insert((entry, from), old.part(0, first - from));
            }
            if until > end {
                self.stretches.insert((entry, end), old.part(end - from, until - end));
            }
        }
    }

    /// The tasks that ran; each waits for those that ran of what it waited for.
    ///
    /// # Errors
    /// Where they are more than a trace may have.
    pub fn tasks(&self) -> Result<Vec<Task>, RanError> {
        if self.tasks > TASKS_MAX as u64 {
            return Err(RanError::Tasks(self.tasks));
        }
        let mut draft = Draft::default();
        for (&(number, first), stretch) in &self.stretches {
            let Some(entry) = self.entries.get(number as usize) else { continue };
            for place in 0..stretch.count {
                let index = first + place;
                draft.add((number, index), entry.task((number, index), stretch, place));
            }
        }
        for (number, entry) in (0_u32..).zip(&self.entries) {
            for &(on, aligned) in &entry.after {
                draft.wait(number, on, aligned)?;
            }
        }
        draft.end()
    }
}

/// Whether an end is that of tasks that ran.
#[must_use]
pub fn ran(end: &End) -> bool {
    matches!(end, End::Succeeded | End::Failed(_))
}

/// How long each of so many tasks ran at speed 1, which kept a slot busy for so long together.
#[must_use]
pub fn run_time(busy: Span, count: u32, speed: f64) -> Span {
    let each = busy.0 / u64::from(count.max(1));
    // What runs at speed 1 stays as exact as it was told.
    let each = if speed == 1.0 { Span(each) } else { Span((each as f64 * speed) as u64) };
    each.min(SPAN_MAX)
}

impl Stretch {
    fn part(&self, from: u32, count: u32) -> Self {
        let part =
            |all: &[u64]| sizes(all.iter().skip(from as usize).take(count as usize).copied());
        Self { count, run: self.run, read: part(&self.read), left: part(&self.left) }
    }
}

impl Entry {
    fn task(&self, (number, index): (u32, u32), stretch: &Stretch, place: u32) -> Task {
        let shown = self.index.saturating_add(self.step.saturating_mul(i64::from(index)));
        let name = match (&*self.name, self.array) {
            ("", false) => (number + 1).to_string(),
            ("", true) => format!("{}[{shown}]", number + 1),
            (name, true) => format!("{name}[{shown}]"),
            (name, false) => name.to_owned(),
        };
        let size = |all: &[u64]| all.get(place as usize).copied().unwrap_or(0);
        Task {
            name: name.into(),
            function: Arc::clone(&self.function),
            estimate: self.estimate,
            weight: Some(self.weight),
            milli_cpus: self.milli_cpus,
            memory: self.memory,
            input: size(&stretch.read),
            output: size(&stretch.left),
            ..Task::new(stretch.run)
        }
    }
}

#[cfg(test)]
mod tests;
