//! What a console and the processes that stand for its servers say to each other: JSON lines, one
//! way each.

use serde::{Deserialize, Serialize};

/// What a server is told.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub(crate) enum Order {
    /// Run a task for so long.
    Run {
        /// Counts what this server was told to run.
        run: u64,
        /// How long, in seconds.
        seconds: f64,
    },
    /// Say how you are.
    State,
}

/// What a server says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "lowercase")]
pub(crate) enum Answer {
    /// It runs something, with so many seconds left.
    Busy {
        /// What it was told to run.
        run: u64,
        /// How many seconds are left.
        left: f64,
    },
    /// It runs nothing.
    Idle,
    /// It has run this to its end.
    Done {
        /// What it was told to run.
        run: u64,
    },
}

/// The longest line of either, in bytes.
pub(crate) const ORDER_BYTES_MAX: u64 = 1_024;
