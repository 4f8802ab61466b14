//! Reads a stream of inputs and submits them chunk by chunk to an open job.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use bary_engine::input::Refusal;
use bary_model::id::{JobNo, SpecNo};
use bary_model::job::{Halt, JobSpec};
use bary_node::cluster::{Cluster, RequestError};

use crate::complaint::Complaint;
use crate::gate::Gate;
use crate::limits;
use crate::recipe::Recipe;
use crate::sources::chunk::{Chunk, Chunker};
use crate::sources::read_error;

/// A stream and what becomes of it.
pub(crate) struct Feeder {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) recipe: Recipe,
    pub(crate) name: Box<str>,
    /// The slots of all nodes, among which the last inputs are shared.
    pub(crate) slots: u32,
    /// Where the stream comes from, for messages.
    pub(crate) path: PathBuf,
    /// The most bytes of inputs that may be pending.
    pub(crate) pending_bytes_max: u64,
    pub(crate) halt: Option<Halt>,
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
    pub(crate) fn start(
        self,
        from: Box<dyn Read + Send>,
        chunker: Chunker,
    ) -> io::Result<Arc<Feed>> {
        let feed = Arc::new(Feed {
            gate: Gate::new(self.pending_bytes_max),
            submitted: AtomicBool::new(false),
            outcome: OnceLock::new(),
        });
        let told = Arc::clone(&feed);
        std::thread::Builder::new().name("bary-reader".into()).spawn(move || {
            let outcome = self.read(from, chunker, &told);
            // It is set once, here.
            drop(told.outcome.set(outcome));
            self.cluster.poker().poke();
        })?;
        Ok(feed)
    }

    fn read(
        &self,
        mut from: Box<dyn Read + Send>,
        mut chunker: Chunker,
        feed: &Feed,
    ) -> Result<(), Complaint> {
        let mut buffer = vec![0; limits::STREAM_READ_BYTES_MAX];
        let mut sent = Sent::default();
        loop {
            // A read gives what is there; so nothing waits for a stream that is slow.
            let count = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Complaint::failed(read_error(&self.path, error))),
            };
            if let Some(chunk) = chunker.feed(&buffer[..count])?
                && !self.submit(&chunk, &mut sent, feed)?
            {
                return Ok(());
            }
        }
        if let Some(chunk) = chunker.finish(self.slots)?
            && !self.submit(&chunk, &mut sent, feed)?
        {
            return Ok(());
        }
        match sent.job.map(|job| self.cluster.close(job)) {
            Some(Err(error)) if !is_over(&error) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Submits a chunk when there is room; false where nothing more is wanted.
    fn submit(&self, chunk: &Chunk, sent: &mut Sent, feed: &Feed) -> Result<bool, Complaint> {
        let rows = chunk.inputs.rows();
        if !feed.gate.enter(SpecNo(sent.specs), rows, chunk.bytes) {
            return Ok(false);
        }
        let specs = self.recipe.specs(&chunk.inputs, sent.rows).map_err(Complaint::usage)?;
        sent.rows += rows;
        sent.specs += specs.len() as u32;
        match sent.job {
            None => {
                let job = JobSpec { name: self.name.clone(), specs, open: true, halt: self.halt };
                sent.job = Some(self.cluster.submit(job)?);
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
struct Sent {
    job: Option<JobNo>,
    rows: u64,
    specs: u32,
}

/// Whether the job was cancelled meanwhile, so that there is nothing to add to.
fn is_over(error: &RequestError) -> bool {
    matches!(error, RequestError::Refused(Refusal::NoSuchJob(_)) | RequestError::Stopped)
}
