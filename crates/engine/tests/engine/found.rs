//! What drawn worlds found, each told by the smallest world that shows it.

use std::sync::Arc;

use crate::world::{World, body, info, job, spec};
use bary_engine::input::{Input, Reply, Request};
use bary_engine::limits::Limits;
use bary_model::event::EventKind;
use bary_model::id::{JobNo, NodeId, SpecNo};
use bary_model::machine::Machine;
use bary_model::node::Peer;
use bary_model::outcome::{End, Failure};
use bary_model::task::{After, Body, RunIf, Use};
use bary_model::time::{Moment, Span};
use bary_policy::preset;

fn one_node() -> World {
    World::new(&[info(0, 2, 1.0)], "gravity", Span::ZERO)
}

fn finished(world: &World) -> usize {
    let all = world.events.iter();
    all.filter(|event| matches!(event.kind, EventKind::Finished { .. })).count()
}

fn aligned(spec: u32) -> After {
    After { spec: SpecNo(spec), aligned: true }
}

#[test]
fn a_job_of_nothing_finishes_at_once() {
    let mut world = one_node();
    world.submit(job(Vec::new()));
    world.run();
    assert_eq!(finished(&world), 1);
}

#[test]
fn specs_that_are_added_wait_for_each_other_and_not_for_the_first_ones() {
    let mut world = one_node();
    let keeps = Arc::new(Body { keep_results: true, ..body("f") });
    let mut first = job(vec![spec("a", 3, 1.0, &keeps)]);
    first.open = true;
    let no = world.submit(first);
    let uses = [Use { spec: SpecNo(0), name: "up".into(), aligned: true }].into();
    let mut below = spec("c", 5, 1.0, &Arc::new(Body { uses, ..body("f") }));
    below.after = [aligned(0)].into();
    let more = vec![Arc::new(spec("b", 5, 1.0, &keeps)), Arc::new(below)];
    world.request(Request::Extend { job: no, specs: more.into() });
    world.request(Request::Close(no));
    world.run();
    assert_eq!((world.ends().len(), finished(&world)), (13, 1));
    // The last index exists only in the spec that was added with it.
    let read = "upstream: Some([Upstream { name: \"up\", results: [Inline(b\"\\x04";
    assert!(world.log.contains(read), "the results of the same batch are read");
}

#[test]
fn a_spec_may_wait_twice_for_the_same_one() {
    let mut world = one_node();
    let plain = Arc::new(body("f"));
    let mut below = spec("b", 4, 1.0, &plain);
    below.after = [aligned(0), aligned(0)].into();
    world.submit(job(vec![spec("a", 4, 1.0, &plain), below]));
    world.run();
    assert_eq!((world.ends().len(), finished(&world)), (8, 1));
}

#[test]
fn what_failed_gives_no_result_to_read() {
    let mut world = one_node();
    world.fail(|task, _| (task.index == 1).then_some(Failure::Exit(1)));
    let keeps = Arc::new(Body { keep_results: true, ..body("f") });
    let uses = [Use { spec: SpecNo(0), name: "up".into(), aligned: false }].into();
    let reads = Body { uses, run_if: RunIf::Always, ..body("f") };
    let mut below = spec("b", 1, 1.0, &Arc::new(reads));
    below.after = [After { spec: SpecNo(0), aligned: false }].into();
    world.submit(job(vec![spec("a", 3, 1.0, &keeps), below]));
    world.run();
    assert!(world.log.contains("indices: [0, 2]"), "only what succeeded is read");
}

#[test]
fn a_cancel_leaves_the_jobs_of_other_homes_alone() {
    for running in [true, false] {
        let nodes = [info(0, 2, 1.0), info(1, 2, 1.0)];
        let mut world = World::new(&nodes, "round-robin", Span::millis(1));
        let submit = |count| {
            let specs = job(vec![spec("a", count, 1.0, &Arc::new(body("f")))]);
            Input::Request { ticket: 1, request: Box::new(Request::Submit(specs)) }
        };
        world.put(Moment(0), 0, submit(40));
        world.put(Moment(0), 1, submit(30));
        world.advance_to(Moment(0) + Span::millis(25));
        world.request(Request::Cancel { job: JobNo(0), running, reason: None });
        world.run();
        let good = world.ended().filter(|ended| ended.end == End::Succeeded).count();
        assert!(good >= 30, "what the other home was asked for is done, not only {good}");
        assert_eq!(finished(&world), 2);
    }
}

