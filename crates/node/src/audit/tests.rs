//! The log over real files: what is written is read again, over files, restarts and tears, and
//! what was changed is found.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use bary_api::problem::{Kind, Refused};
use bary_api::role::Role;
use bary_identity::audit::{Entry, Line, Outcome};
use bary_model::time::Wall;
use tempfile::TempDir;

use super::files::Bounds;
use super::pages::PageError;
use super::verify::{Mark, VerifyError, verify};
use super::{AUDIT, AppendError, Audit, Need, OpenError, memory, segment};

const NOW: Wall = Wall(1_763_745_574_000_000_000);
/// Few enough bytes that a file takes three lines or so.
const BOUNDS: Bounds = Bounds { file: 800, all: u64::MAX };

fn state() -> TempDir {
    tempfile::tempdir().expect("there is room")
}

fn open(state: &TempDir) -> Audit {
    Audit::open_with(state.path(), NOW, BOUNDS).expect("the log is in order")
}

fn entry(target: &str) -> Entry<'_> {
    let (who, door, verb, reason) = ("ci", "grpc", "cancel", "");
    let (role, outcome) = (Some(Role::Operator), Outcome::Done);
    Entry { at: NOW, who, role, door, verb, target, outcome, reason }
}

/// Writes lines about jobs of these numbers.
fn write(audit: &Audit, jobs: std::ops::RangeInclusive<u64>) {
    for job in jobs {
        audit.append(&entry(&format!("job {job}"))).expect("there is room");
    }
}

fn all(audit: &Audit, after: u64, most: usize) -> Vec<Line> {
    let mut pages = audit.pages(after);
    let mut lines = Vec::new();
    loop {
        let page = pages.next_page(most).expect("the log is in order");
        if page.is_empty() {
            return lines;
        }
        assert!(page.len() <= most);
        lines.extend(page);
    }
}

fn numbers(lines: &[Line]) -> Vec<u64> {
    lines.iter().map(|line| line.number).collect()
}

/// The files of a state's log, in order.
fn files(state: &TempDir) -> Vec<PathBuf> {
    let dir = state.path().join(AUDIT);
    let firsts = segment::list(&dir).expect("it is a directory");
    firsts.into_iter().map(|first| segment::path(&dir, first)).collect()
}

#[test]
fn what_is_written_is_read_over_files_and_restarts() {
    let state = state();
    let audit = open(&state);
    assert_eq!((audit.last(), all(&audit, 0, 9)), (0, Vec::new()));
    write(&audit, 1..=10);
    let lines = all(&audit, 0, 4);
    assert_eq!(numbers(&lines), (1..=10).collect::<Vec<_>>());
    assert!(lines.iter().all(|line| line.target == format!("job {}", line.number)));
    drop(audit);
    let audit = open(&state);
    write(&audit, 11..=20);
    assert_eq!(all(&audit, 0, 1_000)[..10], lines);
    for after in 0..=21 {
        let expected: Vec<u64> = (after + 1..=20).collect();
        assert_eq!(numbers(&all(&audit, after, 3)), expected);
    }
    let verified = verify(state.path(), None).expect("it is whole");
    assert!(verified.files > 4, "{verified:?}");
    assert_eq!((verified.first, verified.last.number), (1, 20));
    assert_eq!(verified.last.hash, all(&audit, 19, 1)[0].hash);
}

#[test]
fn who_follows_is_told_of_new_lines_and_reads_only_those() {
    for audit in [open(&state()), Audit::in_memory()] {
        let mut last = audit.watch();
        let mut pages = audit.pages(0);
        for job in 1..=9 {
            write(&audit, job..=job);
            assert!(last.has_changed().expect("the log is open"));
            assert_eq!(*last.borrow_and_update(), job);
            let page = pages.next_page(9).expect("the log is in order");
            assert_eq!(numbers(&page), [job]);
        }
        assert!(pages.next_page(9).expect("the log is in order").is_empty());
    }
}

