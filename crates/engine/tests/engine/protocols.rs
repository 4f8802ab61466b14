//! Placement protocols: bounded queues and steals by count, sampling with late binding, and claims
//! by broadcast.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use bary_engine::counts::Counts;
use bary_engine::effect::Effect;
use bary_engine::input::{Input, Request};
use bary_engine::limits::Limits;
use bary_model::event::EventKind;
use bary_model::id::TaskId;
use bary_model::message::Say;
use bary_model::time::{Moment, Span};
use bary_policy::preset;

use crate::world::{Seen, World, body, info, job, spec};

fn nodes(count: u32) -> Vec<bary_model::node::NodeInfo> {
    (0..count).map(|number| info(number, 1, 1.0)).collect()
}

fn counts(world: &World) -> Counts {
    let mut sum = Counts::default();
    world.nodes.iter().for_each(|node| sum.add(node.engine.counts()));
    sum
}

/// Tasks of which each is a spec, with these weights.
fn submit(world: &mut World, weights: impl IntoIterator<Item = f64>) {
    let work = Arc::new(body("f"));
    let specs = weights.into_iter().map(|weight| spec("", 1, weight, &work)).collect();
    world.submit(job(specs));
}

/// What is said between nodes, by kind.
fn said(world: &mut World, kind: impl Fn(&Say) -> bool + 'static) -> Rc<RefCell<u64>> {
    let count = Rc::new(RefCell::new(0));
    let seen = Rc::clone(&count);
    world.watch = Some(Box::new(move |_, _, what| {
        if let Seen::Effect(Effect::Send { frame, .. }) = what
            && frame.body.as_ref().is_some_and(|(_, message)| kind(&message.say))
        {
            *seen.borrow_mut() += 1;
        }
    }));
    count
}

#[test]
fn no_queue_is_longer_than_its_limit() {
    let mut world = World::new(&nodes(5), "work-stealing-classic", Span::millis(1));
    submit(&mut world, (0..200).map(|n| 1.0 + f64::from(n % 10)));
    let mut held: BTreeMap<u64, i64> = BTreeMap::new();
    let mut longest = 0;
    world.run();
    for event in &world.events {
        let tasks = |ranges: &[bary_model::id::TaskRange]| -> i64 {
            ranges.iter().map(|range| i64::from(range.count)).sum()
        };
        match &event.kind {
            EventKind::Granted { node, ranges, .. } => {
                let held = held.entry(node.0).or_default();
                *held += tasks(ranges);
                longest = longest.max(*held);
            }
            EventKind::Retracted { node, ranges } => {
                *held.entry(node.0).or_default() -= tasks(ranges);
            }
            EventKind::Ended(ended) => {
                *held.entry(ended.node.0).or_default() -= i64::from(ended.range.count);
            }
            _ => {}
        }
    }
    assert_eq!(longest, 11, "ten wait and one runs");
    assert_eq!(world.ends().len(), 200);
}

#[test]
fn a_crowded_node_gives_a_few_tasks_to_one_that_has_fewer() {
    let nodes = [info(0, 1, 1.0), info(1, 1, 50.0)];
    let mut world = World::new(&nodes, "work-stealing-classic", Span::millis(1));
    submit(&mut world, (0..60).map(|_| 1.0));
    world.run();
    let counts = counts(&world);
    assert!(counts.steals_tried >= counts.steals_successful);
    assert!(counts.steals_successful > 0, "{counts:?}");
    assert!(counts.tasks_stolen <= 3 * counts.steals_successful, "{counts:?}");
    assert_eq!(world.ends().len(), 60);
}

#[test]
fn a_task_is_not_stolen_more_often_than_its_limit() {
    let nodes = [info(0, 1, 1.0), info(1, 1, 3.0), info(2, 1, 10.0)];
    let mut world = World::new(&nodes, "work-stealing-classic,steal_by=idle", Span::millis(1));
    submit(&mut world, (0..100).map(|n| 1.0 + f64::from(n % 7)));
    world.run();
    let mut moved: BTreeMap<TaskId, u32> = BTreeMap::new();
    for event in &world.events {
        if let EventKind::Retracted { ranges, .. } = &event.kind {
            for task in ranges.iter().flat_map(|range| range.tasks()) {
                *moved.entry(task).or_default() += 1;
            }
        }
    }
    assert!(!moved.is_empty(), "something is stolen");
    assert!(moved.values().all(|times| *times <= 3), "{moved:?}");
}

#[test]
fn a_sampled_node_gets_its_task_only_when_it_has_room() {
    let mut world = World::new(&nodes(10), "sparrow", Span::millis(1));
    let grants = said(&mut world, |say| matches!(say, Say::Grant(grant) if grant.items.len() > 1));
    submit(&mut world, (0..100).map(|n| 1.0 + f64::from(n % 10)));
    world.run();
    assert_eq!(*grants.borrow(), 0, "each answer is one task for one slot");
    let counts = counts(&world);
    assert!((200..260).contains(&counts.probes), "twice as many probes as tasks: {counts:?}");
    assert_eq!(world.ends().len(), 100);
}

