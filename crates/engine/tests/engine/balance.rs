//! Work falls to where there is room: balance, few messages, and the same bytes from one seed.

use std::sync::Arc;

use crate::world::{World, body, info, job, spec};
use bary_model::event::EventKind;
use bary_model::outcome::End;
use bary_model::time::Span;
use bary_policy::dice::Dice;

/// A thousand distinct tasks of weights from 1 to 10.
fn thousand(world: &mut World) {
    let mut dice = Dice::new(11, "weights");
    let body = Arc::new(body("f"));
    let specs = (0..1_000).map(|_| spec("", 1, 1.0 + 9.0 * dice.unit(), &body)).collect();
    world.submit(job(specs));
    world.run();
    let ends = world.ends();
    assert_eq!(ends.len(), 1_000);
    assert!(ends.values().all(|end| *end == End::Succeeded));
}

fn balance(busy: &[f64]) -> f64 {
    let mean = busy.iter().sum::<f64>() / busy.len() as f64;
    let var = busy.iter().map(|b| (b - mean).powi(2)).sum::<f64>() / busy.len() as f64;
    100.0 * (1.0 - var.sqrt() / mean)
}

#[test]
fn ten_nodes_share_a_thousand_tasks_within_half_a_percent() {
    let nodes: Vec<_> = (0..10).map(|n| info(n, 1, 1.0)).collect();
    let mut world = World::new(&nodes, "gravity", Span::millis(1));
    thousand(&mut world);
    let (balance, per_task) = (balance(&world.busy()), world.messages as f64 / 1_000.0);
    assert!(balance >= 99.5, "balance {balance}");
    assert!(per_task <= 0.6, "{per_task} messages per task");
    let superseded = |kind: &EventKind| matches!(kind, EventKind::Superseded { .. });
    assert!(!world.events.iter().any(|event| superseded(&event.kind)), "no task ran twice");
}

#[test]
fn nodes_of_unequal_speed_end_together() {
    let speeds = [0.5, 1.0, 2.0, 4.0];
    let nodes: Vec<_> = (0..8).map(|n| info(n, 1, speeds[n as usize % 4])).collect();
    let mut world = World::new(&nodes, "gravity", Span::millis(1));
    thousand(&mut world);
    let balance = balance(&world.busy());
    assert!(balance >= 99.0, "balance {balance}");
}

#[test]
fn far_nodes_ask_ahead_and_are_not_left_dry() {
    let nodes: Vec<_> = (0..10).map(|n| info(n, 1, 1.0)).collect();
    let mut world = World::new(&nodes, "gravity", Span::millis(20));
    thousand(&mut world);
    let balance = balance(&world.busy());
    assert!(balance >= 98.0, "balance {balance}");
}

#[test]
fn every_preset_ends_every_task_once() {
    for (name, _) in bary_policy::preset::PRESETS {
        let nodes: Vec<_> = (0..5).map(|n| info(n, 2, 1.0)).collect();
        let mut world = World::new(&nodes, name, Span::millis(1));
        thousand(&mut world);
    }
}

#[test]
fn a_formula_a_sample_and_a_guard_end_every_task_once() {
    for policy in [
        "force=expr(mean_load-load+weight*capacity)",
        "least-loaded,force=power-of-d,d=3",
        "gravity,force=power-of-d",
        "least-loaded,giants=1",
        "fifo,giants=1,steal=none",
        "round-robin,steal=three",
    ] {
        let speeds = [0.5, 1.0, 2.0, 4.0];
        let nodes: Vec<_> = (0..5).map(|n| info(n, 2, speeds[n as usize % 4])).collect();
        let mut world = World::new(&nodes, policy, Span::millis(1));
        thousand(&mut world);
    }
}

#[test]
fn a_giant_goes_to_a_fast_node_that_the_guard_waits_for() {
    let makespan = |policy: &str| {
        let nodes = [info(0, 1, 0.5), info(1, 1, 4.0)];
        let mut world = World::new(&nodes, policy, Span::millis(1));
        let body = Arc::new(body("f"));
        let specs = [40.0, 400.0, 390.0].map(|weight| spec("", 1, weight, &body));
        world.submit(job(specs.into()));
        world.run();
        world.busy().into_iter().fold(0.0, f64::max)
    };
    let (with, without) = (makespan("fifo,steal=none,giants=1.1"), makespan("fifo,steal=none"));
    assert!(with * 3.0 < without, "{with} {without}");
}

#[test]
fn a_giant_behind_light_tasks_goes_to_a_fast_node_too() {
    let nodes = [info(0, 1, 0.5), info(1, 1, 4.0)];
    let mut world = World::new(&nodes, "fifo,steal=none,giants=1.1", Span::millis(1));
    let body = Arc::new(body("f"));
    // Both nodes have met the home, and the guard gives what comes next to the fast one.
    world.submit(job(vec![spec("", 2, 1.0, &body)]));
    world.run();
    world.submit(job(vec![spec("", 1, 400.0, &body)]));
    world.advance_to(world.now + Span::millis(30));
    // The slow one alone waits for work, and has a share of many tasks: the fast one is busy for so
    // long that a light task ends sooner at the slow one, and not so long that a giant does.
    let weight = |n: u32| if n == 3 { 400.0 } else { 10.0 };
    world.submit(job((0..2_000).map(|n| spec("", 1, weight(n), &body)).collect()));
    world.run();
    let giant = world
        .ended()
        .find(|ended| ended.range.job.0 == 2 && ended.range.spec.0 == 3)
        .expect("it has run");
    assert_eq!(giant.node.0, 1);
    let light = world.ended().filter(|ended| ended.node.0 == 0).count();
    assert!(light > 100, "the slow node has lighter ones: {light}");
}

#[test]
fn same_seed_same_bytes() {
    let bytes = || {
        let nodes: Vec<_> = (0..5).map(|n| info(n, 2, 1.0 + f64::from(n))).collect();
        let mut world = World::new(&nodes, "gravity", Span::millis(1));
        world.fail(|task, attempt| {
            (task.spec.0 % 7 == 0 && attempt == 1).then_some(bary_model::outcome::Failure::Exit(1))
        });
        let body = Arc::new(bary_model::task::Body { retries: 1, ..body("f") });
        let specs = (0..300).map(|n| spec("", 1, 1.0 + f64::from(n % 10), &body)).collect();
        world.submit(job(specs));
        world.run();
        world.log
    };
    let (first, second) = (bytes(), bytes());
    assert!(first.len() > 10_000, "there is something to compare");
    assert!(first == second, "the same seed must give the same bytes");
}

#[test]
fn what_is_held_by_a_slow_node_is_stolen_for_an_idle_one() {
    let nodes = [info(0, 1, 1.0), info(1, 1, 1.0)];
    let mut world = World::new(&nodes, "round-robin,steal=half", Span::millis(1));
    let body = Arc::new(body("f"));
    let weight = |n: u32| if n.is_multiple_of(2) { 10.0 } else { 1.0 };
    let specs = (0..100).map(|n| spec("", 1, weight(n), &body)).collect();
    world.submit(job(specs));
    world.run();
    let stolen = |kind: &EventKind| matches!(kind, EventKind::Retracted { .. });
    assert!(world.events.iter().any(|event| stolen(&event.kind)), "something was stolen");
    let balance = balance(&world.busy());
    assert!(balance > 95.0, "balance {balance}");
    assert_eq!(world.ends().len(), 100);
}