#[test]
fn many_writers_make_one_chain() {
    let state = state();
    let audit = open(&state);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| write(&audit, 1..=50));
        }
    });
    audit.sync().expect("the disk is in order");
    assert_eq!(audit.last(), 200);
    assert_eq!(verify(state.path(), None).expect("it is whole").last.number, 200);
}

#[test]
fn memory_keeps_the_last_lines() {
    let audit = Audit::in_memory();
    let most = memory::LINES_MAX as u64;
    write(&audit, 1..=most + 5);
    let lines = all(&audit, 0, 1_000);
    assert_eq!(numbers(&lines), (6..=most + 5).collect::<Vec<_>>());
    assert_eq!(numbers(&all(&audit, most, 1_000)).len(), 5);
}

#[test]
fn a_torn_line_is_cut_off_and_a_line_says_so() {
    let torn = [&b"{"[..], b"{\"number\":6,\"at\":\"20", &[0; 4_096], &[0xFF; 3]];
    for tail in torn {
        let state = state();
        write(&open(&state), 1..=5);
        let last = files(&state).pop().expect("there is one");
        let mut file = OpenOptions::new().append(true).open(last).expect("it is there");
        file.write_all(tail).expect("there is room");
        assert!(matches!(verify(state.path(), None), Err(VerifyError::Damaged { .. })));
        let audit = open(&state);
        let lines = all(&audit, 5, 9);
        assert_eq!(numbers(&lines), [6]);
        assert_eq!((&*lines[0].verb, &*lines[0].door), ("audit.repair", "node"));
        let told = format!("cut off {} bytes", tail.len());
        assert!(lines[0].reason.starts_with(&told), "{}", lines[0].reason);
        write(&audit, 7..=9);
        drop(audit);
        assert_eq!(verify(state.path(), None).expect("it is whole").last.number, 9);
    }
}

#[test]
fn every_changed_byte_of_every_file_is_found() {
    let state = state();
    write(&open(&state), 1..=7);
    for path in files(&state) {
        let right = fs::read(&path).expect("it is there");
        for at in 0..right.len() {
            let mut changed = right.clone();
            changed[at] ^= 0x01;
            fs::write(&path, &changed).expect("it can be written");
            let error = verify(state.path(), None).expect_err("a byte was changed").to_string();
            assert!(error.contains(".jsonl`"), "no file is named: {error}");
        }
        fs::write(&path, &right).expect("it can be written");
    }
    verify(state.path(), None).expect("all is as it was");
}

#[test]
fn a_log_whose_last_file_was_changed_is_not_written_to() {
    let state = state();
    write(&open(&state), 1..=5);
    let path = files(&state).pop().expect("there is one");
    let text = fs::read_to_string(&path).expect("it is there");
    fs::write(&path, text.replace("job 5", "job 6")).expect("it can be written");
    let error = Audit::open(state.path(), NOW, u64::MAX).expect_err("it was changed");
    assert!(matches!(&error, OpenError::Damaged { path: told, .. } if *told == path), "{error}");
    let told = error.to_string();
    assert!(told.contains("number 5 was changed") && told.contains("keep its directory"), "{told}");
}

#[test]
fn a_missing_a_renamed_and_a_foreign_file_are_found() {
    let (state, other) = (state(), state());
    write(&open(&state), 1..=12);
    write(&open(&other), 2..=13);
    let all = files(&state);
    let away = state.path().join("away");
    fs::rename(&all[1], &away).expect("it is there");
    let error = verify(state.path(), None).expect_err("a file is missing").to_string();
    assert!(error.contains("are missing before number"), "{error}");
    fs::copy(&files(&other)[1], &all[1]).expect("there is room");
    let error = verify(state.path(), None).expect_err("it is of another log").to_string();
    assert!(error.contains("line 1: it goes on after another log's line"), "{error}");
    fs::rename(&away, &all[1]).expect("it is there");
    let name = state.path().join(AUDIT).join(segment::name(99));
    fs::rename(all.last().expect("there are some"), name).expect("it is there");
    assert!(matches!(verify(state.path(), None), Err(VerifyError::Renamed { .. })));
}

