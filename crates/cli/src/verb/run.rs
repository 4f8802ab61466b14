//! `bary run`: a job file, or one command.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::string::FromUtf8Error;
use std::sync::Arc;

use bary_jobfile::fault::{Fault, Place};
use bary_jobfile::files::Disk;
use bary_jobfile::limits::JOB_FILE_BYTES_MAX;
use bary_jobfile::read::{self, ReadOptions};
use bary_model::action::{Action, Capture, Stdin};
use bary_model::inputs::Inputs;
use bary_model::job::JobSpec;
use bary_model::task::{Body, TaskSpec};
use bary_model::template::Template;

use crate::args::cluster::cores;
use crate::args::run::RunArgs;
use crate::args::task::TaskArgs;
use crate::args::{Face, Form};
use crate::complaint::Complaint;
use crate::desk::Desk;
use crate::exit::Exit;
use crate::harvest::Harvest;
use crate::printer::{Order, Printer, Shape};
use crate::progress::Progress;
use crate::resume::Resume;
use crate::screen::Screen;
use crate::session::Session;
use crate::tally::Tally;
use crate::verb::{self, Closing};
use crate::words;

/// Runs a job file or a command to its end.
pub(crate) fn run(args: &RunArgs, face: Face) -> Result<Exit, Complaint> {
    let file = args.file.as_deref();
    let job = match file {
        Some(path) => read_file(path, args)?,
        None => one_command(args, face)?,
    };
    let mut options = args.cluster.options(cores())?;
    options.limits.explain = args.keep.keep;
    verb::gangs_fit(&job.specs, &options.nodes)?;
    let resume = Resume::open(&args.keep, &job)?;
    let key = resume.as_ref().map(|resume| resume.key);
    let job = JobSpec { key, ..job };
    let (state, recalled) = resume.map(Resume::parts).unzip();
    let keeper = verb::keeper(&args.keep, &job.name)?;
    let trail = verb::trail(&args.keep)?;
    let began = std::time::SystemTime::now();
    let mut session = Session::start(options, state)?;
    let mut desk =
        Desk::new(session.cluster.store(), Screen::new(face), Tally::new(session.cluster.nodes()));
    desk.keeper = keeper;
    desk.trail = trail;
    desk.verbose = face.verbose;
    desk.events = face.output == Form::Jsonl;
    let live = file.is_none() && !face.is_data();
    if live {
        let shape = Shape::Raw(None);
        desk.printer = Some(Printer::new(session.cluster.store(), Order::Lines, shape));
    } else {
        desk.harvest = Some(Harvest::new(session.cluster.store()));
        let unwanted = args.keep.no_progress || face.is_quiet();
        desk.progress = Progress::new(args.keep.progress, unwanted);
    }
    let closing = Closing {
        schema: "bary.run/1",
        name: &job.name.clone(),
        report: file.is_some() || args.keep.report || face.verbose,
        halt: None,
        alone: live,
        face,
        began,
        state: args.keep.state.as_deref(),
    };
    recalled.iter().for_each(|recalled| recalled.note(face, &mut desk.screen));
    let ending = session.run(&mut desk, recalled, |session, desk| {
        desk.job = Some(session.cluster.submit(job)?);
        Ok(())
    })?;
    verb::close(session, desk, ending, &closing)
}

fn read_file(path: &Path, args: &RunArgs) -> Result<JobSpec, Complaint> {
    if args.task != TaskArgs::default() {
        let help = "write it in the file, at the top or under [[task]]";
        return Err(Complaint::usage("the flags of each task go with one command only").help(help));
    }
    let (path, bytes) = if path.as_os_str() == "-" {
        (Path::new("stdin"), bytes_of(std::io::stdin()).map_err(|cause| unread(path, &cause))?)
    } else if path.is_dir() {
        let complaint = Complaint::usage(format!("{} is a directory", path.display()));
        return Err(complaint.help("name a job file in it"));
    } else {
        let bytes = std::fs::File::open(path).and_then(bytes_of);
        (path, bytes.map_err(|cause| unread(path, &cause))?)
    };
    let text = String::from_utf8(bytes).map_err(|fault| not_text(path, &fault))?;
    let known: BTreeSet<String> =
        bary::functions::builtin().keys().map(ToString::to_string).collect();
    let options =
        ReadOptions { set: args.keep.params(), functions: Some(known), ..ReadOptions::default() };
    Ok(read::read(&text, path, &options, &Disk)?.spec)
}

/// At most one byte more than a job file may have, which the reader then refuses.
fn bytes_of(from: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(JOB_FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unread(path: &Path, cause: &std::io::Error) -> Complaint {
    let text = format!("{}: {cause}", path.display());
    if cause.kind() == std::io::ErrorKind::NotFound {
        let help = format!("to run a program, write: bary run -- {}", path.display());
        return Complaint::not_found(text).help(help);
    }
    Complaint::failed(text)
}

fn not_text(path: &Path, fault: &FromUtf8Error) -> Complaint {
    let at = fault.utf8_error().valid_up_to();
    let before = String::from_utf8_lossy(&fault.as_bytes()[..at]);
    let fault = Fault {
        path: path.display().to_string(),
        place: Some(Place::of(&before, at..at)),
        message: "this byte is not UTF-8".into(),
        fix: None,
    };
    vec![fault].into()
}

/// The job of one command, which runs as if it had been typed without `bary`.
fn one_command(args: &RunArgs, face: Face) -> Result<JobSpec, Complaint> {
    let words: Vec<Vec<u8>> = args.command.iter().map(|word| words::bytes(word)).collect();
    let name = String::from_utf8_lossy(words.first().map_or(b"", |word| word)).into_owned();
    let literal = |word: &Vec<u8>| Template::literal(word);
    let argv = match args.task.shell {
        true => vec![
            Template::literal("sh"),
            Template::literal("-c"),
            Template::literal(words.join(&b' ')),
        ],
        false => words.iter().map(literal).collect(),
    };
    let mut body = Body::new(Action::Command { argv });
    args.task.apply(&mut body, &|text| Template::literal(text));
    // A process group of its own may not read from a terminal.
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stdin());
    body.surroundings.stdin = if terminal { Stdin::Null } else { Stdin::Inherit };
    body.surroundings.capture = match (face.is_data(), args.keep.state.is_some()) {
        (true, _) => Capture::Whole,
        // A later run prints again what this one does.
        (false, true) => Capture::Lines,
        (false, false) => Capture::Live,
    };
    let file = Path::new(&name).file_name().map(|file| file.to_string_lossy().into_owned());
    let mut spec = TaskSpec { name: file.unwrap_or(name).into(), ..TaskSpec::new(Arc::new(body)) };
    if let Some(size) = args.gang {
        (spec.count, spec.array, spec.gang) = (size.into(), true, size);
        spec.inputs = Inputs::numbers(0, 1, size.into()).map_err(Complaint::usage)?;
    }
    let name = spec.name.clone();
    Ok(JobSpec::new(name, [Arc::new(spec)]))
}
