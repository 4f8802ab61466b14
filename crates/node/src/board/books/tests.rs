//! Folds of events made by hand.

use bary_model::action::Action;
use bary_model::decree::Decree;
use bary_model::id::{Epoch, Fence, NodeId, RunNo, SpecNo};
use bary_model::job::{About, Halt};
use bary_model::outcome::{End, Failure, Results, Stopped, Usage};
use bary_model::payload::BlobRef;
use bary_model::task::Body;
use bary_model::time::Span;

use bary_transport::mesh::runs::Runs;

use super::*;
use crate::board::clock;
use crate::listener::Began;

struct World(Books);

impl World {
    fn new(limits: &BoardLimits) -> Self {
        Self(Books::new(Clock::since(std::time::SystemTime::now()), limits))
    }

    fn tell(&mut self, at: u64, kind: EventKind) {
        self.0.fold(Event { at: Moment(at), shard: ShardId(1), kind });
    }

    /// Submits a job of one array.
    fn submit(&mut self, job: u32, count: u32) {
        let body = Arc::new(Body::new(Action::Function { name: "f".into(), args: Vec::new() }));
        let spec = TaskSpec { count, array: true, ..TaskSpec::new(body) };
        let about = About::default().shared();
        let brief = Brief { name: "f".into(), about, open: false, upstream: Box::default() };
        let (job, first, specs) = (JobNo(job), SpecNo(0), [Arc::new(spec)].into());
        self.tell(1, EventKind::Submitted { job, first, specs, brief: Some(Arc::new(brief)) });
    }

    fn start(&mut self, range: TaskRange, run: u64) {
        self.start_under(range, run, 0);
    }

    fn start_under(&mut self, range: TaskRange, run: u64, grant: u64) {
        let fence = Fence { shard: ShardId(1), epoch: Epoch(1), grant: GrantNo(grant) };
        let items = vec![(fence, range, 1)];
        self.0.on_runs(NodeId(0), Moment(5), vec![Began { run: RunNo(run), items }], &[]);
    }

    fn grant(&mut self, range: TaskRange, grant: u64) {
        self.grant_to(NodeId(0), range, grant);
    }

    fn grant_to(&mut self, node: NodeId, range: TaskRange, grant: u64) {
        let (ranges, last) = ([range].into(), GrantNo(grant));
        self.tell(2, EventKind::Granted { node, ranges, last, considered: None });
    }

    fn end(&mut self, range: TaskRange, end: End, results: Results) {
        let usage = Usage { began: Moment(5), busy: Span(10), peak_memory: 7, ..Usage::default() };
        let (node, attempt, stderr) = (NodeId(0), 1, Payload::Empty);
        let ended = Ended { range, node, attempt, end, results, stderr, usage };
        self.tell(20, EventKind::Ended(ended));
    }

    fn good(&mut self, range: TaskRange) {
        self.end(range, End::Succeeded, Results::Nothing);
    }

    fn row(&self, job: u32) -> &JobRow {
        self.0.job(JobNo(job)).expect("it is not forgotten")
    }
}

fn range(job: u32, first: u32, count: u32) -> TaskRange {
    TaskRange { job: JobNo(job), spec: SpecNo(0), first, count }
}

fn failed() -> End {
    End::Failed(Failure::Exit(3))
}

