//! Everything that looks at a run's events, in one place: each fold sees each event once.

use std::sync::Arc;
use std::time::Duration;

use bary_model::event::{Ended, Event, EventKind};
use bary_model::id::{JobNo, SpecNo};
use bary_model::outcome::{End, Failure};
use bary_model::payload::Payload;
use bary_model::roster::Roster;
use bary_node::listener::News;
use bary_ports::store::Store;

use crate::feeder::Feed;
use crate::glance::{Head, Tail};
use crate::harvest::Harvest;
use crate::joblog::JobLog;
use crate::keep::Keeper;
use crate::keep::event::Line;
use crate::outlet::ShowError;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::report;
use crate::results::{ResultsDir, ResultsError};
use crate::screen::{PrintError, Screen};
use crate::signals;
use crate::tally::Tally;
use crate::trail::Trail;

/// The folds of one run.
pub(crate) struct Desk {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) screen: Screen,
    pub(crate) roster: Roster,
    pub(crate) tally: Tally,
    pub(crate) progress: Option<Progress>,
    pub(crate) printer: Option<Printer>,
    pub(crate) harvest: Option<Harvest>,
    pub(crate) joblog: Option<JobLog>,
    pub(crate) results: Option<ResultsDir>,
    pub(crate) keeper: Option<Keeper>,
    /// The trace that it leaves, where one is wanted.
    pub(crate) trail: Option<Trail>,
    /// Whether each event is printed as a line of JSON.
    pub(crate) events: bool,
    /// Whether retries are told as they happen.
    pub(crate) verbose: bool,
    pub(crate) feed: Option<Arc<Feed>>,
    /// Whether inputs come as a stream, and are let go of when nobody reads them any more.
    pub(crate) streams: bool,
    /// How long it took to read the state of the run, where it has one.
    pub(crate) recovery: Option<Duration>,
    pub(crate) job: Option<JobNo>,
    pub(crate) finished: bool,
    /// Whether standard output is gone and nothing more is printed.
    pub(crate) muted: bool,
}

