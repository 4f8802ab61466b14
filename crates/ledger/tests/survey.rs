//! A log from which the records of forgotten jobs are left out makes the same ledger.

mod history;

use bary_ledger::ledger::Ledger;
use bary_ledger::record::Record;
use bary_ledger::survey::Survey;
use bary_model::id::{Epoch, JobNo, ShardId};
use bary_model::time::Wall;
use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

use crate::history::History;

const SHARD: ShardId = ShardId(7);

type Log = Vec<(Wall, Record)>;

fn ledger(log: &Log) -> Ledger {
    let ledger = Ledger::replay(SHARD, log.iter().map(|(at, record)| (*at, record)));
    ledger.check();
    ledger
}

/// What survives of a log. Every record is a batch of its own, and so is what it came with.
fn compacted(log: &Log) -> Log {
    let mut survey = Survey::new(SHARD);
    let mut batches: Vec<(Wall, Vec<Record>)> = Vec::new();
    for (at, record) in log {
        match batches.last_mut() {
            Some((then, batch)) if matches!(batch[..], [Record::Awaits { .. }]) => {
                *then = *at;
                batch.push(record.clone());
            }
            _ => batches.push((*at, vec![record.clone()])),
        }
    }
    let epoch = Epoch(u32::MAX);
    batches.iter().for_each(|(at, batch)| survey.take_in(epoch, *at, batch));
    let mut survivors = survey.finish();
    let mut kept = vec![(survivors.at(), survivors.begin())];
    for (at, batch) in batches {
        let (stay, _) = survivors.divide(epoch, batch);
        kept.extend(stay.into_iter().map(|record| (at, record)));
    }
    kept
}

proptest! {
    #[test]
    fn what_survives_makes_the_same_ledger(
        numbers in prop::collection::vec(any::<u32>(), 8..900),
        more in prop::collection::vec(any::<u32>(), 1..300),
    ) {
        let mut history = History::new(numbers);
        history.records = Some(Vec::new());
        while history.step() {}
        let log = history.records.take().unwrap_or_default();
        let kept = compacted(&log);
        prop_assert_eq!(ledger(&kept), ledger(&log));
        // Once more, of what was compacted before and has gone on since.
        let mut history = History::of(ledger(&kept), more);
        history.records = Some(kept.clone());
        while history.step() {}
        let log = history.records.take().unwrap_or_default();
        let again = compacted(&log);
        prop_assert_eq!(ledger(&again), ledger(&log));
        let forgotten = |log: &Log| ledger(log).all_gone().len();
        prop_assert_eq!(forgotten(&again), forgotten(&log));
        let submitted = |job: JobNo| again.iter().any(|(_, record)| {
            matches!(record, Record::Submitted { job: one, .. } if *one == job)
        });
        for no in ledger(&log).numbers() {
            prop_assert!(submitted(no));
        }
    }
}
