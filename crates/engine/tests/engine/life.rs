//! A task's life in virtual time: every job comes to its end, each task exactly once.

use std::sync::Arc;

use crate::world::{World, body, info, job, spec};
use bary_engine::input::{Refusal, Reply, Request};
use bary_model::event::EventKind;
use bary_model::id::{JobNo, SpecNo};
use bary_model::job::{Enough, Halt, HaltOn};
use bary_model::outcome::{End, Failure};
use bary_model::resources::Resources;
use bary_model::task::{After, Body, RunIf};
use bary_model::time::{Moment, Span};

fn one_node() -> World {
    World::new(&[info(0, 2, 1.0)], "gravity", Span::ZERO)
}

fn after(spec: u32, aligned: bool) -> Box<[After]> {
    Box::new([After { spec: SpecNo(spec), aligned }])
}

fn finished(world: &World) -> bool {
    world.events.iter().any(|event| matches!(event.kind, EventKind::Finished { .. }))
}

#[test]
fn an_array_runs_every_index_once() {
    let mut world = one_node();
    world.submit(job(vec![spec("a", 1_000, 1.0, &Arc::new(body("f")))]));
    world.run();
    let ends = world.ends();
    assert_eq!(ends.len(), 1_000);
    assert!(ends.values().all(|end| *end == End::Succeeded));
    assert!(finished(&world));
}

#[test]
fn an_array_of_a_billion_is_accepted_at_once_as_a_range() {
    let mut world = one_node();
    world.submit(job(vec![spec("a", 1_000_000_000, 1.0, &Arc::new(body("f")))]));
    world.advance_to(Moment(0) + Span::secs(1));
    assert!(world.ended().count() > 0);
}

#[test]
fn a_diamond_runs_in_order() {
    let mut world = one_node();
    let body = Arc::new(body("f"));
    let mut specs: Vec<_> = ["a", "b", "c", "d"].map(|n| spec(n, 1, 1.0, &body)).into();
    specs[1].after = after(0, false);
    specs[2].after = after(0, false);
    let both = [1, 2].map(|n| After { spec: SpecNo(n), aligned: false });
    specs[3].after = Box::new(both);
    world.submit(job(specs));
    world.run();
    let order: Vec<u32> = world.ended().map(|ended| ended.range.spec.0).collect();
    assert_eq!((order[0], order[3]), (0, 3));
    assert_eq!(order.len(), 4);
}

#[test]
fn an_aligned_index_starts_as_soon_as_its_own_upstream_ended() {
    let mut world = one_node();
    let body = Arc::new(Body { detail: true, ..body("f") });
    let mut below = spec("b", 6, 1.0, &body);
    below.after = after(0, true);
    world.submit(job(vec![spec("a", 6, 1.0, &body), below]));
    world.run();
    assert_eq!(world.ends().len(), 12);
    for index in 0..6 {
        let end = |no| {
            let of = |e: &&bary_model::event::Ended| {
                e.range.spec == SpecNo(no) && e.range.first == index
            };
            world.ended().position(|e| of(&e)).expect("every index ended")
        };
        assert!(end(0) < end(1), "index {index} of b comes after index {index} of a");
    }
}

#[test]
fn a_failed_task_skips_what_needs_it_and_runs_what_cleans_up() {
    let mut world = one_node();
    world.fail(|task, _| (task.spec == SpecNo(0)).then_some(Failure::Exit(3)));
    let plain = Arc::new(body("f"));
    let clean = Arc::new(Body { run_if: RunIf::Failure, ..body("f") });
    let always = Arc::new(Body { run_if: RunIf::Always, ..body("f") });
    let mut specs = vec![spec("bad", 1, 1.0, &plain), spec("next", 5, 1.0, &plain)];
    specs.extend([spec("clean", 1, 1.0, &clean), spec("always", 1, 1.0, &always)]);
    specs.push(spec("last", 1, 1.0, &plain));
    for spec in &mut specs[1..4] {
        spec.after = after(0, false);
    }
    specs[4].after = after(1, false);
    world.submit(job(specs));
    world.run();
    let of = |no: u32| {
        let ends = world.ends();
        let mine = ends.into_iter().filter(move |(task, _)| task.spec == SpecNo(no));
        mine.map(|(_, end)| end).collect::<Vec<_>>()
    };
    assert_eq!(of(0), [End::Failed(Failure::Exit(3))]);
    assert_eq!(of(1), vec![End::Skipped; 5]);
    assert_eq!(of(2), [End::Succeeded]);
    assert_eq!(of(3), [End::Succeeded]);
    assert_eq!(of(4), [End::Skipped]);
    assert!(finished(&world));
}

