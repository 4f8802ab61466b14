//! What users change while work goes on: jobs are held, put ahead, begun later and forgotten, and
//! nodes drained.

use std::collections::BTreeSet;
use std::sync::Arc;

use bary_engine::effect::Effect;
use bary_engine::engine::{Engine, EngineConfig};
use bary_engine::input::{Input, Refusal, Reply, Request};
use bary_model::event::EventKind;
use bary_model::id::{Incarnation, JobNo, Lsn, NodeId, ShardId, SpecNo};
use bary_model::job::{About, JobRef, JobSpec};
use bary_model::node::Offers;
use bary_model::outcome::{End, Failure};
use bary_model::task::TaskSpec;
use bary_model::time::{Moment, Span, Wall};
use bary_policy::preset;

use crate::world::{World, body, info, job, spec};

/// The shard of the first node.
const HERE: ShardId = ShardId(1);

fn one_node() -> World {
    World::new(&[info(0, 2, 1.0)], "gravity", Span::ZERO)
}

fn tasks(count: u32) -> Vec<TaskSpec> {
    vec![spec("a", count, 1.0, &Arc::new(body("f")))]
}

fn about(specs: Vec<TaskSpec>, about: About) -> JobSpec {
    JobSpec { about, ..job(specs) }
}

fn hold(job: JobNo, held: bool) -> Request {
    Request::Hold { job, held, reason: Some("so".into()) }
}

fn cancel(job: JobNo) -> Request {
    Request::Cancel { job, running: true, reason: Some("enough".into()) }
}

/// The answer to a request to the first node.
fn asked(world: &mut World, request: Request) -> Reply {
    world.request(request);
    world.replies.pop().expect("every request is answered")
}

fn after(world: &mut World, specs: Vec<TaskSpec>, upstream: JobNo) -> Reply {
    let upstream = vec![JobRef { shard: HERE, job: upstream }];
    asked(world, Request::SubmitAfter { job: job(specs), upstream })
}

fn accepted(reply: &Reply) -> JobNo {
    match reply {
        Reply::Accepted(job) => *job,
        other => panic!("it must be accepted, not {other:?}"),
    }
}

fn refused(reply: Reply) -> Refusal {
    match reply {
        Reply::Refused(refusal) => refusal,
        other => panic!("it must be refused, not {other:?}"),
    }
}

/// How many tasks of a job have succeeded.
fn good(world: &World, job: JobNo) -> u32 {
    let of_job = world.ended().filter(|ended| ended.range.job == job);
    of_job.filter(|ended| ended.end == End::Succeeded).map(|ended| ended.range.count).sum()
}

/// The jobs of what was granted, with the node and the moment.
fn grants(world: &World) -> Vec<(JobNo, NodeId, Moment)> {
    let mut grants = Vec::new();
    for event in &world.events {
        if let EventKind::Granted { node, ranges, .. } = &event.kind {
            grants.extend(ranges.iter().map(|range| (range.job, *node, event.at)));
        }
    }
    grants
}

fn is_finished(world: &World, job: JobNo) -> bool {
    world
        .events
        .iter()
        .any(|event| matches!(event.kind, EventKind::Finished { job: j } if j == job))
}

fn at(millis: u64) -> Moment {
    Moment(0) + Span::millis(millis)
}

#[test]
fn what_is_held_does_not_start_and_goes_on_when_it_is_released() {
    let mut world = one_node();
    let job = world.submit(job(tasks(100)));
    world.advance_to(at(25));
    let before = good(&world, job);
    assert!(matches!(asked(&mut world, hold(job, true)), Reply::Done));
    world.run();
    let then = good(&world, job);
    assert!(then <= before + 2, "only what ran came to its end: {before}, then {then}");
    assert!(!is_finished(&world, job));
    assert!(matches!(asked(&mut world, hold(job, false)), Reply::Done));
    world.run();
    assert_eq!(good(&world, job), 100);
    assert!(is_finished(&world, job));
    assert_eq!(refused(asked(&mut world, hold(job, true))), Refusal::AlreadyOver(job));
}

#[test]
fn a_job_that_is_submitted_held_waits_and_lets_others_by() {
    let mut world = one_node();
    let held = world.submit(about(tasks(5), About { held: true, ..About::default() }));
    let other = world.submit(job(tasks(5)));
    world.run();
    assert_eq!((good(&world, held), good(&world, other)), (0, 5));
    world.request(hold(held, false));
    world.run();
    assert_eq!(good(&world, held), 5);
}

