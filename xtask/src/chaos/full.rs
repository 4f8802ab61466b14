//! A disk that is full: a state on a small one of its own, filled and freed again.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::chaos::life::{Fate, Life, live};
use crate::chaos::node;
use crate::process::capture;

/// How large the disk is: three of a journal's segments.
const DISK: &str = "24m";
pub(crate) const MIB: u64 = 1 << 20;
/// Room for a segment and the reserve, and not for the next segment.
const ROOM: u64 = 13 * MIB;
/// Enough tasks that the journal outgrows a segment and the reserve, which are 12 MiB.
const MANY: &str = "1-70000";
/// How long a run that must wait for space is watched.
const WATCHED: Duration = Duration::from_millis(500);

/// Fills a disk under states; what came of it in words. Whoever may not mount one skips it.
pub(crate) fn check(bary: &Path, scratch: &Path) -> Result<String, String> {
    let mut probe = Command::new("unshare");
    probe.args(["-rm", "mount", "-t", "tmpfs", "none"]).arg(scratch);
    if !capture(probe).is_ok_and(|ended| ended.ok) {
        return Ok("disk full: SKIPPED, since `unshare -rm mount` is not allowed here".to_owned());
    }
    let folder = scratch.join("disk");
    fs::create_dir_all(&folder).map_err(|cause| format!("{}: {cause}", folder.display()))?;
    let own = std::env::current_exe().map_err(|cause| format!("xtask: {cause}"))?;
    let mounted = format!(
        "mount -t tmpfs -o size={DISK} none \"$1\" && exec \"$2\" chaos-inside \
                           \"$3\" \"$1\""
    );
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", &mounted, "sh"]).arg(&folder).arg(own).arg(bary);
    let ended = capture(command).map_err(|error| error.to_string())?;
    let said = ended.output.trim_end();
    if ended.ok {
        Ok(format!("disk full: passed; {said}"))
    } else {
        Err(format!("disk full: {said}"))
    }
}

/// The part that runs where the disk is mounted.
pub(crate) fn inside(bary: &Path, folder: &Path) -> bool {
    let disk = Disk { bary, folder };
    let new_job = disk.told("a new job on a full disk", disk.new_job());
    let reserve = disk.told("a run that has its reserve", disk.reserve());
    let wait = disk.told("a run that needs more", disk.wait());
    let node = node::full::scene(bary, &disk).map(|said| println!("{said}"));
    let node = disk.told("a node on a full disk", node);
    new_job && reserve && wait && node
}

/// A small disk that may be filled.
pub(crate) struct Disk<'a> {
    bary: &'a Path,
    /// Where it is.
    pub(crate) folder: &'a Path,
}

impl Disk<'_> {
    /// Nothing is submitted while room is low or there is none, and all goes on when there is.
    fn new_job(&self) -> Result<(), String> {
        for left in [0, 4, 10] {
            self.fill(left * MIB)?;
            let life = live(self.map("1-5"), Fate::Natural)?;
            ended(&life, 75, 0).map_err(|fault| format!("{left} MiB are free: {fault}"))?;
            self.free()?;
        }
        ended(&live(self.map("1-5"), Fate::Natural)?, 0, 5)?;
        // What is done needs no room to be told again.
        self.fill(0)?;
        ended(&live(self.map("1-5"), Fate::Natural)?, 0, 5)
    }

    /// Work that was taken on ends while nothing new would be taken.
    fn reserve(&self) -> Result<(), String> {
        self.fill(ROOM)?;
        live(self.map("1-40000"), Fate::Printed(1, Duration::ZERO))?;
        ended(&live(self.map("1-40000"), Fate::Natural)?, 0, 40_000)?;
        self.verify()
    }

    /// What does not even fit the reserve waits, and goes on when there is space.
    fn wait(&self) -> Result<(), String> {
        self.fill(ROOM)?;
        let mut child = self
            .map(MANY)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|cause| format!("bary did not run: {cause}"))?;
        let mut waits = || child.try_wait().map(|ended| ended.is_none()).unwrap_or(false);
        let journal = self.folder.join("state/journal/reserve");
        // The reserve is used when its file has become a segment.
        while waits() && journal.exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(WATCHED);
        let waited = waits();
        self.free()?;
        let status = child.wait().map_err(|cause| format!("bary was not reaped: {cause}"))?;
        if !waited || !status.success() {
            return Err(format!("it waited for space: {waited}; it ended with {status}"));
        }
        ended(&live(self.map(MANY), Fate::Natural)?, 0, 70_000)?;
        self.verify()
    }

    /// Says what is wrong with a scene, and empties the disk for the next.
    fn told(&self, scene: &str, came: Result<(), String>) -> bool {
        let faults = [came, self.empty()].into_iter().filter_map(Result::err);
        faults.map(|fault| println!("{scene}: {fault}")).count() == 0
    }

    fn map(&self, array: &str) -> Command {
        let mut command = Command::new(self.bary);
        command.args([
            "map",
            "--state",
            "state",
            "--array",
            array,
            "--function",
            "fibonacci",
            "900",
        ]);
        command.current_dir(self.folder).stdin(Stdio::null()).env_remove("BARY_OUTPUT");
        command.env("XDG_STATE_HOME", self.folder.join("home"));
        command
    }

    fn verify(&self) -> Result<(), String> {
        let mut command = Command::new(self.bary);
        command.args(["journal", "verify", "state"]).current_dir(self.folder);
        ended(&live(command, Fate::Natural)?, 0, 1)
    }

    /// Fills the disk until so many bytes are left. What filled it before stays, so that there is
    /// never more space meanwhile.
    pub(crate) fn fill(&self, left: u64) -> Result<(), String> {
        let filled = || {
            let mut file = File::options().create(true).append(true).open(self.filler())?;
            let piece = [0; 4096];
            let mut bytes = file.metadata()?.len();
            loop {
                match file.write(&piece) {
                    Ok(written) => bytes += written as u64,
                    Err(cause) if cause.kind() == ErrorKind::StorageFull => break,
                    Err(cause) => return Err(cause),
                }
            }
            file.set_len(bytes.saturating_sub(left))
        };
        filled().map_err(|cause| format!("the disk cannot be filled: {cause}"))
    }

    /// Gives back what was filled.
    pub(crate) fn free(&self) -> Result<(), String> {
        fs::remove_file(self.filler()).map_err(|cause| format!("the filler: {cause}"))
    }

    fn empty(&self) -> Result<(), String> {
        let emptied = || {
            for entry in fs::read_dir(self.folder)? {
                let path = entry?.path();
                if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }?;
            }
            Ok(())
        };
        emptied().map_err(|cause: std::io::Error| format!("the disk: {cause}"))
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }
}

fn ended(life: &Life, code: i32, lines: usize) -> Result<(), String> {
    let is = life.exit.and_then(|exit| exit.code());
    if is == Some(code) && life.lines.len() == lines {
        return Ok(());
    }
    let (printed, said) = (life.lines.len(), life.stderr.trim_end());
    Err(format!("{is:?} rather than {code}, {printed} lines rather than {lines}: {said}"))
}
