//! Starts members and sees them off: as processes of this machine, or by a command of the user's.
//! It decides nothing, and each may be asked again for what it has done.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::time::Duration;

use bary_identity::join_line::JoinLine;

pub(super) mod command;
pub(super) mod local;

/// Starts and stops members. Its calls block.
pub(super) trait Driver: Send + Sync {
    /// Has a member of this name come, which joins by this line. One that is on its way already
    /// need not come twice.
    fn add(&self, name: &str, line: &JoinLine) -> Result<(), DriveError>;

    /// A member has been stopped: what was started for it may go.
    fn remove(&self, name: &str) -> Result<(), DriveError>;
}

/// Why a member was neither started nor seen off. It may be tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum DriveError {
    /// The machine refused.
    #[error("{what}: {cause}")]
    Machine {
        what: &'static str,
        #[source]
        cause: io::Error,
    },
    /// The command ended badly.
    #[error("the command ended with {0}")]
    Ended(ExitStatus),
    /// It took too long, and was killed.
    #[error("the command had not ended after {} s and was killed", .0.as_secs_f64())]
    Late(Duration),
    /// The one before it has not ended yet.
    #[error("the process of that name has not ended yet")]
    Ending,
    /// There is none.
    #[error("there is no command: set autoscale-command")]
    NoCommand,
    /// This program cannot start others like itself.
    #[error("members cannot be started as processes here")]
    NoStarter,
}

impl DriveError {
    fn machine(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Machine { what, cause }
    }
}

/// A member that is to be started as a process.
#[derive(Clone, Debug)]
pub struct NewMember {
    /// What it is to be called.
    pub name: String,
    /// The directory of its state.
    pub state: PathBuf,
    /// How many tasks it runs at a time.
    pub slots: u32,
    /// Where it listens for the other members; the system chooses the port.
    pub listen: SocketAddr,
}

/// Makes the command that is a member: it reads its join line from the first line of its standard
/// input, and ends when that does.
#[derive(Clone)]
pub struct Starter(pub Arc<Starts>);

/// What makes such commands.
pub type Starts = dyn Fn(&NewMember) -> io::Result<Command> + Send + Sync;

impl fmt::Debug for Starter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Starter")
    }
}
