//! How an executor runs tasks: its node, its limits and its surroundings.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bary_model::id::NodeId;
use bary_model::message::GrantItem;
use bary_model::outcome::Failure;
use bary_ports::function::Rank;

use crate::leftover::Family;

/// How an executor runs tasks.
#[derive(Clone, Debug)]
pub struct ExecutorConfig {
    /// The node it runs tasks for; commands see it as `BARY_NODE`. Defaults to node 0.
    pub node: NodeId,
    /// The speed of the node relative to others; functions read it. Defaults to 1.
    pub speed: f64,
    /// Makes a node of this process slower than the machine: a task that took some time keeps its
    /// slot for `stretch` times as long. The function `sleep` is left alone, since it scales by
    /// the speed itself. At least 1. Defaults to 1, which is off.
    pub stretch: f64,
    /// Under which addresses other nodes are reached; ranks of gangs are told where rank 0 is.
    pub addresses: Addresses,
    /// The most bytes kept of each output stream of a command; what follows is read and thrown
    /// away. Standard error then begins with the line `[bary: output cut at 64 MiB]`; where it was
    /// cut itself, its own last 4 KiB are kept at its end. Defaults to 64 MiB.
    pub output_bytes_max: u64,
    /// The most bytes of one output stream held in memory; more goes to an unlinked file in
    /// [`ExecutorConfig::scratch_dir`]. A task whose output cannot be written there fails when its
    /// command has ended, whatever its exit code; where only descriptors lack, output stays in
    /// memory. Defaults to 256 KiB.
    pub output_memory_max: u64,
    /// The longest line that is handed on whole where output is handed on by lines; longer ones
    /// come in pieces. Defaults to 1 MiB.
    pub line_bytes_max: u64,
    /// The directory commands run in and relative paths start from; none is this process's own.
    pub cwd: Option<PathBuf>,
    /// Where scratch directories and large output go. Defaults to the system's.
    pub scratch_dir: PathBuf,
    /// Where the node's clock is zero: a `Moment` is nanoseconds since it.
    pub origin: Instant,
    /// Tells commands of this executor from all others, as part of `BARY_RUN`. Defaults to the
    /// process number and the time.
    pub run_id: String,
    /// Whose commands these are when this process is gone: those of a kept state. Defaults to
    /// nobody's.
    pub family: Family,
    /// The most threads that run slots; slots beyond it take turns on them. Defaults to 4096.
    pub threads_max: u32,
    /// The most threads whose function was given up on and has not returned. Past it a killed
    /// function keeps its slot, and its run ends when it returns. Defaults to 64.
    pub abandoned_threads_max: u32,
    /// For how long a command is held back at least where descriptors, processes or memory lack
    /// for its start, before its task fails. It is held back for longer while other commands of
    /// this process run, since they give back what they hold. Defaults to 30 s.
    pub start_wait_max: Duration,
    /// Whether a command's memory request is also a hard limit on its data memory (`RLIMIT_DATA`,
    /// which leaves reserved and mapped memory alone). Defaults to false: a request says what to
    /// plan for, and a task that needs a little more should not die of it.
    pub limit_memory: bool,
}

/// Finds the address of a node. `Default` takes every node for one of this machine.
#[derive(Clone)]
pub struct Addresses(Arc<dyn Fn(NodeId) -> Option<IpAddr> + Send + Sync>);

impl Addresses {
    /// Addresses as `find` gives them; none where a node is not known.
    pub fn new(find: impl Fn(NodeId) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        Self(Arc::new(find))
    }

    /// Which rank of its gang the task of an item is, where it is of one.
    ///
    /// # Errors
    /// Where nobody knows the address of the node that has rank 0.
    pub fn rank(&self, item: &GrantItem) -> Result<Option<Rank>, Failure> {
        let (Some(seat), Some((rank, size))) = (item.seat, item.spec.rank_of(item.range.first))
        else {
            return Ok(None);
        };
        let Some(address) = self.of(seat.first) else {
            let text = format!("nobody knows the address of node {}, which has rank 0", seat.first);
            return Err(Failure::Error(text.into()));
        };
        Ok(Some(Rank { rank, size, master: SocketAddr::new(address, seat.port) }))
    }

