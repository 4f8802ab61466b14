//! What a journal's records recall is what was told when they were written.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use crate::world::{Seen, World, body, info, job, spec};
use bary_engine::effect::Effect;
use bary_engine::input::Request;
use bary_engine::limits::Limits;
use bary_engine::recall::{Recall, forget_undone};
use bary_ledger::record::Record;
use bary_model::event::{Event, EventKind};
use bary_model::id::{Epoch, JobNo, ShardId, SpecNo};
use bary_model::job::{About, JobRef, JobSpec};
use bary_model::outcome::{End, Failure};
use bary_model::task::After;
use bary_model::time::{Moment, Span, Wall};

type Batches = Rc<RefCell<Vec<((Epoch, Option<Wall>), Vec<Record>)>>>;

/// A world of two nodes, and what the home of the first appends.
fn recorded() -> (World, Batches) {
    let limits = Limits { retains_finished: true, ..Limits::default() };
    let nodes = [info(0, 2, 1.0), info(1, 1, 1.0)];
    let distances = vec![vec![Span::millis(1); 2]; 2];
    let mut world = World::with(&nodes, "gravity", &limits, distances);
    let batches = Batches::default();
    let into = Rc::clone(&batches);
    world.watch = Some(Box::new(move |_, node, seen| {
        if let (0, Seen::Effect(Effect::Append { epoch, at, records, .. })) = (node, seen) {
            into.borrow_mut().push(((*epoch, Some(*at)), records.clone()));
        }
    }));
    (world, batches)
}

/// What is recalled of these batches, and the ledger that they make.
fn recall(world: &World, batches: &Batches) -> Vec<Event> {
    let ledger = world.nodes[0].engine.ledgers().next().expect("it is a home");
    let mut recall = Recall::new(ledger.shard());
    let mut events = Vec::new();
    for (stamp, records) in batches.borrow().iter() {
        recall.take_in(*stamp, records.clone(), &mut |event| events.push(event));
    }
    assert_eq!(recall.ledger(), ledger, "replay gives the same state");
    events
}

/// What the folds of a run look at, without moments and reasons.
fn told(events: &[Event]) -> Vec<String> {
    let shown = events.iter().filter_map(|event| match &event.kind {
        EventKind::Granted { .. } | EventKind::Retracted { .. } => None,
        EventKind::Retrying { task, node, attempt, .. } => {
            Some(format!("retrying {task:?} {node:?} {attempt}"))
        }
        kind => Some(format!("{kind:?}")),
    });
    shown.collect()
}

#[test]
fn a_job_with_failures_is_recalled_as_it_was_told() {
    let (mut world, batches) = recorded();
    world.fail(|task, attempt| {
        let fails = task.spec == SpecNo(0) && (task.index == 3 || task.index == 7 && attempt < 3);
        fails.then_some(Failure::Exit(1))
    });
    let mut tried = body("f");
    tried.retries = 2;
    let mut specs =
        vec![spec("a", 20, 1.0, &Arc::new(tried)), spec("b", 20, 1.0, &Arc::new(body("f")))];
    specs[1].after = Box::new([After { spec: SpecNo(0), aligned: true }]);
    let no = world.submit(job(specs));
    world.run();
    assert_eq!(told(&recall(&world, &batches)), told(&world.events));
    world.fail(|_, _| None);
    world.request(Request::Retry(no));
    world.run();
    let mut events = recall(&world, &batches);
    assert_eq!(told(&events), told(&world.events));
    forget_undone(&mut events);
    let ends = events.iter().filter_map(|event| match &event.kind {
        EventKind::Ended(ended) => Some((ended.end.clone(), u64::from(ended.range.count))),
        EventKind::Dropped { end, range, .. } => Some((end.clone(), u64::from(range.count))),
        _ => None,
    });
    let ends: Vec<_> = ends.collect();
    assert!(ends.iter().all(|(end, _)| *end == End::Succeeded), "{ends:?}");
    assert_eq!(ends.iter().map(|(_, count)| count).sum::<u64>(), 40, "each ends once");
    let finished = |event: &&Event| matches!(event.kind, EventKind::Finished { .. });
    assert_eq!(events.iter().filter(finished).count(), 1);
}