#[test]
fn counts_follow_tasks_from_state_to_state() {
    let mut world = World::new(&BoardLimits::default());
    world.submit(0, 10);
    let ranges = [range(0, 0, 10)].into();
    world.tell(
        2,
        EventKind::Granted { node: NodeId(0), ranges, last: GrantNo(1), considered: None },
    );
    assert_eq!((world.row(0).waiting(), world.0.nodes.of(NodeId(0)).holding), (10, 10));
    world.start(range(0, 0, 4), 1);
    assert_eq!((world.row(0).waiting(), world.0.totals.running), (6, 4));
    let task = range(0, 3, 1).head();
    let (node, failure) = (NodeId(0), Failure::Exit(1));
    let retrying = EventKind::Retrying { task, node, attempt: 1, failure, until: Moment(9) };
    world.tell(6, retrying);
    let ranges = [range(0, 3, 1)].into();
    let again = EventKind::Granted { node, ranges, last: GrantNo(2), considered: None };
    world.tell(7, again);
    world.good(range(0, 0, 3));
    assert_eq!((world.0.totals.running, world.row(0).sums.succeeded), (0, 3));
    world.end(range(0, 3, 1), failed(), Results::Nothing);
    let cancelled =
        EventKind::Dropped { range: range(0, 4, 6), end: End::Cancelled, because: None };
    assert_eq!(world.0.nodes.of(NodeId(0)).holding, 6);
    world.tell(30, cancelled);
    assert_eq!(world.0.nodes.of(NodeId(0)).holding, 0, "what was dropped is not held");
    world.tell(30, EventKind::Finished { job: JobNo(0) });
    let row = world.row(0);
    assert_eq!((row.waiting(), row.attempts(), row.failed_attempts()), (0, 5, 2));
    assert_eq!((row.state(clock::now()), row.exit()), ("failed", 1));
    assert_eq!((row.sums.busy, row.sums.peak_memory), (Span(20), 7));
    assert_eq!(world.0.nodes.of(NodeId(0)).ended, 4);
}

#[test]
fn what_began_too_early_or_is_told_too_late_is_no_task_too_many() {
    let mut world = World::new(&BoardLimits::default());
    world.start_under(range(0, 0, 1), 1, 1);
    assert_eq!(world.0.totals.running, 0);
    world.submit(0, 2);
    assert_eq!(world.0.totals.running, 0, "its grant has not been told");
    world.grant(range(0, 0, 1), 1);
    assert_eq!(world.0.totals.running, 1);
    world.good(range(0, 0, 1));
    world.start_under(range(0, 0, 1), 1, 1);
    assert_eq!(world.0.totals.running, 0, "it has ended");
}

#[test]
fn what_runs_at_another_member_counts_where_it_was_granted_to_it() {
    let mut world = World::new(&BoardLimits::default());
    world.submit(0, 10);
    let (there, elsewhere) = (NodeId::of_member(7, 0), NodeId::of_member(8, 0));
    for (node, granted, last) in [(there, range(0, 0, 4), 1), (elsewhere, range(0, 4, 4), 2)] {
        let (ranges, last) = ([granted].into(), GrantNo(last));
        world.tell(2, EventKind::Granted { node, ranges, last, considered: None });
    }
    let runs = |first, count, attempt| {
        let age = std::time::Duration::from_millis(5);
        Runs { range: range(0, first, count), attempt, age }
    };
    assert!(world.0.on_far_runs(7, &[runs(2, 4, 1)]), "two of them are its own");
    assert_eq!((world.0.totals.running, world.row(0).waiting()), (2, 8));
    assert!(!world.0.on_far_runs(7, &[runs(2, 4, 1)]), "it is known");
    let task = range(0, 3, 1).head();
    let (node, failure) = (there, Failure::Exit(1));
    let retrying = EventKind::Retrying { task, node, attempt: 1, failure, until: Moment(9) };
    world.tell(6, retrying);
    world.grant_to(there, range(0, 3, 1), 3);
    assert!(!world.0.on_far_runs(7, &[runs(3, 1, 1)]), "that attempt is over");
    assert!(world.0.on_far_runs(7, &[runs(3, 1, 2)]));
    world.good(range(0, 2, 2));
    assert!(!world.0.on_far_runs(7, &[runs(2, 2, 2)]), "they have ended");
    assert_eq!(world.0.totals.running, 0);
}

#[test]
fn a_start_is_numbered_behind_its_grant() {
    let mut world = World::new(&BoardLimits::default());
    world.submit(0, 2);
    world.start_under(range(0, 1, 1), 1, 2);
    world.start_under(range(0, 0, 1), 2, 1);
    world.grant(range(0, 0, 1), 1);
    let ranges = [range(0, 0, 1)].into();
    world.tell(3, EventKind::Retracted { node: NodeId(0), ranges });
    world.start_under(range(0, 0, 1), 3, 3);
    world.grant(range(0, 1, 1), 2);
    world.grant(range(0, 0, 1), 3);
    let kinds = world.0.ring.from(0).map(|(_, noted)| match &noted.what {
        What::Granted { .. } => 'g',
        What::Started { .. } => 's',
        What::Retracted { .. } => 'r',
        _ => '-',
    });
    assert_eq!(kinds.collect::<String>(), "-gsrgsgs");
    assert!(world.0.early.is_empty());
}

