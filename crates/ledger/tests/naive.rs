//! The ledger against a model that keeps each task by itself and looks at all of them each time.

use std::collections::BTreeSet;
use std::sync::Arc;

use bary_ledger::consequences::Consequences;
use bary_ledger::ledger::Ledger;
use bary_ledger::record::{EndedTasks, Record};
use bary_model::action::Action;
use bary_model::id::{Epoch, GrantNo, JobNo, NodeId, ShardId, SpecNo, TaskId, TaskRange};
use bary_model::job::About;
use bary_model::outcome::{End, Failure, Results, Usage};
use bary_model::payload::Payload;
use bary_model::task::{After, Body, RunIf, TaskSpec};
use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};
use proptest::test_runner::TestCaseError;

/// One task as the model knows it.
#[derive(Clone, Debug, PartialEq)]
enum State {
    Blocked,
    /// Ready, or failed and not ready yet: nobody holds it.
    Ready,
    Granted(GrantNo),
    Ended(End),
}

/// Numbers that decide, one after another.
struct Lot(std::vec::IntoIter<u32>);

impl Lot {
    fn below(&mut self, n: usize) -> usize {
        self.0.next().unwrap_or(0) as usize % n
    }
}

struct Model {
    specs: Vec<Arc<TaskSpec>>,
    states: Vec<Vec<State>>,
    grants: u64,
}

impl Model {
    fn tasks(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.states.iter().enumerate().flat_map(|(spec, states)| {
            let spec = SpecNo(spec as u32);
            (0..states.len() as u32).map(move |index| TaskId { job: JobNo(0), spec, index })
        })
    }

    fn state(&mut self, task: TaskId) -> &mut State {
        &mut self.states[task.spec.index()][task.index as usize]
    }

    /// Opens and skips what waits for nothing more, until nothing changes.
    fn follow(&mut self) {
        loop {
            let all: Vec<TaskId> = self.tasks().collect();
            let mut changed = false;
            for task in all {
                let next = match *self.state(task) {
                    State::Blocked => self.verdict(task),
                    _ => None,
                };
                if let Some(next) = next {
                    *self.state(task) = next;
                    changed = true;
                }
            }
            if !changed {
                return;
            }
        }
    }

    fn verdict(&self, task: TaskId) -> Option<State> {
        let spec = &self.specs[task.spec.index()];
        let mut good = true;
        for after in &spec.after {
            let states = &self.states[after.spec.index()];
            let one = task.index as usize;
            for state in if after.aligned { &states[one..=one] } else { &states[..] } {
                let State::Ended(end) = state else { return None };
                good &= *end == End::Succeeded;
            }
        }
        let runs = match spec.body.run_if {
            _ if spec.after.is_empty() => true,
            RunIf::Success => good,
            RunIf::Failure => !good,
            RunIf::Always => true,
        };
        Some(if runs { State::Ready } else { State::Ended(End::Skipped) })
    }

    /// The run of neighbours from a task drawn among those for which `of` gives the same.
    fn run_of<T: PartialEq>(
        &self,
        lot: &mut Lot,
        of: impl Fn(&State) -> Option<T>,
    ) -> Option<(TaskRange, T)> {
        let all: Vec<(TaskId, T)> = self
            .tasks()
            .filter_map(|task| {
                let found = of(&self.states[task.spec.index()][task.index as usize])?;
                Some((task, found))
            })
            .collect();
        if all.is_empty() {
            return None;
        }
        let at = lot.below(all.len());
        let most = 1 + lot.below(6);
        let (head, _) = all[at];
        let mut count = 0;
        for (offset, (task, found)) in all[at..].iter().take(most).enumerate() {
            let next = task.spec == head.spec && task.index == head.index + offset as u32;
            if !next || *found != all[at].1 {
                break;
            }
            count += 1;
        }
        let found = all.into_iter().nth(at)?.1;
        Some((TaskRange::one(head).with(head.index, count), found))
    }

    fn set(&mut self, range: TaskRange, to: &State) {
        range.tasks().for_each(|task| *self.state(task) = to.clone());
    }

    /// Draws a record that fits the state, and does to the model what it says.
    fn draw(&mut self, lot: &mut Lot) -> Option<Record> {
        let node = NodeId(0);
        let held = |state: &State| match state {
            State::Granted(grant) => Some(*grant),
            _ => None,
        };
        match lot.below(12) {
            0..4 => {
                let ready = |state: &State| (*state == State::Ready).then_some(());
                let (range, ()) = self.run_of(lot, ready)?;
                self.grants += 1;
                let grant = GrantNo(self.grants);
                self.set(range, &State::Granted(grant));
                Some(Record::Granted { node, items: vec![(grant, range)] })
            }
            4..8 => {
                let (range, grant) = self.run_of(lot, held)?;
                let fails = lot.below(3) == 0;
                let end = if fails { End::Failed(Failure::Exit(1)) } else { End::Succeeded };
                self.set(range, &State::Ended(end.clone()));
                let results = Results::Nothing;
                let (attempt, stderr, usage) = (1, Payload::Empty, Usage::default());
                let item = EndedTasks { range, grant, node, end, attempt, results, stderr, usage };
                Some(Record::Ended { items: vec![item] })
            }
            8 => {
                let (range, grant) = self.run_of(lot, held)?;
                self.set(range, &State::Ready);
                Some(Record::Retracted { items: vec![(grant, range)] })
            }
            9 => {
                let (range, grant) = self.run_of(lot, held)?;
                let task = range.head();
                *self.state(task) = State::Ready;
                Some(Record::Failed { task, grant, crashed: false })
            }
            _ => {
                let spec = lot.below(self.specs.len() * 4);
                let states = self.states.get_mut(spec)?;
                let running = lot.below(2) == 0;
                for state in states.iter_mut() {
                    let spared = matches!(state, State::Ended(_))
                        || (!running && matches!(state, State::Granted(_)));
                    if !spared {
                        *state = State::Ended(End::Cancelled);
                    }
                }
                let (job, spec, count) = (JobNo(0), SpecNo(spec as u32), states.len() as u32);
                let range = TaskRange { job, spec, first: 0, count };
                Some(Record::Cancelled { range, running })
            }
        }
    }
}

