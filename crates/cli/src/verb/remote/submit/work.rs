//! What the words of a submission mean, and the job that they become.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use bary_jobfile::files::Disk;
use bary_jobfile::limits::JOB_FILE_BYTES_MAX;
use bary_jobfile::read::{self, ReadOptions};
use bary_model::action::{Action, Capture};
use bary_model::inputs::Inputs;
use bary_model::job::JobSpec;
use bary_model::task::{Body, TaskSpec};
use bary_model::template::Template;

use crate::action::Reading;
use crate::args::pair::Pair;
use crate::args::submit::WorkArgs;
use crate::args::task::TaskArgs;
use crate::complaint::Complaint;
use crate::sources;
use crate::verb::remote::submit::{inputs, surroundings};
use crate::words::{self, WordsError};

/// What the words are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meant<'a> {
    JobFile(&'a Path),
    Script(&'a Path),
    Command,
}

/// The job that was described. Its tasks do not depend on the node's directory, and their output is
/// seen as it comes.
pub(crate) fn job(args: &WorkArgs, set: &[Pair]) -> Result<JobSpec, Complaint> {
    let here = surroundings::here()?;
    let mut job = match meant(args) {
        Meant::JobFile(path) => job_file(path, args, set)?,
        Meant::Script(path) => script_job(path, args)?,
        Meant::Command => command(args)?,
    };
    let variables = surroundings::environment(args);
    let specs = job.specs.iter().map(|spec| {
        let mut body = Body::clone(&spec.body);
        surroundings::settle(spec, &mut body, &here);
        surroundings::carry(&mut body, &variables);
        body.surroundings.capture = Capture::Lines;
        Arc::new(TaskSpec { body: Arc::new(body), ..TaskSpec::clone(spec) })
    });
    job.specs = specs.collect();
    Ok(job)
}

/// Whether `--` stands before the words on the line that they are of.
pub(crate) fn is_literal(args: &WorkArgs, line: impl Iterator<Item = OsString>) -> bool {
    let line: Vec<OsString> = line.collect();
    let before = line.len().checked_sub(args.words.len() + 1).and_then(|at| line.get(at));
    before.is_some_and(|word| word == "--")
}

/// After `--` words are a command; else the first may be a file.
pub(crate) fn meant(args: &WorkArgs) -> Meant<'_> {
    let Some(first) = args.words.first().map(Path::new) else { return Meant::Command };
    if args.literal || args.function.is_some() {
        return Meant::Command;
    }
    let named = first.extension().is_some_and(|end| end == "toml" || end == "json");
    match named || first.as_os_str() == "-" {
        true => Meant::JobFile(first),
        false if first.is_file() => Meant::Script(first),
        false => Meant::Command,
    }
}

fn job_file(path: &Path, args: &WorkArgs, set: &[Pair]) -> Result<JobSpec, Complaint> {
    let own = TaskArgs { priority: None, ..args.task.clone() };
    let inputs = args.array.is_some() || args.each_line.is_some() || args.each_json.is_some();
    let inputs = inputs || args.cache.is_some() || args.gang.is_some();
    if args.words.len() > 1 || own != TaskArgs::default() || inputs {
        let complaint = Complaint::usage("a job file says itself what each of its tasks needs");
        return Err(complaint.help("write it there; --set KEY=VALUE gives a parameter a value"));
    }
    let stdin = path.as_os_str() == "-";
    let name = if stdin { Path::new("job.toml") } else { path };
    let mut text = String::new();
    let mut from = sources::open(path)?.take(JOB_FILE_BYTES_MAX + 1);
    from.read_to_string(&mut text).map_err(|cause| sources::read_error(path, cause))?;
    let set = set.iter().map(|pair| (pair.name.clone(), pair.value.clone()));
    let options = ReadOptions { set: set.collect(), ..ReadOptions::default() };
    Ok(read::read(&text, name, &options, &Disk)?.spec)
}

/// A script: what a shell reads is sent as it is now, anything else is run where it lies.
fn script_job(path: &Path, args: &WorkArgs) -> Result<JobSpec, Complaint> {
    let failed = |cause| Complaint::failed(format!("{}: {cause}", path.display()));
    let at = std::path::absolute(path).map_err(failed)?;
    let text = std::fs::read(path).map_err(failed)?;
    let rest = args.words.iter().skip(1).map(|word| words::bytes(word));
    let at = at.into_os_string().into_encoded_bytes();
    let mut argv: Vec<Vec<u8>> = match shell(&text) {
        Some(mut shell) => {
            shell.extend([b"-c".to_vec(), text, at]);
            shell
        }
        None => vec![at],
    };
    let sent = argv.len();
    argv.extend(rest);
    let inputs = inputs::of(args)?;
    let reading = Reading { append: false, ..Reading::default() };
    let fed = inputs.is_some();
    // What a script says is never changed; its arguments may hold inputs.
    let word = |(n, word): (usize, &Vec<u8>)| match fed && n >= sent {
        true => reading.template(word),
        false => Template::literal(word),
    };
    let mut argv: Vec<Template> = argv.iter().enumerate().map(word).collect();
    if appends(args) && argv.iter().all(Template::is_literal) {
        argv.push(Template::values());
    }
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(of_body(&name, Action::Command { argv }, args, inputs, &reading))
}

/// Scripts longer than this are run where they lie: a single argument cannot hold them.
const SENT_BYTES_MAX: usize = 100 << 10;

