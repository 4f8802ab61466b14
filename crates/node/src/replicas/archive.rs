//! A shard as one file on its way to another member: whose it is, and its journal.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use bary_journal::copying::{LogFile, whole_bytes};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::state::{JOURNAL, STATE};

/// Where what was unpacked is until it is whole.
const INCOMING: &str = "journal-incoming";
/// Where what it takes the place of goes.
const FORMER: &str = "journal-former";

fn wrong(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// Packs the shard of a directory, whose journal may be written meanwhile, but not rewritten.
pub(super) fn pack(dir: &Path, into: &Path) -> io::Result<()> {
    let mut zip = ZipWriter::new(File::create(into)?);
    let mut add = |name: &str, bytes: &mut dyn Read| {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(1))
            .large_file(true);
        zip.start_file(name, options).map_err(wrong)?;
        io::copy(bytes, &mut zip).map(drop)
    };
    add(STATE, &mut File::open(dir.join(STATE))?)?;
    let mut files = Vec::new();
    for entry in fs::read_dir(dir.join(JOURNAL))? {
        let name = entry?.file_name();
        let name = name.to_str().map(str::to_owned);
        files.extend(name.and_then(|name| Some((LogFile::of(&name)?, name))));
    }
    files.sort_unstable();
    let segments = files.iter().filter_map(|(file, _)| match file {
        LogFile::Segment(number) => Some(*number),
        LogFile::Snapshot(_) => None,
    });
    let last = segments.max();
    for (file, name) in files {
        let mut from = File::open(dir.join(JOURNAL).join(&name))?;
        let name = format!("{JOURNAL}/{name}");
        if let LogFile::Segment(number) = file
            && Some(number) == last
        {
            // Only what was whole when it was read.
            let mut bytes = Vec::new();
            from.read_to_end(&mut bytes)?;
            let Some(whole) = whole_bytes(number, &bytes) else { continue };
            bytes[whole..].fill(0);
            add(&name, &mut &*bytes)?;
        } else {
            add(&name, &mut from)?;
        }
    }
    zip.finish().map_err(wrong)?.sync_all()
}

/// Has a directory hold a shard that was packed, in place of what it held. Nobody has its journal
/// open.
pub(super) fn unpack(from: &Path, dir: &Path) -> io::Result<()> {
    let incoming = dir.join(INCOMING);
    remove(&incoming)?;
    fs::create_dir_all(&incoming)?;
    let mut zip = ZipArchive::new(File::open(from)?).map_err(wrong)?;
    let mut state = None;
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).map_err(wrong)?;
        let name = file.name().map_err(wrong)?.into_owned();
        if name == STATE {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            state = Some(bytes);
            continue;
        }
        // A name of any other form may lead anywhere.
        let name = name.strip_prefix(JOURNAL).and_then(|name| name.strip_prefix('/'));
        let name = name.filter(|name| LogFile::of(name).is_some());
        let name = name.ok_or_else(|| wrong("a journal that came has a file of another name"))?;
        write(&incoming.join(name), &mut file)?;
    }
    let state = state.ok_or_else(|| wrong("a journal that came does not say whose it is"))?;
    sync(&incoming)?;
    write(&dir.join(STATE), &mut &*state)?;
    remove(&dir.join(FORMER))?;
    if dir.join(JOURNAL).exists() {
        fs::rename(dir.join(JOURNAL), dir.join(FORMER))?;
    }
    fs::rename(&incoming, dir.join(JOURNAL))?;
    sync(dir)?;
    remove(&dir.join(FORMER))
}

/// Ends what a crash has left half done.
pub(super) fn mend(dir: &Path) -> io::Result<()> {
    // What was moved away had its successor whole by then.
    if !dir.join(JOURNAL).exists() && dir.join(FORMER).exists() {
        fs::rename(dir.join(INCOMING), dir.join(JOURNAL))?;
        sync(dir)?;
    }
    remove(&dir.join(INCOMING))?;
    remove(&dir.join(FORMER))
}

fn write(path: &Path, bytes: &mut dyn Read) -> io::Result<()> {
    let mut file = File::create(path)?;
    io::copy(bytes, &mut file)?;
    file.sync_all()
}

fn sync(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}

fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use bary_model::id::Lsn;
    use bary_replica::copy::Copy as _;
    use bytes::Bytes;

    use super::*;
    use crate::replicas::copying::ShardCopy;
    use crate::state::State;

    const AFTER: u64 = 16 << 20;

    fn shard(batches: u64) -> (tempfile::TempDir, ShardCopy) {
        let dir = tempfile::tempdir().expect("there is room");
        drop(State::open(dir.path(), &mut |_| {}).expect("there is room"));
        let copy = ShardCopy::open(dir.path(), AFTER).expect("it is there");
        for lsn in 1..=batches {
            assert_eq!(copy.next(), Lsn(lsn));
            copy.append(Lsn(lsn), &Bytes::from(vec![7; 1_000])).expect("there is room");
        }
        copy.sync().expect("there is room");
        (dir, copy)
    }

    #[test]
    fn a_shard_is_elsewhere_what_it_was_and_goes_on() {
        let (from, copy) = shard(20);
        let to = tempfile::tempdir().expect("there is room");
        let other = ShardCopy::open(to.path(), AFTER).expect("there is room");
        assert!(other.append(Lsn(1), &Bytes::new()).is_err(), "nothing has come yet");
        let packed = to.path().join("packed");
        copy.pack(&packed).expect("there is room");
        other.unpack(&packed).expect("it is whole");
        assert_eq!(other.next(), Lsn(21));
        other.append(Lsn(21), &Bytes::from_static(b"more")).expect("there is room");
        other.sync().expect("there is room");
        // What it is given once more takes the place of all.
        other.unpack(&packed).expect("it is whole");
        assert_eq!(other.next(), Lsn(21));
        other.rest();
        let born = |dir: &Path| fs::read(dir.join(STATE)).expect("it is there");
        assert_eq!(born(from.path()), born(to.path()), "it is the same shard");
        let log = State::log(to.path()).expect("nobody has it");
        assert_eq!(log.next(), Lsn(21));
    }

    #[test]
    fn what_comes_while_a_journal_rests_waits_until_it_is_written_again() {
        let (_dir, copy) = shard(2);
        copy.rest();
        let next = copy.next();
        std::thread::scope(|scope| {
            let came = scope.spawn(|| {
                copy.append(next, &Bytes::from_static(b"meanwhile"))?;
                copy.sync()
            });
            copy.keep().expect("it is whole");
            came.join().expect("it does not panic").expect("it is written");
        });
        assert_eq!(copy.next(), Lsn(next.0 + 1));
        // It is written already.
        copy.keep().expect("nothing is opened");
        // What waits for one that is closed for good is told so.
        copy.rest();
        std::thread::scope(|scope| {
            let late = scope.spawn(|| copy.append(copy.next(), &Bytes::from_static(b"late")));
            copy.shut();
            assert!(late.join().expect("it does not panic").is_err());
        });
    }

    #[test]
    fn a_file_that_would_lie_elsewhere_is_refused_and_nothing_is_lost() {
        let (dir, copy) = shard(3);
        for name in ["../evil", "journal/../../evil", "/evil", "journal/evil", "journal/"] {
            let packed = dir.path().join("packed");
            let mut zip = ZipWriter::new(File::create(&packed).expect("there is room"));
            for name in [STATE, name] {
                zip.start_file(name, SimpleFileOptions::default()).expect("it is a name");
                zip.write_all(b"x").expect("there is room");
            }
            zip.finish().expect("there is room");
            assert!(copy.unpack(&packed).is_err(), "{name}");
            assert_eq!(copy.next(), Lsn(4), "{name}");
        }
        assert!(!dir.path().with_file_name("evil").exists());
    }

    #[test]
    fn a_crash_between_two_journals_leaves_the_one_that_came() {
        let (dir, copy) = shard(5);
        copy.rest();
        let path = |name: &str| dir.path().join(name);
        fs::create_dir(path(INCOMING)).expect("there is room");
        for entry in fs::read_dir(path(JOURNAL)).expect("it is there") {
            let entry = entry.expect("it is there");
            let to = path(INCOMING).join(entry.file_name());
            fs::copy(entry.path(), to).expect("there is room");
        }
        fs::rename(path(JOURNAL), path(FORMER)).expect("it is there");
        mend(dir.path()).expect("it can be");
        assert!(!path(FORMER).exists() && !path(INCOMING).exists());
        assert_eq!(State::log(dir.path()).expect("it is whole").next(), Lsn(6));
    }
}
