//! What is said of tasks before they run, and what becomes of it: deadlines, estimates, sizes.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_model::id::{NodeId, SpecNo};
use bary_model::job::{Deadline, JobSpec};
use bary_model::resources::Resources;
use bary_model::task::{After, TaskSpec};
use bary_model::time::{Moment, Span, Wall};

use crate::world::{World, body, info, job, spec};

/// A task of one core that takes `ms` milliseconds.
fn task(name: &str, count: u32, ms: f64) -> TaskSpec {
    spec(name, count, ms / 10.0, &Arc::new(body("f")))
}

fn wide(ms: f64, cpus: u32) -> TaskSpec {
    let mut body = body("f");
    body.request.resources = Resources::cpus(cpus);
    spec("", 1, ms / 10.0, &Arc::new(body))
}

fn due(deadline: Option<Deadline>) -> JobSpec {
    let mut job = job(vec![task("", 1, 10.0)]);
    job.about.deadline = deadline;
    job
}

/// When each job's only task began, in milliseconds, in the order of the jobs.
fn began(world: &World) -> Vec<u64> {
    let began: BTreeMap<_, _> =
        world.ended().map(|end| (end.range.job, end.usage.began.0 / 1_000_000)).collect();
    began.into_values().collect()
}

#[test]
fn what_is_due_first_goes_first_whenever_it_came() {
    let mut world = World::new(&[info(0, 1, 1.0)], "order=deadline,queue=fcfs", Span::ZERO);
    world.submit(job(vec![task("", 1, 10.0)]));
    world.submit(due(None));
    world.submit(due(Some(Deadline::After(Span::secs(9)))));
    world.submit(due(Some(Deadline::At(Wall(Span::secs(5).0)))));
    world.submit(due(Some(Deadline::After(Span::secs(7)))));
    world.run();
    assert_eq!(began(&world), [0, 40, 30, 10, 20]);
}

#[test]
fn an_estimate_is_taken_at_its_word_and_a_weight_at_the_pace_shown() {
    let begins = |estimate: Span| {
        let mut world = World::new(&[info(0, 4, 1.0)], "order=fifo,queue=easy", Span::ZERO);
        world.submit(job(vec![wide(10.0, 4)]));
        world.run();
        world.submit(job(vec![wide(100.0, 3)]));
        world.submit(job(vec![wide(100.0, 4)]));
        world.submit(job(vec![TaskSpec { estimate, ..wide(50.0, 1) }]));
        world.run();
        began(&world)[3]
    };
    assert_eq!(begins(Span::ZERO), 10, "by its weight it is over in time");
    assert_eq!(begins(Span::millis(100)), 10);
    assert_eq!(begins(Span::millis(101)), 210, "by its word it is not");
}

/// Two nodes; each of two tasks makes a result at one of them, and readers wait for one each.
/// Tells how many readers ran where what they read lies.
fn readers_at_home(policy: &str, output: u64) -> usize {
    let mut world = World::new(&[info(0, 2, 1.0), info(1, 2, 1.0)], policy, Span::millis(1));
    let makers = TaskSpec { output, ..task("make", 40, 10.0) };
    let after = [After { spec: SpecNo(0), aligned: true }].into();
    let estimate = Span::millis(10);
    let readers = TaskSpec { after, estimate, ..task("read", 40, 10.0) };
    world.submit(job(vec![makers, readers]));
    world.run();
    assert_eq!(world.ends().len(), 80);
    let mut nodes: BTreeMap<(u32, u32), NodeId> = BTreeMap::new();
    for ended in world.ended() {
        for task in ended.range.tasks() {
            nodes.insert((task.spec.0, task.index), ended.node);
        }
    }
    (0..40).filter(|index| nodes[&(0, *index)] == nodes[&(1, *index)]).count()
}

#[test]
fn who_waits_a_little_runs_where_what_it_reads_lies() {
    let delayed = readers_at_home("order=fifo,delay=1s", 1_000_000);
    assert_eq!(delayed, 40);
    assert!(readers_at_home("order=fifo,delay=1s", 0) < 40, "nothing says where to go");
}

#[test]
fn a_force_that_counts_bytes_sends_readers_to_them() {
    let near = readers_at_home("binding=push,order=fifo,force=locality,steal=none", 1_000_000_000);
    assert_eq!(near, 40);
}

