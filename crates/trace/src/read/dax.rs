//! Pegasus' abstract workflows (DAX 3) in XML: jobs with run times and the files that they use,
//! and who is whose parent. No document type is read, so that there are no entities to expand.

use std::collections::{BTreeMap, BTreeSet};

use bary_model::time::Span;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::draft::Draft;
use crate::fault::{Fault, Reason, shown};
use crate::limits::XML_DEPTH_MAX;
use crate::number::{bytes, cpus, number, seconds};
use crate::place::Lines;
use crate::trace::{Task, Trace};

/// A job as it stands there.
struct Entry {
    line: usize,
    id: String,
    program: String,
    task: Task,
    reads: Vec<(String, f64)>,
    leaves: Vec<(String, f64)>,
}

/// What has been read so far.
#[derive(Default)]
struct Found {
    name: Option<String>,
    entries: Vec<Entry>,
    /// Line, child and parent.
    edges: Vec<(usize, String, String)>,
    /// The child whose parents are told now.
    child: Option<String>,
}

pub(crate) fn read(name: &str, text: &str) -> Result<Trace, Fault> {
    let lines = Lines::of(text);
    let mut reader = Reader::from_str(text);
    let mut found = Found::default();
    let mut depth = 0_usize;
    loop {
        let at = lines.at(usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX));
        let event = reader.read_event().map_err(|error| {
            let at = usize::try_from(reader.error_position()).unwrap_or(usize::MAX);
            Fault::at(lines.at(at), Reason::Syntax(shown(&error.to_string())))
        })?;
        // An element may stand some lines below what is before it.
        let line =
            lines.at(usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)).max(at);
        match event {
            Event::Start(start) => {
                depth += 1;
                if depth > XML_DEPTH_MAX {
                    let (what, most) = ("elements in each other", XML_DEPTH_MAX as u64);
                    return Err(Fault::at(line, Reason::TooMany { what, most }));
                }
                found.element(line, &start)?;
            }
            Event::Empty(start) => found.element(line, &start)?,
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::DocType(_) => {
                let said = "a document type is not read; leave its line out";
                return Err(Fault::at(line, Reason::Syntax(said.into())));
            }
            Event::Eof if depth > 0 => {
                let said = "the file ends within an element: it is cut off";
                return Err(Fault::at(line, Reason::Syntax(said.into())));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    found.drafted(name)
}

impl Found {
    fn element(&mut self, line: usize, start: &BytesStart<'_>) -> Result<(), Fault> {
        let of = |name| attribute(line, start, name);
        let must = |name, what| of(name)?.ok_or_else(|| Fault::at(line, Reason::Missing(what)));
        match start.local_name().as_ref() {
            "adag" => self.name = of("name")?.filter(|name| !name.is_empty()),
            "job" | "dag" | "dax" => {
                let at = |why| Fault::at(line, why);
                let run = must("runtime", "attribute `runtime`")?;
                let what = "runtime";
                let run = number(what, &run).and_then(|run| seconds(what, run)).map_err(at)?;
                let mut task = Task::new(run);
                for cores in [of("numcores")?, of("cores")?].into_iter().flatten() {
                    let given = number("the cores", &cores).map_err(at)?;
                    task.milli_cpus = cpus("the cores", given).map_err(at)?;
                }
                let (id, program) =
                    (must("id", "attribute `id`")?, of("name")?.unwrap_or_default());
                let (reads, leaves) = (Vec::new(), Vec::new());
                self.entries.push(Entry { line, id, program, task, reads, leaves });
            }
            "uses" => self.used(line, start)?,
            "child" => self.child = Some(must("ref", "attribute `ref`")?),
            "parent" => {
                let parent = must("ref", "attribute `ref`")?;
                let child = self.child.clone();
                let child = child.ok_or_else(|| Fault::at(line, Reason::Missing("child above")))?;
                self.edges.push((line, child, parent));
            }
            _ => {}
        }
        Ok(())
    }

    /// A file that the job above uses.
    fn used(&mut self, line: usize, start: &BytesStart<'_>) -> Result<(), Fault> {
        let of = |name| attribute(line, start, name);
        let Some(entry) = self.entries.last_mut() else { return Ok(()) };
        let file = match of("file")? {
            Some(file) => file,
            None => of("name")?.unwrap_or_default(),
        };
        let size = of("size")?.unwrap_or_else(|| "0".to_owned());
        let size = number("size", &size).and_then(|size| bytes("size", size).map(|_| size));
        let size = size.map_err(|why| Fault::at(line, why))?;
        match of("link")?.as_deref() {
            Some("output") => entry.leaves.push((file, size)),
            Some("input") => entry.reads.push((file, size)),
            _ => {}
        }
        Ok(())
    }

    fn drafted(self, name: &str) -> Result<Trace, Fault> {
        let name = self.name.as_deref().unwrap_or(name);
        let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
        for (number, entry) in (0..).zip(&self.entries) {
            if numbers.insert(&entry.id, number).is_some() {
                let reason = Reason::Twice { what: "job", name: shown(&entry.id) };
                return Err(Fault::at(entry.line, reason));
            }
        }
        let mut after: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); self.entries.len()];
        for (line, child, parent) in &self.edges {
            let Some(task) = numbers.get(child.as_str()) else {
                return Err(Fault::at(*line, Reason::UnknownTask(shown(child))));
            };
            let Some(on) = numbers.get(parent.as_str()) else {
                let (task, parent) = (shown(child), shown(parent));
                return Err(Fault::at(*line, Reason::UnknownParent { task, parent }));
            };
            after[*task as usize].insert(*on);
        }
        let made: BTreeSet<&str> =
            self.entries.iter().flat_map(|entry| &entry.leaves).map(|(file, _)| &**file).collect();
        let mut draft = Draft::new(name);
        draft.job(1, name, "", Span::ZERO)?;
        for (entry, after) in self.entries.iter().zip(after) {
            let sum = |files: &mut dyn Iterator<Item = &(String, f64)>| {
                let total = bytes("the files' size", files.map(|(_, size)| size).sum());
                total.map_err(|why| Fault::at(entry.line, why))
            };
            let outside = |(file, _): &&(String, f64)| !made.contains(&**file);
            let task = Task {
                name: entry.id.as_str().into(),
                function: draft.word(entry.line, &entry.program)?,
                input: sum(&mut entry.reads.iter().filter(outside))?,
                output: sum(&mut entry.leaves.iter())?,
                after: after.into_iter().collect(),
                ..entry.task.clone()
            };
            draft.task(entry.line, task)?;
        }
        draft.end()
    }
}

