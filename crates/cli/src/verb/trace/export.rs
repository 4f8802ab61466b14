//! `bary trace export`: what was run, as a trace.

use std::path::Path;

use bary_trace::format::Format;
use bary_trace::write::write;

use super::found::{Found, trace};
use super::{journaled, live, put};
use crate::args::Face;
use crate::args::trace::ExportArgs;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::screen::Screen;

/// Exports.
pub(super) fn run(args: &ExportArgs, face: Face) -> Result<Exit, Complaint> {
    match &args.state {
        Some(state) => {
            let found = journaled::found(state, &args.jobs)?;
            write_out(found, args, face)
        }
        None => live::run(args, face),
    }
}

/// Writes the jobs that came late enough.
pub(super) fn write_out(
    mut found: Vec<Found>,
    args: &ExportArgs,
    face: Face,
) -> Result<Exit, Complaint> {
    if let Some(since) = args.since {
        found.retain(|job| job.came >= since);
    }
    let trace = trace("", found);
    if trace.jobs.is_empty() {
        let text = "there is no task that ran to its end among these jobs";
        return Err(Complaint::not_found(text));
    }
    let written = write(&trace, Format::Bary).map_err(Complaint::failed)?;
    let path = args.out.as_deref().unwrap_or_else(|| Path::new("-"));
    put(&written.text, path, face)?;
    if args.out.is_some() && !face.is_quiet() {
        let (jobs, tasks) = (trace.jobs.len(), trace.tasks());
        Screen::new(face)
            .note(&format!("bary: {tasks} tasks of {jobs} jobs in {}", path.display()));
    }
    Ok(Exit::OK)
}
