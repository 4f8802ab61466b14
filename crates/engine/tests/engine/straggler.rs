//! Copies of stragglers: what takes too long runs elsewhere as well, and the first outcome counts.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use bary_engine::effect::{Effect, Why};
use bary_engine::input::Input;
use bary_model::event::EventKind;
use bary_model::id::NodeId;
use bary_model::outcome::End;
use bary_model::time::{Moment, Span};

use crate::world::{Seen, World, body, info, job, spec};

/// Ten tasks of 100 ms on two nodes, one of which is a thousand times slower than it says.
fn with_a_slow_node(policy: &str) -> World {
    let nodes = [info(0, 1, 1.0), info(1, 1, 1.0)];
    let mut world = World::new(&nodes, policy, Span::millis(1));
    world.nodes[1].speed = 0.001;
    let work = Arc::new(body("f"));
    world.submit(job(vec![spec("a", 10, 10.0, &work)]));
    world
}

const LATE: &str = "order=fifo,queue=fcfs,speculate=late,age_min=20ms";

#[test]
fn a_node_without_work_overtakes_one_that_is_late_and_that_one_stops() {
    let mut world = with_a_slow_node(LATE);
    let stops = Rc::new(Cell::new(0));
    let seen = Rc::clone(&stops);
    world.watch = Some(Box::new(move |_, node, what| {
        if let Seen::Effect(Effect::Stop { why: Why::Cancel, .. }) = what {
            assert_eq!(node, 1, "only the slow one is stopped");
            seen.set(seen.get() + 1);
        }
    }));
    world.run();
    assert_eq!(world.ends().len(), 10);
    assert!(world.ends().values().all(|end| *end == End::Succeeded));
    assert!(world.ended().all(|ended| ended.node == NodeId(0)), "the slow one ended nothing");
    let last = world.ended().map(|ended| ended.usage.began + ended.usage.busy).max();
    assert!(last < Some(Moment(1_200_000_000)), "nobody waits for the slow one: {last:?}");
    assert_eq!(stops.get(), 1);
}

#[test]
fn without_copies_the_slow_node_is_waited_for() {
    let mut world = with_a_slow_node("order=fifo,queue=fcfs");
    world.run();
    let last = world.ended().map(|ended| ended.usage.began + ended.usage.busy).max();
    assert!(last > Some(Moment(90_000_000_000)), "{last:?}");
}

#[test]
fn what_takes_as_long_as_it_should_is_not_copied() {
    let nodes = [info(0, 1, 1.0), info(1, 1, 1.0)];
    let mut world = World::new(&nodes, LATE, Span::millis(1));
    let work = Arc::new(body("f"));
    world.submit(job(vec![spec("a", 20, 10.0, &work)]));
    world.submit(job(vec![spec("long", 1, 100.0, &work)]));
    world.run();
    let granted = world.events.iter().filter_map(|event| match &event.kind {
        EventKind::Granted { ranges, .. } => Some(ranges.iter().map(|r| r.count).sum::<u32>()),
        _ => None,
    });
    assert_eq!(granted.sum::<u32>(), 21);
    let superseded = |kind: &EventKind| matches!(kind, EventKind::Superseded { .. });
    assert!(!world.events.iter().any(|event| superseded(&event.kind)));
    let busy: f64 = world.busy().iter().sum();
    assert!((busy - 3.0).abs() < 1e-6, "nothing ran twice: {busy}");
}

#[test]
fn a_copy_goes_on_when_the_node_that_was_late_is_lost() {
    let mut world = with_a_slow_node(LATE);
    // By then the slow node's task is copied to the other.
    world.advance_to(Moment(1_000_000_000));
    world.put(world.now, 0, Input::Left(NodeId(1)));
    world.advance_to(Moment(30_000_000_000));
    assert_eq!(world.ends().len(), 10);
    let last = world.ended().map(|ended| ended.usage.began + ended.usage.busy).max();
    assert!(last < Some(Moment(1_200_000_000)), "{last:?}");
}

#[test]
fn pulled_shares_are_copied_too_once_nothing_can_be_stolen() {
    let mut world = with_a_slow_node("speculate=late,age_min=20ms");
    world.run();
    assert_eq!(world.ends().len(), 10);
    let last = world.ended().map(|ended| ended.usage.began + ended.usage.busy).max();
    assert!(last < Some(Moment(2_500_000_000)), "{last:?}");
}