#[test]
fn a_failing_task_is_tried_again_after_its_backoff_until_attempts_are_spent() {
    let mut world = one_node();
    world.fail(|_, attempt| (attempt < 3).then_some(Failure::Exit(1)));
    let patient = Arc::new(Body { retries: 2, ..body("f") });
    world.submit(job(vec![spec("a", 1, 1.0, &patient)]));
    world.run();
    let last = world.ended().next().expect("it ended");
    assert_eq!((last.attempt, last.end.clone()), (3, End::Succeeded));
    let mut world = one_node();
    world.fail(|_, _| Some(Failure::Exit(1)));
    world.submit(job(vec![spec("a", 1, 1.0, &patient)]));
    world.run();
    assert_eq!(world.ends().into_values().next(), Some(End::Failed(Failure::Exit(1))));
}

#[test]
fn a_task_that_kills_its_process_three_times_is_quarantined() {
    let mut world = one_node();
    world.fail(|_, _| Some(Failure::Signal(11)));
    let stubborn = Arc::new(Body { retries: 100, ..body("f") });
    world.submit(job(vec![spec("a", 1, 1.0, &stubborn)]));
    world.run();
    let last = world.ended().next().expect("it ended");
    assert_eq!((last.attempt, last.end.clone()), (3, End::Quarantined(Failure::Signal(11))));
}

#[test]
fn an_attempt_past_its_timeout_is_stopped() {
    let mut world = one_node();
    let short = Arc::new(Body { timeout: Span::millis(5), ..body("f") });
    world.submit(job(vec![spec("a", 1, 100.0, &short)]));
    world.run();
    assert_eq!(world.ends().into_values().next(), Some(End::Failed(Failure::TimedOut)));
    assert!(world.now < Moment(0) + Span::secs(2), "it was stopped, not waited for");
}

#[test]
fn cancel_ends_everything_and_the_first_record_wins() {
    let mut world = one_node();
    let job = world.submit(job(vec![spec("a", 100, 1.0, &Arc::new(body("f")))]));
    world.advance_to(Moment(0) + Span::millis(25));
    world.request(Request::Cancel { job, running: true, reason: None });
    world.run();
    let ends = world.ends();
    assert_eq!(ends.len(), 100);
    let cancelled = ends.values().filter(|end| **end == End::Cancelled).count();
    assert!(cancelled > 90, "only what had ended before is not cancelled: {cancelled}");
    assert!(finished(&world));
}

#[test]
fn a_soft_halt_lets_running_tasks_end() {
    let mut world = one_node();
    let job = world.submit(job(vec![spec("a", 100, 1.0, &Arc::new(body("f")))]));
    world.advance_to(Moment(0) + Span::millis(25));
    let before = world.ended().count();
    world.request(Request::Cancel { job, running: false, reason: None });
    world.run();
    let ends = world.ends();
    assert_eq!(ends.len(), 100);
    let good = ends.values().filter(|end| **end == End::Succeeded).count();
    assert!(good > before, "what ran came to its own end");
    assert!(finished(&world));
}

#[test]
fn priorities_come_before_any_order() {
    let mut world = World::new(&[info(0, 1, 1.0)], "gravity", Span::ZERO);
    let low = Arc::new(body("f"));
    let high = Arc::new(Body { priority: 5, ..body("f") });
    world.submit(job(vec![spec("low", 3, 9.0, &low), spec("high", 3, 1.0, &high)]));
    world.run();
    let order: Vec<u32> = world.ended().map(|ended| ended.range.spec.0).collect();
    assert_eq!(order.iter().position(|s| *s == 0).map(|at| at >= 1), Some(true), "{order:?}");
    assert_eq!(order[0], 1);
}

