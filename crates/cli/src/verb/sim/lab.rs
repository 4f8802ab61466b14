//! `bary sim SCENARIO.toml`: each policy lives the scenario once a seed, on all cores, and what
//! came of it is compared.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bary_policy::preset::{self, PolicyError};
use bary_sim::lab::limits::SCENARIO_BYTES_MAX;
use bary_sim::lab::sample::{self, SAMPLES};
use bary_sim::lab::scenario::{self, Scenario};
use bary_sim::lab::{load, named, page};
use bary_trace::limits::BYTES_MAX;
use bary_trace::trace::Trace;

use crate::args::Face;
use crate::args::sim::SimArgs;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::screen::Screen;
use crate::verb;
use crate::verb::sim::lab::plot::Picture;
use crate::verb::sim::lab::runs::Runs;

mod plot;
#[cfg(feature = "png")]
mod png;
pub(crate) mod runs;
mod shown;

/// Whether a scenario is meant rather than a drawn world.
pub(crate) fn is_meant(args: &SimArgs) -> bool {
    let lab = &args.lab;
    let wants = lab.seeds.is_some() || lab.init.is_some() || lab.time;
    let wants = wants || lab.trace.is_some();
    let asked = lab.file.is_some() || wants || lab.plot.is_some() || lab.report.is_some();
    asked || args.one.drawn().is_none()
}

/// Compares, or writes a scenario.
pub(crate) fn run(args: &SimArgs, face: Face) -> Result<Exit, Complaint> {
    if let Some(name) = &args.lab.init {
        return init(name, args.lab.file.as_deref(), face);
    }
    let scenario = asked(args)?;
    let plot = args.lab.plot.as_deref();
    let plot = plot.map(|path| Picture::of(path).map(|kind| (path, kind))).transpose()?;
    // What cannot be written is told before anybody waits for it.
    let files = [plot.map(|(path, _)| path), args.lab.report.as_deref()];
    files.into_iter().flatten().try_for_each(writable)?;
    let mut screen = Screen::new(face);
    let runs = runs::all(&scenario, args.lab.jobs, (&mut screen, "comparison"), face)?;
    verb::print(&mut screen, &shown::text(&scenario, &runs, args.lab.time, face))?;
    if let Some((path, kind)) = plot {
        let chart = page::comparison(&scenario, &runs.rows, shown::judged_by(&scenario));
        write(path, &kind.bytes(&chart.alone())?)?;
    }
    if let Some(path) = &args.lab.report {
        write(path, report(&scenario, &runs).as_bytes())?;
    }
    Ok(Exit::OK)
}

fn report(scenario: &Scenario, runs: &Runs) -> String {
    let load = load::load(scenario, scenario.seed);
    let rows = runs.rows.iter().zip(&runs.first);
    let lived = rows.map(|(row, trial)| {
        (row.policy.as_str(), trial.made.as_ref().unwrap_or(&load), &trial.log)
    });
    let logs: Vec<_> = lived.collect();
    page::html(&page::Report {
        scenario,
        rows: &runs.rows,
        logs: &logs,
        judged_by: shown::judged_by(scenario),
    })
}

/// Refuses a file that cannot be written, and leaves what is there as it is.
fn writable(path: &Path) -> Result<(), Complaint> {
    let there = path.exists();
    let opened = File::options().append(true).create(true).open(path);
    opened.map_err(|cause| unwritten(path, &cause))?;
    if !there {
        std::fs::remove_file(path).map_err(|cause| unwritten(path, &cause))?;
    }
    Ok(())
}

/// Writes a file that was asked for; one that is there is replaced.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Complaint> {
    std::fs::write(path, bytes).map_err(|cause| unwritten(path, &cause))
}

fn unwritten(path: &Path, cause: &std::io::Error) -> Complaint {
    let text = format!("cannot write `{}`: {cause}", path.display());
    match cause.kind() {
        ErrorKind::NotFound => {
            Complaint::not_found(text).help("name a file in a directory that is there")
        }
        _ => Complaint::failed(text),
    }
}

/// The scenario of the command line, with what its flags change.
fn asked(args: &SimArgs) -> Result<Scenario, Complaint> {
    if let Some(flag) = args.one.drawn().filter(|flag| *flag != "--seed") {
        let text = format!("{flag} is of drawn worlds, not of scenarios");
        return Err(Complaint::usage(text).help("write it into the scenario"));
    }
    let mut scenario = match &args.lab.file {
        Some(path) => read(path)?,
        None => sample::usual(),
    };
    if let Some(path) = &args.lab.trace {
        scenario = on_trace(Some(scenario).filter(|_| args.lab.file.is_some()), path)?;
    }
    scenario.seed = args.one.seed.unwrap_or(scenario.seed);
    scenario.seeds = args.lab.seeds.unwrap_or(scenario.seeds);
    if !args.one.world.policy.is_empty() {
        let texts = args.one.world.policy.iter().flat_map(|text| policies(text));
        let wrong = |error: PolicyError| Complaint::usage(&error).help(named::hint(&error));
        let parsed = texts.map(|text| preset::parse(&text).map_err(wrong));
        scenario.policies = parsed.collect::<Result<_, _>>()?;
    }
    Ok(scenario)
}

