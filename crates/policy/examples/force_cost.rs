//! What forces cost: nanoseconds to score one node. Run it with
//! `cargo run --release -p bary-policy --example force_cost`.

#![expect(clippy::print_stdout, reason = "an example prints its figures")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

use bary_model::id::NodeId;
use bary_model::machine::Machine;
use bary_model::node::{NodeInfo, Offers};
use bary_model::resources::Resources;
use bary_model::task::Request;
use bary_model::time::Span;
use bary_model::weight::Weight;
use bary_policy::force::user::User;
use bary_policy::force::{self, Force};
use bary_policy::view::{Foresight, GraphScores, NodeView, TaskView, Used};

const NODES: usize = 1_000;
const ROUNDS: usize = 2_000;
/// The same formula as the force `gravity`.
const GRAVITY: &str = "if(mean_load-load+weight*capacity>0,\
    (mean_load-load+weight*capacity)/(1+round_trip_ms+50*(1-same_region))^2,\
    (mean_load-load+weight*capacity)*(1+round_trip_ms+50*(1-same_region))^2)";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let infos: Vec<NodeInfo> = (0..NODES).map(info).collect();
    let nodes: Vec<NodeView<'_>> = infos.iter().enumerate().map(view).collect();
    let request = Request { region: Some("r3".into()), ..Request::default() };
    let request = Request { resources: Resources::cpus(1), ..request };
    let mut all = force::all();
    all.push(std::sync::Arc::new(User::parse(GRAVITY)?));
    println!("{:<16} {:>10}", "FORCE", "NS A NODE");
    for force in &all {
        let node = cost(force.as_ref(), &nodes, &request)?;
        println!("{:<16} {node:>10.1}", force.name());
    }
    Ok(())
}

/// Nanoseconds to score a node.
fn cost(
    force: &dyn Force,
    nodes: &[NodeView<'_>],
    request: &Request,
) -> Result<f64, Box<dyn std::error::Error>> {
    let known = Foresight { bytes: Some(1 << 20), ..Foresight::default() };
    let weight = Weight::new(5.25)?;
    let task = TaskView { weight, b_level: 5_250, sequence: 0, request, known };
    let scored = median(|| {
        let each = nodes.iter().map(|node| force.between(&task, node).0);
        each.fold(0_i64, |sum, pull| sum.wrapping_add(black_box(pull)))
    });
    Ok(scored.as_secs_f64() * 1e9 / NODES as f64)
}

/// The median time of a call, over `ROUNDS` of them: what else runs on the machine hits few.
fn median(mut call: impl FnMut() -> i64) -> Duration {
    let time = |_| {
        let began = now();
        black_box(call());
        began.elapsed()
    };
    let mut times: Vec<Duration> = (0..ROUNDS).map(time).collect();
    times.sort_unstable();
    times[ROUNDS / 2]
}

#[expect(clippy::disallowed_methods, reason = "a measurement needs the clock that rules may not")]
#[expect(clippy::disallowed_types, reason = "a measurement needs the clock that rules may not")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

fn info(n: usize) -> NodeInfo {
    NodeInfo {
        id: NodeId(n as u64),
        name: format!("n{n}").into(),
        region: format!("r{}", n % 4).into(),
        resources: Resources::cpus(8),
        slots: 8,
        speed: [0.5, 1.0, 2.0, 4.0][n / 4 % 4],
        labels: BTreeMap::from([("kind".into(), "cpu".into())]),
        offers: Offers::default(),
    }
}

fn view<'a>((n, info): (usize, &'a NodeInfo)) -> NodeView<'a> {
    let part = (n * 7_919 % NODES) as f64 / NODES as f64;
    NodeView {
        info,
        machine: Machine::default(),
        load: (part * 1e6) as u64,
        mean_load: 500_000,
        granted: (part * 1e4) as u64,
        tasks: (part * 16.0) as u64,
        round_trip: Span::micros((part * 1e5) as u64),
        power: info.power(),
        free: Some(&info.resources),
        used: Some(Used { cpu: part, memory: part / 2.0 }),
        bytes_here: Some((part * 1e6) as u64),
        scores: Some(GraphScores { closeness: part, fiedler: part - 0.5 }),
        timing: None,
    }
}
