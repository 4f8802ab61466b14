//! The verbs that change jobs: cancel, hold, release, priority, retry, close, prune.

use bary_api::v1::{
    CancelRequest, ChangedReply, Job, JobsRequest, PruneRequest, SetPriorityRequest,
};

use crate::args::Face;
use crate::args::remote::{CancelArgs, PriorityArgs, PruneArgs, RetryArgs, SteerArgs};
use crate::asking::{self, Asking};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::listing::Kind;
use crate::selector::Jobs;

/// Ends jobs.
pub(crate) fn cancel(args: &CancelArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.steer.reach, face, async |asking| {
        let request = CancelRequest {
            jobs: asking.jobs_where(&args.steer.jobs, is_open).await?,
            reason: reason(&args.steer),
            keep_running: args.keep_running,
        };
        tell(asking, &asking.node.cancel(request).await?)
    })
}

/// Keeps what has not started from starting.
pub(crate) fn hold(args: &SteerArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let request = named(asking, args, is_open).await?;
        tell(asking, &asking.node.hold(request).await?)
    })
}

/// Lets held jobs go on.
pub(crate) fn release(args: &SteerArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let request = named(asking, args, |job| job.state == "held").await?;
        tell(asking, &asking.node.release(request).await?)
    })
}

/// Puts jobs ahead of others, or behind.
pub(crate) fn priority(args: &PriorityArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.steer.reach, face, async |asking| {
        let request = SetPriorityRequest {
            jobs: asking.jobs_where(&args.steer.jobs, is_open).await?,
            priority: args.to,
            reason: reason(&args.steer),
        };
        tell(asking, &asking.node.set_priority(request).await?)
    })
}

/// Runs what did not succeed once more.
pub(crate) fn retry(args: &RetryArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.steer.reach, face, async |asking| {
        let again = |job: &Job| !is_open(job) && job.succeeded < job.tasks;
        let request = named(asking, &args.steer, again).await?;
        tell(asking, &asking.node.retry(request).await?)
    })
}

/// Says that no more tasks will be added.
pub(crate) fn close(args: &SteerArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let request = named(asking, args, |job| job.open).await?;
        tell(asking, &asking.node.close(request).await?)
    })
}

/// Forgets finished jobs.
pub(crate) fn prune(args: &PruneArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let all = args.jobs.contains(&Jobs::All);
        let request = PruneRequest {
            jobs: if all { Vec::new() } else { asking.jobs(&args.jobs).await? },
            older_than: args.older_than.map_or(0.0, |span| span.as_secs_f64()),
            dry_run: args.dry_run,
        };
        let reply = asking.node.prune(request).await?;
        if reply.jobs.is_empty() && !face.is_data() {
            asking.note("no job has finished so long ago");
        } else if args.dry_run && !face.is_data() {
            asking.note("these would be forgotten:");
        }
        tell(asking, &reply)
    })
}

fn is_open(job: &Job) -> bool {
    job.finished.is_empty()
}

fn reason(args: &SteerArgs) -> String {
    args.reason.clone().unwrap_or_default()
}

async fn named(
    asking: &Asking,
    args: &SteerArgs,
    wanted: impl Fn(&Job) -> bool,
) -> Result<JobsRequest, Complaint> {
    let jobs = asking.jobs_where(&args.jobs, wanted).await?;
    Ok(JobsRequest { jobs, reason: reason(args) })
}

/// What verbs that change jobs print: the jobs as they are now.
pub(crate) const CHANGED: Kind<Job> = Kind { schema: "bary.changed/1", ..crate::kinds::JOBS };

/// Prints what was changed.
pub(crate) fn tell(asking: &Asking, reply: &ChangedReply) -> Result<Exit, Complaint> {
    if !reply.jobs.is_empty() || asking.face.is_data() {
        asking.print(&CHANGED, &reply.jobs, None)?;
    }
    if !reply.note.is_empty() {
        asking.note(&reply.note);
    }
    Ok(Exit::OK)
}
