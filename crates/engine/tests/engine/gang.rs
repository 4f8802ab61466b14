//! Gangs: started together or not at all, and tried again as a whole.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use bary_engine::effect::Effect;
use bary_engine::input::{Input, Refusal, Reply, Request};
use bary_model::gang::Seat;
use bary_model::id::{NodeId, TaskId};
use bary_model::outcome::{End, Failure};
use bary_model::resources::Resources;
use bary_model::task::TaskSpec;
use bary_model::time::{Moment, Span};

use crate::hands::Course;
use crate::world::{Seen, World, body, info, job, spec};

/// A start of a rank.
#[derive(Clone, Debug)]
struct Begun {
    at: Moment,
    node: usize,
    task: TaskId,
    attempt: u16,
    seat: Seat,
}

type Starts = Rc<RefCell<Vec<Begun>>>;

/// Sees to it that starts of ranks are noted.
fn watched(world: &mut World) -> Starts {
    let starts = Starts::default();
    let seen = Rc::clone(&starts);
    world.watch = Some(Box::new(move |at, node, what| {
        if let Seen::Effect(Effect::Start { items, .. }) = what
            && let Some(seat) = items[0].seat
        {
            assert_eq!((items.len(), items[0].range.count), (1, 1), "a rank runs alone");
            let (task, attempt) = (items[0].range.head(), items[0].attempt);
            seen.borrow_mut().push(Begun { at, node, task, attempt, seat });
        }
    }));
    starts
}

fn gang(name: &str, count: u32, size: u16, weight: f64) -> TaskSpec {
    TaskSpec { gang: size, array: true, ..spec(name, count, weight, &Arc::new(body("f"))) }
}

fn single(count: u32, latency: u64) -> World {
    let nodes: Vec<_> = (0..count).map(|node| info(node, 1, 1.0)).collect();
    World::new(&nodes, "gravity", Span::millis(latency))
}

fn all_good(world: &World, tasks: usize) {
    let ends = world.ends();
    assert_eq!(ends.len(), tasks);
    assert!(ends.values().all(|end| *end == End::Succeeded), "{ends:?}");
}

#[test]
fn the_ranks_of_a_gang_start_together_and_know_where_they_meet() {
    let mut world = single(4, 1);
    let starts = watched(&mut world);
    world.submit(job(vec![gang("a", 4, 4, 10.0)]));
    world.run();
    all_good(&world, 4);
    let starts = starts.borrow();
    let nodes: BTreeSet<usize> = starts.iter().map(|one| one.node).collect();
    assert_eq!((starts.len(), nodes.len()), (4, 4));
    let seats: Vec<Seat> = starts.iter().map(|one| one.seat).collect();
    assert!(seats.iter().all(|seat| *seat == seats[0]), "{seats:?}");
    let first = starts.iter().find(|one| one.task.index == 0).expect("it has started");
    assert_eq!(seats[0].first, NodeId(first.node as u64));
    let times: Vec<Moment> = starts.iter().map(|one| one.at).collect();
    let (early, late) = (times.iter().min(), times.iter().max());
    assert!(late.expect("there are some").since(*early.expect("there are")) <= Span::millis(2));
}

#[test]
fn one_node_has_as_many_ranks_as_it_has_cores() {
    let mut world = World::new(&[info(0, 4, 1.0)], "gravity", Span::ZERO);
    let starts = watched(&mut world);
    world.submit(job(vec![gang("a", 12, 4, 10.0)]));
    world.run();
    all_good(&world, 12);
    let mut times: BTreeMap<Moment, u32> = BTreeMap::new();
    starts.borrow().iter().for_each(|one| *times.entry(one.at).or_default() += 1);
    assert_eq!(times.into_values().collect::<Vec<_>>(), [4, 4, 4]);
}

#[test]
fn a_gang_without_room_for_all_waits_and_holds_up_nobody() {
    let mut world = single(4, 1);
    let starts = watched(&mut world);
    let long = Arc::new(body("long"));
    world.submit(job(vec![spec("long", 1, 100.0, &long)]));
    world.advance_to(Moment(50_000_000));
    world.submit(job(vec![gang("a", 4, 4, 10.0), spec("b", 30, 1.0, &Arc::new(body("b")))]));
    world.advance_to(Moment(900_000_000));
    assert!(starts.borrow().is_empty(), "three nodes are no room for four");
    assert_eq!(world.ends().len(), 30, "what is single has not waited");
    world.run();
    all_good(&world, 35);
    assert!(starts.borrow().iter().all(|one| one.at >= Moment(1_000_000_000)));
}

#[test]
fn single_tasks_without_end_do_not_keep_a_gang_waiting() {
    let mut world = single(4, 1);
    let starts = watched(&mut world);
    let small = Arc::new(body("b"));
    // Of different lengths, so that nodes are hardly ever free at the same time.
    world.submit(job(vec![spec("b", 500, 10.0, &small), spec("c", 500, 13.0, &small)]));
    world.submit(job(vec![gang("a", 4, 4, 10.0)]));
    world.run();
    all_good(&world, 1_004);
    let last = starts.borrow().iter().map(|one| one.at).max().expect("it has started");
    assert!(last < Moment(4_000_000_000), "{last:?} of 28 s");
}

