//! What is decreed of a shard and of nodes: labels, drains and the policy. It holds at once, and in
//! every later reign.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_engine::engine::{Engine, EngineConfig};
use bary_engine::flaw::Flaws;
use bary_engine::input::{Input, Refusal, Reply, Request};
use bary_engine::limits::Limits;
use bary_model::decree::{Decree, LABELS_MAX, Labels};
use bary_model::event::EventKind;
use bary_model::id::{Incarnation, JobNo, Lsn, NodeId};
use bary_model::machine::Machine;
use bary_model::node::{NodeInfo, Peer};
use bary_model::task::{LabelRule, TaskSpec};
use bary_model::time::{Moment, Span, Wall};
use bary_policy::preset;

use crate::world::{World, body, info, job, spec};

/// Two nodes, of which the second has a label of its own.
fn infos() -> [NodeInfo; 2] {
    let labels = [("disk".into(), "ssd".into())].into();
    [info(0, 2, 1.0), NodeInfo { labels, ..info(1, 2, 1.0) }]
}

fn two_nodes() -> World {
    World::new(&infos(), "gravity", Span::micros(100))
}

/// Tasks that ask for a label.
fn asking(count: u32, label: &str, value: &str) -> Vec<TaskSpec> {
    let mut body = body("f");
    body.request.labels = vec![LabelRule { label: label.into(), value: value.into(), not: false }];
    vec![spec("a", count, 1.0, &Arc::new(body))]
}

fn label(node: &str, label: &str, value: Option<&str>) -> Decree {
    let labels = [(label.into(), value.map(Into::into))].into();
    Decree::Label { node: node.into(), labels }
}

fn drain(node: &str, drain: bool) -> Decree {
    Decree::Drain { node: node.into(), drain }
}

fn asked(world: &mut World, decree: Decree) -> Reply {
    world.request(Request::Decree(decree));
    world.replies.pop().expect("every request is answered")
}

fn decree(world: &mut World, decree: Decree) {
    assert!(matches!(asked(world, decree), Reply::Done));
}

fn refused(world: &mut World, decree: Decree) -> Refusal {
    match asked(world, decree) {
        Reply::Refused(refusal) => refusal,
        other => panic!("it must be refused, not {other:?}"),
    }
}

fn at(millis: u64) -> Moment {
    Moment(0) + Span::millis(millis)
}

/// How many tasks each node was granted since a moment.
fn granted(world: &World, since: Moment) -> BTreeMap<NodeId, u32> {
    let mut all = BTreeMap::new();
    for event in world.events.iter().filter(|event| event.at >= since) {
        if let EventKind::Granted { node, ranges, .. } = &event.kind {
            *all.entry(*node).or_default() += ranges.iter().map(|range| range.count).sum::<u32>();
        }
    }
    all
}

fn is_finished(world: &World, job: JobNo) -> bool {
    let mut kinds = world.events.iter().map(|event| &event.kind);
    kinds.any(|kind| matches!(kind, EventKind::Finished { job: one } if *one == job))
}

/// Lets the home end and begin a new reign over what it has on record.
fn reopen(world: &mut World) {
    let ledger = world.nodes[0].engine.ledgers().next().expect("it is a home").clone();
    let [here, there] = infos();
    world.nodes[0].engine = Engine::new(EngineConfig {
        node: here,
        incarnation: Incarnation(2),
        seed: 7,
        policy: preset::parse("gravity").expect("it is there"),
        limits: Limits::default(),
        flaws: Flaws::default(),
        calendar: Wall::default(),
    });
    let (now, next) = (world.now, Lsn(1_000));
    world.put(now, 0, Input::Opened { ledger: Box::new(ledger), next });
    let peer = Peer { info: there, round_trip: Span::micros(200), machine: Machine::default() };
    world.put(now, 0, Input::Joined(Box::new(peer)));
    world.advance_to(now);
}

#[test]
fn tasks_go_where_a_label_is_given_and_leave_where_it_is_taken() {
    let mut world = two_nodes();
    let job = world.submit(job(asking(40, "disk", "ssd")));
    world.advance_to(at(25));
    let before = granted(&world, at(0));
    assert!(before.contains_key(&NodeId(1)) && !before.contains_key(&NodeId(0)), "{before:?}");
    decree(&mut world, label("n1", "disk", None));
    let moment = world.now;
    world.advance_to(at(20_000));
    assert!(!is_finished(&world, job), "nobody has the label");
    let retracted = |kind: &EventKind| matches!(kind, EventKind::Retracted { .. });
    let back = world.events.iter().filter(|event| retracted(&event.kind)).count();
    assert!(back > 0, "what had not started is taken back");
    let ran = world.ended().map(|ended| ended.range.count).sum::<u32>();
    assert!((4..=6).contains(&ran), "what ran went on: {ran}");
    assert_eq!(granted(&world, moment), BTreeMap::new());
    decree(&mut world, label("n0", "disk", Some("ssd")));
    world.run();
    assert!(is_finished(&world, job));
    let after = granted(&world, moment);
    assert!(after.contains_key(&NodeId(0)) && !after.contains_key(&NodeId(1)), "{after:?}");
}

