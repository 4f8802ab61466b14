//! Damaged files are refused with one line or change nothing, whichever bit it is.

use bary_journal::recovery::{Damage, OpenError, Place};
use bary_model::id::Lsn;
use bary_ports::disk::Disk;

use crate::world::{Shared, Told, batch, open, written};

/// Whether the log tells the batches 1 to `last`, or a snapshot and what follows it.
fn is_whole(told: &Told, last: u64) -> bool {
    let first = told.snapshot.as_ref().map_or(1, |(lsn, _)| lsn.0 + 1);
    let wanted: Vec<_> = (first..=last).map(|lsn| (Lsn(lsn), batch(Lsn(lsn)))).collect();
    told.snapshot.as_ref().is_none_or(|(_, state)| state == b"the state") && told.batches == wanted
}

/// Changes each bit of each file, and opens.
fn flip_every_bit(disk: &Shared, last: u64) -> (u32, u32) {
    let sound = disk.files().clone();
    let (mut refused, mut harmless) = (0, 0);
    for listed in sound.names().expect("memory does not fail") {
        for bit in 0..listed.len as usize * 8 {
            let mut spoiled = sound.clone();
            let bytes = spoiled.bytes_mut(&listed.name).expect("it was listed");
            bytes[bit / 8] ^= 1 << (bit % 8);
            match open(&Shared::of(spoiled)) {
                Ok((_, _, told)) => {
                    assert!(is_whole(&told, last), "bit {bit} of {}: {told:?}", listed.name);
                    harmless += 1;
                }
                Err(OpenError::Corrupt { .. } | OpenError::Missing { .. }) => refused += 1,
                Err(error) => panic!("bit {bit} of {}: {error}", listed.name),
            }
        }
    }
    (refused, harmless)
}

#[test]
fn every_bit_of_a_short_log_is_sound_refused_or_of_no_matter() {
    let (refused, harmless) = flip_every_bit(&written(7, None), 7);
    assert!(refused > 7 * 8 * 24, "every bit of a frame is refused: {refused}");
    assert!(harmless > 4096 * 8, "what was never written does not matter: {harmless}");
}

#[test]
fn every_bit_of_a_log_with_a_snapshot_and_segments_is_sound_refused_or_of_no_matter() {
    let (refused, harmless) = flip_every_bit(&written(110, Some(70)), 110);
    assert!(refused > 0 && harmless > 0, "{refused} {harmless}");
}

#[test]
fn a_damaged_batch_is_named_in_one_line() {
    let disk = written(90, None);
    disk.files().bytes_mut("0000000002.log").expect("there are two segments")[1024 + 30] ^= 1;
    let error = open(&disk).expect_err("the batch is damaged").to_string();
    assert_eq!(
        error,
        "segment 2, offset 1024: checksum does not match, and sound records follow; \
         copy the directory, then restore a sound copy or dump what can be read"
    );
}

#[test]
fn a_refused_log_is_left_as_it_was() {
    let disk = written(90, Some(20));
    disk.files().bytes_mut("0000000002.log").expect("there are two segments")[1024 + 30] ^= 1;
    let before = disk.files().clone();
    open(&disk).expect_err("the batch is damaged");
    assert_eq!(*disk.files(), before);
}

#[test]
fn an_unfinished_write_at_the_end_is_cut_off_and_its_place_told() {
    let disk = written(8, None);
    let (mut log, _, _) = open(&disk).expect("a sound log");
    log.write(Lsn(9), b"never synced").expect("memory has space");
    log.write(Lsn(10), &[1; 2200]).expect("memory has space");
    drop(log);
    let sound = disk.files().clone();
    for cut in [1, 24, 30, 100, 2000, 2220, 2230] {
        let disk = Shared::of(sound.clone());
        {
            let mut files = disk.files();
            let bytes = files.bytes_mut("0000000001.log").expect("it is there");
            let used = bytes.iter().rposition(|byte| *byte != 0).expect("it is written") + 1;
            bytes[used - cut..].fill(0);
        }
        let (_, recovered, told) = open(&disk).expect("a torn tail is mended");
        assert_eq!(told.batches.len(), if cut < 2230 { 9 } else { 8 }, "cut {cut}");
        // Behind the mark of the opening, what is no record at all is as good as nothing.
        let expected = (cut < 2230).then_some(1);
        assert_eq!(recovered.cut.map(|cut| cut.segment), expected, "cut {cut}");
        let (_, again, told_again) = open(&disk).expect("it is mended for good");
        assert_eq!((again.cut, told_again), (None, told));
    }
}

