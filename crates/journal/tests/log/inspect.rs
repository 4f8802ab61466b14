//! Inspecting shows every frame and judges as opening would, and changes nothing.

use bary_journal::inspect::{Sight, Summary, inspect};
use bary_journal::recovery::OpenError;
use bary_model::id::Lsn;

use crate::world::{Shared, batch, open, written};

/// The numbers of the batches in order, those out of order, and the summary.
fn look(disk: &Shared) -> (Vec<u64>, Vec<u64>, Summary) {
    let (mut sound, mut stray) = (Vec::new(), Vec::new());
    let summary = inspect(&*disk.files(), &mut |sight| {
        if let Sight::Batch { lsn, batch: bytes, in_order, .. } = sight {
            assert_eq!(bytes, batch(lsn));
            if in_order { sound.push(lsn.0) } else { stray.push(lsn.0) }
        }
    });
    (sound, stray, summary.expect("memory does not fail"))
}

#[test]
fn a_sound_log_is_shown_whole_and_left_as_it_is() {
    let disk = written(90, Some(40));
    let before = disk.files().clone();
    let (sound, stray, summary) = look(&disk);
    assert_eq!(*disk.files(), before);
    assert_eq!(sound.last(), Some(&90));
    assert!(stray.is_empty() && summary.refusal.is_none(), "{stray:?} {summary:?}");
    assert_eq!((summary.last, summary.snapshots, summary.cut), (Lsn(90), 1, None));
}

#[test]
fn what_follows_damage_is_shown_and_the_refusal_is_that_of_opening() {
    let disk = written(20, None);
    disk.files().bytes_mut("0000000001.log").expect("it is there")[1024 + 30] ^= 1;
    let (sound, stray, summary) = look(&disk);
    assert_eq!((sound.as_slice(), stray.len()), (&[][..], 19));
    let refusal = summary.refusal.expect("the first batch is damaged").to_string();
    let error = open(&disk).expect_err("the first batch is damaged");
    assert!(matches!(error, OpenError::Corrupt { offset: 1024, .. }));
    assert_eq!(refusal, error.to_string());
}

#[test]
fn a_torn_tail_is_shown_with_what_would_be_cut() {
    let disk = written(6, None);
    let (mut log, _, _) = open(&disk).expect("a sound log");
    for lsn in 7..=35 {
        log.write(Lsn(lsn), &batch(Lsn(lsn))).expect("memory has space");
    }
    drop(log);
    let end = {
        let mut files = disk.files();
        let bytes = files.bytes_mut("0000000001.log").expect("it is there");
        bytes.iter().rposition(|byte| *byte != 0).expect("it is written")
    };
    disk.files().bytes_mut("0000000001.log").expect("it is there")[end - 300] ^= 1;
    let (sound, stray, summary) = look(&disk);
    assert!(!stray.is_empty() && summary.refusal.is_none(), "{stray:?} {summary:?}");
    let cut = summary.cut.expect("an unfinished write lies beyond");
    assert_eq!(summary.last.0, sound.len() as u64);
    let (_, recovered, _) = open(&disk).expect("a torn tail is mended");
    assert_eq!(recovered.cut, Some(cut));
}