#[test]
fn who_has_waited_for_its_node_long_enough_goes_elsewhere() {
    let mut nodes = [info(0, 1, 1.0), info(1, 1, 1.0)];
    nodes[0].labels.insert("makes".into(), "yes".into());
    let mut world = World::new(&nodes, "order=fifo,delay=50ms", Span::ZERO);
    let mut body = body("f");
    let rule =
        bary_model::task::LabelRule { label: "makes".into(), value: "yes".into(), not: false };
    body.request.labels = vec![rule];
    let body = Arc::new(body);
    let maker = TaskSpec { output: 1_000, ..spec("make", 1, 1.0, &body) };
    // It has the node that made the result for itself.
    let after: Box<[After]> = [After { spec: SpecNo(0), aligned: false }].into();
    let long = TaskSpec { after: after.clone(), ..spec("long", 1, 100.0, &body) };
    let reader = TaskSpec { after, ..task("read", 1, 10.0) };
    world.submit(job(vec![maker, long, reader]));
    world.run();
    let reader = world.ended().find(|ended| ended.range.spec == SpecNo(2)).expect("it ended");
    assert_eq!((reader.node, reader.usage.began), (NodeId(1), Moment(60_000_000)));
}

#[test]
fn run_times_are_learnt_by_function_and_the_error_is_told() {
    let errors = |policy: &str, second: f64| {
        let mut world = World::new(&[info(0, 1, 2.0)], policy, Span::ZERO);
        world.submit(job(vec![task("", 1, 10.0)]));
        world.submit(job(vec![spec("", 3, 50.0, &Arc::new(body("g")))]));
        world.run();
        world.submit(job(vec![task("", 1, second)]));
        world.run();
        world.nodes[0].engine.prediction_errors().collect::<Vec<_>>()
    };
    let learnt = errors("weights=learnt,queue=fcfs", 10.0);
    assert!(learnt.iter().all(|(error, _)| *error < 1e-9) && learnt[0].1 > 1, "{learnt:?}");
    let wrong = errors("weights=learnt,queue=fcfs", 20.0);
    let (error, count) = wrong[0];
    assert!((error * count as f64 - 0.5).abs() < 1e-6, "one was off by a half: {wrong:?}");
    assert_eq!(errors("queue=fcfs", 10.0), []);
}

/// When tasks of two kinds began that become ready together, in milliseconds: one of 50 ms that ran
/// before, and one of 10 ms of which nothing is known but its weight.
fn known_and_unknown(policy: &str) -> Vec<u64> {
    let mut world = World::new(&[info(0, 1, 1.0)], policy, Span::ZERO);
    world.submit(job(vec![task("", 1, 50.0)]));
    world.run();
    world.submit(job(vec![wide(10.0, 1)]));
    world.submit(job(vec![task("", 1, 50.0)]));
    world.submit(job(vec![spec("", 1, 1.0, &Arc::new(body("g")))]));
    world.run();
    began(&world)[2..].to_vec()
}

#[test]
fn what_was_learnt_counts_in_the_order_in_place_of_weights() {
    // Five units against one; and then a twentieth, as it takes a twentieth of a second.
    assert_eq!(known_and_unknown("order=heaviest-first,queue=fcfs"), [60, 110]);
    let learnt = "order=heaviest-first,queue=fcfs,weights=learnt";
    assert_eq!(known_and_unknown(learnt), [70, 60]);
}

#[test]
fn what_is_ready_is_ordered_anew_once_its_kind_is_known() {
    let begins = |policy: &str| {
        let mut world = World::new(&[info(0, 1, 1.0)], policy, Span::ZERO);
        // All are there before anything is known; the first of `f` tells how long `f` takes.
        let g = |ms: f64| spec("", 1, ms / 10.0, &Arc::new(body("g")));
        world.submit(job(vec![task("", 1, 50.0)]));
        world.submit(job(vec![task("", 1, 40.0)]));
        world.submit(job(vec![g(30.0)]));
        world.run();
        began(&world)
    };
    assert_eq!(begins("order=heaviest-first,queue=fcfs"), [0, 50, 90]);
    assert_eq!(begins("order=heaviest-first,queue=fcfs,weights=learnt"), [0, 80, 50]);
}
