//! How many seeds were run so far, by build: a small file that hunts add to.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The counts of every build.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    builds: BTreeMap<String, Counts>,
}

/// What one build has run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Seeds.
    pub(crate) seeds: u64,
    /// The seed after the last one that was run.
    pub(crate) next: u64,
    /// Those of them that broke something.
    pub(crate) breaks: u64,
}

/// Where hunts add up if nothing else is said.
pub(crate) fn usual() -> PathBuf {
    crate::keep::runs(None).with_file_name("hunt.tally")
}

/// Names this build: its version and a hash of the program.
pub(crate) fn build() -> io::Result<String> {
    let mut program = fs::File::open(std::env::current_exe()?)?;
    let (mut hash, mut buffer) = (0xcbf2_9ce4_8422_2325_u64, vec![0; 1 << 16]);
    loop {
        let read = program.read(&mut buffer)?;
        if read == 0 {
            return Ok(format!("{}-{hash:016x}", env!("CARGO_PKG_VERSION")));
        }
        for word in buffer[..read].chunks(8) {
            let word = word.iter().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
            hash = (hash ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(5);
        }
    }
}

impl Tally {
    /// Reads a tally; one that is not there is empty, and a line that is none is passed over.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Self { builds: text.lines().filter_map(parse).collect() }),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(cause) => Err(cause),
        }
    }

    /// The counts of one build.
    pub(crate) fn of(&self, build: &str) -> Counts {
        self.builds.get(build).copied().unwrap_or_default()
    }

    /// The seeds that all builds have run.
    pub(crate) fn seeds(&self) -> u64 {
        self.builds.values().map(|counts| counts.seeds).sum()
    }

    /// Adds what a hunt ran to the tally of a file, which other hunts may add to at the same time.
    pub(crate) fn add_to(path: &Path, build: &str, counts: Counts) -> io::Result<Self> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let lock = fs::File::create(path.with_extension("lock"))?;
        lock.lock()?;
        let mut tally = Self::read(path)?;
        tally.add(build, counts);
        tally.write(path)?;
        Ok(tally)
    }

    fn add(&mut self, build: &str, counts: Counts) {
        let all = self.builds.entry(build.to_owned()).or_default();
        all.seeds += counts.seeds;
        all.breaks += counts.breaks;
        all.next = all.next.max(counts.next);
    }

    /// Writes it in one piece.
    fn write(&self, path: &Path) -> io::Result<()> {
        let lines = self.builds.iter().map(|(build, counts)| {
            format!("{build} {} {} {}\n", counts.seeds, counts.next, counts.breaks)
        });
        let beside = path.with_extension("new");
        fs::write(&beside, lines.collect::<String>())?;
        fs::rename(&beside, path)
    }
}

fn parse(line: &str) -> Option<(String, Counts)> {
    let mut words = line.split_whitespace();
    let build = words.next()?.to_owned();
    let mut number = || words.next()?.parse().ok();
    Some((build, Counts { seeds: number()?, next: number()?, breaks: number()? }))
}

#[cfg(test)]
mod tests {
    use super::{Counts, Tally};

    #[test]
    fn hunts_add_up_in_their_file() {
        let directory = tempfile::tempdir().expect("a test may make directories");
        let path = directory.path().join("state/hunt.tally");
        for (seeds, next) in [(10, 10), (5, 15)] {
            let counts = Counts { seeds, next, breaks: 1 };
            Tally::add_to(&path, "a", counts).expect("it can be written");
        }
        let tally = Tally::read(&path).expect("it can be read");
        assert_eq!(tally.of("a"), Counts { seeds: 15, next: 15, breaks: 2 });
        assert_eq!(tally.of("b"), Counts::default());
        let one = Counts { seeds: 1, next: 8, breaks: 0 };
        // What was read before others have added something does not undo that.
        let all = Tally::add_to(&path, "b", one).expect("it can be written");
        assert_eq!((tally.seeds(), all.seeds()), (15, 16));
    }
}
