//! Bytes that nobody wrote are refused: no panic, and no memory for what they only claim.

use bary_model::id::Epoch;
use bary_model::time::Wall;
use bary_wire::codec::DecodeError;
use bary_wire::{batch, frame, past, snapshot};
use proptest::collection::vec;
use proptest::prelude::{any, prop_assert, proptest};
use proptest::sample::Index;

use crate::{strategy, talk};

/// The largest number that fits a length, as postcard writes it.
const ENDLESS: [u8; 10] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];

/// Gives bytes to each decoder; whether one of them took them.
fn anybody_takes(bytes: &[u8]) -> bool {
    let taken = [
        batch::decode(bytes).is_ok(),
        frame::decode(bytes).is_ok(),
        snapshot::decode(bytes).is_ok(),
    ];
    taken.contains(&true)
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_good(mut bytes in vec(any::<u8>(), 1..400), version in 2..=4u8) {
        bytes[0] = version;
        if let Ok(read) = batch::decode(&bytes) {
            let mut again = Vec::new();
            prop_assert!(batch::encode(read.epoch, read.at, &read.records, &mut again).is_ok());
        }
        if let Ok(read) = frame::decode(&bytes) {
            prop_assert!(frame::encode(&read, &mut Vec::new()).is_ok());
        }
        if let Ok(read) = snapshot::decode(&bytes) {
            prop_assert!(snapshot::encode(&read, &mut Vec::new()).is_ok());
        }
        bytes[0] = 1;
        for one in past::read(&bytes).into_iter().flatten().flatten() {
            let again = past::add(one.epoch, one.at, &one.records, &mut Vec::new());
            prop_assert!(again.is_ok());
        }
    }

    #[test]
    fn a_damaged_batch_is_refused_or_good(
        records in vec(strategy::record(), 1..4),
        flips in vec((any::<Index>(), 0..8_u32), 1..6),
    ) {
        let mut bytes = Vec::new();
        batch::encode(Epoch(3), Some(Wall(4)), &records, &mut bytes).expect("it can be written");
        flip(&mut bytes, flips);
        if let Ok(read) = batch::decode(&bytes) {
            prop_assert!(batch::encode(read.epoch, read.at, &read.records, &mut vec![]).is_ok());
        }
    }

    #[test]
    fn a_damaged_frame_is_refused_or_good(
        sent in talk::frame(),
        flips in vec((any::<Index>(), 0..8_u32), 1..6),
    ) {
        let mut bytes = Vec::new();
        frame::encode(&sent, &mut bytes).expect("it can be written");
        flip(&mut bytes, flips);
        if let Ok(read) = frame::decode(&bytes) {
            prop_assert!(frame::encode(&read, &mut Vec::new()).is_ok());
        }
    }

    #[test]
    fn what_ends_early_or_late_is_refused(
        records in vec(strategy::record(), 1..3),
        sent in talk::frame(),
        at in any::<Index>(),
    ) {
        let (mut batch, mut frame) = (Vec::new(), Vec::new());
        batch::encode(Epoch(3), Some(Wall(4)), &records, &mut batch).expect("it can be written");
        frame::encode(&sent, &mut frame).expect("it can be written");
        prop_assert!(batch::decode(&batch[..at.index(batch.len())]).is_err());
        prop_assert!(frame::decode(&frame[..at.index(frame.len())]).is_err());
        batch.push(0);
        frame.push(0);
        let trailing = DecodeError::Trailing { bytes: 1 };
        prop_assert!(batch::decode(&batch) == Err(trailing.clone()));
        prop_assert!(frame::decode(&frame) == Err(trailing));
    }

    #[test]
    fn a_length_that_nothing_follows_is_refused(
        records in vec(strategy::record(), 1..3),
        sent in talk::frame(),
        at in any::<Index>(),
    ) {
        let (mut batch, mut frame) = (Vec::new(), Vec::new());
        batch::encode(Epoch(3), Some(Wall(4)), &records, &mut batch).expect("it can be written");
        frame::encode(&sent, &mut frame).expect("it can be written");
        for bytes in [&mut batch, &mut frame] {
            bytes.truncate(1.max(at.index(bytes.len())));
            bytes.extend(ENDLESS);
            anybody_takes(bytes);
        }
    }
}

pub(crate) fn flip(bytes: &mut [u8], flips: Vec<(Index, u32)>) {
    for (place, bit) in flips {
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
    }
}

#[test]
fn another_version_is_called_by_its_name() {
    for later in [8, 200] {
        let newer = |known| DecodeError::Newer { found: later, known };
        assert_eq!(batch::decode(&[later, 9, 9]), Err(newer(5)));
        assert_eq!(frame::decode(&[later, 9, 9]), Err(newer(7)));
        assert_eq!(snapshot::decode(&[later, 9, 9]), Err(newer(2)));
    }
    assert_eq!(batch::decode(&[]), Err(DecodeError::NoVersion));
    assert_eq!(frame::decode(&[0, 1, 2]), Err(DecodeError::NoVersion));
    let older = |oldest| DecodeError::Older { found: 1, oldest };
    assert_eq!(batch::decode(&[1, 9, 9]), Err(older(3)));
    assert_eq!(snapshot::decode(&[1, 9, 9]), Err(older(2)));
}

#[test]
fn claims_of_endless_lengths_are_refused() {
    let begin: [&[u8]; 5] = [&[], &[1], &[1, 1], &[1, 1, 1], &[1, 2, 0]];
    for (version, bytes) in
        [2, 3, 4].into_iter().flat_map(|version| begin.map(|bytes| (version, bytes)))
    {
        let bytes = [&[version][..], bytes].concat();
        assert!(!anybody_takes(&[&bytes[..], &ENDLESS, &[0; 40]].concat()), "{bytes:?}");
    }
}
