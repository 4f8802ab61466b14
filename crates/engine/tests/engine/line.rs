//! Tasks that stand in line: who goes past whom, and whose turn it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_model::event::EventKind;
use bary_model::id::JobNo;
use bary_model::job::JobSpec;
use bary_model::node::NodeInfo;
use bary_model::resources::Resources;
use bary_model::task::{Body, TaskSpec};
use bary_model::time::{Moment, Span};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};

use crate::world::{World, body, info, job, spec};

/// Tasks that take `cpus` cores and some memory.
fn tasks(count: u32, weight: f64, cpus: u32, gib: u64) -> TaskSpec {
    let mut body = body("f");
    body.request.resources = Resources { memory: gib << 30, ..Resources::cpus(cpus) };
    spec("t", count, weight, &Arc::new(body))
}

fn owned(owner: &str, spec: TaskSpec) -> JobSpec {
    let mut job = job(vec![spec]);
    job.about.owner = owner.into();
    job
}

fn node(cpus: u32, gib: u64) -> NodeInfo {
    let mut node = info(0, cpus, 1.0);
    node.resources.memory = gib << 30;
    node
}

/// When the first task of each job began, in milliseconds.
fn began(world: &World) -> BTreeMap<JobNo, u64> {
    let mut began = BTreeMap::new();
    for ended in world.ended() {
        let at = ended.usage.began.0 / 1_000_000;
        let first = began.entry(ended.range.job).or_insert(at);
        *first = at.min(*first);
    }
    began
}

/// How many tasks of each job were granted after a moment.
fn granted_after(world: &World, after: Moment) -> BTreeMap<JobNo, u32> {
    let mut granted = BTreeMap::new();
    for event in world.events.iter().filter(|event| event.at >= after) {
        if let EventKind::Granted { ranges, .. } = &event.kind {
            for range in ranges.iter() {
                *granted.entry(range.job).or_default() += range.count;
            }
        }
    }
    granted
}

/// Two owners' jobs that come while one task has all of a node, a moment before that ends: how
/// many tasks of each are let through then.
fn shares(policy: &str, node: NodeInfo, first: TaskSpec, second: TaskSpec) -> [u32; 2] {
    let all = node.resources.milli_cpus as u32 / 1_000;
    let mut world = World::new(&[node], policy, Span::ZERO);
    world.submit(job(vec![tasks(1, 1.0, all, 0)]));
    let jobs = [owned("a", first), owned("b", second)].map(|job| world.submit(job));
    let over = Moment(10_000_000);
    world.advance_to(over);
    let granted = granted_after(&world, over);
    jobs.map(|job| granted.get(&job).copied().unwrap_or(0))
}

#[test]
fn the_example_of_dominant_resource_fairness_comes_out() {
    // Ghodsi et al., NSDI 2011, section 4.1: 9 cores and 18 GB; A wants <1, 4 GB>, B <3, 1 GB>.
    let (a, b) = (tasks(20, 100.0, 1, 4), tasks(20, 100.0, 3, 1));
    assert_eq!(shares("queue=fair", node(9, 18), a, b), [3, 2]);
}

#[test]
fn without_fairness_who_came_first_has_it_all() {
    let (a, b) = (tasks(20, 100.0, 1, 4), tasks(20, 100.0, 3, 1));
    assert_eq!(shares("order=fifo,queue=fcfs", node(9, 18), a, b), [4, 0]);
}

#[test]
fn an_owner_whose_share_weighs_twice_gets_twice_as_much() {
    let one = || tasks(20, 100.0, 1, 0);
    assert_eq!(shares("queue=fair", node(8, 1), one(), one()), [4, 4]);
    assert_eq!(shares("queue=fair,share.b=3", node(8, 1), one(), one()), [2, 6]);
}

/// On four cores: a task of three for 100 ms, one of four, then one of one core.
fn behind_a_wide_one(policy: &str, weight: f64) -> (u64, u64) {
    let mut world = World::new(&[info(0, 4, 1.0)], policy, Span::ZERO);
    // The pace is known once something has ended.
    world.submit(job(vec![tasks(1, 1.0, 4, 0)]));
    world.run();
    world.submit(job(vec![tasks(1, 10.0, 3, 0)]));
    let wide = world.submit(job(vec![tasks(1, 10.0, 4, 0)]));
    let narrow = world.submit(job(vec![tasks(1, weight, 1, 0)]));
    world.run();
    let began = began(&world);
    (began[&wide], began[&narrow])
}

