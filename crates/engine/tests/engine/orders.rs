//! Orders that need more than a task's weight: whose turn it is, and how long results take to come.

use std::sync::Arc;

use bary_model::id::SpecNo;
use bary_model::task::{After, TaskSpec};
use bary_model::time::{Span, Wall};

use crate::world::{World, body, info, job, spec};

/// How many of the first `len` tasks to end are of each of two owners, of whom the first had all of
/// its work ready before the second came.
fn shares(policy: &str, len: usize) -> [usize; 2] {
    let nodes = [info(0, 1, 1.0), info(1, 1, 1.0)];
    let mut world = World::new(&nodes, policy, Span::millis(1));
    let body = Arc::new(body("f"));
    for owner in ["ann", "bob"] {
        let mut owned = job(vec![spec("", 400, 1.0, &body)]);
        owned.about.owner = owner.into();
        owned.about.not_before = Some(Wall(1_000_000_000));
        world.submit(owned);
    }
    world.run();
    let mut ended: Vec<u32> = Vec::new();
    for one in world.ended() {
        ended.extend(std::iter::repeat_n(one.range.job.0, one.range.count as usize));
    }
    assert_eq!(ended.len(), 800);
    let ann = ended[..len].iter().filter(|no| **no == 0).count();
    [ann, len - ann]
}

#[test]
fn owners_take_turns_however_early_each_came() {
    let [ann, bob] = shares("fair-share,steal=none", 200);
    assert!((85..=115).contains(&ann), "{ann} and {bob}");
    let [ann, bob] = shares("fair-share,steal=none,share.bob=3", 200);
    assert!((40..=60).contains(&ann), "{ann} and {bob}");
    let [ann, bob] = shares("fifo,steal=none", 200);
    assert_eq!([ann, bob], [200, 0], "in the order of arrival the first has all");
}

#[test]
fn what_leaves_much_for_others_comes_first() {
    let first = |policy: &str| {
        let mut world = World::new(&[info(0, 1, 1.0)], policy, Span::millis(1));
        let body = Arc::new(body("f"));
        let after = |spec| [After { spec: SpecNo(spec), aligned: false }].into();
        let leaves = TaskSpec { output: 1_000_000_000, ..spec("leaves", 1, 1.0, &body) };
        let long = spec("long", 1, 2.0, &body);
        let reads = TaskSpec { after: after(0), ..spec("reads", 1, 1.0, &body) };
        let waits = TaskSpec { after: after(1), ..spec("waits", 1, 1.0, &body) };
        world.submit(job(vec![leaves, long, reads, waits]));
        world.run();
        world.ended().next().map(|ended| ended.range.spec)
    };
    assert_eq!(first("b-level"), Some(SpecNo(1)));
    assert_eq!(first("heft"), Some(SpecNo(0)));
}

#[test]
fn jobs_go_as_they_came_and_inside_each_the_order_counts() {
    let ended = |policy: &str| -> Vec<(u32, u32)> {
        let mut world = World::new(&[info(0, 1, 1.0)], policy, Span::millis(1));
        let body = Arc::new(body("f"));
        let light = [spec("light", 8, 1.0, &body), spec("more", 1, 2.0, &body)];
        let first = world.submit(job(light.into()));
        world.submit(job(vec![spec("heavy", 1, 5.0, &body)]));
        world.run();
        let all = world.ended().flat_map(|ended| ended.range.tasks().collect::<Vec<_>>());
        all.map(|task| (task.job.0 - first.0, task.spec.0)).collect()
    };
    let second = |all: &[(u32, u32)]| all.iter().position(|(job, _)| *job == 1);
    for policy in ["gravity", "heaviest-first,jobs=arrival"] {
        let all = ended(policy);
        assert_eq!(second(&all), Some(9), "{policy}: {all:?}");
        assert_eq!(all[0], (0, 1), "{policy}: the heaviest of its job is first");
    }
    for policy in ["gravity,jobs=together", "heaviest-first"] {
        let all = ended(policy);
        assert!(second(&all) < Some(8), "{policy}: {all:?}");
    }
}
