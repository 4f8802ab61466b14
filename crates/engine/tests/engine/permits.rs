//! Limits over the whole cluster: homes of several nodes share them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use bary_engine::effect::Effect;
use bary_engine::input::{Input, Request};
use bary_model::id::RunNo;
use bary_model::task::{Body, Permit};
use bary_model::time::{Moment, Span};

use crate::world::{Seen, World, body, info, job, spec};

/// What runs at a time, and the most that did.
#[derive(Default)]
struct Crowd {
    runs: BTreeSet<(usize, RunNo)>,
    most: usize,
}

#[test]
fn two_homes_share_a_limit_and_both_get_their_turn() {
    let nodes = [info(0, 4, 1.0), info(1, 4, 1.0), info(2, 4, 1.0)];
    let mut world = World::new(&nodes, "gravity", Span::millis(1));
    let crowd = Rc::new(RefCell::new(Crowd::default()));
    let seen = Rc::clone(&crowd);
    world.watch = Some(Box::new(move |_, node, what| {
        let mut crowd = seen.borrow_mut();
        match what {
            Seen::Effect(Effect::Start { run, .. }) => {
                crowd.runs.insert((node, *run));
                crowd.most = crowd.most.max(crowd.runs.len());
            }
            Seen::Input(Input::Ended { run, .. }) => {
                crowd.runs.remove(&(node, *run));
            }
            _ => {}
        }
    }));
    let permit = Some(Permit { name: "licence".into(), most: 3 });
    let work = Arc::new(Body { permit, detail: true, ..body("f") });
    for home in [0, 1] {
        let request = Request::Submit(job(vec![spec("a", 40, 1.0, &work)]));
        world.put(Moment(1), home, Input::Request { ticket: 1, request: Box::new(request) });
    }
    world.run();
    assert_eq!(crowd.borrow().most, 3, "as many as the limit lets, and no more");
    let shards: Vec<u64> = world
        .events
        .iter()
        .filter(|event| matches!(event.kind, bary_model::event::EventKind::Ended(_)))
        .map(|event| event.shard.0)
        .collect();
    assert_eq!(world.ended().map(|ended| ended.range.count).sum::<u32>(), 80);
    let half = &shards[..shards.len() / 2];
    assert!([1, 2].iter().all(|shard| half.contains(shard)), "neither waits for the other");
}
