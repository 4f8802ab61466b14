//! What the board costs in heap, counted by the allocator itself: jobs, arrays, ended tasks.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::SystemTime;

use bary_model::action::Action;
use bary_model::event::{Brief, Ended, Event, EventKind};
use bary_model::id::{JobNo, NodeId, ShardId, SpecNo, TaskRange};
use bary_model::job::About;
use bary_model::outcome::{End, Results, Usage};
use bary_model::payload::Payload;
use bary_model::task::{Body, TaskSpec};
use bary_model::time::{Moment, Span};
use bary_node::board::Board;
use bary_node::board::limits::BoardLimits;
use bary_store::spill::{SpillStore, StoreConfig};

/// The system's allocator with a count of the bytes that are in use.
struct Counting;

static IN_USE: AtomicIsize = AtomicIsize::new(0);

#[expect(unsafe_code, reason = "an allocator that counts can be written in no other way")]
// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static HEAP: Counting = Counting;

/// By how many bytes `act` makes the heap grow.
fn grown(act: impl FnOnce()) -> isize {
    let before = IN_USE.load(Ordering::Relaxed);
    act();
    IN_USE.load(Ordering::Relaxed) - before
}

/// A board that remembers next to no events, so that only what is known of jobs counts.
fn board(tasks_max: u64) -> Board {
    let limits =
        BoardLimits { board_tasks_max: tasks_max, event_ring_max: 1, ..BoardLimits::default() };
    Board::since(SystemTime::now(), &limits)
}

fn fold(board: &Board, kinds: impl Iterator<Item = EventKind>) {
    let store = SpillStore::new(StoreConfig::default());
    let event = |kind| Event { at: Moment(1), shard: ShardId(1), kind };
    kinds.for_each(|kind| board.fold(vec![event(kind)], &store));
}

/// Specs are the ledger's too, so that they are not counted.
fn specs(specs: usize, count: u32) -> Arc<[Arc<TaskSpec>]> {
    let body = Arc::new(Body::new(Action::Function { name: "f".into(), args: Vec::new() }));
    let spec = TaskSpec { count, array: count > 1, ..TaskSpec::new(body) };
    std::iter::repeat_n(Arc::new(spec), specs).collect()
}

fn submitted(job: u32, specs: &Arc<[Arc<TaskSpec>]>) -> EventKind {
    let specs = Arc::clone(specs);
    let about = About::default().shared();
    let brief = Brief { name: "f".into(), about, open: false, upstream: Box::default() };
    EventKind::Submitted { job: JobNo(job), first: SpecNo(0), specs, brief: Some(Arc::new(brief)) }
}

fn ended(range: TaskRange) -> EventKind {
    EventKind::Ended(Ended {
        range,
        node: NodeId(0),
        attempt: 1,
        end: End::Succeeded,
        results: Results::Nothing,
        stderr: Payload::Empty,
        usage: Usage { began: Moment(5), busy: Span(7), ..Usage::default() },
    })
}

fn one(job: u32, spec: u32) -> TaskRange {
    TaskRange { job: JobNo(job), spec: SpecNo(spec), first: 0, count: 1 }
}

const COUNT: u32 = 100_000;

fn a_pending_job_of_one_task() -> isize {
    let (board, specs) = (board(1_000_000), specs(1, 1));
    let bytes = grown(|| fold(&board, (0..COUNT).map(|job| submitted(job, &specs))));
    bytes / COUNT as isize
}

fn a_pending_task_of_a_job_of_many() -> isize {
    let (board, specs) = (board(1_000_000), specs(COUNT as usize, 1));
    let bytes = grown(|| fold(&board, std::iter::once(submitted(0, &specs))));
    bytes / COUNT as isize
}

fn an_ended_task_of_a_job_of_many() -> isize {
    let board = board(1_000_000);
    fold(&board, std::iter::once(submitted(0, &specs(COUNT as usize, 1))));
    let bytes = grown(|| fold(&board, (0..COUNT).map(|spec| ended(one(0, spec)))));
    bytes / COUNT as isize
}

/// A job that has finished and of which only counts are kept.
fn a_counted_job() -> isize {
    let (board, specs) = (board(0), specs(1, 1));
    let life = |job| {
        let finished = EventKind::Finished { job: JobNo(job) };
        [submitted(job, &specs), ended(one(job, 0)), finished].into_iter()
    };
    let bytes = grown(|| fold(&board, (0..COUNT).flat_map(life)));
    bytes / COUNT as isize
}

/// An array that ended in runs of a thousand.
fn an_array_of_a_billion() -> isize {
    const RUN: u32 = 1_000;
    let board = board(10_000);
    let runs = (0..1_000_000_000 / RUN)
        .map(|run| ended(TaskRange { first: run * RUN, count: RUN, ..one(0, 0) }));
    let kinds = std::iter::once(submitted(0, &specs(1, 1_000_000_000))).chain(runs.take(300_000));
    grown(|| fold(&board, kinds))
}

/// One test, because tests of one process share one count of bytes.
#[test]
fn what_is_known_takes_no_more_memory_than_promised() {
    let told = [
        ("a pending job", a_pending_job_of_one_task(), 720),
        ("a pending task", a_pending_task_of_a_job_of_many(), 32),
        ("an ended task", an_ended_task_of_a_job_of_many(), 300),
        ("a counted job", a_counted_job(), 350),
        ("an array of a billion", an_array_of_a_billion(), 5_000_000),
    ];
    for (what, bytes, most) in told {
        assert!(bytes <= most, "{what} takes {bytes} bytes, {told:?}");
    }
}