/// The text of an attribute; only the five entities that XML itself has are replaced.
fn attribute(line: usize, start: &BytesStart<'_>, name: &str) -> Result<Option<String>, Fault> {
    let wrong = |said: String| Fault::at(line, Reason::Syntax(shown(&said)));
    let found = start.try_get_attribute(name).map_err(|error| wrong(error.to_string()))?;
    let text = found.map(|found| {
        let text = quick_xml::escape::unescape(&found.value);
        let text = text.map_err(|error| wrong(error.to_string()))?;
        Ok(text.into_owned())
    });
    text.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<adag xmlns="http://pegasus.isi.edu/schema/DAX" name="montage">
  <job id="ID0" namespace="M" name="mProject" runtime="1.5">
    <uses file="in" link="input" size="10"/>
    <uses file="mid &amp; more" link="output" size="20"/>
  </job>
  <job id="ID1" name="mAdd" runtime="3">
    <uses file="mid &amp; more" link="input" size="20"/>
  </job>
  <child ref="ID1">
    <parent ref="ID0"/>
  </child>
</adag>
"#;

    #[test]
    fn jobs_files_and_parents_come_together() {
        let trace = read("x", SAMPLE).expect("it is well written");
        let [a, b] = &trace.jobs[0].tasks[..] else { panic!("there are two") };
        assert_eq!((a.run, a.input, a.output), (Span::millis(1_500), 10, 20));
        assert_eq!((b.run, b.input, &*b.after), (Span::secs(3), 0, &[0][..]));
        assert_eq!((&*a.function, &*trace.name), ("mProject", "montage"));
    }

    #[test]
    fn each_fault_has_its_line() {
        let table = [
            ("runtime=\"3\"", "runtime=\"-3\"", 7),
            ("runtime=\"3\"", "runtime=\"x\"", 7),
            ("runtime=\"3\"", "", 7),
            ("<parent ref=\"ID0\"/>", "<parent ref=\"ID9\"/>", 11),
            ("<parent ref=\"ID0\"/>", "<parent ref=\"ID1\"/>", 7),
            ("id=\"ID1\"", "id=\"ID0\"", 7),
            ("size=\"10\"", "size=\"-10\"", 4),
            ("file=\"in\"", "file=\"&bomb;\"", 4),
            ("</job>\n  <job id=\"ID1\"", "</jab>\n  <job id=\"ID1\"", 6),
        ];
        for (right, wrong, line) in table {
            let text = SAMPLE.replacen(right, wrong, 1);
            assert_ne!(text, SAMPLE);
            let fault = read("x", &text).expect_err(wrong);
            assert_eq!(fault.line, Some(line), "{wrong}: {fault}");
        }
        assert!(read("x", &SAMPLE[..SAMPLE.len() - 20]).is_err());
    }

    #[test]
    fn whichever_end_of_a_dependency_is_no_task_is_named() {
        let told = |right: &str, wrong: &str| {
            read("x", &SAMPLE.replacen(right, wrong, 1)).expect_err(wrong).to_string()
        };
        assert!(told("<parent ref=\"ID0\"/>", "<parent ref=\"ID9\"/>").contains("waits for `ID9`"));
        assert!(told("<child ref=\"ID1\">", "<child ref=\"ID8\">").contains("`ID8` waits"));
    }

    #[test]
    fn a_document_type_is_refused_so_that_nothing_expands() {
        let bomb = SAMPLE.replacen("<adag", "<!DOCTYPE a [<!ENTITY b \"bb\">]>\n<adag", 1);
        assert_eq!(read("x", &bomb).expect_err("it has entities").line, Some(2));
    }

    #[test]
    fn elements_too_deep_in_each_other_are_refused() {
        let fault = read("x", &"<a>".repeat(XML_DEPTH_MAX + 1)).expect_err("it is deep");
        assert!(matches!(fault.reason, Reason::TooMany { .. }));
    }
}
