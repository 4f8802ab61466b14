//! A ledger is what its snapshot makes of it, whatever has happened to it.

mod history;

use std::sync::Arc;

use bary_ledger::consequences::Consequences;
use bary_ledger::ledger::Ledger;
use bary_ledger::record::Record;
use bary_ledger::snapshot::check::Fault;
use bary_ledger::snapshot::{JobSnapshot, RestoreError, Snapshot};
use bary_model::action::Action;
use bary_model::id::{Epoch, GrantNo, JobNo, NodeId, ShardId, SpecNo, TaskRange};
use bary_model::job::About;
use bary_model::payload::Payload;
use bary_model::task::{After, Body, TaskSpec};
use proptest::prelude::{any, prop, prop_assert_eq, proptest};

use crate::history::History;

proptest! {
    #[test]
    fn a_restored_ledger_is_the_one_it_was(numbers in prop::collection::vec(any::<u32>(), 8..900)) {
        let mut history = History::new(numbers);
        let mut steps = 0;
        while history.step() {
            steps += 1;
            if steps % 16 == 0 {
                history.ledger.check();
                let restored = Ledger::restore(history.ledger.snapshot());
                prop_assert_eq!(restored.as_ref(), Ok(&history.ledger));
            }
        }
        let ledger = history.ledger;
        prop_assert_eq!(Ledger::restore(ledger.snapshot()), Ok(ledger));
    }
}
/// A snapshot of an array of ten, of which one grant holds four, and a task that waits for it.
fn snapshot() -> Snapshot {
    let (job, node) = (JobNo(0), NodeId(1));
    let body = || Arc::new(Body::new(Action::Command { argv: Vec::new() }));
    let after = [After { spec: SpecNo(0), aligned: false }].into();
    let array = TaskSpec { count: 10, array: true, ..TaskSpec::new(body()) };
    let specs = [array, TaskSpec { after, ..TaskSpec::new(body()) }].map(Arc::new).into();
    let (name, open, halt, key) = ("a".into(), false, None, None);
    let about = About::default().shared();
    let range = TaskRange { job, spec: SpecNo(0), first: 2, count: 4 };
    let payload = Payload::Inline("x".into());
    let mut ledger = Ledger::new(ShardId(7));
    let records = [
        Record::Opened { epoch: Epoch(2) },
        Record::Submitted { job, name, specs, open, halt, key, about },
        Record::Granted { node, items: vec![(GrantNo(5), range)] },
        Record::Checkpointed { task: range.head(), grant: GrantNo(5), step: 3, payload },
    ];
    records.iter().for_each(|record| ledger.apply(record, &mut Consequences::default()));
    ledger.snapshot()
}

#[test]
fn a_snapshot_that_contradicts_itself_is_refused() {
    let state = |spec, fault| RestoreError::State { job: JobNo(0), spec: SpecNo(spec), fault };
    type Spoil = fn(&mut Snapshot, &mut JobSnapshot);
    let table: [(Spoil, RestoreError); 7] = [
        (
            |_, job| drop(job.states.pop()),
            RestoreError::Uneven { job: JobNo(0), specs: 2, states: 1 },
        ),
        (|_, job| job.batches.push(3), RestoreError::Batches { job: JobNo(0) }),
        (|_, job| job.batches.clear(), RestoreError::Batches { job: JobNo(0) }),
        (|_, job| job.tasks += 1, RestoreError::Counts { job: JobNo(0) }),
        (|all, _| all.last_grant = GrantNo(4), state(0, Fault::Grants)),
        (|all, _| all.epoch = Epoch(1), state(0, Fault::Grants)),
        (|_, job| job.states.swap(0, 1), state(0, Fault::Shape)),
    ];
    assert!(Ledger::restore(snapshot()).is_ok());
    for (number, (spoil, error)) in table.into_iter().enumerate() {
        let mut all = snapshot();
        let mut job = all.jobs.remove(0);
        spoil(&mut all, &mut job);
        all.jobs.push(job);
        assert_eq!(Ledger::restore(all), Err(error), "row {number}");
    }
}

#[test]
fn who_waits_for_whom_must_be_as_the_specs_say() {
    let mut all = snapshot();
    let job = &mut all.jobs[0];
    let free = TaskSpec { after: Box::default(), ..TaskSpec::clone(&job.specs[1]) };
    job.specs = [Arc::clone(&job.specs[0]), Arc::new(free)].into();
    let fault = Fault::Dependents;
    let error = RestoreError::State { job: JobNo(0), spec: SpecNo(0), fault };
    assert_eq!(Ledger::restore(all), Err(error));
}