#[test]
fn nothing_of_a_job_is_granted_before_its_time() {
    let mut world = one_node();
    let not_before = Some(Wall(50_000_000));
    let job = world.submit(about(tasks(5), About { not_before, ..About::default() }));
    world.run();
    assert_eq!(good(&world, job), 5);
    let first = grants(&world).into_iter().map(|(.., at)| at).min();
    assert_eq!(first, Some(at(50)));
}

#[test]
fn held_and_before_its_time_and_after_another_all_have_to_let_a_job_go() {
    for order in [[0, 1, 2], [1, 2, 0], [2, 0, 1]] {
        let mut world = one_node();
        let first = world.submit(about(tasks(3), About { held: true, ..About::default() }));
        let not_before = Some(Wall(100_000_000));
        let held = About { held: true, not_before, ..About::default() };
        let upstream = vec![JobRef { shard: HERE, job: first }];
        let request = Request::SubmitAfter { job: about(tasks(4), held), upstream };
        let job = accepted(&asked(&mut world, request));
        for (turn, what) in order.into_iter().enumerate() {
            assert!(grants(&world).iter().all(|(of, ..)| *of != job), "{order:?} at {turn}");
            match what {
                0 => world.request(hold(first, false)),
                1 => world.request(hold(job, false)),
                _ => world.advance_to(at(200)),
            }
            let now = world.now;
            world.advance_to(now + Span::millis(if what == 2 { 0 } else { 40 }));
        }
        world.run();
        assert_eq!(good(&world, job), 4, "{order:?}");
    }
}

#[test]
fn what_waits_in_any_way_can_be_cancelled() {
    let mut world = one_node();
    let held = world.submit(about(tasks(3), About { held: true, ..About::default() }));
    let not_before = Some(Wall(1 << 60));
    let later = world.submit(about(tasks(3), About { not_before, ..About::default() }));
    let waiting = accepted(&after(&mut world, tasks(3), held));
    for job in [waiting, later, held] {
        assert!(matches!(asked(&mut world, cancel(job)), Reply::Done));
        assert!(is_finished(&world, job));
    }
    world.run();
    assert!(world.now < at(1_000), "no timer is left of what was cancelled");
    assert_eq!(world.ends().values().filter(|end| **end == End::Cancelled).count(), 9);
    assert!(grants(&world).is_empty());
    assert!(matches!(asked(&mut world, cancel(held)), Reply::Over { good: false }));
    for job in [held, later] {
        world.request(Request::Retry(job));
    }
    assert_eq!(world.replies.len(), 2);
}

#[test]
fn a_retry_waits_neither_for_a_release_nor_for_a_time() {
    let limits = bary_engine::limits::Limits { retains_finished: true, ..Default::default() };
    let distances = vec![vec![Span::ZERO]];
    let mut world = World::with(&[info(0, 2, 1.0)], "gravity", &limits, distances);
    let not_before = Some(Wall(1 << 60));
    let held = About { held: true, not_before, ..About::default() };
    let job = world.submit(about(tasks(3), held));
    world.request(cancel(job));
    assert!(matches!(asked(&mut world, Request::Retry(job)), Reply::Done));
    world.run();
    assert_eq!(good(&world, job), 3);
    assert!(grants(&world).iter().all(|(.., granted)| *granted < at(1_000)));
}

#[test]
fn a_job_goes_on_when_the_one_before_it_has_succeeded() {
    let mut world = one_node();
    let first = world.submit(job(tasks(4)));
    let second = accepted(&after(&mut world, tasks(4), first));
    let third = accepted(&after(&mut world, tasks(4), second));
    world.run();
    let order: Vec<JobNo> = grants(&world).into_iter().map(|(job, ..)| job).collect();
    assert!(order.is_sorted(), "{order:?}");
    assert_eq!(good(&world, third), 4);
    let last = accepted(&after(&mut world, tasks(1), third));
    world.run();
    assert_eq!(good(&world, last), 1, "it does not matter how long ago that was");
    let missing = JobNo(77);
    assert_eq!(refused(after(&mut world, tasks(1), missing)), Refusal::NoSuchJob(missing));
}

