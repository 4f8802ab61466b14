//! The flags of `bary journal`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do with a journal.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum JournalVerb {
    /// Read all of it and say in one line what it holds, or what is wrong and where
    Verify(JournalArgs),
    /// Print each record with its segment, offset, batch and epoch, also beyond damage
    Dump(JournalArgs),
    /// Print what happened as a history, one fact a line, for bary sim judge
    Export(JournalArgs),
}

/// Which journal.
#[derive(Clone, Debug, Args)]
pub(crate) struct JournalArgs {
    /// The directory of the state, as given to --state; another process may be using it
    #[arg(value_name = "DIR")]
    pub(crate) state: PathBuf,
}