#[test]
fn what_is_stopped_shows_who_ran_it() {
    let mut world = World::new(&BoardLimits::default());
    world.submit(0, 10);
    world.start(range(0, 2, 3), 1);
    let failure = Failure::Exit(1);
    let (node, task) = (NodeId(0), range(0, 9, 1).head());
    world.tell(6, EventKind::Retrying { task, node, attempt: 1, failure, until: Moment(9) });
    let (range_, began) = (range(0, 2, 3), Moment(5));
    let stopped = Stopped { range: range_, node, attempt: 1, began };
    world.tell(30, EventKind::Ran([stopped].into()));
    let whole = range(0, 0, 10);
    world.tell(30, EventKind::Dropped { range: whole, end: End::Cancelled, because: None });
    world.tell(30, EventKind::Finished { job: JobNo(0) });
    let row = world.row(0);
    assert_eq!((row.attempts(), row.sums.cancelled, row.started()), (4, 10, Some(Moment(5))));
    let detail = row.detail.as_ref().expect("it is kept");
    let ran = |index| match detail.ends.find(SpecNo(0), index).map(|(_, piece)| &piece.how) {
        Some(How::Dropped(dropped)) => dropped.ran.map(|hold| (hold.at, hold.attempt)),
        other => panic!("it was cancelled, not {other:?}"),
    };
    assert_eq!([1, 2, 4, 5].map(ran), [None, Some((Moment(5), 1)), Some((Moment(5), 1)), None]);
    assert_eq!((world.0.pieces, detail.failures.len()), (3, 1));
}

#[test]
fn what_a_rule_for_ending_early_stops_shows_who_ran_it() {
    let mut world = World::new(&BoardLimits::default());
    world.submit(0, 10);
    world.submit(1, 10);
    for job in [0, 1] {
        world.start(range(job, 2, 3), 1);
        let reason = if job == 0 { Halt::REASON } else { "because" };
        world.tell(30, EventKind::Stopping { job: JobNo(job), reason: Some(reason.into()) });
        let whole = range(job, 0, 10);
        world.tell(30, EventKind::Dropped { range: whole, end: End::Cancelled, because: None });
        world.tell(30, EventKind::Finished { job: JobNo(job) });
    }
    let ran = |job, index| {
        let detail = world.row(job).detail.as_ref().expect("it is kept");
        match detail.ends.find(SpecNo(0), index).map(|(_, piece)| &piece.how) {
            Some(How::Dropped(dropped)) => dropped.ran.map(|hold| (hold.at, hold.attempt)),
            other => panic!("it was cancelled, not {other:?}"),
        }
    };
    assert_eq!([1, 2, 4, 5].map(|index| ran(0, index)), [None, BEGAN, BEGAN, None]);
    assert_eq!((world.row(0).attempts(), world.row(0).sums.cancelled), (3, 10));
    // Whoever cancels a job puts on record what he knows of; only that is the same for ever.
    assert_eq!((ran(1, 2), world.row(1).attempts()), (None, 0));
}

/// The first attempt, from the moment in which these tests let tasks begin.
const BEGAN: Option<(Moment, u16)> = Some((Moment(5), 1));

#[test]
fn what_is_decreed_is_known() {
    let mut world = World::new(&BoardLimits::default());
    let drain = |drain| Decree::Drain { node: "a".into(), drain };
    world.tell(1, EventKind::Decreed(drain(true).into()));
    assert!(world.0.decrees.drained.contains("a"));
    world.tell(1, EventKind::Decreed(drain(false).into()));
    assert_eq!(world.0.decrees, Decrees::default());
    assert_eq!(world.0.ring.last(), 2);
}

