//! What stands in for commands on systems where they do not run yet.

use std::sync::Arc;

use bary_model::outcome::Failure;

use crate::blocking::{Clock, fail_item};
use crate::config::ExecutorConfig;
use crate::leftover::{Family, LeftoverError};
use crate::run::{Phase, Run};
use crate::shared::Shared;

/// Nothing: there are no commands here.
pub(crate) struct Commands;

impl Commands {
    pub(crate) fn new(_config: &ExecutorConfig) -> Self {
        Self
    }

    /// There is no command that could get a signal.
    pub(crate) fn signal(&self, _group: i32, _hard: bool) {}

    /// There is nothing that a command could have left behind.
    pub(crate) fn close(&self) {}
}

/// There are no commands, so that none is left.
pub(crate) fn hunt(_family: Family) -> Result<u32, LeftoverError> {
    Ok(0)
}

/// Fails every command.
pub(crate) struct CommandRunner;

impl CommandRunner {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn run(&mut self, shared: &Arc<Shared>, run: &Arc<Run>) {
        let mut clock = Clock::new(shared, run.start.budget);
        if !run.enter(Phase::Waiting, shared.now()) {
            return;
        }
        let failure = Failure::NotStarted("commands run on Linux only so far".into());
        for item in run.items() {
            if !fail_item(shared, run, item, &failure, &mut clock) {
                return;
            }
        }
    }
}

/// What stands in for commands beside tasks.
pub(crate) mod beside {
    use std::sync::Arc;

    use crate::beside::{Asked, BesideError, Companion, Size};
    use crate::shared::Shared;

    /// Holds nothing.
    #[derive(Debug)]
    pub(crate) struct Reins;

    impl Reins {
        pub(crate) fn resize(&self, _size: Size) {}
    }

    /// Starts nothing.
    pub(crate) fn start(_shared: &Arc<Shared>, _asked: Asked) -> Result<Companion, BesideError> {
        Err(BesideError::Unknown)
    }
}
