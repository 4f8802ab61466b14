//! What the commands of a process that was killed have left running, and how it is ended.
//!
//! The kernel ends the commands themselves with the process that started them; what they started
//! goes on. It is known by the family that all commands of one state bear, whichever process
//! starts them: in a limit that they inherit, and in their environment.

use std::io;
use std::path::Path;

use bary_model::mix::mix;

use crate::process;

/// Whose the commands of an executor are when its process is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Family(u64);

impl Family {
    /// Nobody's. No leftover is ever of it.
    pub const NONE: Self = Self(0);

    /// The family of the state in a directory, whose log has this id. A copy of the directory is
    /// another family, where the system numbers its files; so a copy may run beside the original.
    #[must_use]
    pub fn of_state(log: u64, directory: &Path) -> Self {
        let mixed = mix(mix(log) ^ file_number(directory));
        Self(mixed.max(1))
    }

    /// What tells it from others in a limit: 30 bits, 0 for nobody.
    pub(crate) fn number(self) -> u64 {
        if self == Self::NONE { 0 } else { 1 + self.0 % ((1 << 30) - 1) }
    }

    /// What tells it from others in the environment: the beginning of `BARY_RUN`.
    pub(crate) fn mark(self) -> String {
        if self == Self::NONE { String::new() } else { format!("{:016x}.", self.0) }
    }
}

#[cfg(unix)]
fn file_number(directory: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    // A directory that cannot be looked at holds no state, and any family will do for it.
    std::fs::metadata(directory).map_or(0, |about| about.ino())
}

#[cfg(not(unix))]
fn file_number(_directory: &Path) -> u64 {
    0
}

/// Why leftovers may still run. Some of them may have been killed; it is safe to try again, and
/// unsafe to run anything of the family before that has succeeded.
#[derive(Debug, thiserror::Error)]
pub enum LeftoverError {
    /// The processes of this machine cannot be listed.
    #[error("cannot list the processes of this machine: {0}")]
    List(#[source] io::Error),
    /// A process may not be killed, as where it runs as another user.
    #[error("process {pid}, which the killed run has left behind, cannot be killed: {cause}")]
    Refused {
        /// The process.
        pid: i32,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// A process was killed and is still there, as where it waits for a device that is gone.
    #[error("process {pid}, which the killed run has left behind, was killed and does not end")]
    Stuck {
        /// The process.
        pid: i32,
    },
    /// They start others faster than they can be killed.
    #[error("what the killed run has left behind still starts processes after {rounds} rounds")]
    Endless {
        /// How often all that were found had been killed.
        rounds: u32,
    },
}

/// Kills every process of a family that is on this machine, with all it started, and returns when
/// none is left; how many there were. This process and those above it are let be. Only whoever
/// has the family's state for himself may call this.
///
/// # Errors
/// Where some may still run.
pub fn end(family: Family) -> Result<u32, LeftoverError> {
    if family == Family::NONE { Ok(0) } else { process::hunt(family) }
}

#[cfg(test)]
mod tests {
    use super::Family;
    use std::path::Path;

    #[test]
    fn a_state_has_one_family_and_a_copy_of_it_another() {
        let (here, copy) = (Path::new("/"), Path::new("/proc"));
        let family = Family::of_state(7, here);
        assert_eq!(family, Family::of_state(7, here));
        assert_ne!(family, Family::of_state(8, here));
        assert_ne!(family.number(), 0);
        assert_eq!(Family::NONE.number(), 0);
        assert_eq!(family.mark().len(), 17);
        if cfg!(target_os = "linux") {
            assert_ne!(family, Family::of_state(7, copy));
        }
    }
}
