//! Members as processes of this machine, each over a state of its own beside that of this one. They
//! end with this process, whatever becomes of it, since their input does.

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bary_identity::join_line::JoinLine;

use super::{DriveError, Driver, NewMember, Starter};
use crate::serve::log::{Level, Log};

/// How many bytes of a line of a member's log are told at most.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// The processes.
pub(in crate::scaler) struct Local {
    starter: Option<Starter>,
    /// The directory of their states.
    dir: PathBuf,
    slots: u32,
    listen: SocketAddr,
    log: Log,
    running: Running,
}

/// The processes that run, and those that ended though nobody asked them to.
pub(in crate::scaler) type Running = Arc<Mutex<Processes>>;

/// See [`Running`].
#[derive(Debug, Default)]
pub(in crate::scaler) struct Processes {
    /// By name, with what ends each at once when it is dropped; none once it is to end.
    running: BTreeMap<String, Option<ChildStdin>>,
    ended: Vec<(String, String)>,
}

/// Those that ended though nobody asked them to, and how, since this was asked last.
pub(in crate::scaler) fn take_ended(running: &Running) -> Vec<(String, String)> {
    std::mem::take(&mut lock(running).ended)
}

impl Local {
    pub(in crate::scaler) fn new(
        starter: Option<Starter>,
        dir: PathBuf,
        (slots, listen): (u32, SocketAddr),
        log: Log,
        running: Running,
    ) -> Self {
        Self { starter, dir, slots, listen, log, running }
    }

    /// Tells what a member says under its name, and how it ended.
    fn watch(&self, name: String, mut child: Child) -> Result<(), DriveError> {
        let (log, running) = (self.log, Arc::clone(&self.running));
        let told = child.stderr.take();
        let watch = move || {
            let (mut said, mut last) = (told.map(BufReader::new), String::new());
            while let Some(line) = said.as_mut().and_then(next_line) {
                last = line.strip_prefix("bary: ").unwrap_or(&line).to_owned();
                log.say(Level::Info, &format!("{name}: {last}"), &[]);
            }
            let ended = child.wait();
            let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
            log.say(Level::Info, &format!("{name} has ended: {how}"), &[]);
            let mut all = lock(&running);
            if all.running.remove(&name).is_some_and(|input| input.is_some()) {
                all.ended.push((name, format!("{how}: {last}")));
            }
        };
        let spawned = std::thread::Builder::new().name("bary-member".into()).spawn(watch);
        spawned.map(drop).map_err(DriveError::machine("no thread was given"))
    }
}

/// The next line of a log; none at its end.
fn next_line(log: &mut impl std::io::BufRead) -> Option<String> {
    let mut line = Vec::new();
    match log.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(String::from_utf8_lossy(&line).trim_end().to_owned()),
    }
}

impl Driver for Local {
    fn add(&self, name: &str, line: &JoinLine) -> Result<(), DriveError> {
        match lock(&self.running).running.get(name) {
            Some(Some(_)) => return Ok(()),
            Some(None) => return Err(DriveError::Ending),
            None => {}
        }
        let Starter(starter) = self.starter.as_ref().ok_or(DriveError::NoStarter)?;
        let state = self.dir.join(name);
        let mut make = DirBuilder::new();
        make.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut make, 0o700);
        make.create(&state).map_err(DriveError::machine("its state cannot be made"))?;
        let (slots, listen) = (self.slots, self.listen);
        let new = NewMember { name: name.to_owned(), state, slots, listen };
        let started = starter(&new).and_then(|mut command| {
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
            // What a terminal sends to all is not for it: it ends with this process.
            #[cfg(unix)]
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
            command.env_remove("NOTIFY_SOCKET").spawn()
        });
        let mut child = started.map_err(DriveError::machine("it cannot be started"))?;
        if let Some(mut input) = child.stdin.take() {
            // One that has ended already says why in its log.
            drop(writeln!(input, "{}", line.reveal()));
            lock(&self.running).running.insert(name.to_owned(), Some(input));
        }
        self.watch(name.to_owned(), child)
    }

    fn remove(&self, name: &str) -> Result<(), DriveError> {
        // It ends by itself, or now.
        if let Some(input) = lock(&self.running).running.get_mut(name) {
            *input = None;
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