#[test]
fn finished_jobs_make_room_for_others() {
    let limits = Limits { home_specs_max: 3, ..Limits::default() };
    let mut world = World::with(&[info(0, 2, 1.0)], "gravity", &limits, vec![vec![Span::ZERO]]);
    let two = || job(vec![spec("a", 1, 1.0, &Arc::new(body("f"))); 2]);
    for _ in 0..5 {
        world.submit(two());
        world.request(Request::Submit(two()));
        assert!(matches!(world.replies.pop(), Some(Reply::Refused(_))), "four are too many");
        world.run();
    }
    assert_eq!(finished(&world), 5);
}

#[test]
fn nodes_that_waited_under_push_are_served_under_pull() {
    let nodes: Vec<_> = (0..3).map(|n| info(n, 1, 1.0)).collect();
    let mut world = World::new(&nodes, "work-stealing", Span::millis(1));
    let plain = Arc::new(body("f"));
    world.submit(job(vec![spec("a", 10, 1.0, &plain)]));
    world.run();
    let pull = preset::parse("gravity").expect("a preset");
    world.request(Request::Follow(pull));
    world.submit(job(vec![spec("b", 30, 1.0, &plain)]));
    world.run();
    let on = |node: u64| world.ended().filter(|ended| ended.node.0 == node).count();
    assert!((0..3).all(|node| on(node) > 5), "every node takes part: {:?}", [on(0), on(1), on(2)]);
}

#[test]
fn a_node_that_waits_elsewhere_hears_of_work_that_only_it_can_do() {
    let mut nodes = [info(0, 1, 1.0), info(1, 1, 1.0), info(2, 1, 1.0)];
    nodes[2].resources.milli_gpus = 1_000;
    let mut world = World::new(&nodes, "gravity", Span::millis(1));
    let plain = Arc::new(body("f"));
    let mut gpu = body("g");
    gpu.request.resources.milli_gpus = 1_000;
    let gpu = Arc::new(gpu);
    // Both homes are known to the node; it then waits at one of them.
    for _ in 0..3 {
        for home in 0..2 {
            for body in [&plain, &gpu] {
                let specs = job(vec![spec("a", 4, 1.0, body)]);
                let request = Request::Submit(specs);
                world.put(
                    world.now,
                    home,
                    Input::Request { ticket: 1, request: Box::new(request) },
                );
                world.run();
            }
        }
    }
    assert_eq!(finished(&world), 12);
}

#[test]
fn a_home_whose_node_has_left_is_sent_nobody_until_it_is_there_again() {
    let nodes = [info(0, 1, 1.0), info(1, 1, 1.0), info(2, 1, 1.0)];
    let mut world = World::new(&nodes, "gravity", Span::millis(1));
    let plain = Arc::new(body("f"));
    let submit = |world: &mut World, home: usize, count: u32| {
        let request = Box::new(Request::Submit(job(vec![spec("a", count, 1.0, &plain)])));
        world.put(world.now, home, Input::Request { ticket: 1, request });
        world.advance_to(world.now + Span::millis(1));
    };
    let sent = |world: &World| {
        let to_the_other = |line: &&str| line.contains(" 0 Send { to: NodeId(1)");
        let lines = world.log.lines().filter(to_the_other);
        lines.filter(|line| line.contains("say: Token")).count()
    };
    for home in [0, 1] {
        submit(&mut world, home, 6);
        world.run();
    }
    // The node is only thought to be gone: its home goes on to speak of its work.
    world.put(world.now, 0, Input::Left(NodeId(1)));
    world.advance_to(world.now + Span::millis(5));
    let before = sent(&world);
    submit(&mut world, 1, 400);
    world.advance_to(world.now + Span::millis(100));
    submit(&mut world, 0, 3);
    world.advance_to(world.now + Span::millis(300));
    assert_eq!(sent(&world), before, "what is sent there would be lost with it");
    let peer =
        Peer { info: nodes[1].clone(), round_trip: Span::millis(2), machine: Machine::default() };
    world.put(world.now, 0, Input::Joined(Box::new(peer)));
    submit(&mut world, 0, 3);
    world.run();
    assert_eq!(finished(&world), 5);
}
