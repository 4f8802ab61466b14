//! What tasks cost in heap, counted by the allocator itself: pending, active, finished, distinct.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};

use bary_engine::engine::{Engine, EngineConfig};
use bary_engine::flaw::Flaws;
use bary_engine::input::{Input, Request};
use bary_engine::limits::Limits;
use bary_ledger::consequences::Consequences;
use bary_ledger::ledger::Ledger;
use bary_ledger::record::{EndedTasks, Record};
use bary_model::action::Action;
use bary_model::id::{Epoch, GrantNo, Incarnation, JobNo, Lsn, NodeId, ShardId, SpecNo, TaskRange};
use bary_model::job::{About, JobSpec};
use bary_model::node::{NodeInfo, Offers};
use bary_model::outcome::{End, Results, Usage};
use bary_model::payload::Payload;
use bary_model::resources::Resources;
use bary_model::task::{Body, TaskSpec};
use bary_model::time::{Moment, Wall};
use bary_policy::dice::Dice;
use bary_policy::preset;

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

/// By how many bytes `act` makes the heap grow; what it gives stays alive until then.
fn grown<T>(act: impl FnOnce() -> T) -> (isize, T) {
    let before = IN_USE.load(Ordering::Relaxed);
    let given = act();
    (IN_USE.load(Ordering::Relaxed) - before, given)
}

fn spec(count: u32, body: &Arc<Body>) -> Arc<TaskSpec> {
    Arc::new(TaskSpec { count, array: count > 1, ..TaskSpec::new(Arc::clone(body)) })
}

fn body() -> Arc<Body> {
    Arc::new(Body::new(Action::Function { name: "f".into(), args: Vec::new() }))
}

/// A ledger with one array.
fn ledger_of(count: u32) -> Ledger {
    let mut ledger = Ledger::new(ShardId(1));
    let out = &mut Consequences::default();
    ledger.apply(&Record::Opened { epoch: Epoch(1) }, out);
    let specs = [spec(count, &body())].into();
    let record = Record::Submitted {
        about: About::default().shared(),
        job: JobNo(0),
        name: "a".into(),
        specs,
        open: false,
        halt: None,
        key: None,
    };
    ledger.apply(&record, out);
    ledger
}

fn range(first: u32, count: u32) -> TaskRange {
    TaskRange { job: JobNo(0), spec: SpecNo(0), first, count }
}

fn grant(ledger: &mut Ledger, first: u32) {
    let items = vec![(GrantNo(u64::from(first) + 1), range(first, 1))];
    let record = Record::Granted { node: NodeId(0), items };
    ledger.apply(&record, &mut Consequences::default());
}

fn end(ledger: &mut Ledger, first: u32) {
    let (end, results, node) = (End::Succeeded, Results::Nothing, NodeId(0));
    let grant = GrantNo(u64::from(first) + 1);
    let range = range(first, 1);
    let (attempt, stderr, usage) = (1, Payload::Empty, Usage::default());
    let items = vec![EndedTasks { range, grant, node, end, attempt, results, stderr, usage }];
    ledger.apply(&Record::Ended { items }, &mut Consequences::default());
}

/// Every index once, in an order drawn by lot.
fn shuffled(count: u32) -> Vec<u32> {
    let mut dice = Dice::new(1, "shuffle");
    let mut all: Vec<u32> = (0..count).collect();
    for last in (1..all.len()).rev() {
        all.swap(last, dice.below(last as u64 + 1) as usize);
    }
    all
}

/// An engine of one slot that has something to do, so that what comes next has to wait.
fn busy_engine() -> Engine {
    let node = NodeInfo {
        id: NodeId(0),
        name: "a".into(),
        region: "here".into(),
        resources: Resources::cpus(1),
        slots: 1,
        speed: 1.0,
        labels: BTreeMap::new(),
        offers: Offers::default(),
    };
    let policy = preset::parse("gravity").expect("a preset");
    let shard = ShardId(1);
    let limits = Limits::default();
    let (incarnation, flaws) = (Incarnation(1), Flaws::default());
    let calendar = Wall::default();
    let mut engine =
        Engine::new(EngineConfig { node, incarnation, seed: 1, policy, limits, flaws, calendar });
    let ledger = Box::new(Ledger::new(shard));
    engine.step(Moment(0), [Input::Opened { ledger, next: Lsn(1) }], &mut Vec::new());
    submit(&mut engine, vec![spec(1_000, &body())]);
    engine
}

fn submit(engine: &mut Engine, specs: Vec<Arc<TaskSpec>>) {
    let job = JobSpec::new("a", specs);
    let input = Input::Request { ticket: 1, request: Box::new(Request::Submit(job)) };
    let mut effects = Vec::new();
    engine.step(Moment(0), [input], &mut effects);
    engine.step(Moment(0), [Input::Durable { shard: ShardId(1), lsn: Lsn(99) }], &mut effects);
}

fn a_pending_array_takes_a_kilobyte_whatever_its_size() {
    for count in [10, 1_000_000, 1_000_000_000] {
        let mut engine = busy_engine();
        let specs = vec![spec(count, &body())];
        let (bytes, ()) = grown(|| submit(&mut engine, specs));
        assert!(bytes <= 1_024, "{bytes} bytes for {count} tasks");
    }
}

/// Ends in random order are at their most costly before half of them have come: the sets then
/// hold a bit for every index of the array. In order they cost next to nothing.
fn a_finished_index_takes_two_bits_in_whatever_order() {
    const COUNT: u32 = 1 << 20;
    const OVERHEAD: isize = 2_048;
    let mut ledger = ledger_of(COUNT);
    let order = shuffled(COUNT);
    let run = |ledger: &mut Ledger, part: &[u32]| {
        for &index in part {
            grant(ledger, index);
            end(ledger, index);
        }
    };
    let half = COUNT as usize / 2;
    let (first, ()) = grown(|| run(&mut ledger, &order[..half]));
    let (second, ()) = grown(|| run(&mut ledger, &order[half..]));
    assert!(first - OVERHEAD <= half as isize / 4, "{first} bytes for half of {COUNT}");
    let all = first + second;
    assert!(all - OVERHEAD <= COUNT as isize / 4, "{all} bytes for all of {COUNT}");
}

fn an_active_index_takes_128_bytes() {
    const COUNT: u32 = 100_000;
    for order in [(0..COUNT).collect(), shuffled(COUNT)] {
        let mut ledger = ledger_of(COUNT);
        let (bytes, ()) = grown(|| order.iter().for_each(|&index| grant(&mut ledger, index)));
        assert!(bytes <= 128 * COUNT as isize, "{} bytes each", bytes / COUNT as isize);
    }
}

fn a_distinct_task_takes_280_bytes() {
    const COUNT: usize = 100_000;
    let mut engine = busy_engine();
    let shared = body();
    let (specs_alone, specs) =
        grown(|| (0..COUNT).map(|_| spec(1, &shared)).collect::<Vec<Arc<TaskSpec>>>());
    let (bytes, ()) = grown(|| submit(&mut engine, specs));
    let each = (specs_alone + bytes) / COUNT as isize;
    assert!(each <= 280, "{each} bytes for each");
}

/// One test, because tests of one process share one count of bytes.
#[test]
fn tasks_take_no_more_memory_than_promised() {
    a_pending_array_takes_a_kilobyte_whatever_its_size();
    a_finished_index_takes_two_bits_in_whatever_order();
    an_active_index_takes_128_bytes();
    a_distinct_task_takes_280_bytes();
}
