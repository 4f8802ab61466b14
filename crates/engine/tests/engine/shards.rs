//! Dependencies across shards: a job of one home waits for jobs of another.

use std::sync::Arc;

use bary_engine::effect::Effect;
use bary_engine::input::{Input, Reply, Request};
use bary_model::event::EventKind;
use bary_model::id::{JobNo, ShardId};
use bary_model::job::JobRef;
use bary_model::outcome::{End, Failure};
use bary_model::time::{Moment, Span};

use crate::world::{World, body, info, job, spec};

/// Two homes: the second submits a job that waits for the first's, which is submitted later.
fn two_homes(fails: bool) -> World {
    let nodes = [info(0, 2, 1.0), info(1, 2, 1.0)];
    let mut world = World::new(&nodes, "gravity", Span::millis(1));
    if fails {
        world.fail(|task, _| (task.spec.0 == 0).then_some(Failure::Exit(1)));
    }
    let upstream = vec![JobRef { shard: ShardId(1), job: JobNo(0) }];
    let work = Arc::new(body("f"));
    let first = job(vec![spec("a", 10, 1.0, &work)]);
    let dependent = job(vec![spec("b", 5, 1.0, &work), spec("c", 1, 1.0, &work)]);
    world.put(
        Moment(1),
        0,
        Input::Request { ticket: 1, request: Box::new(Request::Submit(first)) },
    );
    let request = Request::SubmitAfter { job: dependent, upstream };
    world.put(Moment(2_000_000), 1, Input::Request { ticket: 2, request: Box::new(request) });
    world.run();
    assert!(world.replies.iter().all(|reply| matches!(reply, Reply::Accepted(_))));
    world
}

#[test]
fn a_job_waits_for_a_job_of_another_shard() {
    let world = two_homes(false);
    let mut done = 0;
    for event in &world.events {
        match &event.kind {
            EventKind::Finished { .. } if event.shard == ShardId(1) => done = event.at.0,
            EventKind::Granted { .. } if event.shard == ShardId(2) => {
                assert!(done > 0 && event.at.0 >= done, "nothing starts before its upstream ends");
            }
            _ => {}
        }
    }
    let good = world.ended().filter(|ended| ended.end == End::Succeeded);
    assert_eq!(good.map(|ended| ended.range.count).sum::<u32>(), 16);
}

#[test]
fn a_job_is_skipped_where_the_other_did_not_succeed() {
    let world = two_homes(true);
    let skipped = world.events.iter().filter_map(|event| match &event.kind {
        EventKind::Dropped { range, end: End::Skipped, .. } => Some(range.count),
        _ => None,
    });
    assert_eq!(skipped.sum::<u32>(), 6);
    let finished =
        world.events.iter().filter(|event| matches!(event.kind, EventKind::Finished { .. }));
    assert_eq!(finished.count(), 2);
}

#[test]
fn a_home_that_is_deposed_writes_first_what_it_has_said() {
    let mut world = World::new(&[info(0, 2, 1.0)], "gravity", Span::ZERO);
    world.submit(job(vec![spec("before", 1, 1.0, &Arc::new(body("f")))]));
    world.run();
    let engine = &mut world.nodes[0].engine;
    let shard = engine.ledgers().next().expect("it is a home").shard();
    let work = job(vec![spec("granted", 1, 1.0, &Arc::new(body("f")))]);
    let request = Input::Request { ticket: 9, request: Box::new(Request::Submit(work)) };
    let (now, mut effects) = (Moment(0) + Span::secs(100), Vec::new());
    engine.step(now, [request, Input::Deposed { shard }], &mut effects);
    let said = |wanted: fn(&Effect) -> bool| effects.iter().position(wanted);
    let start = said(|effect| matches!(effect, Effect::Start { .. }));
    let append = said(|effect| matches!(effect, Effect::Append { .. }));
    assert!(start.is_some() && append.is_some_and(|append| Some(append) < start), "{effects:?}");
    assert!(engine.ledgers().next().is_none(), "it is no home any more");
}