#[test]
fn files_that_were_cut_emptied_or_overwritten_are_refused() {
    let disk = written(90, None);
    let sound = disk.files().clone();
    let names: Vec<String> = sound.names().expect("names").into_iter().map(|l| l.name).collect();
    let segments: Vec<&String> = names.iter().filter(|name| name.ends_with(".log")).collect();
    let last = segments[segments.len() - 1];
    assert!(segments.len() >= 2, "{names:?}");
    for &name in &segments {
        for len in [0, 10, 600, 1024, 1100, 4095] {
            let mut files = sound.clone();
            files.truncate(name, len).expect("it is there");
            // The last segment without any header is what a crash leaves of one not yet begun.
            let unbegun = len < 64 && name == last;
            assert_eq!(open(&Shared::of(files)).is_err(), !unbegun, "{name} cut to {len}");
        }
        let mut files = sound.clone();
        files.bytes_mut(name).expect("it is there").fill(0xa5);
        open(&Shared::of(files)).expect_err("rubbish is no log");
        let mut files = sound.clone();
        files.remove(name).expect("it is there");
        let removed = open(&Shared::of(files));
        assert_eq!(removed.is_err(), name != last, "{name} is gone");
    }
}

#[test]
fn a_new_log_whose_making_was_cut_short_is_made_again() {
    let sound = written(0, None).files().clone();
    for len in [0, 100, 1024, 4096] {
        let mut files = sound.clone();
        files.remove("reserve").expect("it is there");
        files.bytes_mut("0000000001.log").expect("it is there").fill(0);
        files.truncate("0000000001.log", len).expect("it is there");
        let (log, _, told) = open(&Shared::of(files)).expect("nothing is lost");
        assert_eq!((log.next(), told), (Lsn(1), Told::default()));
    }
    // With a reserve beside it, the first segment had been made.
    let mut files = sound;
    files.bytes_mut("0000000001.log").expect("it is there").fill(0);
    let error = open(&Shared::of(files)).expect_err("its header is gone");
    let place = Place::Segment(1);
    assert!(matches!(
        error,
        OpenError::Corrupt { place: at, damage: Damage::Header, .. } if at == place
    ));
}

#[test]
fn a_newer_format_is_refused_by_name_and_left_alone() {
    for name in ["0000000001.log", "00000000000000000020.snapshot"] {
        let disk = written(25, Some(20));
        {
            let mut files = disk.files();
            let bytes = files.bytes_mut(name).expect("it is there");
            for header in bytes.chunks_mut(512).take(2) {
                if header.starts_with(b"BARY") {
                    header[8..12].copy_from_slice(&9_u32.to_le_bytes());
                    let sum = crc32c::crc32c(&header[..60]);
                    header[60..64].copy_from_slice(&sum.to_le_bytes());
                }
            }
        }
        let before = disk.files().clone();
        let error = open(&disk).expect_err("this program is older").to_string();
        assert!(error.ends_with("has format 9, and this program knows formats up to 1"), "{error}");
        assert_eq!(*disk.files(), before);
    }
}

#[test]
fn a_file_of_another_log_is_not_taken_for_one_of_this() {
    let disk = written(90, None);
    let other = Shared::default();
    let (mut log, _) =
        bary_journal::log::Log::open(Box::new(other.clone()), crate::world::CONFIG, 6, &mut |_| {
            std::ops::ControlFlow::Continue(())
        })
        .expect("an empty disk takes a log");
    crate::world::write_to(&mut log, 90);
    let foreign = other.files().bytes_mut("0000000002.log").expect("two segments").clone();
    *disk.files().bytes_mut("0000000002.log").expect("two segments") = foreign;
    let error = open(&disk).expect_err("it is another log's").to_string();
    assert!(error.contains("it belongs to log 0000000000000006"), "{error}");
}