#[test]
fn the_oldest_files_may_be_moved_away() {
    let state = state();
    let audit = open(&state);
    write(&audit, 1..=12);
    fs::remove_file(&files(&state)[0]).expect("it is there");
    let verified = verify(&state.path().join(AUDIT), None).expect("what is left is whole");
    assert!(verified.first > 1);
    drop(audit);
    let lines = all(&open(&state), 0, 9);
    assert_eq!(numbers(&lines), (verified.first..=12).collect::<Vec<_>>());
}

#[test]
fn a_mark_shows_that_whole_lines_were_cut_off_or_written_anew() {
    let state = state();
    let audit = open(&state);
    write(&audit, 1..=12);
    let mark = verify(state.path(), None).expect("it is whole").last;
    write(&audit, 13..=14);
    drop(audit);
    verify(state.path(), Some(&mark)).expect("the line is still there");
    fs::remove_file(files(&state).pop().expect("there is one")).expect("it is there");
    fs::remove_file(files(&state).pop().expect("there is one")).expect("it is there");
    let last = verify(state.path(), None).expect("what is left looks whole").last.number;
    let gone = verify(state.path(), Some(&mark));
    assert!(matches!(gone, Err(VerifyError::Gone { last: told, .. }) if told == last));
    write(&open(&state), 100..=120);
    let other = verify(state.path(), Some(&mark));
    assert!(matches!(other, Err(VerifyError::Other { mark: told, .. }) if told == mark));
    let early = Mark { number: 0, hash: mark.hash };
    assert!(matches!(verify(state.path(), Some(&early)), Err(VerifyError::Gone { .. })));
}

#[test]
fn a_file_that_was_shortened_while_it_was_open_is_told() {
    let state = state();
    let audit = open(&state);
    write(&audit, 1..=2);
    let path = files(&state).pop().expect("there is one");
    let text = fs::read_to_string(&path).expect("it is there");
    let head = text.find('\n').expect("it has lines") + 1;
    fs::write(&path, &text[..head]).expect("it can be written");
    let short = audit.pages(0).next_page(9);
    assert!(matches!(short, Err(PageError::Short { number: 1, .. })), "{short:?}");
}

#[test]
fn a_directory_without_a_log_is_told() {
    let state = state();
    for dir in [state.path().to_owned(), state.path().join("none")] {
        assert!(matches!(verify(&dir, None), Err(VerifyError::NoLog(told)) if told == dir));
    }
}

#[test]
fn what_cannot_be_written_is_no_line_and_can_be_tried_again() {
    let state = state();
    let audit = open(&state);
    let mut lines = 0;
    // A directory stands where the draft of the second file would be made.
    write(&audit, 1..=1);
    let line = fs::metadata(&files(&state)[0]).expect("it is there").len() / 2;
    let first = (BOUNDS.file / line) + 3;
    for next in 2..=first {
        let draft = format!("{}.draft", segment::name(next));
        fs::create_dir(state.path().join(AUDIT).join(draft)).expect("there is room");
    }
    let error = loop {
        match audit.append(&entry("job")) {
            Ok(_) => lines += 1,
            Err(error) => break error,
        }
        assert!(lines < 100, "a file takes a few lines");
    };
    assert!(matches!(error, AppendError::Failed(_)), "{error}");
    let refused = Refused::from(error);
    assert_eq!(
        (refused.kind, refused.title.starts_with("it was not done")),
        (Kind::Unavailable, true)
    );
    assert_eq!(audit.last(), lines + 1);
    for next in 2..=first {
        let draft = format!("{}.draft", segment::name(next));
        fs::remove_dir(state.path().join(AUDIT).join(draft)).expect("it is there");
    }
    write(&audit, 1..=5);
    assert_eq!(verify(state.path(), None).expect("it is whole").last.number, lines + 6);
}

