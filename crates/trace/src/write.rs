//! Writes a trace in a format that can hold it, and says what the format cannot say.

pub mod own;
pub mod stg;
pub mod swf;
pub mod wf;

use crate::format::Format;
use crate::trace::Trace;

/// A trace as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The file.
    pub text: String,
    /// What is in the trace and not in the file, each a phrase; empty where all is.
    pub lost: Vec<String>,
}

/// Why a trace cannot be written in a format. Nothing was written; the caller chooses another
/// format, or a part of the trace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The format is only read.
    #[error("{} is only read; there are {WRITTEN} to write", .0.name())]
    OnlyRead(Format),
    /// The format holds one graph, and the trace has several jobs.
    #[error("{} holds one job, and the trace has {jobs}; name one with --job", format.name())]
    ManyJobs {
        /// The format.
        format: Format,
        /// How many there are.
        jobs: usize,
    },
    /// The format holds at least one task, and the trace has none.
    #[error("{} holds at least one task, and the trace has none", .0.name())]
    NoTask(Format),
    /// A task's time is no whole number of units.
    #[error("task {task} runs {run} s, which is no whole number of seconds; stg holds no other")]
    NotWhole {
        /// The task's position.
        task: usize,
        /// How long it runs, in seconds.
        run: String,
    },
}

/// The formats that are written.
const WRITTEN: &str = "bary, stg, wfformat, swf";

/// Writes a trace.
///
/// # Errors
/// Where the format is only read, or has no way to say what the trace is.
pub fn write(trace: &Trace, to: Format) -> Result<Written, WriteError> {
    match to {
        Format::Bary => Ok(own::write(trace)),
        Format::Stg => stg::write(trace),
        Format::Wf => wf::write(trace),
        Format::Swf if trace.tasks() == 0 => Err(WriteError::NoTask(to)),
        Format::Swf => Ok(swf::write(trace)),
        Format::Estee | Format::Dax => Err(WriteError::OnlyRead(to)),
    }
}

/// Phrases of what is lost: those whose condition holds.
fn lost(table: &[(bool, &str)]) -> Vec<String> {
    table.iter().filter(|(holds, _)| *holds).map(|(_, what)| (*what).to_owned()).collect()
}

/// Whether any task is so.
fn any(trace: &Trace, is: impl Fn(&crate::trace::Task) -> bool) -> bool {
    trace.jobs.iter().any(|job| job.tasks.iter().any(&is))
}
