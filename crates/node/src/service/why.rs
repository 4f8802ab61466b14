//! Why a task waits, runs where it runs, or ended as it did.

use bary_api::problem::Refused;
use bary_api::v1::{Candidate, WhyReply, WhyRequest};
use bary_api::verb::Verb;
use bary_identity::calendar;
use bary_model::id::{NodeId, TaskId};
use bary_model::node::NodeInfo;
use bary_model::payload::Payload;
use bary_model::task::Request;

use crate::board::books::Books;
use crate::board::clock;
use crate::board::ends::How;
use crate::board::job::{Detail, JobRow};
use crate::board::ring::{Noted, What};
use crate::peers::holders::Holder;
use crate::service::caller::Caller;
use crate::service::task_view::TaskView;
use crate::service::{Inner, Service, choice, jobs};

/// How many events are looked at before the board goes on.
const AT_ONCE: usize = 4_096;
/// The most events of one life.
const LIFE_MAX: usize = 10_000;
/// How many of the results that a task reads are looked at.
const USED_MAX: u32 = 1_024;
/// How many names are listed before they are only counted.
const NAMES_SHOWN: usize = 5;

impl Service {
    /// Why a task waits, runs where it runs, or ended as it did.
    ///
    /// # Errors
    /// Where the job or the task is not there, or its details are no longer kept.
    pub async fn why(&self, caller: &Caller, asked: WhyRequest) -> Result<WhyReply, Refused> {
        let _leave = self.admit(caller, Verb::Why, format!("job {} {}", asked.job, asked.task))?;
        self.0.why(&asked)
    }
}

impl Inner {
    fn why(&self, asked: &WhyRequest) -> Result<WhyReply, Refused> {
        let (mut reply, task) = {
            let books = self.board.read();
            let row = jobs::row(&books, asked.job)?;
            let task = choice::task(row, &asked.task)?;
            let detail = choice::detail(row)?;
            let node_name = |node: NodeId| self.node_name(node);
            let view = TaskView::new(&books, (row, detail), task, &node_name);
            let answer = self.answer(&books, row, detail, &view);
            let shown = Some(view.shown());
            (WhyReply { task: shown, answer, ..WhyReply::default() }, task)
        };
        let mut next = 0;
        while reply.life.len() < LIFE_MAX {
            let books = self.board.read();
            let before = next;
            for (number, noted) in books.ring.from(next).take(AT_ONCE) {
                next = number + 1;
                if is_of(noted, task) {
                    reply.life.push(self.event(&books, number, noted));
                    if let What::Granted { why: Some(why), .. } = &noted.what {
                        let each = why.candidates.iter().map(|candidate| Candidate {
                            node: self.node_name(candidate.node),
                            score: candidate.score as f64 / 1e3,
                            reason: candidate.reason.to_string(),
                        });
                        reply.candidates = each.collect();
                    }
                }
            }
            if next == before {
                break;
            }
        }
        reply.candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(reply)
    }

    fn answer(&self, books: &Books, row: &JobRow, detail: &Detail, view: &TaskView<'_>) -> String {
        let shown = view.shown();
        let node = &shown.node;
        match view.state() {
            "running" | "granted" | "waiting" if let Some(why) = self.unread(detail, view.task) => {
                why
            }
            "running" => {
                format!("it runs on {node} since {}, attempt {}", shown.started, shown.attempt)
            }
            "granted" => format!("{node} has it and starts it as soon as it has room"),
            "held" => match &row.reason {
                Some(reason) => format!("its job is held: {reason}"),
                None => "its job is held; bary release lets it go on".to_owned(),
            },
            "blocked" => blocked(row, detail, view.task),
            "waiting" => self.waiting(books, row, detail, view.task),
            "succeeded" if node.is_empty() => "it succeeded".to_owned(),
            "succeeded" => format!("it succeeded on {node} after {:.3} s", shown.run_seconds),
            state @ ("failed" | "quarantined") => {
                let what = if state == "failed" { "it failed" } else { "it was quarantined" };
                format!("{what} on {node}, attempt {}: {}", shown.attempt, shown.error)
            }
            "cancelled" => match &row.reason {
                Some(reason) => format!("its job was cancelled: {reason}"),
                None => "its job was cancelled".to_owned(),
            },
            _ => format!("it never ran: {}", view.error()),
        }
    }

    /// What a task reads that is on a member of the cluster which is away.
    fn unread(&self, detail: &Detail, task: TaskId) -> Option<String> {
        let peers = self.cluster.peers()?;
        let spec = detail.roster.spec(task.spec)?;
        for used in spec.body.uses.iter() {
            let all = detail.roster.spec(used.spec).map_or(0, |used| used.count).min(USED_MAX);
            let indices = if used.aligned { task.index..task.index + 1 } else { 0..all };
            for index in indices {
                let Some((place, piece)) = detail.ends.find(used.spec, index) else { continue };
                let How::Ran(ended) = &piece.how else { continue };
                let Payload::Kept(kept) = ended.results.at(place as usize) else { continue };
                if let Holder::Away(why) = peers.holder(kept.member) {
                    let name = detail.roster.name(TaskId { spec: used.spec, index, ..task });
                    return Some(format!("it waits for the result of {name}: {why}"));
                }
            }
        }
        None
    }

