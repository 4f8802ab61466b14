//! Whatever is written is read back the same, and shared as before.

use std::sync::Arc;

use bary_ledger::record::Record;
use bary_model::action::{Action, Backoff};
use bary_model::claim::Claim;
use bary_model::id::{Birth, Epoch, GrantNo, JobNo, ShardId, SpecNo, TaskRange};
use bary_model::inputs::Inputs;
use bary_model::message::{Frame, Message, Say};
use bary_model::task::{Body, TaskSpec};
use bary_model::time::Wall;
use bary_wire::batch::Batch;
use bary_wire::codec::EncodeError;
use bary_wire::{batch, frame};
use proptest::collection::vec;
use proptest::prelude::{any, prop_assert_eq, proptest};

use crate::{strategy, talk};

proptest! {
    #[test]
    fn a_batch_is_read_back(
        epoch in any::<u32>(),
        at in any::<Option<u64>>(),
        records in vec(strategy::record(), 0..6),
    ) {
        let (mut bytes, epoch, at) = (vec![7], Epoch(epoch), at.map(Wall));
        batch::encode(epoch, at, &records, &mut bytes).expect("all of it can be written");
        let read = batch::decode(&bytes[1..]).expect("it was just written");
        prop_assert_eq!(read, Batch { epoch, at, records });
    }

    #[test]
    fn a_frame_is_read_back(sent in talk::frame()) {
        let mut bytes = Vec::new();
        frame::encode(&sent, &mut bytes).expect("all of it can be written");
        prop_assert_eq!(frame::decode(&bytes).expect("it was just written"), sent);
    }

    #[test]
    fn what_specs_share_they_share_again(specs in strategy::specs()) {
        let record = Record::Extended { job: JobNo(0), specs: Arc::clone(&specs) };
        let mut bytes = Vec::new();
        batch::encode(Epoch(1), None, &[record], &mut bytes).expect("all of it can be written");
        let read = batch::decode(&bytes).expect("it was just written");
        let [Record::Extended { specs: read, .. }] = read.records.as_slice() else {
            panic!("one record was written");
        };
        for (a, read_a) in specs.iter().zip(read.iter()) {
            for (b, read_b) in specs.iter().zip(read.iter()) {
                let shared = Arc::ptr_eq(&a.body, &b.body);
                prop_assert_eq!(Arc::ptr_eq(&read_a.body, &read_b.body), shared);
            }
        }
    }
}

#[test]
fn a_thousand_specs_are_written_with_one_body_and_one_table() {
    let inputs = Inputs::lines((0..1_000).map(|n| format!("a line, number {n}")).collect());
    let inputs = inputs.expect("they make a table");
    let body = Arc::new(Body::new(Action::Command { argv: Vec::new() }));
    let specs: Arc<[_]> = (0..1_000)
        .map(|first_row| {
            let inputs = inputs.clone();
            Arc::new(TaskSpec { inputs, first_row, ..TaskSpec::new(Arc::clone(&body)) })
        })
        .collect();
    let lines: usize = (0..1_000).map(|n| format!("a line, number {n}").len() + 1).sum();
    let mut bytes = Vec::new();
    let record = Record::Extended { job: JobNo(0), specs };
    batch::encode(Epoch(1), None, &[record], &mut bytes).expect("all of it can be written");
    assert!(bytes.len() < lines + 1_000 * 12 + 200, "{} bytes for {lines} of lines", bytes.len());
}

#[test]
fn what_nobody_could_read_is_not_written() {
    let mut body = Body::new(Action::Command { argv: Vec::new() });
    let empty = TaskSpec { count: 0, ..TaskSpec::new(Arc::new(body.clone())) };
    body.backoff = Backoff { factor: f64::NAN, ..Backoff::default() };
    for bad in [empty, TaskSpec::new(Arc::new(body))] {
        let record = Record::Extended { job: JobNo(0), specs: [Arc::new(bad)].into() };
        let mut bytes = b"before".to_vec();
        let refused = batch::encode(Epoch(1), None, &[record], &mut bytes);
        assert!(matches!(refused, Err(EncodeError::Refused(_))));
        assert_eq!(bytes, b"before", "nothing is left of what could not be written");
    }
    for (first, count) in [(3, 0), (u32::MAX, 1), (1, u32::MAX)] {
        let range = TaskRange { job: JobNo(0), spec: SpecNo(0), first, count };
        let record = Record::Cancelled { range, running: true };
        assert!(batch::encode(Epoch(1), None, &[record], &mut Vec::new()).is_err(), "{range:?}");
    }
}

#[test]
fn a_claim_of_one_task_is_at_most_a_hundred_bytes() {
    let range = TaskRange { job: JobNo(70_000), spec: SpecNo(70_000), first: 9_000_000, count: 1 };
    let items = vec![(GrantNo(1 << 40), range)];
    let claim = Claim { items, at: Wall(u64::MAX), load: 1 << 40 };
    let message = Message { shard: ShardId(u64::MAX), epoch: Epoch(900), say: Say::Claim(claim) };
    let body = Some((1 << 30, Arc::new(message)));
    let (from, to) = (Birth(3 << 32 | 9), Birth(3 << 32 | 9));
    let mut bytes = Vec::new();
    frame::encode(&Frame { from, to, ack: 1 << 30, body }, &mut bytes).expect("it can be written");
    assert!(bytes.len() <= 100, "{} bytes", bytes.len());
}