    /// The address of a node, where it is known.
    #[must_use]
    pub fn of(&self, node: NodeId) -> Option<IpAddr> {
        (self.0)(node)
    }
}

impl Default for Addresses {
    fn default() -> Self {
        Self::new(|_| Some(Ipv4Addr::LOCALHOST.into()))
    }
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Addresses").finish_non_exhaustive()
    }
}

/// The executor's limits as the documentation lists them: name, default and meaning.
pub const TABLE: &[(&str, &str, &str)] = &[
    ("output_bytes_max", "64 MiB", "bytes kept of each output stream of a command"),
    ("output_memory_max", "256 KiB", "bytes of one output stream in memory; more go to a file"),
    ("line_bytes_max", "1 MiB", "bytes of a line that is handed on whole"),
    ("threads_max", "4,096", "threads that run slots; slots beyond it take turns"),
    ("abandoned_threads_max", "64", "threads whose function was given up on and goes on"),
    ("start_wait_max", "30 s", "how long a start waits for descriptors or processes"),
];

/// Something in a configuration that cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConfigFault {
    /// The speed is not a positive number.
    #[error("speed {0} is not a positive number")]
    Speed(f64),
    /// The stretch is not a number from 1.
    #[error("stretch {0} is not a number of at least 1")]
    Stretch(f64),
    /// A limit is zero.
    #[error("the limit {0} must be at least 1")]
    Zero(&'static str),
    /// The run id cannot be part of an environment variable.
    #[error("run_id must not be empty and must not hold a zero byte")]
    RunId,
}

impl ExecutorConfig {
    /// All that is wrong with it.
    ///
    /// # Errors
    /// Where anything is; nothing was changed.
    pub fn check(&self) -> Result<(), Vec<ConfigFault>> {
        let mut faults = Vec::new();
        if !(self.speed.is_finite() && self.speed > 0.0) {
            faults.push(ConfigFault::Speed(self.speed));
        }
        if !(self.stretch.is_finite() && self.stretch >= 1.0) {
            faults.push(ConfigFault::Stretch(self.stretch));
        }
        let limits = [
            ("output_bytes_max", self.output_bytes_max),
            ("output_memory_max", self.output_memory_max),
            ("line_bytes_max", self.line_bytes_max),
            ("threads_max", self.threads_max.into()),
        ];
        faults.extend(
            limits.iter().filter(|(_, n)| *n == 0).map(|(name, _)| ConfigFault::Zero(name)),
        );
        if self.run_id.is_empty() || self.run_id.contains('\0') {
            faults.push(ConfigFault::RunId);
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

impl Default for ExecutorConfig {
    fn default() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            node: NodeId(0),
            speed: 1.0,
            stretch: 1.0,
            addresses: Addresses::default(),
            output_bytes_max: 64 << 20,
            output_memory_max: 256 << 10,
            line_bytes_max: 1 << 20,
            cwd: None,
            scratch_dir: std::env::temp_dir(),
            origin: Instant::now(),
            run_id: format!("{}-{}", std::process::id(), now.as_nanos()),
            family: Family::NONE,
            threads_max: 4096,
            abandoned_threads_max: 64,
            start_wait_max: Duration::from_secs(30),
            limit_memory: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_named_at_once() {
        assert_eq!(ExecutorConfig::default().check(), Ok(()));
        let bad = ExecutorConfig {
            speed: 0.0,
            stretch: 0.5,
            threads_max: 0,
            run_id: String::new(),
            ..ExecutorConfig::default()
        };
        let faults = bad.check().expect_err("four things are wrong");
        assert_eq!(faults.len(), 4);
    }
}
