//! `bary why JOB/TASK`, and `bary why JOB`: why a task of a node waits, runs where it runs, or
//! ended as it did.

use bary_api::v1::{ListTasksRequest, WhyReply};

use crate::args::Face;
use crate::args::reach::Reach;
use crate::asking::{self, Asking};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::listing::amount::plain;
use crate::listing::moment::Clock;
use crate::listing::{self, clean};
use crate::selector::Target;
use crate::verb::remote::{events, show};

/// The schema of the document.
pub(crate) const SCHEMA: &str = "bary.why/2";

/// Tells why.
pub(crate) fn run(target: &Target, reach: &Reach, face: Face) -> Result<Exit, Complaint> {
    asking::run(reach, face, async |asking| {
        let (at, job) = asking.job(&target.jobs).await?;
        let tasks = match &target.tasks[..] {
            [] => vec![telling(&at, job).await?],
            tasks => tasks.to_vec(),
        };
        for task in &tasks {
            let mut reply = at.node.why(job, task).await?;
            reply.task = at.shown(reply.task.into_iter().collect()).pop();
            let mut document = listing::json_of(&reply)?;
            document["schema"] = SCHEMA.into();
            match listing::data(&document, face.output) {
                Some(document) if !face.is_quiet() => asking.say(&document)?,
                _ => asking.say(&text(&reply, face))?,
            }
        }
        Ok(Exit::OK)
    })
}

/// The states in which a task tells most of its job, the most telling first.
const TELLING: [&str; 4] = ["failed", "waiting", "running", "cancelled"];

/// The task of a job that tells why the job is where it is: the first that failed, else the first
/// that waits, and so on; says how many there are like it.
async fn telling(asking: &Asking, job: u32) -> Result<String, Complaint> {
    let first = async |filter: Vec<String>| {
        let request = ListTasksRequest { job, filter, limit: 1, ..ListTasksRequest::default() };
        asking.node.list_tasks(request).await
    };
    for state in TELLING {
        let like = first(vec![format!("state={state}")]).await?;
        if let Some(task) = like.tasks.first() {
            if like.total > 1 {
                let others = like.total - 1;
                let job = asking.called(job);
                asking.note(&format!("of the tasks of job {job}, {others} more are {state}"));
            }
            return Ok(task.number.to_string());
        }
    }
    let all = first(Vec::new()).await?;
    let task = all.tasks.first().map(|task| task.number.to_string());
    task.ok_or_else(|| Complaint::not_found(format!("job {} has no tasks yet", asking.called(job))))
}

fn text(reply: &WhyReply, face: Face) -> String {
    let mut text = format!("{}\n", clean::line(&reply.answer));
    if face.is_quiet() {
        return text;
    }
    if let Some(task) = &reply.task {
        text.push('\n');
        text += &show::block(&show::task_lines(task, Clock::now()));
    }
    if !reply.candidates.is_empty() {
        text += "\nwhere it could go, the best first:\n";
        for candidate in &reply.candidates {
            let (node, score) = (&candidate.node, plain(candidate.score));
            let line = clean::line(&format!("{node:12}  {score:>10}  {}", candidate.reason));
            text += &format!("  {}\n", line.trim_end());
        }
    }
    if !reply.life.is_empty() {
        text += "\nwhat happened to it:\n";
        for event in &reply.life {
            text += &format!("  {}", events::line(event, false));
        }
    }
    text
}
