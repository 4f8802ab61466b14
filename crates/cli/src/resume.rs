//! A run that keeps its state in a directory: which job lives there, and what happened to it so
//! far. Another job is refused before anything runs.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bary_ledger::job::Job;
use bary_model::action::{Action, Capture};
use bary_model::event::{Event, EventKind};
use bary_model::id::JobNo;
use bary_model::job::{JobSpec, SubmissionKey};
use bary_model::task::{Body, TaskSpec};
use bary_node::state::{self, State};

use crate::args::Face;
use crate::args::cluster::KeepArgs;
use crate::complaint::Complaint;
use crate::screen::Screen;
use crate::sources::stream::Known;

/// An open state, and what is recalled of its job.
pub(crate) struct Resume {
    pub(crate) state: State,
    pub(crate) events: Vec<Event>,
    /// Under which key the job is submitted.
    pub(crate) key: SubmissionKey,
    /// Whether what did not succeed is to run once more.
    pub(crate) retry: bool,
    /// How long it took to open the state and to recall what happened.
    took: Duration,
}

/// What happened so far, as a run that goes on takes it in.
pub(crate) struct Recalled {
    pub(crate) events: Vec<Event>,
    /// Whether what did not succeed is to run once more.
    pub(crate) retry: bool,
    /// How long it took to know that.
    pub(crate) took: Duration,
    /// How many processes that an earlier run had left behind were killed.
    pub(crate) leftovers: u32,
}

impl Recalled {
    /// Says that processes were killed which an earlier run had left behind.
    pub(crate) fn note(&self, face: Face, screen: &mut Screen) {
        let those = match self.leftovers {
            0 => return,
            1 => "a process".to_owned(),
            count => format!("{count} processes"),
        };
        if !face.is_quiet() {
            screen.note(&format!("bary: killed {those} that the last run had left behind"));
        }
    }
}

/// What is already true of the job of a state.
pub(crate) struct Standing {
    /// Whether all of its inputs were submitted.
    pub(crate) closed: bool,
    /// How many specs it has so far.
    pub(crate) specs: u32,
    /// How many of its tasks have not ended.
    pub(crate) left: u64,
    /// What was read of its stream.
    pub(crate) known: Known,
}

impl Resume {
    /// Opens the state that a run is to be kept in, if it is.
    ///
    /// # Errors
    /// Where it cannot be opened, or is of another job.
    pub(crate) fn open(args: &KeepArgs, job: &JobSpec) -> Result<Option<Self>, Complaint> {
        let Some(dir) = &args.state else { return Ok(None) };
        let began = Instant::now();
        let mut events = Vec::new();
        let keeps_all = args.keep;
        let state = State::open(dir, &mut |event| {
            if keeps_all || !matches!(event.kind, EventKind::Granted { .. }) {
                events.push(event);
            }
        })?;
        let took = began.elapsed();
        let content = state::content(&plain(job)).map_err(Complaint::usage)?;
        let key = u128::from(state.shard().0);
        let key = SubmissionKey { key, content: content as u64 };
        let mut resume = Self { state, events, key, retry: args.resume_failed, took };
        resume.check(dir, job)?;
        resume.forget_undone();
        Ok(Some(resume))
    }

    /// The state, and what happened on it.
    pub(crate) fn parts(self) -> (State, Recalled) {
        let Self { state, events, retry, took, .. } = self;
        let leftovers = state.leftovers();
        (state, Recalled { events, retry, took, leftovers })
    }

    /// Refuses where the job of the state is not the wanted one, or cannot be retried as wanted.
    fn check(&self, dir: &Path, wanted: &JobSpec) -> Result<(), Complaint> {
        let held = self.state.ledger().job(JobNo(0));
        if let Some(held) = held
            && held.key.map(|key| key.content) != Some(self.key.content)
        {
            let how = self.difference(held, wanted);
            let text = format!("`{}` is the state of another job: {how}", dir.display());
            return Err(Complaint::usage(text)
                .help("run that job on it again, or name another directory for this one"));
        }
        let dir = dir.display();
        let wrong = match held {
            None => format!("no job has run on `{dir}`"),
            Some(held) if !held.is_over() => format!("the job of `{dir}` has not finished"),
            Some(_) => return Ok(()),
        };
        if !self.retry {
            return Ok(());
        }
        Err(Complaint::usage(wrong).help("run it to its end without --resume-failed first"))
    }

