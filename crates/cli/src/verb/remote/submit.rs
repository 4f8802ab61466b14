//! `bary submit`: gives a node a job.

use bary_api::v1::{Job, LogsRequest, SubmitReply, SubmitRequest};
use bary_client::submission::{Durability, Submission};

use crate::args::submit::{DurabilityArg, SubmitArgs};
use crate::args::{Face, Form};
use crate::asking::{self, Asking};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::listing;
use crate::verb::remote::{logs, progress, wait};

pub(crate) mod about;
pub(crate) mod directives;
pub(crate) mod inputs;
pub(crate) mod surroundings;
pub(crate) mod work;

/// The schema of the document about a job that was accepted.
pub(crate) const SUBMITTED: &str = "bary.submitted/1";

/// Submits, and waits where that is wanted.
pub(crate) fn run(args: &SubmitArgs, face: Face) -> Result<Exit, Complaint> {
    let args = &directives::merged(args)?;
    let job = work::job(&args.work, &args.set)?;
    let tasks = job.tasks();
    let mut request: SubmitRequest = Submission::spec(&job)?.into();
    request.open = args.open || job.open;
    request.durability = args.durability.map(word).unwrap_or_default();
    let priority = args.work.task.priority.unwrap_or(0);
    asking::run(&args.reach, face, async |asking| {
        let request = about::apply(request.clone(), &args.about, priority, asking).await?;
        let reply = asking.node.submit(request).await?;
        if !args.wait {
            tell(asking, &reply)?;
            return Ok(Exit::OK);
        }
        attend(asking, reply.job, tasks).await
    })
}

fn word(durability: DurabilityArg) -> String {
    let durability = match durability {
        DurabilityArg::Memory => Durability::Memory,
        DurabilityArg::Disk => Durability::Disk,
        DurabilityArg::Replicated => Durability::Replicated,
    };
    durability.word().to_owned()
}

/// Says what was accepted.
pub(crate) fn tell(asking: &Asking, reply: &SubmitReply) -> Result<(), Complaint> {
    let face = asking.face;
    let mut document = listing::json_of(reply)?;
    document["schema"] = SUBMITTED.into();
    let text = match listing::data(&document, face.output) {
        _ if face.is_quiet() => format!("{}\n", asking.called(reply.job)),
        Some(text) => text,
        None if face.output == Form::Csv => {
            format!(
                "job,tasks,durability\r\n{},{},{}\r\n",
                reply.job, reply.tasks, reply.durability
            )
        }
        None => {
            let tasks = if reply.tasks == 1 { "task" } else { "tasks" };
            let job = asking.called(reply.job);
            format!("job {job}: {} {tasks}, kept in {}\n", reply.tasks, place(reply))
        }
    };
    asking.say(&text)
}

fn place(reply: &SubmitReply) -> &str {
    match reply.durability.as_str() {
        "disk" => "the state on disk",
        "memory" => "memory only",
        "replicated" => "the states of several members",
        other => other,
    }
}

/// Stays until the job has ended: one command prints as it goes, several show progress.
async fn attend(asking: &Asking, job: u32, tasks: u64) -> Result<Exit, Complaint> {
    asking.come_back(format!("bary wait {}", asking.called(job)));
    let alone = tasks == 1;
    let ended = if alone && (!asking.face.is_data() || asking.face.output == Form::Jsonl) {
        let all = u64::MAX;
        let request = LogsRequest { job, follow: true, tail: all, ..LogsRequest::default() };
        logs::print(asking, request, false).await?;
        wait::until(asking, &[job], None, bary_client::jobs::WAIT_SPAN_MAX, |_| Ok(())).await?
    } else {
        asking.note(&format!("job {}", asking.called(job)));
        progress::watch(asking, &[job], None).await?
    };
    match (alone && !asking.face.is_data(), ended.jobs.first()) {
        // One command speaks for itself, but who stopped it does not.
        (true, Some(Job { state, reason, exit, .. })) => {
            if state == "cancelled" {
                let why = if reason.is_empty() { "" } else { ": " };
                let job = asking.called(job);
                asking
                    .note(&listing::clean::line(&format!("job {job} was cancelled{why}{reason}")));
            }
            Ok(Exit::of_command(*exit))
        }
        _ => wait::close(asking, &ended),
    }
}
