//! `bary trace`: traces read, shown, converted, and made of what was run.

mod export;
pub(crate) mod file;
pub(crate) mod found;
mod journaled;
mod live;
mod show;

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use bary_trace::format::Format;
use bary_trace::read::read;
use bary_trace::trace::Trace;
use bary_trace::write::write;

use crate::args::Face;
use crate::args::trace::{ConvertArgs, TraceVerb};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::screen::Screen;
use crate::verb;

/// Does what was asked.
pub(crate) fn run(verb: &TraceVerb, face: Face) -> Result<Exit, Complaint> {
    match verb {
        TraceVerb::Convert(args) => convert(args, face),
        TraceVerb::Show(args) => show::run(&opened(&args.file, args.from)?, face),
        TraceVerb::Export(args) => export::run(args, face),
    }
}

/// Reads a trace from a file.
fn opened(path: &Path, from: Option<Format>) -> Result<Trace, Complaint> {
    let shown = path.display();
    let wrong = |error: std::io::Error| {
        let text = format!("{shown}: {error}");
        match error.kind() {
            ErrorKind::NotFound => Complaint::not_found(text),
            _ => Complaint::failed(text),
        }
    };
    // A file past the limit is not read at all.
    let size = fs::metadata(path).map_err(wrong)?.len();
    let most = bary_trace::limits::BYTES_MAX as u64;
    if size > most {
        let text = format!("{shown} has {size} bytes; {most} is the most that is read");
        return Err(Complaint::usage(text));
    }
    let bytes = fs::read(path).map_err(wrong)?;
    let read = read(&path.to_string_lossy(), &bytes, from);
    read.map_err(|fault| Complaint::usage(format!("{shown}: {fault}")))
}

fn convert(args: &ConvertArgs, face: Face) -> Result<Exit, Complaint> {
    let mut trace = opened(&args.from_file, args.from)?;
    if let Some(name) = &args.job {
        trace.jobs.retain(|job| *job.name == **name);
        if trace.jobs.is_empty() {
            let text = format!("{} has no job `{name}`", args.from_file.display());
            return Err(Complaint::not_found(text).help("bary trace show names the jobs"));
        }
    }
    let named = Format::of_name(&args.to_file.to_string_lossy());
    let writable = |format: &Format| matches!(format, Format::Stg | Format::Swf);
    let to = args.to.or_else(|| named.filter(writable)).unwrap_or(Format::Bary);
    let written = write(&trace, to).map_err(Complaint::usage)?;
    put(&written.text, &args.to_file, face)?;
    if !written.lost.is_empty() && !face.is_quiet() {
        let lost = written.lost.join("; ");
        Screen::new(face).note(&format!("bary: {} cannot say: {lost}", to.name()));
    }
    Ok(Exit::OK)
}

/// Writes a file whole or not at all, or to standard output where it is called `-`.
fn put(text: &str, path: &Path, face: Face) -> Result<(), Complaint> {
    match path.as_os_str() == "-" {
        true => verb::print(&mut Screen::new(face), text),
        false => file::put(text, path),
    }
}