/// A trace on the nodes of a scenario, or on ten that can run its tasks.
pub(crate) fn on_trace(base: Option<Scenario>, path: &Path) -> Result<Scenario, Complaint> {
    let trace = trace(path)?;
    let Some(base) = base else { return Ok(sample::of_trace(Arc::new(trace))) };
    base.with_trace(trace).map_err(|error| Complaint::usage(error).help(error.fix()))
}

fn trace(path: &Path) -> Result<Trace, Complaint> {
    let bytes = bytes_of(path).map_err(|cause| {
        let text = format!("cannot read `{}`: {cause}", path.display());
        match cause.kind() {
            ErrorKind::NotFound => Complaint::not_found(text),
            _ => Complaint::failed(text),
        }
    })?;
    let name = path.to_string_lossy();
    let read = bary_trace::read::read(&name, &bytes, None);
    read.map_err(|fault| Complaint::usage(format!("{}: {fault}", path.display())))
}

/// The policies of one flag: whatever semicolons separate, and of that, where none has parts,
/// whatever commas separate.
pub(crate) fn policies(text: &str) -> Vec<String> {
    let each = text.split(';').flat_map(|one| match one.contains('=') {
        true => vec![one.trim().to_owned()],
        false => one.split(',').map(|one| one.trim().to_owned()).collect(),
    });
    let named: Vec<String> = each.filter(|text| !text.is_empty()).collect();
    // Nothing at all is refused as a name that is none.
    if named.is_empty() { vec![String::new()] } else { named }
}

/// Reads a scenario; `-` is standard input.
pub(crate) fn read(path: &Path) -> Result<Scenario, Complaint> {
    let is_stdin = path == Path::new("-");
    let shown = if is_stdin { "standard input".to_owned() } else { path.display().to_string() };
    let mut text = Vec::new();
    let opened: std::io::Result<Box<dyn Read>> = if is_stdin {
        Ok(Box::new(std::io::stdin()))
    } else {
        File::open(path).map(|file| Box::new(file) as Box<dyn Read>)
    };
    let read = opened.and_then(|file| file.take(SCENARIO_BYTES_MAX + 1).read_to_end(&mut text));
    read.map_err(|cause| {
        let text = format!("cannot read `{shown}`: {cause}");
        match cause.kind() {
            ErrorKind::NotFound => {
                Complaint::not_found(text).help("bary sim --init default writes one")
            }
            _ => Complaint::failed(text),
        }
    })?;
    let text = String::from_utf8(text)
        .map_err(|_| Complaint::usage(format!("`{shown}` is no scenario: it is not text")))?;
    let beside = path.parent().unwrap_or_else(|| Path::new("")).to_path_buf();
    let mut traces = |name: &str| bytes_of(&beside.join(name));
    scenario::read(&text, path, &mut traces).map_err(Complaint::from)
}

/// A trace's bytes; one too many where it is too long, which its reader then refuses.
pub(crate) fn bytes_of(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes a scenario to begin with; what is there already stays as it is.
fn init(name: &str, file: Option<&Path>, face: Face) -> Result<Exit, Complaint> {
    let Some(sample) = sample::named(name) else {
        let names: Vec<&str> = SAMPLES.iter().map(|sample| sample.name).collect();
        let text = format!("there is no scenario called `{name}`");
        return Err(Complaint::usage(text).help(format!("there are {}", names.join(", "))));
    };
    let path = file.map_or_else(|| PathBuf::from(format!("{name}.toml")), Path::to_path_buf);
    let made = File::options().write(true).create_new(true).open(&path);
    let written = made.and_then(|mut file| file.write_all(sample.with_all_keys().as_bytes()));
    written.map_err(|cause| match cause.kind() {
        ErrorKind::AlreadyExists => {
            let text = format!("`{}` is there already, and stays as it is", path.display());
            Complaint::usage(text).help(format!("name another: bary sim --init {name} FILE"))
        }
        _ => unwritten(&path, &cause),
    })?;
    if !face.is_quiet() {
        let text = format!("bary: {} has {}; run it: bary sim {0}", path.display(), sample.what);
        Screen::new(face).note(&text);
    }
    Ok(Exit::OK)
}

#[cfg(test)]
mod tests {
    use super::policies;

    #[test]
    fn policies_with_parts_are_told_from_lists_of_presets() {
        assert_eq!(policies("gravity,random"), ["gravity", "random"]);
        assert_eq!(policies("gravity,alpha=0.25"), ["gravity,alpha=0.25"]);
        assert_eq!(policies("gravity,,random;"), ["gravity", "random"]);
        let both = ["gravity,alpha=0.25", "random", "fifo"];
        assert_eq!(policies("gravity,alpha=0.25; random,fifo"), both);
    }
}
