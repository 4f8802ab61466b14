//! A ledger is what its snapshot's bytes make of it, and damaged bytes make none or a sound one.

use std::sync::Arc;

use bary_ledger::consequences::Consequences;
use bary_ledger::ledger::Ledger;
use bary_ledger::record::{EndedTasks, Record};
use bary_model::action::Action;
use bary_model::id::{Epoch, GrantNo, JobNo, NodeId, ShardId, SpecNo, TaskRange};
use bary_model::job::About;
use bary_model::outcome::{End, Results, Usage};
use bary_model::payload::Payload;
use bary_model::task::{Body, TaskSpec};
use bary_wire::snapshot;
use proptest::collection::vec;
use proptest::prelude::{any, prop_assert_eq, proptest};
use proptest::sample::Index;

use crate::history::History;
use crate::hostile::flip;

fn written(ledger: &Ledger) -> Vec<u8> {
    let mut bytes = Vec::new();
    snapshot::encode(&ledger.snapshot(), &mut bytes).expect("all of it can be written");
    bytes
}

/// The ledger once everything has happened.
fn finished(mut history: History) -> Ledger {
    while history.step() {}
    history.ledger
}

proptest! {
    #[test]
    fn a_ledger_is_read_back(numbers in vec(any::<u32>(), 0..600), rest in vec(any::<u32>(), 90)) {
        let ledger = finished(History::new(numbers));
        let read = snapshot::decode(&written(&ledger)).expect("it was just written");
        let restored = Ledger::restore(read);
        prop_assert_eq!(restored.as_ref(), Ok(&ledger));
        let restored = restored.expect("it is the same ledger");
        let (here, there) = (History::of(ledger, rest.clone()), History::of(restored, rest));
        prop_assert_eq!(finished(here), finished(there), "both go on alike");
    }

    #[test]
    fn damage_is_refused_or_leaves_a_ledger_that_goes_on(
        numbers in vec(any::<u32>(), 8..300),
        flips in vec((any::<Index>(), 0..8_u32), 1..4),
        rest in vec(any::<u32>(), 90),
    ) {
        let mut bytes = written(&finished(History::new(numbers)));
        flip(&mut bytes, flips);
        let restored = snapshot::decode(&bytes).ok().and_then(|read| Ledger::restore(read).ok());
        if let Some(restored) = restored {
            restored.check();
            finished(History::of(restored, rest)).check();
        }
    }
}

#[test]
fn an_array_of_millions_is_some_hundred_bytes() {
    const TASKS: u32 = 3_000_000;
    let body = Arc::new(Body::new(Action::Command { argv: Vec::new() }));
    let specs = [Arc::new(TaskSpec { count: TASKS, array: true, ..TaskSpec::new(body) })].into();
    let (job, grant, node) = (JobNo(0), GrantNo(1), NodeId(1));
    let (name, open, halt, key) = ("a".into(), false, None, None);
    let range = |first, count| TaskRange { job, spec: SpecNo(0), first, count };
    let (end, results, stderr) = (End::Succeeded, Results::Nothing, Payload::Empty);
    let (attempt, usage, ended) = (1, Usage::default(), range(7, TASKS - 1_000));
    let ended = EndedTasks { range: ended, grant, node, end, attempt, results, stderr, usage };
    let mut ledger = Ledger::new(ShardId(7));
    let records = [
        Record::Opened { epoch: Epoch(2) },
        Record::Submitted { job, name, specs, open, halt, key, about: About::default().shared() },
        Record::Granted { node, items: vec![(grant, range(0, TASKS))] },
        Record::Ended { items: vec![ended] },
    ];
    records.iter().for_each(|record| ledger.apply(record, &mut Consequences::default()));
    let bytes = written(&ledger);
    assert!(bytes.len() < 1_000, "{} bytes", bytes.len());
    let read = snapshot::decode(&bytes).expect("it was just written");
    assert_eq!(Ledger::restore(read), Ok(ledger));
}