#[test]
fn a_long_chain_of_jobs_is_skipped_when_the_first_fails() {
    let mut world = one_node();
    world.fail(|task, _| (task.job == JobNo(0)).then_some(Failure::Exit(1)));
    let mut last = world.submit(job(tasks(1)));
    for _ in 0..3_000 {
        last = accepted(&after(&mut world, tasks(1), last));
    }
    world.run();
    assert!(is_finished(&world, last));
    let ends = world.ends();
    assert_eq!(ends.values().filter(|end| **end == End::Skipped).count(), 3_000);
}

#[test]
fn a_retry_looks_anew_at_what_the_job_waits_for() {
    let limits = bary_engine::limits::Limits { retains_finished: true, ..Default::default() };
    let distances = vec![vec![Span::ZERO]];
    let mut world = World::with(&[info(0, 2, 1.0)], "gravity", &limits, distances);
    world.fail(|task, _| (task.job == JobNo(0)).then_some(Failure::Exit(1)));
    let first = world.submit(job(tasks(1)));
    let second = accepted(&after(&mut world, tasks(1), first));
    world.run();
    assert_eq!(good(&world, second), 0);
    world.fail(|_, _| None);
    world.request(Request::Retry(second));
    world.run();
    assert_eq!(good(&world, second), 0, "the first has still failed");
    world.request(Request::Retry(first));
    world.request(Request::Retry(second));
    world.run();
    assert_eq!((good(&world, first), good(&world, second)), (1, 1));
}

#[test]
fn a_job_that_was_put_ahead_goes_before_what_nodes_hold() {
    let mut world = one_node();
    let many = world.submit(job(tasks(200)));
    let few = world.submit(job(tasks(10)));
    world.advance_to(at(25));
    world.request(Request::Prioritise { job: few, priority: 3 });
    world.advance_to(at(25 + 10 * 10 / 2 + 40));
    assert_eq!(good(&world, few), 10, "all of it went before the rest of the other");
    assert!(good(&world, many) < 30);
    world.request(Request::Prioritise { job: many, priority: i32::MIN });
    world.run();
    assert_eq!(good(&world, many), 200);
}

#[test]
fn a_job_of_higher_priority_goes_before_what_nodes_hold() {
    let mut world = one_node();
    let many = world.submit(job(tasks(200)));
    world.advance_to(at(25));
    let high = About { priority: 1, ..About::default() };
    let few = world.submit(about(tasks(10), high));
    world.advance_to(at(25 + 10 * 10 / 2 + 40));
    assert_eq!(good(&world, few), 10);
    world.run();
    assert_eq!(good(&world, many), 200);
}

#[test]
fn a_drained_node_gets_nothing_and_what_it_has_not_started_goes_elsewhere() {
    for policy in ["gravity", "round-robin", "pids-classic"] {
        let nodes = [info(0, 2, 1.0), info(1, 2, 1.0)];
        let mut world = World::new(&nodes, policy, Span::millis(1));
        world.submit(job(tasks(1)));
        world.run();
        let job = world.submit(job(tasks(200)));
        world.advance_to(world.now + Span::millis(35));
        let there = grants(&world).into_iter().filter(|(_, node, _)| *node == NodeId(1));
        assert!(there.count() > 0, "{policy}: there is something to take back");
        let drain = |drain| Request::Drain { node: NodeId(1), drain };
        assert!(matches!(asked(&mut world, drain(true)), Reply::Done));
        let from = world.now;
        world.run();
        assert_eq!(good(&world, job), 200, "{policy}");
        let mut late = grants(&world).into_iter().filter(|(_, _, at)| *at >= from);
        assert!(late.all(|(_, node, _)| node == NodeId(0)), "{policy}");
        assert!(matches!(asked(&mut world, drain(false)), Reply::Done));
        let from = world.now;
        let more = world.submit(crate::world::job(tasks(200)));
        world.run();
        assert_eq!(good(&world, more), 200, "{policy}");
        let late = grants(&world).into_iter().filter(|(_, _, at)| *at >= from);
        let nodes: BTreeSet<NodeId> = late.map(|(_, node, _)| node).collect();
        assert!(nodes.contains(&NodeId(1)), "{policy}");
    }
}