#[test]
fn a_retry_runs_what_did_not_succeed_once_more() {
    let mut world = World::new(&BoardLimits::default());
    world.submit(0, 3);
    world.good(range(0, 0, 1));
    world.end(range(0, 1, 1), failed(), Results::Nothing);
    world.end(range(0, 2, 1), failed(), Results::Nothing);
    world.tell(30, EventKind::Finished { job: JobNo(0) });
    world.tell(40, EventKind::Retried { job: JobNo(0) });
    let row = world.row(0);
    assert_eq!((row.state(clock::now()), row.waiting(), row.sums.failed), ("running", 2, 0));
    assert_eq!((world.0.pieces, world.0.totals.ended), (1, 1));
    world.good(range(0, 1, 2));
    world.tell(50, EventKind::Finished { job: JobNo(0) });
    let row = world.row(0);
    assert_eq!((row.state(clock::now()), row.exit(), row.failed_attempts()), ("succeeded", 0, 2));
}

#[test]
fn the_oldest_finished_jobs_become_counts_and_release_their_results() {
    let limits = BoardLimits { board_tasks_max: 2, jobs_kept_max: 2, ..BoardLimits::default() };
    let mut world = World::new(&limits);
    for job in 0..3 {
        world.submit(job, 1);
        let blob = Payload::Stored(BlobRef { id: job.into(), len: 300 });
        world.end(range(job, 0, 1), End::Succeeded, Results::Each(vec![blob]));
        world.tell(30, EventKind::Finished { job: JobNo(job) });
    }
    assert!(world.row(0).detail.is_none() && world.row(1).detail.is_some());
    assert_eq!(world.0.take_unread(), [Payload::Stored(BlobRef { id: 0, len: 300 })]);
    assert_eq!(world.row(0).sums.succeeded, 1);
    assert_eq!((world.0.take_surplus(), world.0.take_surplus()), (Some(JobNo(0)), None));
    world.tell(40, EventKind::Forgotten { job: JobNo(0) });
    world.tell(40, EventKind::Forgotten { job: JobNo(1) });
    assert!(world.0.job(JobNo(0)).is_none());
    assert_eq!((world.0.totals.jobs, world.0.totals.tasks, world.0.pieces), (1, 1, 1));
    assert_eq!(world.0.take_unread().len(), 1);
}

#[test]
fn jobs_that_finished_long_ago_are_to_be_forgotten() {
    let limits = BoardLimits { jobs_kept_span: Span::secs(100), ..BoardLimits::default() };
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(150);
    let mut world = World(Books::new(Clock::since(long_ago), &limits));
    for (job, seconds) in [(0, 10), (1, 20), (2, 140)] {
        world.submit(job, 0);
        world.tell(Span::secs(seconds).0, EventKind::Finished { job: JobNo(job) });
    }
    world.tell(Span::secs(145).0, EventKind::Retried { job: JobNo(1) });
    assert_eq!(world.0.take_old(9), [JobNo(0)], "the second runs again, the third is too new");
    assert_eq!(world.0.take_old(9), []);
}

#[test]
fn an_array_that_goes_on_keeps_only_how_its_tasks_ended() {
    let limits = BoardLimits { board_tasks_max: 100, ..BoardLimits::default() };
    let mut world = World::new(&limits);
    world.submit(0, 10_000);
    for first in 0..1_000 {
        world.good(range(0, first * 10, 10));
    }
    assert!(world.0.pieces <= 200, "{}", world.0.pieces);
    let detail = world.row(0).detail.as_ref().expect("it has not finished");
    let name = |index| detail.ends.find(SpecNo(0), index).map(|(_, piece)| piece.how.name());
    assert_eq!([0, 5_000, 9_999].map(name), [Some("succeeded"); 3]);
}

#[test]
fn other_shards_are_none_of_its_business() {
    let mut world = World::new(&BoardLimits::default());
    world.submit(0, 1);
    let kind = EventKind::Finished { job: JobNo(0) };
    world.0.fold(Event { at: Moment(1), shard: ShardId(2), kind });
    assert_eq!(world.row(0).finished, None);
}
