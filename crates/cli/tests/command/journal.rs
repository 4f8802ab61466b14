//! `bary journal`: what is sound is told in one line, and what is damaged in another.

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use crate::bench::{Bench, Run};

/// A state on which five commands have run.
fn state() -> Bench {
    let bench = Bench::new();
    bench.bary(&["map", "--state", "s", "-j", "1", "echo", ":::", "a", "b", "c", "d", "e"]);
    bench
}

fn segment(bench: &Bench) -> PathBuf {
    bench.path().join("s/journal/0000000001.log")
}

/// Changes one byte of the segment.
fn spoil(bench: &Bench, offset: u64) {
    let mut file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(segment(bench))
        .expect("the state has a segment");
    let mut byte = [0];
    let mut change = || {
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(&mut byte)?;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(&[byte[0] ^ 1])
    };
    change().expect("it can be changed");
}

/// Where each batch begins.
fn offsets(dump: &Run) -> Vec<u64> {
    let rows = dump.out.lines().map(|line| -> serde_json::Value {
        serde_json::from_str(line).expect("each line is JSON")
    });
    let batches = rows.filter(|row| row["epoch"].is_u64());
    let mut offsets: Vec<u64> = batches.filter_map(|row| row["offset"].as_u64()).collect();
    offsets.dedup();
    offsets
}

#[test]
fn a_sound_journal_is_told_in_one_line_and_left_as_it_is() {
    let bench = state();
    let before = fs::read(segment(&bench)).expect("the state has a segment");
    let told = bench.bary(&["journal", "verify", "s"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.out.starts_with("sound: 1 segment, "), "{told:?}");
    let what = "epoch 1, 1 job, 5 tasks (5 succeeded), written from ";
    assert!(told.out.contains(what), "{told:?}");
    let document = bench.bary(&["journal", "verify", "s", "-o", "json"]).json();
    assert_eq!(document["sound"], true);
    assert_eq!(document["tasks"]["succeeded"], 5);
    assert_eq!(before, fs::read(segment(&bench)).expect("the state has a segment"));
}

#[test]
fn what_is_damaged_is_named_with_its_place() {
    let bench = state();
    let offsets = offsets(&bench.bary(&["journal", "dump", "s", "-o", "jsonl"]));
    assert!(offsets.len() > 5, "{offsets:?}");
    spoil(&bench, offsets[2] + 30);
    let place = format!("segment 1, offset {}: checksum does not match", offsets[2]);
    bench.bary(&["journal", "verify", "s"]).says(1, &place);
    let document = bench.bary(&["journal", "verify", "s", "-o", "json"]).json();
    assert_eq!(document["sound"], false);
    let dump = bench.bary(&["journal", "dump", "s"]);
    dump.says(1, &place);
    assert!(dump.out.contains("submitted") && dump.out.contains("(out of order)"), "{dump:?}");
    bench.bary(&["journal", "export", "s"]).says(1, &place).is(1, "");
}

#[test]
fn an_unfinished_write_is_no_damage() {
    let bench = state();
    let offsets = offsets(&bench.bary(&["journal", "dump", "s", "-o", "jsonl"]));
    let last = *offsets.last().expect("there are batches");
    // The last batch's mark goes too: nothing calls the batch durable any more.
    let mut bytes = fs::read(segment(&bench)).expect("the state has a segment");
    bytes[last as usize + 40..].fill(0);
    fs::write(segment(&bench), bytes).expect("it can be changed");
    let told = bench.bary(&["journal", "verify", "s"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.out.contains("opening will cut off an unfinished write"), "{told:?}");
    assert!(told.out.contains("4 succeeded"), "{told:?}");
}

#[test]
fn a_history_holds_every_invariant_and_a_forged_one_does_not() {
    let bench = state();
    bench.bary(&["map", "--state", "s", "-j", "1", "echo", ":::", "a", "b", "c", "d", "e"]);
    let history = bench.bary(&["journal", "export", "s"]);
    assert_eq!(history.code, Some(0), "{history:?}");
    let judge = |text: &str| bench.fed(&["sim", "judge", "--ended", "-"], text);
    assert_eq!(judge(&history.out).code, Some(0), "{:?}", judge(&history.out));
    let (mut lines, mut ended) = (Vec::new(), None);
    for line in history.out.lines() {
        lines.push(line.to_owned());
        ended = line.contains("\"Ended\"").then(|| line.to_owned()).or(ended);
    }
    // A task ends a second time, in a batch of its own behind the last.
    let mut forged: serde_json::Value =
        serde_json::from_str(&ended.expect("some task ended")).expect("each line is JSON");
    let last: serde_json::Value =
        serde_json::from_str(&lines[lines.len() - 1]).expect("each line is JSON");
    let next = last["fact"]["Durable"]["lsn"].as_u64().expect("it ends with a batch") + 1;
    forged["fact"]["Appended"]["lsn"] = next.into();
    forged["fact"]["Appended"]["epoch"] = 2.into();
    let mut durable = last;
    durable["fact"]["Durable"]["lsn"] = next.into();
    lines.extend([forged.to_string(), durable.to_string()]);
    let judged = judge(&lines.join("\n"));
    assert_eq!(judged.code, Some(1), "{judged:?}");
    assert!(judged.out.contains("broken"), "{judged:?}");
}

#[test]
fn what_is_not_there_is_not_found() {
    let bench = Bench::new();
    bench.bary(&["journal", "verify", "nowhere"]).says(3, "nowhere");
    fs::create_dir(bench.path().join("empty")).expect("there is room");
    bench.bary(&["journal", "dump", "empty"]).says(3, "holds no journal");
}
