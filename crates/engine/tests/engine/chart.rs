//! The graph of the cluster: asked for by policies that look at it, and by no other.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use bary_engine::effect::Effect;
use bary_engine::input::{Input, Request};
use bary_model::id::NodeId;
use bary_model::time::{Moment, Span};
use bary_policy::preset;
use bary_policy::topology::{Place, Topology};
use bary_policy::view::GraphScores;

use crate::world::{Seen, World, body, info, job, spec};

/// By when all have measured how far they are from each other.
const MEASURED: Span = Span::secs(3);
const CENTRAL: &str = "gravity,force=central,steal=none";

/// The questions of the first node: number and nodes.
type Questions = Rc<RefCell<Vec<(Moment, u64, usize)>>>;

fn watched(policy: &str) -> (World, Questions) {
    let nodes = [info(0, 1, 1.0), info(1, 1, 1.0), info(2, 1, 1.0)];
    let mut world = World::new(&nodes, policy, Span::millis(1));
    let questions = Questions::default();
    let seen = Rc::clone(&questions);
    world.watch = Some(Box::new(move |at, node, what| {
        if let (0, Seen::Effect(Effect::Plan { number, nodes, .. })) = (node, what) {
            seen.borrow_mut().push((at, *number, nodes.len()));
        }
    }));
    (world, questions)
}

/// An answer by which the last of three nodes is the most central.
fn answer(number: u64) -> Input {
    let place = |node| {
        let closeness = if node == 2 { 1.0 } else { 0.1 };
        let scores = GraphScores { closeness, fiedler: 0.0 };
        Place { node: NodeId(node), region: 0, key: node == 2, scores }
    };
    let places = (0..3).map(place).collect();
    let topology = Some(Box::new(Topology {
        places,
        regions: 1,
        ways: vec![vec![Span::ZERO]],
        connectivity: 1.0,
    }));
    Input::Planned { number, topology }
}

fn one_task(world: &mut World) {
    world.submit(job(vec![spec("a", 1, 1.0, &Arc::new(body("f")))]));
    world.run();
}

#[test]
fn a_policy_that_looks_at_no_graph_asks_for_none() {
    for policy in ["gravity", "pids-classic", "work-stealing", "force=expr(0-load)"] {
        let (mut world, questions) = watched(policy);
        one_task(&mut world);
        assert!(questions.borrow().is_empty(), "{policy}");
    }
}

#[test]
fn one_that_does_asks_once_for_all_nodes_that_stay_where_they_are() {
    let (mut world, questions) = watched(CENTRAL);
    world.advance_to(Moment(0) + MEASURED);
    while let Some(&(at, number, nodes)) = questions.borrow().last() {
        world.put(world.now, 0, answer(number));
        if nodes == 3 {
            assert!(
                at <= Moment(0) + MEASURED + Span::secs(5),
                "a node that came later is not forgotten"
            );
            break;
        }
        world.advance_to(world.now + Span::secs(5));
    }
    let asked = questions.borrow().len();
    world.advance_to(Moment(0) + Span::secs(60));
    assert_eq!(questions.borrow().len(), asked, "nothing has changed since");
}

#[test]
fn where_nodes_are_is_shown_to_the_force() {
    let (mut world, questions) = watched(CENTRAL);
    world.advance_to(Moment(0) + MEASURED);
    let number = questions.borrow().last().map(|(_, number, _)| *number);
    world.put(world.now, 0, answer(number.expect("the first question is asked at once")));
    // Afterwards all nodes have asked, and wait.
    world.submit(job(vec![spec("many", 60, 1.0, &Arc::new(body("f")))]));
    world.run();
    let before = world.busy();
    one_task(&mut world);
    let more: Vec<bool> = world.busy().iter().zip(before).map(|(now, was)| *now > was).collect();
    assert_eq!(more, [false, false, true], "the most central node has it");
    assert!(world.nodes[0].engine.topology().is_some());
}

#[test]
fn a_policy_that_comes_later_has_the_graph_found() {
    let (mut world, questions) = watched("gravity");
    world.advance_to(Moment(0) + Span::secs(1));
    assert!(questions.borrow().is_empty());
    let policy = preset::parse(CENTRAL).expect("it is a policy");
    world.request(Request::Follow(policy));
    world.advance_to(world.now + MEASURED);
    assert_eq!(questions.borrow().last().map(|(.., nodes)| *nodes), Some(3));
}

#[test]
fn a_question_without_an_answer_stops_nothing() {
    let (mut world, questions) = watched(CENTRAL);
    world.advance_to(Moment(0) + MEASURED);
    let number = questions.borrow().last().map(|(_, number, _)| *number).unwrap_or_default();
    world.put(world.now, 0, Input::Planned { number, topology: None });
    one_task(&mut world);
    assert_eq!(world.ends().len(), 1);
}