#[test]
fn a_log_that_the_disk_failed_takes_no_more() {
    let full = AppendError::of(std::io::ErrorKind::StorageFull.into());
    assert!(matches!(full, AppendError::Full));
    assert_eq!(Refused::from(full).kind, Kind::Full);
    let state = state();
    let dir = state.path().join(AUDIT);
    let mut files = super::files::Files::open(&dir, NOW, BOUNDS).expect("it is new");
    files.append(&entry("job")).expect("there is room");
    let broken = files.give_up(&std::io::Error::other("the disk is gone"));
    assert!(matches!(&broken, AppendError::Broken(why) if **why == *"the disk is gone"));
    let syncer = super::syncer::Syncer::start(files).expect("there are threads");
    let audit = Audit::new(super::Place::Disk(syncer), 1);
    for error in [audit.append(&entry("job")).err(), audit.sync().err()] {
        assert!(matches!(error, Some(AppendError::Broken(_))), "{error:?}");
    }
    assert_eq!(audit.last(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn room_on_the_disk_is_set_aside_and_moves_on_to_the_next_file() {
    use std::os::unix::fs::MetadataExt;

    let taken = |file: &PathBuf| fs::metadata(file).expect("it is there").blocks() * 512;
    let state = state();
    let audit = open(&state);
    audit.make_sure(Need::More).expect("there is room");
    assert!(!audit.is_full() && taken(&files(&state)[0]) >= 512 << 10);
    write(&audit, 1..=20);
    let files = files(&state);
    let (last, earlier) = files.split_last().expect("there are some");
    assert!(taken(last) >= 256 << 10 && earlier.iter().all(|file| taken(file) <= 64 << 10));
    assert_eq!(numbers(&all(&audit, 0, 99)), (1..=20).collect::<Vec<_>>());
}

#[cfg(unix)]
#[test]
fn the_log_is_private() {
    use std::os::unix::fs::MetadataExt;

    let state = state();
    write(&open(&state), 1..=9);
    let mode = |path: &std::path::Path| fs::metadata(path).expect("it is there").mode() & 0o7777;
    assert_eq!(mode(&state.path().join(AUDIT)), 0o700);
    for file in files(&state) {
        assert_eq!(mode(&file), 0o600);
    }
}

#[test]
fn a_log_is_shared_by_its_copies() {
    let audit = Audit::in_memory();
    let copy = audit.clone();
    write(&copy, 1..=3);
    assert_eq!(audit.last(), 3);
    assert_eq!(Arc::strong_count(&audit.place), 2);
}

#[test]
fn the_oldest_files_go_past_a_limit_and_the_rest_can_be_verified() {
    let state = state();
    let bounds = Bounds { all: 4_000, ..BOUNDS };
    let open = |bounds| Audit::open_with(state.path(), NOW, bounds).expect("the log is in order");
    let audit = open(BOUNDS);
    write(&audit, 1..=5);
    let noted = verify(state.path(), None).expect("it is whole").last;
    write(&audit, 6..=100);
    let before = all(&audit, 0, 1_000);
    assert_eq!(before.len(), 100);
    drop(audit);
    let audit = open(bounds);
    write(&audit, 101..=200);
    let bytes: u64 =
        files(&state).iter().map(|file| file.metadata().expect("it is there").len()).sum();
    assert!(bytes <= bounds.all + 2 * bounds.file, "{bytes}");
    let lines = all(&audit, 0, 1_000);
    let first = lines[0].number;
    assert!(first > 100 && numbers(&lines) == (first..=audit.last()).collect::<Vec<_>>());
    let told: Vec<&Line> = lines.iter().filter(|line| line.verb == "audit.trim").collect();
    let last = told.last().expect("it is told");
    assert!(
        last.reason.ends_with(&format!("to {} were removed (limit audit_bytes_max)", first - 1))
    );
    assert!(last.target.contains(&first.to_string()), "{last:?}");
    let verified = verify(state.path(), None).expect("what is left is whole");
    assert_eq!((verified.first, verified.last.number), (first, audit.last()));
    let gone = verify(state.path(), Some(&noted));
    assert!(matches!(gone, Err(VerifyError::Gone { .. })), "{gone:?}");
    // The first file says which line it goes on after, so that it cannot be swapped for another.
    let oldest = &files(&state)[0];
    let text = fs::read_to_string(oldest).expect("it is text");
    fs::write(oldest, text.replacen("job", "jab", 1)).expect("there is room");
    assert!(verify(state.path(), None).is_err());
}
