//! Open binding: several nodes may run one grant, and the first outcome counts.

use std::sync::Arc;

use bary_engine::effect::{Effect, Why};
use bary_engine::input::Request;
use bary_model::outcome::End;
use bary_model::time::{Moment, Span};

use crate::world::{Seen, World, body, info, job, spec};

#[test]
fn a_node_that_waits_overtakes_a_slow_one_and_the_slow_one_stops() {
    let nodes = [info(0, 1, 1.0), info(1, 1, 0.001)];
    let mut world = World::new(&nodes, "open", Span::millis(1));
    let stops = std::rc::Rc::new(std::cell::Cell::new(0));
    let seen = std::rc::Rc::clone(&stops);
    world.watch = Some(Box::new(move |_, _, what| {
        if let Seen::Effect(Effect::Stop { why: Why::Cancel, .. }) = what {
            seen.set(seen.get() + 1);
        }
    }));
    let work = Arc::new(body("f"));
    world.submit(job(vec![spec("a", 4, 1.0, &work)]));
    world.run();
    assert_eq!(world.ends().len(), 4);
    assert!(world.ends().values().all(|end| *end == End::Succeeded));
    let last = world.ended().map(|ended| ended.usage.began).max();
    assert!(last < Some(Moment(1_000_000_000)), "the slow node is not waited for: {last:?}");
    assert!(world.busy()[0] > 0.03, "the fast node ran nearly all of it");
    assert_eq!(stops.get(), 1, "the copy that lost is stopped");
}

#[test]
fn what_a_node_gives_back_still_runs_elsewhere() {
    let nodes = [info(0, 2, 1.0), info(1, 2, 1.0), info(2, 2, 0.5)];
    let mut world = World::new(&nodes, "open", Span::millis(1));
    let work = Arc::new(body("f"));
    world.submit(job(vec![spec("a", 50, 1.0, &work), spec("b", 7, 3.0, &work)]));
    world.run();
    assert_eq!(world.ends().len(), 57);
}

#[test]
fn what_runs_of_a_cancelled_job_is_not_copied() {
    let nodes = [info(0, 1, 1.0), info(1, 1, 1.0)];
    let mut world = World::new(&nodes, "open", Span::millis(1));
    let work = Arc::new(body("f"));
    // One node has room for the long task soon, and the other one only after it is cancelled.
    world.submit(job(vec![spec("b", 1, 40.0, &work), spec("c", 1, 10.0, &work)]));
    world.advance_to(Moment(0) + Span::millis(20));
    let long = world.submit(job(vec![spec("a", 1, 500.0, &work)]));
    let starts = std::rc::Rc::new(std::cell::Cell::new(0));
    let seen = std::rc::Rc::clone(&starts);
    world.watch = Some(Box::new(move |_, _, what| {
        if let Seen::Effect(Effect::Start { items, .. }) = what {
            seen.set(seen.get() + items.iter().filter(|item| item.range.job == long).count());
        }
    }));
    world.advance_to(Moment(0) + Span::millis(200));
    assert_eq!(starts.get(), 1, "one node runs it and the other is busy");
    world.request(Request::Cancel { job: long, running: false, reason: None });
    world.run();
    assert_eq!(world.ends().len(), 3);
    assert_eq!(starts.get(), 1, "nothing of it begins after the cancel");
}