    /// Leaves out what a retry has undone, or will.
    fn forget_undone(&mut self) {
        if let (true, Some(last)) = (self.retry, self.events.last()) {
            let retried = EventKind::Retried { job: JobNo(0) };
            self.events.push(Event { kind: retried, ..last.clone() });
        }
        bary_engine::recall::forget_undone(&mut self.events);
        if self.retry {
            // The retry of this run is told when it is done.
            self.events.pop();
        }
    }

    /// How the wanted job differs from the one that is held.
    fn difference(&self, job: &Job, wanted: &JobSpec) -> String {
        let name = &job.name;
        let wanted_name = wanted.name.split(STREAMED).next().unwrap_or_default();
        if **name != *wanted_name {
            return format!("it runs `{name}`, not `{wanted_name}`");
        }
        let held: Vec<&Arc<TaskSpec>> = self.specs().collect();
        if held.is_empty() || wanted.specs.is_empty() {
            return "it has other tasks".to_owned();
        }
        for (old, new) in held.iter().zip(wanted.specs.iter()) {
            let of = match &*new.name {
                "" => String::new(),
                name => format!(" of `{name}`"),
            };
            if old.body.action != new.body.action {
                let what = match old.body.action {
                    Action::Command { .. } => "command",
                    Action::Function { .. } => "function",
                };
                return format!("its {what}{of} or the arguments differ");
            }
            let (old, new) = (plain_body(&old.body), plain_body(&new.body));
            if let Some(what) = differing(&old, &new) {
                return format!("its {what}{of} differs");
            }
        }
        let tasks = |specs: &mut dyn Iterator<Item = u32>| specs.map(u64::from).sum::<u64>();
        let (old, new) = (
            tasks(&mut held.iter().map(|spec| spec.count)),
            tasks(&mut wanted.specs.iter().map(|spec| spec.count)),
        );
        if !wanted.open && old != new {
            return format!("it has {old} tasks, not {new}");
        }
        if job.halt != wanted.halt {
            return "its --halt differs".to_owned();
        }
        "its inputs, weights or another flag that changes results differ".to_owned()
    }

    fn specs(&self) -> impl Iterator<Item = &Arc<TaskSpec>> {
        let added = self.events.iter().filter_map(|event| match &event.kind {
            EventKind::Submitted { specs, .. } => Some(specs.iter()),
            _ => None,
        });
        added.flatten()
    }

    /// What is true of the job, where it was submitted.
    pub(crate) fn standing(&self) -> Option<Standing> {
        let job = self.state.ledger().job(JobNo(0))?;
        let mut known = Known::default();
        self.events.iter().for_each(|event| known.on_event(event));
        let (closed, specs, left) = (!job.open, job.specs().len() as u32, job.left);
        Some(Standing { closed, specs, left, known })
    }
}

/// Marks the name of a job that stands for a stream and how it is cut; no name of a job has it.
pub(crate) const STREAMED: char = '\0';

/// The first part in which two bodies differ, in a user's words.
fn differing(old: &Body, new: &Body) -> Option<&'static str> {
    let parts = [
        (old.surroundings != new.surroundings, "directory, environment or a file"),
        (old.request != new.request, "request for resources"),
        (old.timeout != new.timeout, "--timeout"),
        (old.grace != new.grace, "--grace"),
        (old.retries != new.retries, "--retries"),
        (old.backoff != new.backoff, "--backoff"),
        (old.heartbeat_timeout != new.heartbeat_timeout, "--heartbeat-timeout"),
        (old.priority != new.priority, "--priority"),
        (old != new, "way of running its tasks"),
    ];
    parts.into_iter().find_map(|(differs, what)| differs.then_some(what))
}

/// The job without what only says how it is printed.
fn plain(job: &JobSpec) -> JobSpec {
    let mut bodies: Vec<(*const Body, Arc<Body>)> = Vec::new();
    let specs = job.specs.iter().map(|spec| {
        if is_plain(&spec.body) {
            return Arc::clone(spec);
        }
        let at = Arc::as_ptr(&spec.body);
        if bodies.last().is_none_or(|(last, _)| *last != at) {
            bodies.push((at, Arc::new(plain_body(&spec.body))));
        }
        let body = bodies.last().map_or(&spec.body, |(_, body)| body);
        Arc::new(TaskSpec { body: Arc::clone(body), ..TaskSpec::clone(spec) })
    });
    JobSpec { specs: specs.collect(), ..job.clone() }
}

fn is_plain(body: &Body) -> bool {
    !body.detail && body.surroundings.capture == Capture::Whole
}

fn plain_body(body: &Body) -> Body {
    let mut plain = body.clone();
    plain.detail = false;
    plain.surroundings.capture = Capture::Whole;
    plain
}
