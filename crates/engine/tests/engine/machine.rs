//! What machines are found to be: it counts from then on where the policy looks at it.

use std::sync::Arc;

use bary_engine::input::{Input, Request};
use bary_model::event::EventKind;
use bary_model::id::NodeId;
use bary_model::machine::Machine;
use bary_model::node::Peer;
use bary_model::time::Span;
use bary_policy::preset;

use crate::world::{World, body, info, job, spec};

const WAY: Span = Span::micros(1);

fn world(policy: &str) -> World {
    World::new(&[info(0, 4, 1.0), info(1, 4, 1.0)], policy, WAY)
}

/// The first node hears what the machine of a node was found to be.
fn find(world: &mut World, node: u32, mhz: u32) {
    let machine = Machine { mhz, ..Machine::default() };
    let peer = Peer { info: info(node, 4, 1.0), round_trip: WAY.times(2), machine };
    world.put(world.now, 0, Input::Joined(Box::new(peer)));
    world.advance_to(world.now + Span::millis(1));
}

/// Which nodes ran a task.
fn one_task(world: &mut World) -> Vec<bool> {
    let before = world.busy();
    world.submit(job(vec![spec("a", 1, 1.0, &Arc::new(body("f")))]));
    world.run();
    world.busy().iter().zip(before).map(|(now, was)| *now > was).collect()
}

#[test]
fn a_task_goes_to_the_better_machine_once_that_is_found() {
    for policy in ["capability", "mixed"] {
        let mut world = world(policy);
        assert_eq!(one_task(&mut world), [true, false], "{policy}: of equal ones the first");
        find(&mut world, 1, 4_000);
        assert_eq!(one_task(&mut world), [false, true], "{policy}: the second is faster");
        find(&mut world, 0, 4_500);
        assert_eq!(one_task(&mut world), [true, false], "{policy}: its own machine counts as well");
        assert_eq!(world.nodes[0].engine.machine(NodeId(0)).map(|own| own.mhz), Some(4_500));
    }
}

#[test]
fn a_policy_that_comes_to_look_at_machines_goes_by_what_was_found_before() {
    let mut world = world("gravity");
    one_task(&mut world);
    find(&mut world, 1, 4_000);
    assert_eq!(one_task(&mut world), [true, false], "gravity does not look");
    for (policy, ran) in [("capability", [false, true]), ("gravity", [true, false])] {
        let policy = preset::parse(policy).expect("a test names a policy that is there");
        world.request(Request::Follow(policy));
        assert_eq!(one_task(&mut world), ran);
        world.nodes[0].engine.check();
    }
}

#[test]
fn why_tells_the_score_by_which_a_task_was_placed() {
    let mut world = world("capability");
    find(&mut world, 1, 4_500);
    one_task(&mut world);
    let mut considered = world.events.iter().filter_map(|event| match &event.kind {
        EventKind::Granted { considered, .. } => considered.clone(),
        _ => None,
    });
    let considered = considered.next().expect("a grant says what was considered");
    let of = |node: u64| {
        let mut all = considered.candidates.iter();
        all.find(|one| one.node == NodeId(node)).expect("both were")
    };
    // 4 cores at 3 GHz as nothing is known, and at 4.5.
    for (node, score, cpu) in [(0, 18.3, 20.0), (1, 21.2, 27.3)] {
        let reason = format!("capability {score} of 100 (CPU {cpu:.1}, GPU 0.0, memory 1.5, ");
        assert!(of(node).reason.starts_with(&reason), "{}", of(node).reason);
    }
    assert!(of(1).score > of(0).score);
}