#[test]
fn what_fits_goes_past_where_anything_may() {
    assert_eq!(behind_a_wide_one("order=fifo", 50.0), (510, 10));
}

#[test]
fn nothing_goes_past_the_first_of_a_strict_line() {
    assert_eq!(behind_a_wide_one("order=fifo,queue=fcfs", 1.0), (110, 210));
}

#[test]
fn what_is_over_in_time_goes_past_under_backfill_and_what_is_not_waits() {
    assert_eq!(behind_a_wide_one("order=fifo,queue=easy", 10.0), (110, 10));
    assert_eq!(behind_a_wide_one("order=fifo,queue=easy", 10.1), (110, 210));
}

#[test]
fn what_uses_only_spare_room_goes_past_however_long_it_is() {
    let mut world = World::new(&[info(0, 5, 1.0)], "order=fifo,queue=easy", Span::ZERO);
    world.submit(job(vec![tasks(1, 1.0, 5, 0)]));
    world.run();
    world.submit(job(vec![tasks(1, 10.0, 3, 0)]));
    let wide = world.submit(job(vec![tasks(1, 10.0, 4, 0)]));
    let long = world.submit(job(vec![tasks(2, 100.0, 1, 0)]));
    world.run();
    let began = began(&world);
    assert_eq!((began[&wide], began[&long]), (110, 10));
    let second = world.ended().filter(|ended| ended.range.job == long);
    let second = second.map(|ended| ended.usage.began.0 / 1_000_000).max();
    assert_eq!(second, Some(210), "there was spare room for one");
}

#[test]
fn what_no_node_could_run_holds_up_nobody() {
    let mut nodes = [info(0, 2, 1.0), info(1, 8, 1.0)];
    nodes[1].labels.insert("big".into(), "yes".into());
    let mut world = World::new(&nodes, "order=fifo,queue=fcfs", Span::millis(1));
    let wide = world.submit(job(vec![tasks(1, 1.0, 8, 0)]));
    world.put(world.now, 0, bary_engine::input::Input::Left(nodes[1].id));
    world.advance_to(Moment(1_000_000));
    let small = world.submit(job(vec![tasks(1, 1.0, 1, 0)]));
    world.advance_to(Moment(5_000_000_000));
    let began = began(&world);
    assert!(began.contains_key(&small) && !began.contains_key(&wide), "{began:?}");
}

#[test]
fn a_line_can_be_formed_and_dissolved_while_work_goes_on() {
    let nodes = [info(0, 4, 1.0), info(1, 4, 2.0)];
    let mut world = World::new(&nodes, "gravity", Span::millis(1));
    for owner in ["a", "b", "c"] {
        world.submit(owned(owner, tasks(60, 1.0, 1, 0)));
        world.submit(owned(owner, tasks(20, 2.0, 3, 0)));
    }
    for (step, policy) in ["queue=easy", "queue=fair", "queue=fcfs", "gravity"].iter().enumerate() {
        world.advance_to(Moment(100_000_000 * (step as u64 + 1)));
        let policy = bary_policy::preset::parse(policy).expect("a policy");
        for node in 0..2 {
            let request = bary_engine::input::Request::Follow(policy.clone());
            let request = Box::new(request);
            world.put(world.now, node, bary_engine::input::Input::Request { ticket: 1, request });
        }
    }
    world.run();
    assert_eq!(world.ends().len(), 240);
}

fn request(cpus: u32) -> Body {
    let mut body = body("f");
    body.request.resources = Resources::cpus(cpus);
    body
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_task_of_a_line_ends_once_whatever_the_jobs(
        discipline in 0..3_usize,
        jobs in vec((1..=4_u32, 1..=20_u32, 1..=3_u32), 1..20),
    ) {
        let policy = ["order=fifo,queue=fcfs", "order=fifo,queue=easy", "queue=fair"][discipline];
        let nodes = [info(0, 4, 1.0), info(1, 4, 1.0)];
        let mut world = World::new(&nodes, policy, Span::millis(1));
        let total: u32 = jobs.iter().map(|(.., count)| count).sum();
        for (number, (cpus, weight, count)) in jobs.into_iter().enumerate() {
            let one = spec("t", count, f64::from(weight), &Arc::new(request(cpus)));
            world.submit(owned(["a", "b"][number % 2], one));
        }
        world.run();
        prop_assert_eq!(world.ends().len(), total as usize);
    }
}