#[test]
fn a_cancelled_and_extended_job_is_recalled_as_it_was_told() {
    let (mut world, batches) = recorded();
    let mut open = job(vec![spec("a", 5, 1.0, &Arc::new(body("f")))]);
    open.open = true;
    let no = world.submit(open);
    world.run();
    let more = vec![Arc::new(spec("b", 50, 1.0, &Arc::new(body("f"))))];
    world.request(Request::Extend { job: no, specs: more.into() });
    world.advance_to(world.now + Span::millis(5));
    world.request(Request::Cancel { job: no, running: true, reason: None });
    world.run();
    assert_eq!(told(&recall(&world, &batches)), told(&world.events));
}

#[test]
fn what_users_changed_is_recalled_as_it_was_told() {
    let (mut world, batches) = recorded();
    let tags = [("team".into(), "x".into())].into();
    let about = About { priority: 1, owner: "ann".into(), tags, ..About::default() };
    let many = || vec![spec("a", 50, 1.0, &Arc::new(body("f")))];
    let first = world.submit(JobSpec { about, ..job(many()) });
    for _ in 0..2 {
        let upstream = vec![JobRef { shard: ShardId(1), job: first }];
        world.request(Request::SubmitAfter { job: job(many()), upstream });
    }
    world.advance_to(world.now + Span::millis(15));
    let reason = Some("lunch".into());
    world.request(Request::Hold { job: first, held: true, reason });
    world.advance_to(world.now + Span::millis(15));
    world.request(Request::Prioritise { job: first, priority: -1 });
    world.request(Request::Hold { job: first, held: false, reason: None });
    world.run();
    let reason = Some("enough".into());
    let last = world.submit(job(many()));
    world.request(Request::Cancel { job: last, running: false, reason });
    world.run();
    world.request(Request::Forget(last));
    world.run();
    assert_eq!(told(&recall(&world, &batches)), told(&world.events));
}

#[test]
fn what_is_recalled_has_the_time_at_which_it_was_written() {
    const HOUR: u64 = 3_600_000_000_000;
    let shard = ShardId(1);
    let opened = Record::Opened { epoch: Epoch(1) };
    let held = |job| Record::Held { job: JobNo(job), held: true, reason: None };
    let passing = |job| {
        let (name, specs) = ("a".into(), Vec::new().into());
        let about = About::default().shared();
        let (job, open, halt, key) = (JobNo(job), true, None, None);
        Record::Submitted { job, name, specs, open, halt, key, about }
    };
    let batches = [
        (Some(10), vec![opened, passing(0)]),
        (Some(12), vec![held(0)]),
        // The calendar was set back; a batch of an early version says nothing.
        (Some(11), vec![passing(1)]),
        (None, vec![held(1)]),
    ];
    let told = |mut recall: Recall| {
        let mut at = Vec::new();
        for (hours, records) in batches.clone() {
            let stamp = (Epoch(1), hours.map(|hours| Wall(hours * HOUR)));
            recall.take_in(stamp, records, &mut |event| at.push(event.at.0 / HOUR));
        }
        assert_eq!(recall.latest(), Moment(0), "nothing has ended");
        at
    };
    assert_eq!(told(Recall::new(shard).since(Wall(7 * HOUR))), [3, 5, 5, 5]);
    assert_eq!(told(Recall::new(shard)), [0; 4], "nobody knows when its clock was zero");
}

#[test]
fn a_batch_of_a_reign_that_was_over_is_ignored() {
    let (mut world, batches) = recorded();
    world.submit(job(vec![spec("a", 5, 1.0, &Arc::new(body("f")))]));
    world.run();
    let ledger = world.nodes[0].engine.ledgers().next().expect("it is a home").clone();
    let mut recall = Recall::new(ledger.shard());
    let mut events = Vec::new();
    let mut tell = |event| events.push(event);
    for (stamp, records) in batches.borrow().iter() {
        recall.take_in(*stamp, records.clone(), &mut tell);
    }
    let opened = Epoch(ledger.epoch().0 + 1);
    recall.take_in((opened, None), vec![Record::Opened { epoch: opened }], &mut tell);
    let before = recall.ledger().clone();
    recall.take_in((ledger.epoch(), None), vec![Record::Closed { job: JobNo(0) }], &mut tell);
    assert_eq!(*recall.ledger(), before);
}
