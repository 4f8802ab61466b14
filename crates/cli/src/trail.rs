//! What a run leaves for the simulator: a trace, folded from the same events as its report.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bary_model::event::{Event, EventKind};
use bary_model::id::NodeId;
use bary_model::time::Wall;
use bary_trace::format::Format;
use bary_trace::ran::Ran;
use bary_trace::write::write;

use crate::complaint::Complaint;
use crate::tally::Tally;
use crate::verb::trace::file::put;
use crate::verb::trace::found::{Found, too_large, trace};

/// A trace that comes to be.
#[derive(Debug)]
pub(crate) struct Trail {
    path: PathBuf,
    ran: Ran,
    /// The number, name and owner of the job that runs.
    job: Option<(u32, Box<str>, Arc<str>)>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// A trace of so many tasks.
    Tasks(usize),
    /// No file, since no task ran to its end.
    Nothing,
}

impl Trail {
    /// Nothing ran so far. The file is written at the end, and looked at now: whoever named a place
    /// where none can be is told before anything runs.
    pub(crate) fn begin(path: &Path) -> Result<Self, Complaint> {
        let shown = path.display();
        if path.as_os_str() == "-" {
            let text = "--trace writes a file; standard output has what tasks print";
            return Err(Complaint::usage(text).help("name a file: --trace run.trace"));
        }
        if path.is_dir() {
            return Err(Complaint::usage(format!("--trace: {shown} is a directory")));
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        if parent.is_some_and(|parent| !parent.is_dir()) {
            return Err(Complaint::usage(format!("--trace: there is no directory for {shown}")));
        }
        Ok(Self { path: path.to_owned(), ran: Ran::default(), job: None })
    }

    /// Folds an event in; the tally knows the nodes.
    pub(crate) fn on_event(&mut self, event: &Event, tally: &Tally) {
        if let EventKind::Submitted { job, brief: Some(brief), .. } = &event.kind {
            let owner = Arc::from(&*brief.about.owner);
            self.job = Some((job.0 + 1, brief.name.clone(), owner));
        }
        let speed =
            |node: NodeId| tally.nodes.get(node.index()).map_or(1.0, |node| node.info.speed);
        self.ran.on_event(event, speed);
    }

    /// Writes the file, whole or not at all.
    pub(crate) fn end(self) -> Result<Left, Complaint> {
        let Some((number, name, owner)) = self.job else { return Ok(Left::Nothing) };
        let tasks = self.ran.tasks().map_err(|error| too_large(number, &error))?;
        if tasks.is_empty() {
            return Ok(Left::Nothing);
        }
        let found = Found { number, name: name.clone(), owner, came: Wall(0), tasks };
        let trace = trace(&name, vec![found]);
        let written = write(&trace, Format::Bary).map_err(Complaint::failed)?;
        put(&written.text, &self.path)?;
        Ok(Left::Tasks(trace.tasks()))
    }
}
