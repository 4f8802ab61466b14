//! `bary show`: jobs with their tasks, or single tasks with all that is known of them.

use bary_api::v1::{Job, ListJobsRequest, ListTasksReply, ListTasksRequest, Task};
use serde_json::{Value, json};

use crate::args::remote::{RowArgs, ShowArgs};
use crate::args::{Face, Form};
use crate::asking::{self, Asking};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::kinds::{self, TASKS};
use crate::listing::amount::{percent, size, span};
use crate::listing::moment::{self, Clock};
use crate::listing::{self, Wish, clean};

/// A job with those of its tasks that are shown.
struct Shown {
    job: Job,
    tasks: ListTasksReply,
    /// Whether tasks were asked for by name.
    named: bool,
}

/// The schema of the document.
pub(crate) const SCHEMA: &str = "bary.show/1";

/// Shows them.
pub(crate) fn run(args: &ShowArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let mut shown = Vec::new();
        for (at, job, tasks) in asking.targets(&args.targets).await? {
            shown.push(look_up(&at, job, tasks, &args.rows).await?);
        }
        if args.rows.format.is_some() || face.is_quiet() || face.output == Form::Csv {
            let tasks: Vec<Task> = shown.into_iter().flat_map(|shown| shown.tasks.tasks).collect();
            asking.print(&TASKS, &tasks, args.rows.format.as_deref())?;
            return Ok(Exit::OK);
        }
        let text = match face.is_data() {
            true => document(&shown, face.output)?,
            false => text(&shown, face)?,
        };
        asking.say(&text)?;
        Ok(Exit::OK)
    })
}

async fn look_up(
    asking: &Asking,
    job: u32,
    tasks: Vec<String>,
    rows: &RowArgs,
) -> Result<Shown, Complaint> {
    let jobs = ListJobsRequest { jobs: vec![job], ..ListJobsRequest::default() };
    let found = asking.shown(asking.node.list_jobs(jobs).await?.jobs).into_iter().next();
    let missing = || Complaint::not_found(format!("there is no job {}", asking.called(job)));
    let found = found.ok_or_else(missing)?;
    let named = !tasks.is_empty();
    let request = ListTasksRequest {
        job,
        tasks,
        filter: rows.filter.clone(),
        sort: rows.sort.clone().unwrap_or_default(),
        limit: rows.limit,
        ..ListTasksRequest::default()
    };
    let mut tasks = asking.node.list_tasks(request).await?;
    tasks.tasks = asking.shown(tasks.tasks);
    Ok(Shown { job: found, tasks, named })
}

fn document(shown: &[Shown], form: Form) -> Result<String, Complaint> {
    let mut jobs = Vec::new();
    for one in shown {
        let tasks = one.tasks.tasks.iter().map(listing::json_of);
        let tasks = tasks.collect::<Result<Vec<Value>, Complaint>>()?;
        let job = listing::json_of(&one.job)?;
        jobs.push(json!({ "job": job, "tasks": tasks, "total": one.tasks.total }));
    }
    if form == Form::Jsonl {
        return Ok(jobs.iter().map(|job| format!("{job}\n")).collect());
    }
    let document = listing::document(SCHEMA, [("jobs", Value::Array(jobs))]);
    Ok(listing::data(&document, form).unwrap_or_default())
}

fn text(shown: &[Shown], face: Face) -> Result<String, Complaint> {
    let wish = Wish::now(face, None);
    let mut text = String::new();
    for one in shown {
        if !text.is_empty() {
            text.push('\n');
        }
        if one.named {
            let each = one.tasks.tasks.iter().map(|task| block(&task_lines(task, wish.clock)));
            text += &each.collect::<Vec<_>>().join("\n");
            continue;
        }
        text += &block(&job_lines(&one.job, wish.clock));
        if !one.tasks.tasks.is_empty() {
            text.push('\n');
            text += &TASKS.text(&one.tasks.tasks, &wish)?;
        }
        let left_out = one.tasks.total.saturating_sub(one.tasks.tasks.len() as u64);
        if left_out > 0 {
            text += &format!("and {left_out} more; --limit 0 shows all\n");
        }
    }
    Ok(text)
}

/// Names and values, those without a value left out.
pub(crate) fn block(lines: &[(&str, String)]) -> String {
    let there = || lines.iter().filter(|(_, value)| !value.is_empty());
    let width = there().map(|(name, _)| name.len()).max().unwrap_or(0);
    there().map(|(name, value)| format!("{name:width$}  {}\n", clean::line(value))).collect()
}

/// A moment as clocks here show it, and how long ago that was.
fn when(moment: &str, clock: Clock) -> String {
    match moment {
        "" => String::new(),
        _ => format!("{} ({})", moment::local(moment), clock.ago(moment)),
    }
}

fn job_lines(job: &Job, clock: Clock) -> Vec<(&'static str, String)> {
    let counts = [
        ("waiting", job.waiting),
        ("running", job.running),
        ("succeeded", job.succeeded),
        ("failed", job.failed),
        ("cancelled", job.cancelled),
        ("skipped", job.skipped),
    ];
    let counts = counts.iter().filter(|(_, count)| *count > 0);
    let counts: Vec<String> = counts.map(|(what, count)| format!("{count} {what}")).collect();
    let after: Vec<String> = job.after.iter().map(ToString::to_string).collect();
    vec![
        ("job", kinds::named(job)),
        ("name", job.name.clone()),
        ("state", job.state.clone()),
        ("reason", job.reason.clone()),
        ("tasks", format!("{}: {}", job.tasks, counts.join(", "))),
        ("done", percent(job.progress)),
        ("open", if job.open { "takes more tasks".into() } else { String::new() }),
        ("exit", if job.finished.is_empty() { String::new() } else { job.exit.to_string() }),
        ("attempts", format!("{}, {} failed", job.attempts, job.failed_attempts)),
        ("submitted", when(&job.submitted, clock)),
        ("not before", when(&job.at, clock)),
        ("started", when(&job.started, clock)),
        ("finished", when(&job.finished, clock)),
        ("took", clock.took(&job.started, &job.finished)),
        ("busy", span(job.busy_seconds)),
        ("cpu", span(job.cpu_seconds)),
        ("peak memory", size(job.peak_memory)),
        ("priority", if job.priority == 0 { String::new() } else { job.priority.to_string() }),
        ("after", after.join(", ")),
        ("owner", job.owner.clone()),
        ("tags", kinds::pairs(&job.tags)),
    ]
}

/// All that is known of a task.
pub(crate) fn task_lines(task: &Task, clock: Clock) -> Vec<(&'static str, String)> {
    let number = |number: u64| if number == 0 { String::new() } else { number.to_string() };
    vec![
        ("task", kinds::task_named(task)),
        ("number", number(task.number)),
        ("state", task.state.clone()),
        ("exit", kinds::exit(task)),
        ("error", task.error.clone()),
        ("attempt", number(task.attempt.into())),
        ("node", task.node.clone()),
        ("command", task.command.clone()),
        ("submitted", when(&task.submitted, clock)),
        ("started", when(&task.started, clock)),
        ("finished", when(&task.finished, clock)),
        ("waited", kinds::waited(task, clock)),
        ("ran", kinds::ran(task, clock)),
        ("cpu", if task.cpu_seconds > 0.0 { span(task.cpu_seconds) } else { String::new() }),
        ("peak memory", size(task.peak_memory)),
        ("progress", if task.progress > 0.0 { percent(task.progress) } else { String::new() }),
        ("says", task.message.clone()),
        ("checkpoint", number(task.checkpoint)),
    ]
}