    /// Why a task that could run does not run yet.
    fn waiting(&self, books: &Books, row: &JobRow, detail: &Detail, task: TaskId) -> String {
        if let Some(at) = row.not_before.filter(|at| *at > clock::now()) {
            return format!("it is not to begin before {}", calendar::text(at));
        }
        let spec = detail.roster.spec(task.spec);
        let request = spec.map(|spec| &spec.body.request);
        let members = self.cluster.members();
        let here = members.iter().filter(|member| !member.gone);
        let nodes = here.map(|member| NodeInfo {
            labels: books.decrees.labels_of(&member.info),
            ..member.info.clone()
        });
        let able: Vec<NodeInfo> =
            nodes.filter(|node| request.is_none_or(|request| node.can_run(request))).collect();
        if able.is_empty() {
            let function = request.and_then(|request| request.function.as_deref());
            return match function {
                Some(function) => format!("no node offers the function `{function}` now"),
                None => "no node that is here now can run it".to_owned(),
            };
        }
        if let Some(failed) = detail.failures.get(&task) {
            return format!("attempt {failed} failed; it waits to be tried again");
        }
        if let Some(permit) = spec.and_then(|spec| spec.body.permit.as_ref()) {
            let most = permit.most;
            return format!("it waits for room, and for the limit `{}` of {most}", permit.name);
        }
        let is_drained = |node: &NodeInfo| {
            books.nodes.of(node.id).drained || books.decrees.drained.contains(&node.name)
        };
        if able.iter().all(is_drained) {
            return "all nodes that can run it are drained".to_owned();
        }
        if let Some(size) = spec.map(|spec| spec.gang).filter(|size| *size > 0) {
            let open = able.iter().filter(|node| !is_drained(node));
            return gang(size, open.map(|node| (node, books.nodes.of(node.id).busy)), request);
        }
        let busy: u32 = able.iter().map(|node| books.nodes.of(node.id).busy).sum();
        let slots: u32 = able.iter().map(|node| node.slots).sum();
        let waiting = books.totals.tasks.saturating_sub(books.totals.ended + books.totals.running);
        format!(
            "it waits for room: {busy} of {slots} slots that could run it are busy, {waiting} \
             tasks wait"
        )
    }
}

/// What a rank of a gang waits for, by how many runs keep each node busy.
fn gang<'a>(
    size: u16,
    nodes: impl Iterator<Item = (&'a NodeInfo, u32)>,
    request: Option<&Request>,
) -> String {
    let (mut all, mut now) = (0_u64, 0_u64);
    for (node, busy) in nodes {
        let room = request.map_or(0, |request| node.resources.times(&request.resources));
        all = all.saturating_add(room);
        now = now.saturating_add(room.min(node.slots.saturating_sub(busy).into()));
    }
    if all < size.into() {
        return format!(
            "it waits for nodes: those that are here have room for {all} of the {size} of its gang"
        );
    }
    let now = now.min(size.into());
    format!("it waits for room for all {size} of its gang: room for {now} now")
}

/// What a task waits for.
fn blocked(row: &JobRow, detail: &Detail, task: TaskId) -> String {
    let missing = row.brief.upstream.len().saturating_sub(row.arrived as usize);
    if missing > 0 {
        let no = |upstream: &bary_model::job::JobRef| jobs::shown_no(upstream.job).to_string();
        let names: Vec<String> = row.brief.upstream.iter().map(no).collect();
        return format!("its job waits for {}", listed("job", &names));
    }
    let Some(spec) = detail.roster.spec(task.spec) else { return String::new() };
    let open = spec.after.iter().filter(|after| {
        let ended = detail.roster.left(after.spec) == 0;
        let same = after.aligned && detail.ends.find(after.spec, task.index).is_some();
        !ended && !same
    });
    let names: Vec<String> = open
        .map(|after| {
            let index = if after.aligned { task.index } else { 0 };
            let of = TaskId { spec: after.spec, index, ..task };
            match detail.roster.spec(after.spec) {
                Some(spec) if spec.array && !after.aligned => spec.name.to_string(),
                _ => detail.roster.name(of),
            }
        })
        .collect();
    format!("it waits for {}", listed("task", &names))
}

fn listed(what: &str, names: &[String]) -> String {
    let shown = names.iter().take(NAMES_SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    let plural = if names.len() == 1 { "" } else { "s" };
    match names.len().saturating_sub(NAMES_SHOWN) {
        0 => format!("{what}{plural} {shown}"),
        more => format!("{what}{plural} {shown} and {more} more"),
    }
}

/// Whether an event is of the life of a task: of itself, or of its job as a whole.
fn is_of(noted: &Noted, task: TaskId) -> bool {
    let of_job = noted.job == Some(task.job);
    of_job && (noted.what.is_of(task) || noted.what.tasks().0.is_none())
}
