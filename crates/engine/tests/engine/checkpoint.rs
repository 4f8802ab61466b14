//! What a task leaves for its next attempt is told to that attempt, and to no other task.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use bary_engine::effect::Effect;
use bary_engine::input::Input;
use bary_model::event::EventKind;
use bary_model::id::{NodeId, RunNo, TaskId};
use bary_model::message::GrantItem;
use bary_model::outcome::Failure;
use bary_model::payload::Payload;
use bary_model::task::Body;
use bary_model::time::{Moment, Span};

use crate::world::{Seen, World, body, info, job, spec};

type Starts = Rc<RefCell<Vec<(usize, RunNo, Vec<GrantItem>)>>>;

/// Gathers what is started, and where.
fn watched(world: &mut World) -> Starts {
    let starts = Starts::default();
    let into = Rc::clone(&starts);
    world.watch = Some(Box::new(move |_, node, seen| {
        if let Seen::Effect(Effect::Start { run, items, .. }) = seen {
            into.borrow_mut().push((node, *run, items.to_vec()));
        }
    }));
    starts
}

fn words(text: &'static str) -> Payload {
    Payload::Inline(text.as_bytes().into())
}

fn leave(world: &mut World, node: usize, (run, task): (RunNo, TaskId), step: u64) {
    let payload = words("half");
    world.put(world.now, node, Input::Checkpoint { run, task, step, payload });
    world.advance_to(world.now);
}

#[test]
fn the_next_attempt_is_told_what_the_last_one_left() {
    let mut world = World::new(&[info(0, 1, 1.0)], "gravity", Span::ZERO);
    let starts = watched(&mut world);
    world.fail(|_, attempt| (attempt == 1).then_some(Failure::Exit(1)));
    let patient = Arc::new(Body { retries: 1, ..body("f") });
    let no = world.submit(job(vec![spec("a", 1, 10.0, &patient)]));
    world.advance_to(Moment(0) + Span::millis(20));
    let (node, run, first) = starts.borrow()[0].clone();
    assert_eq!(first[0].checkpoint, None);
    leave(&mut world, node, (run, first[0].range.head()), 3);
    leave(&mut world, node, (run, first[0].range.head()), 4);
    // One of a run that is not there is of nobody.
    leave(&mut world, node, (RunNo(99), first[0].range.head()), 5);
    world.run();
    let again = starts.borrow()[1].2.clone();
    assert_eq!((again[0].attempt, &again[0].checkpoint), (2, &Some((4, words("half")))));
    let told = world.events.iter().filter_map(|event| match &event.kind {
        EventKind::Checkpointed { step, .. } => Some(*step),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), [3, 4]);
    let ledger = world.nodes[0].engine.ledgers().next().expect("it is a home");
    assert!(ledger.job(no).expect("it is there").checkpoints.is_empty(), "none is left at the end");
}

#[test]
fn of_an_array_only_the_task_that_left_it_is_told_so() {
    let mut world = World::new(&[info(0, 1, 1.0), info(1, 4, 4.0)], "gravity", Span::millis(1));
    let starts = watched(&mut world);
    world.submit(job(vec![spec("a", 40, 30.0, &Arc::new(body("f")))]));
    world.advance_to(Moment(0) + Span::millis(30));
    let there = starts.borrow().iter().find(|(node, ..)| *node == 1).cloned();
    let (node, run, items) = there.expect("the other node runs some");
    let task = items[0].range.head();
    leave(&mut world, node, (run, task), 7);
    world.advance_to(world.now + Span::millis(5));
    let before = starts.borrow().len();
    world.put(world.now, 0, Input::Left(NodeId(1)));
    world.put(world.now, 1, Input::Left(NodeId(0)));
    world.run();
    for (_, _, items) in &starts.borrow()[before..] {
        for item in items {
            let mine = item.range.head() == task;
            assert_eq!(item.checkpoint.is_some(), mine, "{:?}", item.range);
            assert!(!mine || item.range.count == 1);
        }
    }
    assert_eq!(world.ends().len(), 40);
}
