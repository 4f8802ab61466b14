//! Our own format, `bary.trace/1`: a JSON object a line. The first says the schema, each other one
//! a job or a task of the job before it. Fields of newer minor versions are passed over.

use serde::Deserialize;

use bary_model::time::Span;
use bary_model::weight::Weight;

use crate::draft::Draft;
use crate::fault::{Fault, Reason, shown};
use crate::number::{cpus, nanos, size};
use crate::place::syntax;
use crate::trace::{Task, Trace};

/// The schema that is written and read.
pub const SCHEMA: &str = "bary.trace/1";
/// The minor version that is written, and whose fields are all known.
pub const MINOR: u32 = 0;

/// The same fields twice: as they are in this minor version, and as they may be in a newer one.
macro_rules! fields {
    ($exact:ident, $loose:ident { $($(#[$meta:meta])* $field:ident: $kind:ty,)* }) => {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct $exact { $($(#[$meta])* $field: $kind,)* }

        #[derive(Deserialize)]
        struct $loose { $($(#[$meta])* $field: $kind,)* }

        impl From<$exact> for $loose {
            fn from(exact: $exact) -> Self {
                Self { $($field: exact.$field,)* }
            }
        }
    };
}

fields!(ExactHeader, Header {
    schema: Box<str>,
    #[serde(default)]
    minor: u32,
    #[serde(default)]
    name: Box<str>,
    unit_ns: Option<u64>,
    jobs: Option<u64>,
    tasks: Option<u64>,
});

fields!(ExactLine, Line {
    job: Option<Box<str>>,
    owner: Option<Box<str>>,
    at_ns: Option<u64>,
    task: Option<Box<str>>,
    function: Option<Box<str>>,
    run_ns: Option<u64>,
    estimate_ns: Option<u64>,
    weight: Option<f64>,
    cpus: Option<f64>,
    memory: Option<u64>,
    input: Option<u64>,
    output: Option<u64>,
    #[serde(default)]
    after: Vec<u32>,
});

pub(crate) fn read(text: &str) -> Result<Trace, Fault> {
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let Some((first, header)) = lines.next() else {
        return Err(Fault::whole(Reason::Empty("header")));
    };
    let header = header_of(first, header)?;
    let newer = newer(header.minor);
    let mut draft = Draft::new(&header.name);
    if let Some(unit) = header.unit_ns {
        let given = nanos("unit_ns", unit).map_err(|why| Fault::at(first, why))?;
        if given == Span::ZERO {
            let (what, given, want) = ("unit_ns", "0".into(), "at least 1");
            return Err(Fault::at(first, Reason::Number { what, given, want }));
        }
        draft.unit(given);
    }
    for (number, line) in lines {
        let line = if newer {
            serde_json::from_str::<Line>(line)
        } else {
            serde_json::from_str::<ExactLine>(line).map(Line::from)
        };
        let line = line.map_err(|error| syntax(number, &error))?;
        add(&mut draft, number, line)?;
    }
    let trace = draft.end()?;
    whole("jobs", header.jobs, trace.jobs.len())?;
    whole("tasks", header.tasks, trace.tasks())?;
    Ok(trace)
}

/// Whether a file may have fields that are not known here.
fn newer(minor: u32) -> bool {
    minor > MINOR
}

fn header_of(line: usize, text: &str) -> Result<Header, Fault> {
    let wrong = |error| syntax(line, &error);
    let header: Header = serde_json::from_str(text).map_err(wrong)?;
    if &*header.schema != SCHEMA {
        return Err(Fault::at(line, Reason::Schema(shown(&header.schema))));
    }
    if !newer(header.minor) {
        return serde_json::from_str::<ExactHeader>(text).map(Header::from).map_err(wrong);
    }
    Ok(header)
}

/// What the header counts must be there: a file that is cut off between two lines looks whole.
fn whole(what: &'static str, said: Option<u64>, found: usize) -> Result<(), Fault> {
    let found = found as u64;
    match said {
        Some(want) if want != found => Err(Fault::whole(Reason::Count { what, found, want })),
        _ => Ok(()),
    }
}

fn add(draft: &mut Draft, number: usize, line: Line) -> Result<(), Fault> {
    let at = |reason| Fault::at(number, reason);
    match (&line.job, &line.task) {
        (Some(job), None) => {
            let arrival = nanos("at_ns", line.at_ns.unwrap_or(0)).map_err(at)?;
            draft.job(number, job, line.owner.as_deref().unwrap_or(""), arrival)
        }
        (None, Some(_)) => {
            let function = draft.word(number, line.function.as_deref().unwrap_or(""))?;
            let task = task(line).map_err(at)?;
            draft.task(number, Task { function, ..task })
        }
        _ => Err(at(Reason::Missing("`job` or `task`, or there are both"))),
    }
}

fn task(line: Line) -> Result<Task, Reason> {
    let run = line.run_ns.ok_or(Reason::Missing("run_ns"))?;
    let weight = line.weight.map(|units| {
        Weight::new(units).map_err(|_| {
            let want = "a number from 0.001 to 1000000";
            Reason::Number { what: "weight", given: units.to_string().into(), want }
        })
    });
    Ok(Task {
        name: line.task.unwrap_or_default(),
        estimate: line.estimate_ns.map(|ns| nanos("estimate_ns", ns)).transpose()?,
        weight: weight.transpose()?,
        milli_cpus: line.cpus.map_or(Ok(1_000), |given| cpus("cpus", given))?,
        memory: size("memory", line.memory.unwrap_or(0))?,
        input: size("input", line.input.unwrap_or(0))?,
        output: size("output", line.output.unwrap_or(0))?,
        after: line.after.into(),
        ..Task::new(nanos("run_ns", run)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "{\"schema\":\"bary.trace/1\",\"minor\":0}\n";

    fn lines(rest: &str) -> Result<Trace, Fault> {
        read(&format!("{HEADER}{rest}"))
    }

    #[test]
    fn a_job_and_its_tasks_are_read() {
        let text = "{\"job\":\"a\",\"owner\":\"ann\",\"at_ns\":5}\n\
                    {\"task\":\"x\",\"run_ns\":7,\"cpus\":1.5,\"weight\":2}\n\
                    {\"task\":\"\",\"run_ns\":8,\"after\":[0],\"output\":9}\n";
        let trace = lines(text).expect("it is well written");
        let job = &trace.jobs[0];
        assert_eq!((&*job.name, &*job.owner, job.arrival), ("a", "ann", Span(5)));
        assert_eq!((job.tasks[0].run, job.tasks[0].milli_cpus), (Span(7), 1_500));
        assert_eq!((&*job.tasks[1].after, job.tasks[1].output), (&[0][..], 9));
        assert_eq!(trace.unit, Trace::UNIT);
    }

    #[test]
    fn unknown_fields_are_refused_unless_the_file_is_of_a_newer_minor_version() {
        let fault = lines("{\"job\":\"a\",\"shade\":1}\n").expect_err("there is no shade");
        assert_eq!(fault.line, Some(2));
        let newer = "{\"schema\":\"bary.trace/1\",\"minor\":7,\"hue\":1}\n\
                     {\"job\":\"a\",\"shade\":1}\n{\"task\":\"x\",\"run_ns\":1}\n";
        assert!(read(newer).is_ok());
    }

    #[test]
    fn a_newer_major_version_is_refused() {
        let fault = read("{\"schema\":\"bary.trace/2\"}\n").expect_err("it is newer");
        assert_eq!(fault, Fault::at(1, Reason::Schema("bary.trace/2".into())));
    }

    #[test]
    fn each_fault_has_its_line() {
        let table = [
            "{\"job\":\"a\",\"at_ns\":-1}",
            "{\"job\":\"a\"",
            "{\"task\":\"x\",\"run_ns\":1}",
            "{}",
            "{\"job\":\"a\",\"task\":\"b\",\"run_ns\":1}",
            "{\"job\":\"a\",\"at_ns\":18446744073709551615}",
        ];
        for text in table {
            let fault = lines(&format!("{text}\n")).expect_err(text);
            assert_eq!(fault.line, Some(2), "{text}: {fault}");
        }
        let tasks = [
            "{\"task\":\"x\"}",
            "{\"task\":\"x\",\"run_ns\":1,\"weight\":0}",
            "{\"task\":\"x\",\"run_ns\":1,\"cpus\":-1}",
            "{\"task\":\"x\",\"run_ns\":1,\"output\":9223372036854775807}",
            "{\"task\":\"x\",\"run_ns\":1,\"after\":[0]}",
            "{\"task\":\"x\",\"run_ns\":1,\"after\":[3]}",
        ];
        for text in tasks {
            let fault = lines(&format!("{{\"job\":\"a\"}}\n{text}\n")).expect_err(text);
            assert_eq!(fault.line, Some(3), "{text}: {fault}");
        }
    }

    #[test]
    fn a_file_cut_between_lines_is_known_by_the_headers_counts() {
        let text = "{\"schema\":\"bary.trace/1\",\"jobs\":2,\"tasks\":0}\n{\"job\":\"a\"}\n";
        let fault = read(text).expect_err("one job is gone");
        assert_eq!(fault.reason, Reason::Count { what: "jobs", found: 1, want: 2 });
    }
}