#[test]
fn a_finished_job_can_be_forgotten_and_its_number_is_not_used_again() {
    let mut world = one_node();
    let first = world.submit(job(tasks(10)));
    assert_eq!(refused(asked(&mut world, Request::Forget(first))), Refusal::NotOver(first));
    world.run();
    assert!(matches!(asked(&mut world, cancel(first)), Reply::Over { good: true }));
    assert!(matches!(asked(&mut world, Request::Forget(first)), Reply::Done));
    let gone = Refusal::NoSuchJob(first);
    assert_eq!(refused(asked(&mut world, Request::Forget(first))), gone);
    assert_eq!(refused(asked(&mut world, cancel(first))), gone);
    assert_eq!(refused(asked(&mut world, hold(first, true))), gone);
    assert_eq!(refused(after(&mut world, tasks(1), first)), gone);
    let second = world.submit(job(tasks(1)));
    assert!(second > first);
}

#[test]
fn a_function_that_nobody_offers_waits_and_one_that_some_offer_goes_there() {
    let offers = |names: &[&str]| {
        let functions = Some(names.iter().map(|name| Box::from(*name)).collect());
        Offers { commands: false, functions }
    };
    let mut nodes = [info(0, 2, 1.0), info(1, 2, 1.0)];
    nodes[0].offers = offers(&["g"]);
    nodes[1].offers = offers(&["f", "g"]);
    let mut world = World::new(&nodes, "gravity", Span::millis(1));
    let job = world.submit(job(tasks(20)));
    let nobodys = vec![spec("a", 1, 1.0, &Arc::new(body("h")))];
    let waiting = world.submit(crate::world::job(nobodys));
    world.advance_to(at(10_000));
    assert_eq!((good(&world, job), good(&world, waiting)), (20, 0));
    assert!(grants(&world).iter().all(|(_, node, _)| *node == NodeId(1)));
    let action = bary_model::action::Action::Command { argv: Vec::new() };
    let command = spec("c", 1, 1.0, &Arc::new(bary_model::task::Body::new(action)));
    let refusal = refused(asked(&mut world, Request::Submit(crate::world::job(vec![command]))));
    assert_eq!(refusal.to_string(), "`c` cannot be placed: no node runs commands");
}

#[test]
fn a_reason_is_told_and_one_that_is_too_long_is_refused() {
    let mut world = one_node();
    let job = world.submit(job(tasks(2)));
    let reason = Some("x".repeat(About::REASON_BYTES_MAX + 1).into());
    let reply = asked(&mut world, Request::Cancel { job, running: true, reason });
    assert!(matches!(refused(reply), Refusal::TooLong { .. }));
    world.request(cancel(job));
    let told = world.events.iter().any(|event| match &event.kind {
        EventKind::Stopping { reason, .. } => reason.as_deref() == Some("enough"),
        _ => false,
    });
    assert!(told);
    assert_eq!(world.events.iter().filter(|event| first_spec(&event.kind)).count(), 1);
}

fn first_spec(kind: &EventKind) -> bool {
    matches!(kind, EventKind::Submitted { first: SpecNo(0), brief: Some(_), .. })
}

#[test]
fn after_a_restart_a_job_still_waits_for_its_time() {
    const SECOND: u64 = 1_000_000_000;
    let mut world = one_node();
    let not_before = Some(Wall(100 * SECOND));
    world.submit(about(tasks(5), About { not_before, ..About::default() }));
    let ledger = world.nodes[0].engine.ledgers().next().expect("it is a home").clone();
    let mut engine = Engine::new(EngineConfig {
        node: info(0, 2, 1.0),
        incarnation: Incarnation(2),
        seed: 7,
        policy: preset::parse("gravity").expect("a preset"),
        limits: bary_engine::limits::Limits::default(),
        flaws: bary_engine::flaw::Flaws::default(),
        calendar: Wall(40 * SECOND),
    });
    let opened = Input::Opened { ledger: Box::new(ledger), next: Lsn(50) };
    let mut starts = |now, inputs: Vec<Input>| {
        let mut effects = Vec::new();
        engine.step(Moment(now), inputs, &mut effects);
        effects.iter().filter(|effect| matches!(effect, Effect::Start { .. })).count()
    };
    let durable = Input::Durable { shard: HERE, lsn: Lsn(99) };
    assert_eq!(starts(0, vec![opened]) + starts(0, vec![durable]), 0);
    assert_eq!(starts(60 * SECOND - 1, Vec::new()), 0);
    assert_eq!(starts(60 * SECOND, Vec::new()), 2);
}
