//! Reads a job file: syntax, shapes, parameters, tasks, then how they hang together. Every
//! fault is reported at once, and nothing has run by then.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bary_model::job::{Deadline, JobSpec};
use toml::de::{DeTable, DeValue};

use crate::check;
use crate::context::{Context, Value};
use crate::fault::{Fault, Place};
use crate::files::Files;
use crate::graph;
use crate::limits;
use crate::params;
use crate::task::{self, FieldsOf};

/// What the caller adds to a file.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Values of parameters, which win over those in the file.
    pub set: Vec<(String, String)>,
    /// The directory that relative paths of `each-line` and `each-file` start from.
    pub base: PathBuf,
    /// The functions there are; where absent, any name is taken.
    pub functions: Option<BTreeSet<String>>,
}

/// A job file that is good.
#[derive(Clone, Debug)]
pub struct JobFile {
    /// The name of the job.
    pub name: Box<str>,
    /// The job itself.
    pub spec: JobSpec,
    /// The values that its parameters had.
    pub params: BTreeMap<String, String>,
}

/// What to do with a file that says too much.
const IN_LESS: &str = "make an array of tasks that differ by one value; or give a node the file in \
                       parts: bary job open NAME, and bary job add JOB PART.toml for each";

/// Reads the text of a job file. `path` is named in faults and gives the job its name.
///
/// # Errors
/// Every fault of the file, at most [`limits::FAULTS_MAX`], in the order of the file.
pub fn read(
    text: &str,
    path: &Path,
    options: &ReadOptions,
    files: &dyn Files,
) -> Result<JobFile, Vec<Fault>> {
    let whole = |message: String, fix: Option<String>| {
        vec![Fault { path: path.display().to_string(), place: None, message, fix }]
    };
    if text.len() as u64 > limits::JOB_FILE_BYTES_MAX {
        let most = limits::JOB_FILE_BYTES_MAX;
        let title = format!("the file is longer than job_file_bytes_max = {most}");
        return Err(whole(title, Some(IN_LESS.into())));
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(errors.iter().take(8).map(|error| syntax(text, path, error)).collect());
    }
    let mut cx = Context::new(text, path, options, files);
    let top = document.get_ref();
    params::read(&mut cx, top, &options.set);
    check::file(&mut cx, top);
    let named = top.get("name").and_then(|value| cx.text(value));
    let stem = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name: Box<str> = named.unwrap_or_else(stem).into();
    let specs = match top.get("task").map(Value::get_ref) {
        Some(DeValue::Array(tasks)) if tasks.len() as u64 > limits::SPECS_MAX => {
            let (count, most) = (tasks.len(), limits::SPECS_MAX);
            let title = format!("{count} tasks are more than specs_max = {most}");
            return Err(whole(title, Some(IN_LESS.into())));
        }
        Some(DeValue::Array(tasks)) if !tasks.is_empty() => {
            let drafts = tasks.iter().filter_map(|task| {
                let DeValue::Table(table) = task.get_ref() else { return None };
                Some(task::read(&mut cx, &FieldsOf { task: table, top, span: task.span() }))
            });
            let drafts: Vec<_> = drafts.collect();
            graph::specs(&mut cx, drafts)
        }
        Some(DeValue::Array(_)) | None => {
            let fix = "add [[task]] with `command` or `function`".to_owned();
            let mut faults = sorted(cx.faults);
            faults.extend(whole("the file has no task".into(), Some(fix)));
            return Err(faults);
        }
        Some(_) => Vec::new(),
    };
    if cx.faults.is_empty() {
        let mut spec = JobSpec::new(name.clone(), specs);
        let deadline = top.get("deadline").and_then(|value| check::time(&cx, value).ok());
        spec.about.deadline = deadline.map(Deadline::After);
        let copies = top.get("copies").and_then(|value| check::integer(&cx, value).ok());
        spec.about.copies = copies.and_then(|copies| copies.try_into().ok()).unwrap_or_default();
        return Ok(JobFile { name, spec, params: cx.params });
    }
    Err(sorted(cx.faults))
}

pub(crate) fn sorted(mut faults: Vec<(usize, Fault)>) -> Vec<Fault> {
    faults.sort_by_key(|(at, _)| *at);
    let mut faults: Vec<Fault> = faults.into_iter().map(|(_, fault)| fault).collect();
    faults.dedup();
    faults
}

pub(crate) fn syntax(text: &str, path: &Path, error: &toml::de::Error) -> Fault {
    Fault {
        path: path.display().to_string(),
        place: error.span().map(|span| Place::of(text, span)),
        message: error.message().trim().to_owned(),
        fix: None,
    }
}
