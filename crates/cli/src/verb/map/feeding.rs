//! What of a map is still to be submitted: all of it, the rest of a stream, or nothing. It is made
//! ready before anything runs, so that a state of another job is refused before.

use std::path::Path;
use std::sync::Arc;

use bary_model::id::JobNo;
use bary_model::job::{JobSpec, SubmissionKey};
use bary_model::task::TaskSpec;

use crate::args::map::MapArgs;
use crate::complaint::Complaint;
use crate::desk::Desk;
use crate::feeder::{Feeder, Sent};
use crate::limits;
use crate::resume::{Resume, STREAMED};
use crate::session::Session;
use crate::sources::chunk::Chunker;
use crate::sources::cut::{Cut, Rows};
use crate::sources::stream::Stream;
use crate::sources::{self, Source};
use crate::verb::map::{FeedOf, Plan};

/// What is still to be submitted.
pub(super) enum Feeding {
    /// A job whose inputs are all at hand.
    Whole(JobSpec),
    /// What a stream gives from here on.
    Stream(Box<Stream>, Sent, Option<SubmissionKey>),
    /// Nothing.
    Done,
}

/// Opens the state of a run where it has one, and the inputs.
pub(super) fn ready(plan: &Plan, args: &MapArgs) -> Result<(Option<Resume>, Feeding), Complaint> {
    match &plan.feed {
        FeedOf::Nothing => Ok((None, Feeding::Done)),
        FeedOf::Table(inputs) => {
            let specs = plan.recipe.specs(inputs, 0).map_err(Complaint::usage)?;
            let (name, halt) = (plan.name.clone(), plan.halt);
            let job = JobSpec { halt, ..JobSpec::new(name, specs) };
            let resume = Resume::open(&args.keep, &job)?;
            let key = resume.as_ref().map(|resume| resume.key);
            Ok((resume, Feeding::Whole(JobSpec { key, ..job })))
        }
        FeedOf::Stream(source) => {
            let resume = Resume::open(&args.keep, &stream_job(plan, args))?;
            let feeding = stream(plan, source, resume.as_ref())?;
            Ok((resume, feeding))
        }
    }
}

/// What stands for the job of a stream, whose inputs are known only when they are read.
fn stream_job(plan: &Plan, args: &MapArgs) -> JobSpec {
    let spec =
        TaskSpec { array: !plan.recipe.distinct, ..TaskSpec::new(Arc::clone(&plan.recipe.body)) };
    let cut = plan.cut.identity(plan.slots);
    let weight = args.input.weight.as_deref().unwrap_or_default();
    let name = format!("{}{STREAMED}{cut}{STREAMED}{weight}", plan.name);
    JobSpec { open: true, halt: plan.halt, ..JobSpec::new(name, [Arc::new(spec)]) }
}

/// Skips what an earlier run has read of a stream.
fn stream(plan: &Plan, source: &Source, resume: Option<&Resume>) -> Result<Feeding, Complaint> {
    let path = source.file().unwrap_or_else(|| Path::new("-")).to_owned();
    let chunker = Chunker::new(plan.cut.clone());
    let from = sources::open(&path)?;
    let mut stream = Box::new(Stream::new(from, chunker, path, plan.slots));
    let key = resume.map(|resume| resume.key);
    let Some(standing) = resume.and_then(Resume::standing) else {
        return Ok(Feeding::Stream(stream, Sent::default(), key));
    };
    stream.skip(&standing.known, standing.closed)?;
    if standing.closed {
        return Ok(Feeding::Done);
    }
    let sent = Sent { job: Some(JobNo(0)), specs: standing.specs, left: standing.left };
    Ok(Feeding::Stream(stream, sent, key))
}

impl Feeding {
    /// Submits what is whole, or begins to read what comes.
    pub(super) fn submit(
        self,
        plan: Plan,
        session: &Session,
        desk: &mut Desk,
    ) -> Result<(), Complaint> {
        match self {
            Self::Done => {}
            Self::Whole(job) => desk.job = Some(session.cluster.submit(job)?),
            Self::Stream(stream, sent, key) => {
                let feeder = Feeder {
                    cluster: Arc::clone(&session.cluster),
                    pending_bytes_max: pending_bytes_max(&plan.cut, plan.slots),
                    recipe: plan.recipe,
                    name: plan.name,
                    halt: plan.halt,
                    key,
                    sent,
                };
                desk.feed = Some(feeder.start(*stream).map_err(Complaint::failed)?);
            }
        }
        Ok(())
    }
}

/// How much of a stream may be read ahead: large blocks keep every slot busy too.
fn pending_bytes_max(cut: &Cut, slots: u32) -> u64 {
    let blocks = match cut.rows {
        Rows::Blocks(size) => {
            (size as u64).saturating_mul(u64::from(slots) * limits::STREAM_PENDING_BLOCKS_MAX)
        }
        Rows::Single | Rows::Every(_) | Rows::Fit(_) => 0,
    };
    blocks.max(limits::STREAM_PENDING_BYTES_MAX)
}
