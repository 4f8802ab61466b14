//! Exit codes, each with its meaning. They are part of what users rely on and do not change.

use std::process::ExitCode;

/// What the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit(pub(crate) u8);

impl Exit {
    pub(crate) const OK: Self = Self(0);
    pub(crate) const FAILED: Self = Self(1);
    pub(crate) const USAGE: Self = Self(2);
    pub(crate) const NOT_FOUND: Self = Self(3);
    pub(crate) const DENIED: Self = Self(4);
    pub(crate) const UNPLACEABLE: Self = Self(5);
    pub(crate) const UNAVAILABLE: Self = Self(69);
    pub(crate) const FULL: Self = Self(75);
    pub(crate) const TIMED_OUT: Self = Self(124);
    pub(crate) const HUNG_UP: Self = Self(129);
    pub(crate) const INTERRUPTED: Self = Self(130);
    pub(crate) const PIPE_CLOSED: Self = Self(141);
    pub(crate) const TERMINATED: Self = Self(143);

    /// The code that a command's own number becomes; what does not fit a byte is a failure.
    pub(crate) fn of_command(code: i32) -> Self {
        u8::try_from(code).map_or(Self::FAILED, Self)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}

/// Every code with its meaning, as the reference page lists them.
pub(crate) const TABLE: &[(&str, &str)] = &[
    ("0", "everything succeeded"),
    (
        "1",
        "several tasks ran and at least one failed; a simulated run or a history broke an \
           invariant; a journal is damaged; or this program itself failed",
    ),
    (
        "2",
        "the command line or the job file is wrong, or the state is of another job; nothing has \
           run",
    ),
    ("3", "a file, a kept run, a job, a task or a node was not found"),
    ("4", "there is no valid token, or its role may not do this; nothing was changed"),
    ("5", "a task cannot be placed: no node could ever run it; nothing has run"),
    ("69", "no node answers, or the connection to it ended"),
    ("75", "a limit is reached, the disk is full, or the state is in use; try again later"),
    ("124", "the only task timed out, or the time of a wait was over"),
    ("127", "the only task could not be started"),
    ("129", "its terminal has gone (SIGHUP)"),
    ("130", "interrupted (Ctrl-C); jobs of a node go on"),
    ("141", "whoever read standard output closed it"),
    ("143", "terminated (SIGTERM)"),
    ("other", "where there is only one task: its own code, or 128 + the signal that killed it"),
];
