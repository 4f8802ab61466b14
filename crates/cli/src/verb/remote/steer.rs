//! The verbs that change jobs: cancel, hold, release, priority, retry, close, prune.

use bary_api::v1::{
    CancelRequest, ChangedReply, Job, JobsRequest, PruneRequest, SetPriorityRequest,
};
use bary_client::call::CallError;
use bary_client::client::Client;

use crate::args::Face;
use crate::args::remote::{CancelArgs, PriorityArgs, PruneArgs, RetryArgs, SteerArgs};
use crate::asking::{self, Asking};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::listing::Kind;
use crate::selector::{Jobs, Which};

/// Ends jobs.
pub(crate) fn cancel(args: &CancelArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.steer.reach, face, async |asking| {
        let (reason, keep_running) = (reason(&args.steer), args.keep_running);
        each(asking, &args.steer, is_open, async |node, jobs| {
            node.cancel(CancelRequest { jobs, reason: reason.clone(), keep_running }).await
        })
        .await
    })
}

/// Keeps what has not started from starting.
pub(crate) fn hold(args: &SteerArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let request = named(args);
        each(asking, args, is_open, async |node, jobs| node.hold(request(jobs)).await).await
    })
}

/// Lets held jobs go on.
pub(crate) fn release(args: &SteerArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let (request, is_held) = (named(args), |job: &Job| job.state == "held");
        each(asking, args, is_held, async |node, jobs| node.release(request(jobs)).await).await
    })
}

/// Puts jobs ahead of others, or behind.
pub(crate) fn priority(args: &PriorityArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.steer.reach, face, async |asking| {
        let (reason, priority) = (reason(&args.steer), args.to);
        each(asking, &args.steer, is_open, async |node, jobs| {
            node.set_priority(SetPriorityRequest { jobs, priority, reason: reason.clone() }).await
        })
        .await
    })
}

/// Runs what did not succeed once more.
pub(crate) fn retry(args: &RetryArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.steer.reach, face, async |asking| {
        let again = |job: &Job| !is_open(job) && job.succeeded < job.tasks;
        let request = named(&args.steer);
        each(asking, &args.steer, again, async |node, jobs| node.retry(request(jobs)).await).await
    })
}

/// Says that no more tasks will be added.
pub(crate) fn close(args: &SteerArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let request = named(args);
        let is_open = |job: &Job| job.open;
        each(asking, args, is_open, async |node, jobs| node.close(request(jobs)).await).await
    })
}

/// Forgets finished jobs.
pub(crate) fn prune(args: &PruneArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let older_than = args.older_than.map_or(0.0, |span| span.as_secs_f64());
        let mut reply = ChangedReply::default();
        // All of a member are not named one by one.
        let (all, some): (Vec<Jobs>, Vec<Jobs>) =
            args.jobs.iter().cloned().partition(|jobs| jobs.which == Which::All);
        let mut homes = asking.jobs(&some).await?;
        for jobs in &all {
            let at = asking.at(jobs.home.as_deref())?;
            homes.retain(|(other, _)| other.home != at.home);
            homes.push((at, Vec::new()));
        }
        for (at, jobs) in homes {
            let request = PruneRequest { jobs, older_than, dry_run: args.dry_run };
            gather(&mut reply, &at, at.node.prune(request).await?);
        }
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

/// What makes a request of jobs.
fn named(args: &SteerArgs) -> impl Fn(Vec<u32>) -> JobsRequest {
    let reason = reason(args);
    move |jobs| JobsRequest { jobs, reason: reason.clone() }
}

/// Has each member change its own of the jobs that are named, and prints them.
async fn each(
    asking: &Asking,
    args: &SteerArgs,
    wanted: impl Fn(&Job) -> bool,
    change: impl AsyncFn(&Client, Vec<u32>) -> Result<ChangedReply, CallError>,
) -> Result<Exit, Complaint> {
    let mut all = ChangedReply::default();
    for (at, jobs) in asking.jobs_where(&args.jobs, wanted).await? {
        let reply = change(&at.node, jobs).await;
        match reply {
            Ok(reply) => gather(&mut all, &at, reply),
            // What was changed before is told all the same.
            Err(error) => {
                if !all.jobs.is_empty() {
                    tell(asking, &all)?;
                }
                return Err(error.into());
            }
        }
    }
    tell(asking, &all)
}

/// Puts what a member has changed to what others have.
fn gather(all: &mut ChangedReply, at: &Asking, reply: ChangedReply) {
    all.jobs.extend(at.shown(reply.jobs));
    if !reply.note.is_empty() && !all.note.is_empty() {
        all.note.push_str("; ");
    }
    all.note.push_str(&reply.note);
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
