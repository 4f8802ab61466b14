//! Standard Workload Format 2.2 (Feitelson et al., Parallel Workloads Archive): eighteen numbers a
//! line, one job of one task each; -1 is unknown. Jobs that never ran are left out.

use std::collections::BTreeMap;

use bary_model::time::Span;

use crate::draft::Draft;
use crate::fault::{Fault, Reason, shown};
use crate::number::{bytes, cpus, number, seconds};
use crate::trace::{Task, Trace};

/// How many numbers a line has.
const FIELDS: usize = 18;

/// What stands where in a line, from 0.
const NUMBER: usize = 0;
const SUBMIT: usize = 1;
const RUN: usize = 3;
const ALLOCATED: usize = 4;
const USED_MEMORY: usize = 6;
const REQUESTED: usize = 7;
const REQUESTED_TIME: usize = 8;
const REQUESTED_MEMORY: usize = 9;
const USER: usize = 11;
const PROGRAM: usize = 13;

/// One line; each number with -1 as none.
struct Row<'a> {
    line: usize,
    words: [&'a str; FIELDS],
}

pub(crate) fn read(name: &str, text: &str) -> Result<Trace, Fault> {
    let mut draft = Draft::new(name);
    let mut seen: BTreeMap<u64, usize> = BTreeMap::new();
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.trim();
        if text.is_empty() || text.starts_with(';') {
            continue;
        }
        let row = Row::of(line, text)?;
        let id = row.words[NUMBER].parse::<u64>().map_err(|_| {
            let (given, want) = (shown(row.words[NUMBER]), "a whole number");
            Fault::at(line, Reason::Number { what: "the job's number", given, want })
        })?;
        if seen.insert(id, line).is_some() {
            let reason = Reason::Twice { what: "job", name: id.to_string().into() };
            return Err(Fault::at(line, reason));
        }
        job(&mut draft, &row)?;
    }
    draft.end()
}

/// Adds the row's job, where it ran.
fn job(draft: &mut Draft, row: &Row<'_>) -> Result<(), Fault> {
    let at = |reason| Fault::at(row.line, reason);
    let Some(run) = row.time(RUN, "the run time")? else { return Ok(()) };
    let asked = row.known(REQUESTED, "the requested processors")?;
    let held = row.known(ALLOCATED, "the allocated processors")?;
    let processors = held.or(asked).unwrap_or(1.0).max(1.0);
    let requested = row.known(REQUESTED_MEMORY, "the requested memory")?;
    let used = row.known(USED_MEMORY, "the used memory")?;
    // Kilobytes for each processor.
    let memory = requested.or(used).unwrap_or(0.0) * 1_024.0 * processors;
    let submit = row.time(SUBMIT, "the submit time")?;
    let submit = submit.ok_or_else(|| at(Reason::Missing("submit time")))?;
    let named = |at: usize| if row.words[at].starts_with('-') { "" } else { row.words[at] };
    draft.job(row.line, row.words[NUMBER], named(USER), submit)?;
    let function = draft.word(row.line, named(PROGRAM))?;
    let task = Task {
        function,
        estimate: row.time(REQUESTED_TIME, "the requested time")?,
        milli_cpus: cpus("the number of processors", processors).map_err(at)?,
        memory: bytes("the memory", memory).map_err(at)?,
        ..Task::new(run)
    };
    draft.task(row.line, task)
}

impl<'a> Row<'a> {
    fn of(line: usize, text: &'a str) -> Result<Self, Fault> {
        let mut words = [""; FIELDS];
        let mut found = 0;
        for word in text.split_ascii_whitespace() {
            if let Some(place) = words.get_mut(found) {
                *place = word;
            }
            found += 1;
        }
        if found != FIELDS {
            let (found, want) = (found as u64, FIELDS as u64);
            return Err(Fault::at(line, Reason::Count { what: "numbers", found, want }));
        }
        Ok(Self { line, words })
    }

    /// A number that is not negative; none where it is -1.
    fn known(&self, field: usize, what: &'static str) -> Result<Option<f64>, Fault> {
        let word = self.words[field];
        let at = |reason| Fault::at(self.line, reason);
        let value = number(what, word).map_err(at)?;
        match value {
            -1.0 => Ok(None),
            _ if value >= 0.0 && value.is_finite() => Ok(Some(value)),
            _ => {
                let want = "-1 for unknown, or a number that is not negative";
                Err(at(Reason::Number { what, given: shown(word), want }))
            }
        }
    }

    fn time(&self, field: usize, what: &'static str) -> Result<Option<Span>, Fault> {
        let known = self.known(field, what)?;
        let span = known.map(|secs| seconds(what, secs)).transpose();
        span.map_err(|reason| Fault::at(self.line, reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "; Version: 2.2\n;\n\
        1 0 -1 1451 128 -1 -1 -1 -1 -1 -1 7 1 -1 -1 -1 -1 -1\n\
        2 60 -1 -1 4 -1 -1 -1 100 -1 0 7 1 -1 -1 -1 -1 -1\n\
        3 90 5 10 -1 -1 -1 2 100 3 1 8 1 4 -1 -1 -1 -1\n";

    #[test]
    fn jobs_that_ran_are_read_and_unknown_numbers_are_none() {
        let trace = read("log", SAMPLE).expect("it is well written");
        assert_eq!(trace.jobs.len(), 2);
        let (first, last) = (&trace.jobs[0], &trace.jobs[1]);
        assert_eq!((&*first.owner, first.arrival), ("7", Span::ZERO));
        assert_eq!((first.tasks[0].milli_cpus, first.tasks[0].estimate), (128_000, None));
        let task = &last.tasks[0];
        assert_eq!((task.run, task.estimate), (Span::secs(10), Some(Span::secs(100))));
        assert_eq!((task.milli_cpus, task.memory), (2_000, 6_144));
        assert_eq!(&*task.function, "4");
    }

    #[test]
    fn each_fault_has_its_line() {
        let table = [
            "1 0 -1 1451 128 -1",
            "1 0 -1 -3 128 -1 -1 -1 -1 -1 -1 7 1 -1 -1 -1 -1 -1",
            "1 0 -1 NaN 128 -1 -1 -1 -1 -1 -1 7 1 -1 -1 -1 -1 -1",
            "1 -5 -1 3 128 -1 -1 -1 -1 -1 -1 7 1 -1 -1 -1 -1 -1",
            "x 0 -1 3 128 -1 -1 -1 -1 -1 -1 7 1 -1 -1 -1 -1 -1",
            "3 0 -1 3 128 -1 -1 -1 -1 -1 -1 7 1 -1 -1 -1 -1 -1",
            "4 0 -1 3 1e300 -1 -1 -1 -1 -1 -1 7 1 -1 -1 -1 -1 -1",
        ];
        for text in table {
            let fault = read("log", &format!("{SAMPLE}{text}\n")).expect_err(text);
            assert_eq!(fault.line, Some(6), "{text}: {fault}");
        }
        assert_eq!(read("log", "; nothing\n"), Err(Fault::whole(Reason::Empty("job"))));
    }
}