/// Why the run cannot be told of any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeskError {
    #[error(transparent)]
    Print(#[from] PrintError),
    #[error("a result could not be read: {0}")]
    Store(bary_ports::store::StoreError),
    #[error(transparent)]
    Results(#[from] ResultsError),
    #[error("{0}; what has not been printed is not done, and the same command goes on")]
    Journal(String),
    #[error("{what}: {cause}")]
    File { what: &'static str, cause: std::io::Error },
}

impl From<ShowError> for DeskError {
    fn from(error: ShowError) -> Self {
        match error {
            ShowError::Print(error) => Self::Print(error),
            ShowError::Store(error) => Self::Store(error),
        }
    }
}

impl Desk {
    /// A desk with a tally and nothing else.
    pub(crate) fn new(store: Arc<dyn Store>, screen: Screen, tally: Tally) -> Self {
        Self {
            store,
            screen,
            tally,
            roster: Roster::default(),
            progress: None,
            printer: None,
            harvest: None,
            joblog: None,
            results: None,
            keeper: None,
            trail: None,
            events: false,
            verbose: false,
            feed: None,
            streams: false,
            recovery: None,
            job: None,
            finished: false,
            muted: false,
        }
    }

    /// Takes in what the cluster tells.
    pub(crate) fn on_news(&mut self, news: News) -> Result<(), DeskError> {
        match news {
            News::Poke | News::Runs { .. } | News::Said { .. } | News::Replied { .. } => {}
            News::DiskFull => {
                self.screen.note("bary: the disk under --state is full; waiting for space");
            }
            // Whoever submits is told.
            News::DiskLow(_) => {}
            News::DiskFree => self.screen.note("bary: there is space again"),
            News::Failed(why) => return Err(DeskError::Journal(why)),
            News::Output { task, stream, bytes, .. } => {
                if let Some(printer) = self.printer.as_mut().filter(|_| !self.muted) {
                    printer.on_output(task, stream, &bytes, &self.roster, &mut self.screen)?;
                }
            }
            News::Events(events) => {
                // What cannot be told of one event does not keep the others from being heard.
                let mut told = Ok(());
                for event in events {
                    let done = self.on_event(&event);
                    self.muted |= matches!(done, Err(DeskError::Print(_)));
                    told = told.and(done);
                }
                told?;
            }
        }
        if let Some(progress) = self.progress.as_mut() {
            progress.show(&self.tally, &mut self.screen);
        }
        Ok(())
    }

    /// Takes in what happened in earlier runs of the same state, as if it happened now.
    pub(crate) fn recall(&mut self, events: Vec<Event>) -> Result<(), DeskError> {
        let verbose = std::mem::take(&mut self.verbose);
        let recalling = |desk: &mut Self, recalling| {
            if let Some(printer) = &mut desk.printer {
                printer.recalling = recalling;
            }
        };
        recalling(self, true);
        let told = events.into_iter().try_for_each(|event| self.on_event(&event));
        recalling(self, false);
        self.verbose = verbose;
        if let Some(progress) = &mut self.progress {
            progress.begin_at(self.tally.done());
        }
        told
    }

    /// Does what there is time for when no news has come.
    pub(crate) fn on_idle(&mut self) -> Result<(), DeskError> {
        if !self.muted {
            self.screen.flush()?;
        }
        if let Some(progress) = self.progress.as_mut() {
            progress.show(&self.tally, &mut self.screen);
        }
        Ok(())
    }

    fn on_event(&mut self, event: &Event) -> Result<(), DeskError> {
        self.roster.on_event(event);
        self.tally.on_event(event, &self.roster);
        if let Some(trail) = &mut self.trail {
            trail.on_event(event, &self.tally);
        }
        match &event.kind {
            EventKind::Ended(ended) => self.on_ended(ended),
            EventKind::Submitted { job, .. } => self.job = Some(*job),
            EventKind::Finished { .. } => self.finished = true,
            EventKind::Retrying { .. } if self.verbose => self.tell_retry(event),
            _ => {}
        }
        self.write(event)?;
        if let (Some(feed), Some((spec, count))) = (&self.feed, gone(event)) {
            feed.gate.leave(spec, count);
        }
        if let Some(printer) = self.printer.as_mut().filter(|_| !self.muted) {
            printer.on_event(event, &self.roster, &mut self.screen)?;
        }
        self.forget(event);
        if let Some(harvest) = &mut self.harvest {
            harvest.on_event(event, &self.roster);
        }
        Ok(())
    }

    /// Looks at what tasks said at their end, while it is there.
    fn on_ended(&mut self, ended: &Ended) {
        let live = self.printer.as_ref().is_some_and(Printer::is_live);
        if !live && is_cut(&*self.store, &ended.stderr) {
            self.tally.cut += 1;
        }
        if matches!(ended.end, End::Failed(_) | End::Quarantined(_))
            && let Some(failed) = self.tally.failure_of(self.roster.number(ended.range.head()))
        {
            failed.name = self.roster.name(failed.task);
            failed.input = report::shown(&self.roster.input(failed.task));
            failed.last_line = last_line(&*self.store, &ended.stderr);
        }
    }

    /// Lets go of inputs of a stream that nobody reads any more.
    fn forget(&mut self, event: &Event) {
        if let (true, Some((spec, count))) = (self.streams, gone(event)) {
            self.roster.on_gone(spec, count);
            let settled = self.printer.as_ref().map_or(u64::MAX, Printer::settled);
            self.roster.forget(if self.muted { u64::MAX } else { settled });
        }
    }

    /// Writes the event to every file that wants it, before its bytes are released.
    fn write(&mut self, event: &Event) -> Result<(), DeskError> {
        let failed = |what| move |cause| DeskError::File { what, cause };
        if self.keeper.is_some() || self.events {
            let line = Line { event, roster: &self.roster, store: &*self.store };
            let text = line.json().to_string() + "\n";
            if let Some(keeper) = &mut self.keeper {
                keeper.write(&text).map_err(failed("the kept run"))?;
            }
            if self.events && !self.muted {
                self.screen.out(text.as_bytes())?;
            }
        }
        let EventKind::Ended(ended) = &event.kind else { return Ok(()) };
        if let Some(results) = &self.results {
            results.on_ended(ended, &self.roster, &*self.store)?;
        }
        if let Some(joblog) = &mut self.joblog {
            let nodes: Vec<_> = self.tally.nodes.iter().map(|node| node.info.clone()).collect();
            joblog.on_ended(ended, &self.roster, &nodes).map_err(failed("the job log"))?;
        }
        Ok(())
    }

    fn tell_retry(&mut self, event: &Event) {
        let EventKind::Retrying { task, attempt, failure, until, .. } = &event.kind else { return };
        let (name, why) = (self.roster.name(*task), signals::named(failure));
        let wait = until.since(event.at);
        self.screen.note(&format!("bary: {name}: {why}, attempt {attempt}; again in {wait}"));
    }

    /// Closes all files and takes the bar away.
    pub(crate) fn close(&mut self) -> Result<(), DeskError> {
        self.screen.hide_bar();
        if let Some(joblog) = &mut self.joblog {
            let failed = |cause| DeskError::File { what: "the job log", cause };
            joblog.flush().map_err(failed)?;
        }
        if !self.muted {
            self.screen.flush()?;
        }
        Ok(())
    }

    /// Whether the only failure is an exit code, which the process hands on.
    pub(crate) fn has_own_exit(&self) -> bool {
        matches!(self.tally.failures.as_slice(), [only] if matches!(only.failure, Failure::Exit(_)))
    }

    /// Lists the failures on standard error.
    pub(crate) fn list_failures(&mut self) {
        if self.tally.failed == 0 {
            return;
        }
        let (failed, all) = (self.tally.failed, self.tally.tasks);
        let head = self.screen.alarm(&format!("{failed} of {all} tasks failed"));
        let list = report::failures(&self.tally);
        let indented: String = list.lines().map(|line| format!("  {line}\n")).collect();
        self.screen.err(format!("bary: {head}\n{indented}").as_bytes());
    }
}

/// The tasks that will take no more room.
fn gone(event: &Event) -> Option<(SpecNo, u64)> {
    match &event.kind {
        EventKind::Ended(ended) => Some((ended.range.spec, ended.range.count.into())),
        EventKind::Dropped { range, end: End::Cancelled | End::Skipped, .. } => {
            Some((range.spec, range.count.into()))
        }
        _ => None,
    }
}

/// How a standard error begins where output of its command was cut.
const CUT_NOTE: &[u8] = b"[bary: output cut at ";

/// Whether the standard error says that output of its command was cut.
fn is_cut(store: &dyn Store, stderr: &Payload) -> bool {
    Head::of(store, stderr, CUT_NOTE.len()) == CUT_NOTE
}

/// The last line of a standard error that the command wrote itself and that is not blank, short
/// enough for a list.
pub(crate) fn last_line(store: &dyn Store, stderr: &Payload) -> String {
    let bytes = Tail::of(store, stderr);
    let lines = bytes.rsplit(|&byte| byte == b'\n');
    let mut said = lines
        .filter(|line| !line.starts_with(CUT_NOTE) && !line.iter().all(u8::is_ascii_whitespace));
    said.next().map_or_else(String::new, |line| report::shown(line.trim_ascii()))
}