#[test]
fn who_keeps_room_is_told_when_nothing_is_left() {
    let mut world = World::new(&nodes(8), "sparrow,probes=8", Span::millis(1));
    let releases = said(&mut world, |say| matches!(say, Say::Release));
    submit(&mut world, [5.0, 5.0]);
    world.run();
    assert!(*releases.borrow() >= 5, "those that were not needed hear so");
    assert_eq!(world.ends().len(), 2);
}

#[test]
fn tasks_are_run_although_all_that_were_sampled_are_gone() {
    let mut world = World::new(&nodes(6), "sparrow,probes=1", Span::millis(1));
    submit(&mut world, (0..20).map(|_| 1.0));
    for gone in 1..5 {
        world.put(world.now, 0, Input::Left(bary_model::id::NodeId(gone)));
    }
    world.run();
    assert_eq!(world.ends().len(), 20);
}

#[test]
fn a_policy_may_change_to_any_other_while_tasks_wait() {
    let all = ["work-stealing-classic", "sparrow", "broadcast", "pids-broadcast", "gravity"];
    for (from, to) in all.iter().flat_map(|from| all.map(|to| (from, to))) {
        let mut world = World::new(&nodes(4), from, Span::millis(1));
        submit(&mut world, (0..80).map(|n| 1.0 + f64::from(n % 5)));
        world.advance_to(Moment(0) + Span::millis(60));
        for node in 0..4 {
            let policy = preset::parse(to).expect("it is a preset");
            let request = Box::new(Request::Follow(policy));
            world.put(world.now, node, Input::Request { ticket: 2, request });
        }
        world.run();
        assert_eq!(world.ends().len(), 80, "{from} to {to}");
    }
}

/// Nodes that claim, and whose links are open.
fn claimers(count: u32, policy: &str) -> World {
    let mut world = World::new(&nodes(count), policy, Span::millis(1));
    world.advance_to(Moment(0) + Span::millis(10));
    world
}

#[test]
fn zones_share_out_each_task_once_and_evenly_to_the_lightest() {
    let mut world = claimers(5, "broadcast");
    let claims = said(&mut world, |say| matches!(say, Say::Claim(_)));
    submit(&mut world, (0..500).map(|n| 1.0 + f64::from(n * 7 % 10)));
    world.run();
    let counts = counts(&world);
    assert_eq!((counts.claims, counts.claims_doubled), (500, 0));
    assert_eq!(*claims.borrow(), 2 * 5 * 4, "each tells all others of its zone, and of the rest");
    let busy = world.busy();
    let (least, most) = busy.iter().fold((f64::MAX, 0.0_f64), |(l, m), b| (l.min(*b), m.max(*b)));
    assert!(most - least <= 0.010_001, "the lightest task takes 10 ms: {busy:?}");
}

#[test]
fn zones_are_as_even_where_more_is_announced_while_tasks_run() {
    let limits = Limits { offers_max: 64, ..Limits::default() };
    let distances = vec![vec![Span::millis(1); 5]; 5];
    let mut world = World::with(&nodes(5), "broadcast", &limits, distances);
    world.advance_to(Moment(0) + Span::millis(10));
    submit(&mut world, (0..500).map(|n| 1.0 + f64::from(n * 7 % 10)));
    world.run();
    let counts = counts(&world);
    assert_eq!((counts.claims, counts.claims_doubled), (500, 0));
}

#[test]
fn regions_share_out_each_task_once_too() {
    let near = |a: usize, b: usize| (a < 3) == (b < 3);
    let way = |a, b| if near(a, b) { Span::millis(1) } else { Span::millis(50) };
    // Who is in the other region hears of the work a little later than its neighbour does.
    let drift = |a: usize, b: usize| way(a, b) + Span::millis(2 * (a.max(b) / 4) as u64);
    let distances = (0..5).map(|a| (0..5).map(|b| drift(a, b)).collect()).collect();
    let mut world = World::with(&nodes(5), "broadcast", &Limits::default(), distances);
    world.advance_to(Moment(0) + Span::secs(1));
    submit(&mut world, (0..500).map(|n| 1.0 + f64::from(n * 7 % 10)));
    world.run();
    let counts = counts(&world);
    assert_eq!((counts.claims, counts.claims_doubled), (500, 0));
}

#[test]
fn a_claim_that_comes_before_the_announcement_counts() {
    // The home is far from both others, and a little farther from the second.
    let ways = [[0, 57, 60], [57, 0, 1], [60, 1, 0]];
    let distances = ways.map(|row| row.map(Span::millis).to_vec()).to_vec();
    let mut world = World::with(&nodes(3), "broadcast", &Limits::default(), distances);
    world.advance_to(Moment(0) + Span::secs(1));
    submit(&mut world, (0..100).map(|n| 1.0 + f64::from(n * 7 % 10)));
    world.run();
    let counts = counts(&world);
    assert_eq!((counts.claims, counts.claims_doubled), (100, 0));
}