/// A world with a gang of four that is tried twice, as one rank fails at first, after so much of
/// the time that it should take.
fn failing_once(after: f64) -> (World, Starts) {
    let mut world = single(4, 1);
    let starts = watched(&mut world);
    let mut work = body("f");
    work.retries = 1;
    let plain = TaskSpec { body: Arc::new(work), ..gang("a", 4, 4, 10.0) };
    world.fate = Box::new(move |item, task| {
        let fails = task.index == 2 && item.attempt == 1;
        let effort = if fails { after } else { 1.0 };
        Course { effort, ..Course::of(fails.then_some(Failure::Exit(3))) }
    });
    world.submit(job(vec![plain]));
    (world, starts)
}

#[test]
fn one_rank_that_fails_ends_the_attempt_of_all() {
    let (mut world, starts) = failing_once(0.5);
    world.run();
    all_good(&world, 4);
    let starts = starts.borrow();
    let attempts: Vec<u16> = starts.iter().map(|one| one.attempt).collect();
    assert_eq!(attempts, [1, 1, 1, 1, 2, 2, 2, 2]);
    assert_ne!(starts[0].seat.port, starts[4].seat.port, "another attempt meets elsewhere");
}

#[test]
fn what_has_ended_well_counts_only_with_the_others() {
    let (mut world, starts) = failing_once(2.0);
    world.advance_to(Moment(150_000_000));
    assert!(world.ends().is_empty(), "three are over, and nothing has ended");
    world.run();
    all_good(&world, 4);
    assert_eq!(starts.borrow().len(), 8, "all of them ran again");
}

#[test]
fn without_another_attempt_nobody_needs_the_others() {
    let mut world = single(4, 1);
    world.fate = Box::new(|_, task| {
        let fails = task.index == 2;
        let effort = if task.index == 3 { 3.0 } else { 1.0 + f64::from(u8::from(fails)) };
        Course { effort, ..Course::of(fails.then_some(Failure::Exit(3))) }
    });
    world.submit(job(vec![gang("b", 4, 4, 10.0)]));
    world.run();
    let ends = world.ends();
    let count = |end: &End| ends.values().filter(|one| *one == end).count();
    assert_eq!(count(&End::Failed(Failure::Exit(3))), 1);
    assert_eq!(count(&End::Cancelled), 3, "two that had ended well and one that ran");
}

#[test]
fn a_node_that_is_lost_takes_its_gang_along_and_all_of_it_runs_again() {
    let mut world = single(5, 1);
    let starts = watched(&mut world);
    world.submit(job(vec![gang("a", 4, 4, 100.0)]));
    world.advance_to(Moment(100_000_000));
    let lost = starts.borrow().iter().map(|one| one.node).find(|node| *node > 0);
    let lost = lost.expect("not all ranks are on one node");
    world.put(world.now, 0, Input::Left(NodeId(lost as u64)));
    world.put(world.now, lost, Input::Left(NodeId(0)));
    world.run();
    all_good(&world, 4);
    let starts = starts.borrow();
    assert_eq!(starts.len(), 8);
    assert!(starts[4..].iter().all(|one| one.node != lost && one.attempt == 1), "{starts:?}");
}

#[test]
fn gangs_of_two_homes_that_need_every_node_both_run() {
    let mut world = single(4, 1);
    let starts = watched(&mut world);
    let request = |name: &str| Box::new(Request::Submit(job(vec![gang(name, 8, 4, 10.0)])));
    for home in [0, 1] {
        world.put(Moment(0), home, Input::Request { ticket: 1, request: request("a") });
    }
    world.run();
    let ended: usize = world.ended().map(|ended| ended.range.count as usize).sum();
    assert_eq!(ended, 16);
    let mut together: BTreeMap<(NodeId, u16), usize> = BTreeMap::new();
    for one in starts.borrow().iter() {
        *together.entry((one.seat.first, one.seat.port)).or_default() += 1;
    }
    assert!(together.len() >= 4);
}

#[test]
fn a_gang_that_is_too_large_for_all_nodes_waits_for_more() {
    let mut world = single(3, 1);
    let starts = watched(&mut world);
    let job_no =
        world.submit(job(vec![gang("a", 4, 4, 1.0), spec("b", 9, 1.0, &Arc::new(body("b")))]));
    world.advance_to(Moment(20_000_000_000));
    assert!(starts.borrow().is_empty());
    assert_eq!(world.ends().len(), 9, "others are not kept from anything");
    world.request(Request::Cancel { job: job_no, running: true, reason: None });
    world.run();
    assert_eq!(world.ends().len(), 13);
}

#[test]
fn what_cannot_be_a_gang_is_refused() {
    let mut world = single(1, 1);
    world.request(Request::Submit(job(vec![gang("a", 10, 4, 1.0)])));
    let Some(Reply::Refused(Refusal::Misformed { what, .. })) = world.replies.pop() else {
        panic!("it is refused");
    };
    assert_eq!(&*what, "10 tasks cannot be gangs of 4 each");
}

#[test]
fn a_cancelled_gang_leaves_nothing_behind() {
    let mut world = single(4, 1);
    let job_no = world.submit(job(vec![gang("a", 8, 4, 10.0)]));
    world.fate = Box::new(|_, task| Course {
        effort: if task.index == 0 { 5.0 } else { 1.0 },
        ..Course::of(None)
    });
    world.advance_to(Moment(200_000_000));
    world.request(Request::Cancel { job: job_no, running: true, reason: None });
    world.run();
    assert_eq!(world.ends().len(), 8);
    let big = TaskSpec { gang: 4, ..gang("b", 4, 4, 1.0) };
    let request = Resources::cpus(1);
    assert_eq!(big.body.request.resources, request);
    world.submit(job(vec![big]));
    world.run();
    let good = world.ends().values().filter(|end| **end == End::Succeeded).count();
    assert_eq!(good, 4);
}
