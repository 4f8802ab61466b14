//! Group commit tells what is durable, what room there is, and when it is over.

use bary_journal::group::GroupCommit;
use bary_model::id::Lsn;
use bary_ports::journal::Completion;
use bytes::Bytes;

use crate::world::{CONFIG, Shared, batch, open};

fn commit(group: &mut GroupCommit) -> Vec<Completion> {
    let mut told = Vec::new();
    group.commit(&mut |completion| told.push(completion));
    told
}

#[test]
fn what_has_come_in_shares_one_completion_and_is_there_afterwards() {
    let disk = Shared::default();
    let (log, _, _) = open(&disk).expect("an empty disk takes a log");
    let mut group = GroupCommit::new(log);
    assert_eq!(commit(&mut group), [], "nothing came in");
    for lsn in 1..=200 {
        group.push(Lsn(lsn), Bytes::from(batch(Lsn(lsn))));
    }
    assert!(group.waiting_bytes() > 1000);
    assert_eq!(commit(&mut group), [Completion::Durable(Lsn(200))]);
    assert_eq!(group.waiting_bytes(), 0);
    drop(group);
    let (_, _, told) = open(&disk).expect("a sound log");
    assert_eq!(told.batches.len(), 200);
}

#[test]
fn a_batch_that_can_never_be_taken_ends_it_and_is_told_once() {
    let disk = Shared::default();
    let (log, _, _) = open(&disk).expect("an empty disk takes a log");
    let mut group = GroupCommit::new(log);
    group.push(Lsn(1), Bytes::from(vec![0; CONFIG.batch_bytes_max as usize + 1]));
    let why = "a batch has 65537 bytes, above 65536 (limit batch_bytes_max)".to_owned();
    assert_eq!(commit(&mut group), [Completion::Failed { why }]);
    group.push(Lsn(2), Bytes::new());
    assert_eq!((commit(&mut group), group.waiting_bytes()), (Vec::new(), 0));
}

#[test]
fn a_batch_longer_than_a_segment_has_one_of_its_own() {
    let disk = Shared::default();
    let (log, _, _) = open(&disk).expect("an empty disk takes a log");
    let mut group = GroupCommit::new(log);
    let long = Bytes::from(vec![3; 50_000]);
    for lsn in 1..=3 {
        group.push(Lsn(lsn), if lsn == 2 { long.clone() } else { Bytes::from_static(b"short") });
    }
    assert_eq!(commit(&mut group), [Completion::Durable(Lsn(3))]);
    drop(group);
    let (_, _, told) = open(&disk).expect("a sound log");
    assert_eq!(told.batches[1], (Lsn(2), long.to_vec()));
    assert_eq!(told.batches[2], (Lsn(3), b"short".to_vec()));
}
