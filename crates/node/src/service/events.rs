//! What happens, as it happens: the board's ring of events, read on by number.

use std::collections::BTreeSet;

use bary_api::problem::{Kind, Refused};
use bary_api::v1::{Event, EventsRequest};
use bary_api::verb::Verb;
use bary_model::decree::Decree;
use bary_model::id::{JobNo, NodeId};

use crate::board::books::Books;
use crate::board::ring::{Noted, What};
use crate::service::caller::Caller;
use crate::service::emit::{self, Emit};
use crate::service::{Inner, Service, Streamed, jobs};

/// How many events are looked at before the board goes on.
const AT_ONCE: usize = 1_024;
/// The kinds of events there are.
const KINDS: &[&str] = &[
    "submitted",
    "closed",
    "retried",
    "granted",
    "retracted",
    "started",
    "retrying",
    "ended",
    "dropped",
    "superseded",
    "finished",
    "held",
    "released",
    "prioritised",
    "stopping",
    "arrived",
    "forgotten",
    "drained",
    "undrained",
    "checkpointed",
    "followed",
    "labelled",
];

/// What somebody wants to hear.
struct Wanted {
    jobs: BTreeSet<JobNo>,
    kinds: BTreeSet<String>,
    follow: bool,
    /// The number of the next event.
    next: u64,
}

impl Service {
    /// What happened, as far as it is remembered, and what happens next where that is wanted.
    ///
    /// # Errors
    /// Where the caller may not ask, or a job or kind is none. A reader that falls behind what is
    /// remembered gets an error last.
    pub async fn events(
        &self,
        caller: &Caller,
        asked: EventsRequest,
    ) -> Result<Streamed<Event>, Refused> {
        let leave = self.admit(caller, Verb::Events, "")?;
        let chosen: Result<BTreeSet<JobNo>, Refused> =
            asked.jobs.iter().map(|&no| jobs::no(no)).collect();
        if let Some(wrong) = asked.kinds.iter().find(|kind| !KINDS.contains(&kind.as_str())) {
            let refused = Refused::new(Kind::Invalid, format!("`{wrong}` is no kind of event"));
            return Err(refused.help(format!("there are {}", KINDS.join(", "))));
        }
        let wanted = Wanted {
            jobs: chosen?,
            kinds: asked.kinds.into_iter().collect(),
            follow: asked.follow,
            next: asked.after.saturating_add(1),
        };
        let (emit, streamed) = emit::stream(leave.permit);
        let service = self.clone();
        tokio::spawn(async move {
            if let Err(refused) = follow(&service.0, wanted, &emit).await {
                emit.fail(refused).await;
            }
        });
        Ok(streamed)
    }
}

async fn follow(inner: &Inner, mut wanted: Wanted, emit: &Emit<Event>) -> Result<(), Refused> {
    let mut changes = inner.board.changes();
    // Before it has heard anything, a reader gets what is remembered, however little that is.
    let mut begun = false;
    loop {
        changes.mark_unchanged();
        let (events, next, over) = inner.part(&wanted, begun)?;
        let is_end = wanted.next == next;
        (wanted.next, begun) = (next, true);
        for event in events {
            if emit.give(event).await.is_err() {
                return Ok(());
            }
        }
        if is_end && over && wanted.follow {
            return Err(inner.stopped());
        }
        if is_end && !wanted.follow {
            return Ok(());
        }
        if is_end {
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return Ok(()) },
                () = emit.closed() => return Ok(()),
            }
        }
    }
}

impl Inner {
    /// The next events that are wanted, the number after them, and whether nothing more comes.
    fn part(&self, wanted: &Wanted, begun: bool) -> Result<(Vec<Event>, u64, bool), Refused> {
        let books = self.board.read();
        let first = books.ring.first();
        if begun && wanted.next < first {
            let lost = first - wanted.next;
            let title = format!("the reader fell behind: {lost} events are no longer remembered");
            let help = format!("go on after event {} (limit event_ring_max)", first - 1);
            return Err(Refused::new(Kind::Full, title).help(help));
        }
        // A number of an earlier life of the node may lie ahead of all there are.
        let mut next = wanted.next.clamp(first, books.ring.last() + 1);
        let mut events = Vec::new();
        for (number, noted) in books.ring.from(next).take(AT_ONCE) {
            next = number + 1;
            let of_job =
                wanted.jobs.is_empty() || noted.job.is_some_and(|job| wanted.jobs.contains(&job));
            if of_job && (wanted.kinds.is_empty() || wanted.kinds.contains(kind(&noted.what))) {
                events.push(self.event(&books, number, noted));
            }
        }
        Ok((events, next, books.over.is_some()))
    }

