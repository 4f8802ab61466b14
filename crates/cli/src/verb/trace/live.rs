//! What a node says of the tasks that it has seen end. It tells no weights and no dependencies.

use std::sync::Arc;

use bary_api::v1::{Job, ListJobsRequest, ListTasksRequest};
use bary_identity::calendar;
use bary_model::time::Span;
use bary_trace::limits::SPAN_MAX;
use bary_trace::trace::Task;

use super::export::write_out;
use super::found::Found;
use crate::args::Face;
use crate::args::trace::ExportArgs;
use crate::asking::{self, Asking};
use crate::complaint::Complaint;
use crate::exit::Exit;

/// How many tasks are asked for at a time.
const PAGE: u32 = 10_000;

/// Asks a node, and writes what it says.
pub(super) fn run(args: &ExportArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let jobs = asking.jobs(&args.jobs).await?;
        let request = ListJobsRequest { jobs, sort: "id".to_owned(), ..Default::default() };
        let mut found = Vec::new();
        for job in asking.node.list_jobs(request).await?.jobs {
            found.push(one(asking, &job).await?);
        }
        let exit = write_out(found, args, face)?;
        if !face.is_quiet() {
            asking.note(
                "a node tells no weights and no dependencies; with --state DIR they are there too",
            );
        }
        Ok(exit)
    })
}

async fn one(asking: &Asking, job: &Job) -> Result<Found, Complaint> {
    let mut tasks = Vec::new();
    let mut offset = 0;
    loop {
        let request = ListTasksRequest { job: job.id, limit: PAGE, offset, ..Default::default() };
        let page = asking.node.list_tasks(request).await?.tasks;
        let ran = page.iter().filter(|task| matches!(&*task.state, "succeeded" | "failed"));
        tasks.extend(ran.map(|task| Task {
            name: task.name.as_str().into(),
            memory: task.peak_memory,
            ..Task::new(Span::from_secs_f64(task.run_seconds).min(SPAN_MAX))
        }));
        if (page.len() as u32) < PAGE {
            break;
        }
        offset += PAGE;
    }
    let came = calendar::parse(&job.submitted);
    let wrong = || Complaint::failed(format!("job {} has no moment of submission", job.id));
    Ok(Found {
        number: job.id,
        name: job.name.as_str().into(),
        owner: Arc::from(job.owner.as_str()),
        came: came.ok_or_else(wrong)?,
        tasks,
    })
}