#[test]
fn what_is_decreed_holds_in_the_next_reign() {
    let mut world = two_nodes();
    decree(&mut world, label("n0", "gpu", Some("yes")));
    decree(&mut world, label("n1", "gpu", Some("yes")));
    decree(&mut world, drain("n1", true));
    decree(&mut world, Decree::Follow("gravity, steal=none".into()));
    world.run();
    reopen(&mut world);
    let ledger = world.nodes[0].engine.ledgers().next().expect("it is a home");
    assert_eq!(ledger.decrees().policy.as_deref(), Some("gravity,steal=none"));
    let moment = world.now;
    let first = world.submit(job(asking(20, "gpu", "yes")));
    world.run();
    assert!(is_finished(&world, first));
    assert_eq!(granted(&world, moment), [(NodeId(0), 20)].into());
    decree(&mut world, drain("n1", false));
    let moment = world.now;
    let second = world.submit(job(asking(20, "gpu", "yes")));
    world.run();
    assert!(is_finished(&world, second) && granted(&world, moment).contains_key(&NodeId(1)));
}

#[test]
fn a_drain_takes_back_what_has_not_started() {
    let mut world = two_nodes();
    let all = world.submit(job(vec![spec("a", 200, 1.0, &Arc::new(body("f")))]));
    world.advance_to(at(25));
    decree(&mut world, drain("n1", true));
    let moment = world.now;
    world.run();
    assert!(is_finished(&world, all));
    let nodes: Vec<NodeId> = granted(&world, moment).into_keys().collect();
    assert_eq!(nodes, [NodeId(0)]);
}

#[test]
fn a_name_that_nobody_has_yet_is_kept_for_who_comes() {
    let mut world = World::new(&infos()[..1], "gravity", Span::ZERO);
    decree(&mut world, label("later", "disk", None));
    decree(&mut world, label("later", "gpu", Some("yes")));
    let ledger = world.nodes[0].engine.ledgers().next().expect("it is a home");
    assert_eq!(ledger.decrees().labels["later"].len(), 2);
    decree(&mut world, label("n0", "gpu", None));
    let ledger = world.nodes[0].engine.ledgers().next().expect("it is a home");
    assert!(!ledger.decrees().labels.contains_key("n0"), "it has nothing to hide");
}

#[test]
fn what_cannot_be_is_refused() {
    let mut world = two_nodes();
    for name in ["", "a b", "a=b", "a!"] {
        let odd = refused(&mut world, label("n0", name, Some("x")));
        assert_eq!(odd, Refusal::BadLabel { name: name.into() });
    }
    for (name, value) in [("x".repeat(129), String::new()), ("x".to_owned(), "y".repeat(1_025))] {
        let long = refused(&mut world, label("n0", &name, Some(&value)));
        assert!(matches!(long, Refusal::TooLong { .. }), "{long:?}");
    }
    let many = |count| -> Labels {
        (0..count).map(|n: usize| (format!("l{n}").into(), Some("x".into()))).collect()
    };
    let labels = many(LABELS_MAX + 1);
    let (count, limit) = (LABELS_MAX + 1, LABELS_MAX);
    let too_many = refused(&mut world, Decree::Label { node: "n0".into(), labels });
    assert_eq!(too_many, Refusal::TooManyLabels { node: "n0".into(), count, limit });
    decree(&mut world, Decree::Label { node: "n0".into(), labels: many(LABELS_MAX) });
    let unknown = refused(&mut world, Decree::Follow("none-such".into()));
    assert!(matches!(unknown, Refusal::Policy(_)), "{unknown:?}");
    let long = refused(&mut world, drain(&"n".repeat(300), true));
    assert!(matches!(long, Refusal::TooLong { .. }), "{long:?}");
}

#[test]
fn a_closed_job_takes_no_more_and_says_so() {
    let mut world = two_nodes();
    let closed = world.submit(job(vec![spec("a", 1, 1.0, &Arc::new(body("f")))]));
    let specs = [Arc::new(spec("b", 1, 1.0, &Arc::new(body("f"))))].into();
    for request in [Request::Extend { job: closed, specs }, Request::Close(closed)] {
        world.request(request);
        let reply = world.replies.pop();
        assert!(matches!(reply, Some(Reply::Refused(Refusal::Closed(one))) if one == closed));
    }
    world.request(Request::Close(JobNo(9)));
    let reply = world.replies.pop();
    assert!(matches!(reply, Some(Reply::Refused(Refusal::NoSuchJob(_)))), "{reply:?}");
}