/// Up to six specs, each of which may wait for those before it.
fn specs(lot: &mut Lot) -> Vec<Arc<TaskSpec>> {
    let mut specs: Vec<Arc<TaskSpec>> = Vec::new();
    for _ in 0..=lot.below(6) {
        let count = [1, 1, 4, 4, 9][lot.below(5)];
        let mut body = Body::new(Action::Function { name: "f".into(), args: Vec::new() });
        body.run_if = [RunIf::Success, RunIf::Success, RunIf::Failure, RunIf::Always][lot.below(4)];
        let mut after = Vec::new();
        for (number, other) in specs.iter().enumerate() {
            if lot.below(3) == 0 {
                let aligned = other.count == count && lot.below(3) > 0;
                after.push(After { spec: SpecNo(number as u32), aligned });
            }
        }
        specs.push(Arc::new(TaskSpec {
            count,
            array: count > 1,
            after: after.into(),
            ..TaskSpec::new(Arc::new(body))
        }));
    }
    specs
}

/// Compares what the ledger has told so far, and what it says when asked, with the model.
fn compare(ledger: &Ledger, model: &Model, told: &Consequences) -> Result<(), TestCaseError> {
    let job = ledger.job(JobNo(0)).expect("it was submitted");
    ledger.check();
    let mut left = 0;
    for task in model.tasks() {
        let state = &model.states[task.spec.index()][task.index as usize];
        let range = TaskRange::one(task);
        left += u64::from(!matches!(state, State::Ended(_)));
        let open = matches!(state, State::Blocked | State::Ready);
        prop_assert_eq!(job.is_open(task.spec, task.index), open, "{:?} {:?}", task, state);
        if let State::Granted(grant) = state {
            prop_assert!(ledger.accepts(ledger.fence(*grant), range));
        }
        prop_assert!(!ledger.accepts(ledger.fence(GrantNo(0)), range));
    }
    prop_assert_eq!(job.left, left);
    prop_assert_eq!(told.finished.len(), usize::from(left == 0), "finished is told once");
    let of = |end: End| {
        let all = model.tasks().filter(move |task| {
            model.states[task.spec.index()][task.index as usize] == State::Ended(end.clone())
        });
        all.collect::<Vec<TaskId>>()
    };
    let mut skipped: Vec<TaskId> = told.skipped.iter().flat_map(|(r, _)| r.tasks()).collect();
    skipped.sort_unstable();
    prop_assert_eq!(skipped, of(End::Skipped));
    let mut cancelled: Vec<TaskId> = told.cancelled.iter().flat_map(|r| r.tasks()).collect();
    cancelled.sort_unstable();
    prop_assert_eq!(cancelled, of(End::Cancelled));
    let ready: BTreeSet<TaskId> = told.ready.iter().flat_map(|r| r.tasks()).collect();
    let begun = model.tasks().filter(|task| {
        let state = &model.states[task.spec.index()][task.index as usize];
        matches!(state, State::Ready | State::Granted(_))
    });
    prop_assert!(begun.into_iter().all(|task| ready.contains(&task)), "what may run was told");
    Ok(())
}

proptest! {
    #[test]
    fn a_job_is_what_its_tasks_are(numbers in prop::collection::vec(any::<u32>(), 20..400)) {
        let mut lot = Lot(numbers.into_iter());
        let specs = specs(&mut lot);
        let states = specs.iter().map(|spec| vec![State::Blocked; spec.count as usize]).collect();
        let mut model = Model { specs: specs.clone(), states, grants: 0 };
        let (mut ledger, mut told) = (Ledger::new(ShardId(1)), Consequences::default());
        let (name, open) = ("a".into(), false);
        let submitted = Record::Submitted {
            job: JobNo(0),
            name,
            specs: specs.into(),
            open,
            halt: None,
            key: None,
            about: About::default().shared(),
        };
        ledger.apply(&Record::Opened { epoch: Epoch(1) }, &mut told);
        ledger.apply(&submitted, &mut told);
        model.follow();
        compare(&ledger, &model, &told)?;
        while !lot.0.as_slice().is_empty() {
            if let Some(record) = model.draw(&mut lot) {
                ledger.apply(&record, &mut told);
                model.follow();
                compare(&ledger, &model, &told)?;
            }
        }
    }
}
