//! Reads a stream of inputs and submits them chunk by chunk to an open job.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use bary_engine::input::Refusal;
use bary_model::id::{JobNo, SpecNo};
use bary_model::job::{Halt, JobSpec, SubmissionKey};
use bary_node::cluster::{Cluster, RequestError};

use crate::complaint::Complaint;
use crate::gate::Gate;
use crate::recipe::Recipe;
use crate::sources::stream::{Part, Stream};

/// A stream and what becomes of it.
pub(crate) struct Feeder {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) recipe: Recipe,
    pub(crate) name: Box<str>,
    /// The most bytes of inputs that may be pending.
    pub(crate) pending_bytes_max: u64,
    pub(crate) halt: Option<Halt>,
    /// Under which key its job is submitted, if it has one.
    pub(crate) key: Option<SubmissionKey>,
    /// What was submitted before, by an earlier run of the same state.
    pub(crate) sent: Sent,
}

/// How far the reading is; shared with whoever watches the run.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) gate: Gate,
    submitted: AtomicBool,
    outcome: OnceLock<Result<(), Complaint>>,
}

impl Feed {
    /// Whether anything was submitted so far.
    pub(crate) fn has_submitted(&self) -> bool {
        self.submitted.load(Ordering::Acquire)
    }

    /// How the reading ended, if it has.
    pub(crate) fn outcome(&self) -> Option<&Result<(), Complaint>> {
        self.outcome.get()
    }
}

impl Feeder {
    /// Starts reading on a thread of its own.
    pub(crate) fn start(mut self, mut stream: Stream) -> io::Result<Arc<Feed>> {
        let feed = Arc::new(Feed {
            gate: Gate::new(self.pending_bytes_max),
            submitted: AtomicBool::new(self.sent.job.is_some()),
            outcome: OnceLock::new(),
        });
        if self.sent.left > 0 {
            // A gate without entries lets anything in.
            let _entered = feed.gate.enter(SpecNo(0), self.sent.left, 0);
        }
        let told = Arc::clone(&feed);
        std::thread::Builder::new().name("bary-reader".into()).spawn(move || {
            let outcome = self.read(&mut stream, &told);
            // It is set once, here.
            drop(told.outcome.set(outcome));
            self.cluster.poker().poke();
        })?;
        Ok(feed)
    }

    fn read(&mut self, stream: &mut Stream, feed: &Feed) -> Result<(), Complaint> {
        while let Some(part) = stream.next()? {
            if !self.submit(&part, feed)? {
                return Ok(());
            }
        }
        match self.sent.job.map(|job| self.cluster.close(job)) {
            Some(Err(error)) if !is_over(&error) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Submits rows when there is room; false where nothing more is wanted.
    fn submit(&mut self, part: &Part, feed: &Feed) -> Result<bool, Complaint> {
        let rows = part.chunk.inputs.rows() - part.first;
        if !feed.gate.enter(SpecNo(self.sent.specs), rows, part.chunk.bytes) {
            return Ok(false);
        }
        let specs = self.recipe.specs_from(&part.chunk.inputs, part.first, part.before);
        let specs = specs.map_err(Complaint::usage)?;
        self.sent.specs += specs.len() as u32;
        match self.sent.job {
            None => {
                let (name, halt, key) = (self.name.clone(), self.halt, self.key);
                let job = JobSpec { open: true, halt, key, ..JobSpec::new(name, specs) };
                self.sent.job = Some(self.cluster.submit(job)?);
                feed.submitted.store(true, Ordering::Release);
            }
            Some(job) => match self.cluster.extend(job, specs) {
                Err(error) if is_over(&error) => return Ok(false),
                done => done?,
            },
        }
        Ok(true)
    }
}

/// What was submitted so far.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) job: Option<JobNo>,
    pub(crate) specs: u32,
    /// How many tasks of an earlier run have not ended.
    pub(crate) left: u64,
}

/// Whether the job was cancelled meanwhile, so that there is nothing to add to.
fn is_over(error: &RequestError) -> bool {
    matches!(error, RequestError::Refused(Refusal::NoSuchJob(_)) | RequestError::Stopped)
}