#[test]
fn what_no_node_can_run_is_refused_by_name_and_nothing_runs() {
    let mut world = one_node();
    let mut wants = body("f");
    wants.request.resources = Resources { milli_gpus: 8_000, ..Resources::cpus(1) };
    let specs =
        vec![spec("ok", 1, 1.0, &Arc::new(body("f"))), spec("big", 1, 1.0, &Arc::new(wants))];
    world.request(Request::Submit(job(specs)));
    let Some(Reply::Refused(refusal)) = world.replies.pop() else { panic!("it must be refused") };
    let text = "`big` cannot be placed: needs 8 gpus, the largest node has 0";
    assert_eq!(refusal.to_string(), text);
    world.run();
    assert_eq!(world.ended().count(), 0);
}

#[test]
fn a_cycle_is_refused_with_its_names() {
    let mut world = one_node();
    let body = Arc::new(body("f"));
    let mut specs: Vec<_> = ["a", "b"].map(|n| spec(n, 1, 1.0, &body)).into();
    specs[0].after = after(1, false);
    specs[1].after = after(0, false);
    world.request(Request::Submit(job(specs)));
    let Some(Reply::Refused(Refusal::Graph(why))) = world.replies.pop() else {
        panic!("it must be refused")
    };
    assert!(why.to_string().contains("a -> b -> a"), "{why}");
}

#[test]
fn a_large_task_is_not_starved_by_small_ones() {
    let mut world = World::new(&[info(0, 4, 1.0)], "fifo", Span::ZERO);
    let small = Arc::new(body("f"));
    let mut whole = body("g");
    whole.request.resources = Resources::cpus(4);
    let specs = vec![spec("s", 8, 1.0, &small), spec("big", 1, 1.0, &Arc::new(whole))];
    let mut specs = specs;
    specs.push(spec("t", 2_000, 1.0, &small));
    world.submit(job(specs));
    world.run();
    let at = world.ended().position(|ended| ended.range.spec == SpecNo(1));
    let before: u32 = world.ended().take(at.unwrap_or(0)).map(|ended| ended.range.count).sum();
    assert!(before < 200, "{before} small tasks ended before the large one");
}

#[test]
fn an_open_job_takes_more_and_ends_when_closed() {
    let mut world = one_node();
    let body = Arc::new(body("f"));
    let mut first = job(vec![spec("a", 10, 1.0, &body)]);
    first.open = true;
    let no = world.submit(first);
    world.run();
    assert!(!finished(&world));
    let more = vec![Arc::new(spec("b", 5, 1.0, &body))];
    world.request(Request::Extend { job: no, specs: more.into() });
    world.request(Request::Close(no));
    world.run();
    assert_eq!(world.ends().len(), 15);
    assert!(finished(&world));
    world.request(Request::Close(JobNo(9)));
    assert!(matches!(world.replies.last(), Some(Reply::Refused(Refusal::NoSuchJob(JobNo(9))))));
}

#[test]
fn a_halt_starts_nothing_more_once_its_rule_is_met() {
    let mut world = World::new(&[info(0, 1, 1.0)], "gravity", Span::ZERO);
    world.fail(|_, _| Some(Failure::Exit(1)));
    let alone = Arc::new(Body { detail: true, ..body("f") });
    let mut job = job(vec![spec("a", 10, 1.0, &alone)]);
    let enough = Enough::Tasks(2);
    job.halt = Some(Halt { on: HaltOn::Failed, enough, running: false });
    world.submit(job);
    world.run();
    assert_eq!(world.ended().count(), 2, "two failed and no third one began");
    assert_eq!(world.ends().len(), 10);
    assert!(finished(&world));
}

#[test]
fn a_share_of_ends_halts_only_when_enough_have_ended() {
    let mut world = World::new(&[info(0, 1, 1.0)], "gravity", Span::ZERO);
    world.fail(|task, _| (task.index < 2).then_some(Failure::Exit(1)));
    let alone = Arc::new(Body { detail: true, ..body("f") });
    let mut job = job(vec![spec("a", 10, 1.0, &alone)]);
    job.halt = Some(Halt { on: HaltOn::Failed, enough: Enough::Percent(20.0), running: true });
    world.submit(job);
    world.run();
    assert_eq!(world.ended().count(), 3, "two of ten are a fifth, judged at the third end");
}
