//! Ctrl-C and its kin: the first one asks the run to end, the second ends it at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

use bary_model::outcome::Failure;
use bary_node::cluster::Cluster;

use crate::exit::Exit;

/// The signal that asked this process to end, if one did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    first: Arc<AtomicI32>,
}

impl Signals {
    /// The exit code that the first signal asks for.
    pub(crate) fn exit(&self) -> Option<Exit> {
        match self.first.load(Ordering::Relaxed) {
            0 => None,
            signal => Some(exit_of(signal)),
        }
    }

    /// Listens from now on; each signal wakes the listener of the cluster.
    #[cfg(unix)]
    pub(crate) fn listen(cluster: &Arc<Cluster>) -> io::Result<Self> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let signals = Self::default();
        let mut wanted = vec![SIGINT, SIGTERM];
        if !is_ignored(SIGHUP) {
            wanted.push(SIGHUP);
        }
        let mut heard = signal_hook::iterator::Signals::new(wanted)?;
        let (first, cluster) = (Arc::clone(&signals.first), Arc::clone(cluster));
        let listen = move || {
            for signal in heard.forever() {
                let before =
                    first.compare_exchange(0, signal, Ordering::Relaxed, Ordering::Relaxed);
                match before {
                    Ok(_) => cluster.poker().poke(),
                    Err(first) => end_at_once(&cluster, exit_of(first)),
                }
            }
        };
        std::thread::Builder::new().name("bary-signals".into()).spawn(listen)?;
        Ok(signals)
    }

    /// Elsewhere the system ends the process by itself.
    #[cfg(not(unix))]
    pub(crate) fn listen(_: &Arc<Cluster>) -> io::Result<Self> {
        Ok(Self::default())
    }
}

/// Notes the first signal for a loop that looks now and then; the second ends the process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    first: Arc<AtomicUsize>,
}

impl Heard {
    /// Listens from now on.
    #[cfg(unix)]
    pub(crate) fn listen() -> io::Result<Self> {
        use signal_hook::consts::{SIGINT, SIGTERM};
        let heard = Self::default();
        let again = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            let exit = i32::from(exit_of(signal).0);
            // In this order: the first signal finds the flag unset and sets it.
            signal_hook::flag::register_conditional_shutdown(signal, exit, Arc::clone(&again))?;
            signal_hook::flag::register(signal, Arc::clone(&again))?;
            let number = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, Arc::clone(&heard.first), number)?;
        }
        Ok(heard)
    }

    /// Elsewhere the system ends the process by itself.
    #[cfg(not(unix))]
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self::default())
    }

    /// The exit code that the signal asks for, if there was one.
    pub(crate) fn exit(&self) -> Option<Exit> {
        match i32::try_from(self.first.load(Ordering::Relaxed)) {
            Ok(0) | Err(_) => None,
            Ok(signal) => Some(exit_of(signal)),
        }
    }
}

/// 128 + the signal, as a shell reports it.
fn exit_of(signal: i32) -> Exit {
    match signal {
        1 => Exit::HUNG_UP,
        2 => Exit::INTERRUPTED,
        15 => Exit::TERMINATED,
        other => Exit::of_command(128 + other),
    }
}

/// Whether this process was started with the signal ignored, as `nohup` does; it stays so then.
#[cfg(target_os = "linux")]
fn is_ignored(signal: i32) -> bool {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = text.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// Elsewhere it cannot be asked for without changing it.
#[cfg(all(unix, not(target_os = "linux")))]
fn is_ignored(_: i32) -> bool {
    false
}

/// How long the rest of the process has to end by itself once everything was killed.
#[cfg(unix)]
const LAST_WORDS_SPAN_MAX: std::time::Duration = std::time::Duration::from_secs(2);

/// Kills all process trees. The run is over then and the process ends with its last words; where
/// it waits for a reader that takes none, it ends without.
#[cfg(unix)]
fn end_at_once(cluster: &Arc<Cluster>, exit: Exit) -> ! {
    cluster.kill_now();
    std::thread::sleep(LAST_WORDS_SPAN_MAX);
    std::process::exit(i32::from(exit.0));
}

/// A failure in words, signals by their names.
pub(crate) fn named(failure: &Failure) -> String {
    match failure {
        Failure::Signal(signal) => match name(*signal) {
            Some(name) => format!("killed by {name}"),
            None => failure.to_string(),
        },
        _ => failure.to_string(),
    }
}

#[cfg(unix)]
fn name(signal: i32) -> Option<&'static str> {
    signal_hook::low_level::signal_name(signal)
}

#[cfg(not(unix))]
fn name(_: i32) -> Option<&'static str> {
    None
}
