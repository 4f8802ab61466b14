//! How busy machines are: asked for by policies that look at it, and by no other.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use bary_engine::effect::Effect;
use bary_engine::input::{Input, Request};
use bary_model::node::Busy;
use bary_model::time::{Moment, Span};
use bary_policy::preset;

use crate::world::{Seen, World, body, info, job, spec};

/// How often nodes were asked.
type Asked = Rc<Cell<usize>>;

fn watched(policy: &str) -> (World, Asked) {
    let mut world = World::new(&[info(0, 2, 1.0), info(1, 2, 1.0)], policy, Span::millis(1));
    let asked = Asked::default();
    let seen = Rc::clone(&asked);
    world.watch = Some(Box::new(move |_, _, what| {
        if let Seen::Effect(Effect::Gauge) = what {
            seen.set(seen.get() + 1);
        }
    }));
    (world, asked)
}

fn one_task(world: &mut World) -> Vec<bool> {
    let before = world.busy();
    world.submit(job(vec![spec("a", 1, 1.0, &Arc::new(body("f")))]));
    world.run();
    world.busy().iter().zip(before).map(|(now, was)| *now > was).collect()
}

/// Both nodes answer; the first machine is as busy as is said, the other idle.
fn answer(world: &mut World, first: f64) {
    world.put(world.now, 0, Input::Gauged(Some(Busy::of(first, 0.0))));
    world.put(world.now, 1, Input::Gauged(Some(Busy::default())));
    world.advance_to(world.now + Span::millis(10));
}

#[test]
fn a_policy_that_does_not_look_at_it_has_nothing_measured() {
    for policy in ["gravity", "least-loaded", "work-stealing", "force=expr(0-load)"] {
        let (mut world, asked) = watched(policy);
        one_task(&mut world);
        assert_eq!(asked.get(), 0, "{policy}");
    }
}

#[test]
fn a_task_goes_to_the_machine_that_is_less_busy() {
    for policy in ["least-used", "binding=push,steal=none,force=expr(0-cpu_used)"] {
        let (mut world, asked) = watched(policy);
        one_task(&mut world);
        assert!(asked.get() >= 2, "both were asked");
        answer(&mut world, 0.9);
        assert_eq!(one_task(&mut world), [false, true], "{policy}: the first machine is busy");
        // It is asked for again while there is work, and the last answer counts.
        world.advance_to(world.now + Span::secs(5));
        one_task(&mut world);
        answer(&mut world, 0.0);
        assert_eq!(one_task(&mut world), [true, false], "{policy}: of equal ones the first");
    }
}

#[test]
fn tasks_wait_for_the_first_answers_but_not_for_long() {
    let (mut world, asked) = watched("least-used");
    world.submit(job(vec![spec("a", 1, 1.0, &Arc::new(body("f")))]));
    world.advance_to(Moment(0) + Span::millis(50));
    assert_eq!((asked.get(), world.busy().iter().sum::<f64>()), (2, 0.0), "they are waited for");
    answer(&mut world, 0.5);
    world.run();
    let busy = world.busy();
    assert!(busy[0] <= 0.0 && busy[1] > 0.0, "{busy:?}");
    let (mut deaf, _) = watched("least-used");
    assert_eq!(one_task(&mut deaf), [true, false], "who never answers counts by what it was given");
}

#[test]
fn nothing_is_asked_while_there_is_no_work_or_another_policy() {
    let (mut world, asked) = watched("least-used");
    one_task(&mut world);
    answer(&mut world, 0.9);
    world.run();
    let before = asked.get();
    world.advance_to(world.now + Span::secs(60));
    assert_eq!(asked.get(), before, "nobody has work");
    let policy = preset::parse("gravity").expect("it is a policy");
    world.request(Request::Follow(policy));
    one_task(&mut world);
    assert_eq!(asked.get(), before, "nobody looks at it");
}