#[test]
fn claims_as_published_but_started_run_everything() {
    let mut world = World::new(&nodes(5), "pids-broadcast", Span::millis(1));
    let claims = said(&mut world, |say| matches!(say, Say::Claim(_)));
    submit(&mut world, (0..300).map(|n| 1.0 + f64::from(n * 7 % 10)));
    world.run();
    let counts = counts(&world);
    assert!(counts.claims >= 300, "{counts:?}");
    assert!(*claims.borrow() >= 4 * 300, "each claim is told to all others");
    let last = world.ended().map(|ended| ended.usage.began).max();
    assert!(last < Some(Moment(0) + Span::secs(20)), "nothing waits for a timeout: {last:?}");
    assert_eq!(world.ends().len(), 300);
}

#[test]
fn claims_as_written_place_nothing_until_they_time_out() {
    let mut world = World::new(&nodes(5), "pids-as-written", Span::millis(1));
    submit(&mut world, (0..50).map(|_| 1.0));
    world.run();
    assert_eq!(counts(&world).claims, 0);
    let first = world.ended().map(|ended| ended.usage.began).min();
    assert!(first >= Some(Moment(0) + Span::secs(60)), "{first:?}");
    assert_eq!(world.ends().len(), 50);
}

#[test]
fn of_two_claims_the_better_one_runs_and_the_other_gives_way() {
    let mut world = World::new(&nodes(8), "pids-broadcast", Span::millis(1));
    let yields = said(&mut world, |say| matches!(say, Say::Yield { .. }));
    submit(&mut world, [1.0; 20]);
    world.run();
    let counts = counts(&world);
    assert!(counts.claims_doubled > 0, "seven nodes claim four each of what is left: {counts:?}");
    assert!(*yields.borrow() > 0, "whoever is told of a better claim gives way");
    let superseded = |kind: &EventKind| matches!(kind, EventKind::Superseded { .. });
    assert!(!world.events.iter().any(|event| superseded(&event.kind)), "none ran twice");
}

/// How often a node that had given a held job back began something of it all the same, where the
/// job is held so long after it was submitted.
fn begun_after_giving_back(policy: &str, after: Span) -> u64 {
    let limits = Limits { offers_max: 64, ..Limits::default() };
    // A home that is near to all who can run its tasks, which are far from each other.
    let mut nodes = nodes(5);
    nodes[0].resources.milli_cpus = 500;
    let way = |a: usize, b: usize| Span::millis(if a.min(b) == 0 { 1 } else { 50 });
    let distances = (0..5).map(|a| (0..5).map(|b| way(a, b)).collect()).collect();
    let mut world = World::with(&nodes, policy, &limits, distances);
    world.unit = Span::millis(1);
    world.advance_to(Moment(0) + Span::secs(1));
    let (gave, begun) = (Rc::new(RefCell::new([false; 5])), Rc::new(RefCell::new(0)));
    let count = Rc::clone(&begun);
    world.watch = Some(Box::new(move |_, node, what| match what {
        Seen::Effect(Effect::Send { frame, .. }) => {
            let body = frame.body.as_ref();
            let gives = body.is_some_and(|(_, said)| matches!(said.say, Say::Retracted { .. }));
            gave.borrow_mut()[node] |= gives;
        }
        Seen::Effect(Effect::Start { .. }) => {
            *count.borrow_mut() += u64::from(gave.borrow()[node]);
        }
        _ => {}
    }));
    submit(&mut world, (0..200).map(|n| 1.0 + f64::from(n * 7 % 10)));
    let job = bary_model::id::JobNo(0);
    world.advance_to(world.now + after);
    world.request(Request::Hold { job, held: true, reason: None });
    world.advance_to(world.now + Span::millis(3));
    // From now on the home hears late what is claimed.
    (1..5).for_each(|node| world.distances[node][0] = Span::secs(1));
    world.advance_to(world.now + Span::secs(60));
    world.watch = None;
    world.request(Request::Hold { job, held: false, reason: None });
    world.run();
    assert_eq!(world.ends().len(), 200, "once released all of it runs");
    *begun.borrow()
}

#[test]
fn who_has_given_a_held_job_back_claims_nothing_more_of_it() {
    for policy in ["broadcast", "pids-broadcast"] {
        for after in (0..500).step_by(5).map(Span::millis) {
            assert_eq!(begun_after_giving_back(policy, after), 0, "{policy}, held after {after:?}");
        }
    }
}

#[test]
fn what_a_lost_node_had_claimed_is_run_by_another_at_once() {
    let mut world = claimers(4, "broadcast");
    submit(&mut world, [1.0; 40]);
    let begun = world.now;
    // All has been claimed, and each node runs its first.
    world.advance_to(begun + Span::millis(7));
    let lost = bary_model::id::NodeId(2);
    for node in [0, 1, 3] {
        world.put(begun + Span::millis(7), node, Input::Left(lost));
    }
    // The lost one goes on trying to reach the home that took it for gone, so there is no rest.
    world.advance_to(begun + Span::millis(400));
    assert_eq!(world.ends().len(), 40);
    let elsewhere = world.ended().filter(|ended| ended.node != lost).count();
    assert_eq!(elsewhere, 40, "nothing that it says counts any more");
}