/// The shell that a script names, where it is one whose `-c` takes a script.
fn shell(text: &[u8]) -> Option<Vec<Vec<u8>>> {
    const SHELLS: &[&[u8]] = &[b"sh", b"bash", b"dash", b"ksh", b"zsh"];
    let line = text.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?;
    let mut words: Vec<Vec<u8>> = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .map(<[u8]>::to_vec)
        .collect();
    let base = |word: &[u8]| word.rsplit(|&byte| byte == b'/').next().map(<[u8]>::to_vec);
    if words.first().and_then(|word| base(word)).as_deref() == Some(b"env") {
        words.remove(0);
    }
    let name = base(words.first()?)?;
    let sent = text.len() <= SENT_BYTES_MAX && !text.contains(&0);
    (sent && SHELLS.contains(&name.as_slice())).then_some(words)
}

/// Whether an input that no word reads is added at the end.
fn appends(args: &WorkArgs) -> bool {
    args.each_line.is_some() || args.each_json.is_some()
}

fn command(args: &WorkArgs) -> Result<JobSpec, Complaint> {
    let words: Vec<Vec<u8>> = args.words.iter().map(|word| words::bytes(word)).collect();
    if words.is_empty() && args.function.is_none() {
        let complaint = Complaint::usage("there is nothing to run");
        return Err(complaint.help("write bary submit -- COMMAND..., or bary submit JOB.toml"));
    }
    let inputs = inputs::of(args)?;
    let append = appends(args) || (inputs.is_some() && args.function.is_some());
    let function = args.function.as_deref();
    let reading = Reading { shell: args.task.shell, function, append, params: &[] };
    let action = match (&inputs, function) {
        (None, None) => as_they_are(&words, args.task.shell)?,
        _ => reading.action(&words).map_err(needs_shell)?,
    };
    let name = function.map(ToOwned::to_owned).unwrap_or_else(|| {
        let first = words.first().map(|word| String::from_utf8_lossy(word).into_owned());
        let first = first.unwrap_or_default();
        let program = first.split_whitespace().next().unwrap_or_default().to_owned();
        let file = Path::new(&program).file_name().map(|file| file.to_string_lossy().into_owned());
        file.unwrap_or(program)
    });
    Ok(of_body(&name, action, args, inputs, &reading))
}

/// Without inputs nothing in the words stands for anything else.
fn as_they_are(words: &[Vec<u8>], shell: bool) -> Result<Action, Complaint> {
    let words = match words {
        words if shell => {
            vec![b"sh".to_vec(), b"-c".to_vec(), words.join(&b' ')]
        }
        [one] => words::split(one).map_err(needs_shell)?,
        words => words.to_vec(),
    };
    Ok(Action::Command { argv: words.iter().map(Template::literal).collect() })
}

fn needs_shell(error: WordsError) -> Complaint {
    let complaint = Complaint::usage(&error);
    match error {
        WordsError::NeedsShell { .. } => complaint.help("add --shell to run it with sh -c"),
        _ => complaint,
    }
}

fn of_body(
    name: &str,
    action: Action,
    args: &WorkArgs,
    inputs: Option<Inputs>,
    reading: &Reading<'_>,
) -> JobSpec {
    let mut body = Body::new(action);
    let fed = inputs.is_some();
    let template = |text: &str| match fed {
        true => reading.template(text.as_bytes()),
        false => Template::literal(text),
    };
    // Priority is said of the job, where it can be changed later.
    let task = TaskArgs { priority: None, ..args.task.clone() };
    task.apply(&mut body, &template);
    body.surroundings.stdout = args.stdout.as_deref().map(template);
    body.surroundings.stderr = args.stderr.as_deref().map(template);
    body.cache = args.cache;
    let mut spec = TaskSpec { name: name.into(), ..TaskSpec::new(Arc::new(body)) };
    spec.gang = args.gang.unwrap_or(0);
    // Ranks of one command have numbers only.
    let ranks = || Inputs::numbers(0, 1, args.gang?.into()).ok();
    if let Some(inputs) = inputs.or_else(ranks) {
        spec.count = u32::try_from(inputs.rows()).unwrap_or(u32::MAX);
        spec.array = true;
        spec.inputs = inputs;
    }
    JobSpec::new(name, [Arc::new(spec)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_of_shells_are_sent_as_they_are() {
        let words = |text: &str| {
            let words = shell(text.as_bytes())?;
            Some(
                words
                    .iter()
                    .map(|word| String::from_utf8_lossy(word).into_owned())
                    .collect::<Vec<_>>()
                    .join(" "),
            )
        };
        assert_eq!(words("#!/bin/bash -e\necho"), Some("/bin/bash -e".into()));
        assert_eq!(words("#!/usr/bin/env zsh\necho"), Some("zsh".into()));
        assert_eq!(words("#!/usr/bin/python3\n"), None);
        assert_eq!(words("echo"), None);
        assert_eq!(words("#!"), None);
    }

    #[test]
    fn without_inputs_words_stand_for_themselves() {
        let words: Vec<OsString> = ["find", ".", "-exec", "ls", "{}", ";"].map(Into::into).into();
        let args = WorkArgs { words, ..WorkArgs::default() };
        let job = command(&args).expect("it is a command");
        assert_eq!((&*job.name, job.tasks()), ("find", 1));
        let Action::Command { argv } = &job.specs[0].body.action else { panic!("it is one") };
        assert!(argv.iter().all(Template::is_literal));
        let args =
            WorkArgs { array: Some(bary_jobfile::range::parse("1-3").expect("good")), ..args };
        let job = command(&args).expect("it is a command");
        assert_eq!((job.tasks(), job.specs[0].array), (3, true));
        let args = WorkArgs { gang: Some(4), array: None, ..args };
        let job = command(&args).expect("it is a command");
        assert_eq!((job.tasks(), job.specs[0].gang), (4, 4));
        let Action::Command { argv } = &job.specs[0].body.action else { panic!("it is one") };
        assert!(argv.iter().all(Template::is_literal), "its words stand for themselves");
    }
}