    /// An event as callers see it.
    pub(super) fn event(&self, books: &Books, number: u64, noted: &Noted) -> Event {
        let (first, tasks) = noted.what.tasks();
        let roster = first.and_then(|task| Some(&books.job(task.job)?.detail.as_ref()?.roster));
        let task = match (first, roster) {
            (Some(task), Some(roster)) => roster.name(task),
            _ => String::new(),
        };
        let (node, attempt) = who(&noted.what);
        Event {
            number,
            at: books.clock.text(noted.at),
            kind: kind(&noted.what).to_owned(),
            job: noted.job.map_or(0, jobs::shown_no),
            task,
            tasks,
            node: match &noted.what {
                What::Decreed(decree) => named(decree).to_owned(),
                _ => node.map(|node| self.node_name(node)).unwrap_or_default(),
            },
            attempt: attempt.into(),
            state: state(&noted.what).to_owned(),
            detail: detail(books, noted),
        }
    }
}

/// The kind of an event in one word.
fn kind(what: &What) -> &'static str {
    match what {
        What::Submitted(_) => "submitted",
        What::Closed => "closed",
        What::Retried => "retried",
        What::Granted { .. } => "granted",
        What::Retracted { .. } => "retracted",
        What::Started { .. } => "started",
        What::Retrying { .. } => "retrying",
        What::Ended(_) => "ended",
        What::Dropped { .. } => "dropped",
        What::Superseded { .. } => "superseded",
        What::Finished => "finished",
        What::Held { held: true, .. } => "held",
        What::Held { held: false, .. } => "released",
        What::Prioritised(_) => "prioritised",
        What::Stopping { .. } => "stopping",
        What::Arrived { .. } => "arrived",
        What::Forgotten => "forgotten",
        What::Drained { drain: true, .. } => "drained",
        What::Drained { drain: false, .. } => "undrained",
        What::Checkpointed { .. } => "checkpointed",
        What::Decreed(decree) => match **decree {
            Decree::Follow(_) => "followed",
            Decree::Drain { drain: true, .. } => "drained",
            Decree::Drain { drain: false, .. } => "undrained",
            Decree::Label { .. } => "labelled",
        },
    }
}

/// The node that an event is about, and which attempt.
fn who(what: &What) -> (Option<NodeId>, u16) {
    match what {
        What::Granted { node, .. }
        | What::Retracted { node, .. }
        | What::Superseded { node, .. }
        | What::Drained { node, .. }
        | What::Checkpointed { node, .. } => (Some(*node), 0),
        What::Started { node, attempt, .. } | What::Retrying { node, attempt, .. } => {
            (Some(*node), *attempt)
        }
        What::Ended(ended) => (Some(ended.node), ended.attempt),
        What::Dropped { how, .. } => {
            how.ran.map_or((None, 0), |hold| (Some(hold.node), hold.attempt))
        }
        _ => (None, 0),
    }
}

/// The node that a decree is about, if it is about one.
fn named(decree: &Decree) -> &str {
    match decree {
        Decree::Follow(_) => "",
        Decree::Drain { node, .. } | Decree::Label { node, .. } => node,
    }
}

/// What a decree says besides.
fn decreed(decree: &Decree) -> String {
    match decree {
        Decree::Follow(policy) => policy.to_string(),
        Decree::Drain { .. } => String::new(),
        Decree::Label { labels, .. } => {
            let each = labels.iter().map(|(label, value)| match value {
                Some(value) => format!("{label}={value}"),
                None => format!("{label}-"),
            });
            each.collect::<Vec<_>>().join(" ")
        }
    }
}

/// How what an event is about is from then on.
fn state(what: &What) -> &'static str {
    match what {
        What::Granted { .. } => "granted",
        What::Started { .. } => "running",
        What::Retracted { .. } | What::Retrying { .. } => "waiting",
        What::Ended(ended) => ended.end.name(),
        What::Dropped { how, .. } => how.end.name(),
        _ => "",
    }
}

/// What else there is to say, in words.
fn detail(books: &Books, noted: &Noted) -> String {
    match &noted.what {
        What::Retrying { failure, until, .. } => {
            format!("{failure}; ready again at {}", books.clock.text(*until))
        }
        What::Ended(ended) => {
            let busy = ended.usage.busy;
            match ended.end.failure() {
                Some(failure) => format!("{failure}, after {busy}"),
                None => format!("after {busy}"),
            }
        }
        What::Held { reason, .. } | What::Stopping { reason } => {
            reason.as_deref().unwrap_or_default().to_owned()
        }
        What::Prioritised(priority) => format!("priority {priority}"),
        What::Arrived { good: true } => "a job that it waits for has succeeded".to_owned(),
        What::Arrived { good: false } => {
            "a job that it waits for has ended without success".to_owned()
        }
        What::Checkpointed { step, .. } => format!("step {step}"),
        What::Superseded { .. } => "a late outcome was not counted".to_owned(),
        What::Decreed(decree) => decreed(decree),
        _ => String::new(),
    }
}
