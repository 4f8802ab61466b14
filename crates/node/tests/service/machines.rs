//! What machines were found to be: what is shown of nodes and what tasks are placed by agree.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_api::role::Role;
use bary_api::v1;
use bary_model::id::NodeId;
use bary_model::machine::Machine;
use bary_model::node::{Busy, NodeInfo};
use bary_node::meter::Meter;
use bary_node::options::NodeOptions;
use bary_node::service::Service;
use bary_policy::preset;

use crate::world::{Gate, World, caller, calls, options};

/// Machines of one size that nobody uses; the second is the better one.
#[derive(Debug)]
struct Found;

impl Meter for Found {
    fn busy(&self, _: NodeId) -> Option<Busy> {
        Some(Busy::default())
    }

    fn machine(&self, node: &NodeInfo) -> Machine {
        let mhz = if &*node.name == "n1" { 4_500 } else { 1_500 };
        Machine { mhz, link_mbit: 1_000, lost: 10, ..Machine::default() }
    }
}

/// Two nodes in memory that follow a policy.
fn world(policy: &str) -> World {
    let gate = Gate::default();
    let mut options = options(&gate);
    options.cluster.nodes = ["n0", "n1"].map(|name| NodeOptions::local(name, 4)).to_vec();
    options.cluster.policy = preset::parse(policy).expect("it is a policy");
    options.cluster.meter = Arc::new(Found);
    let (service, _) = Service::in_memory(options).expect("it starts");
    World { service, gate, admin: caller(Role::Admin) }
}

/// The nodes as they are shown, by their names.
async fn shown(world: &World) -> BTreeMap<String, v1::NodeStatus> {
    let nodes = world.service.list_nodes(&world.admin, Default::default()).await;
    let nodes = nodes.expect("an admin may").nodes;
    nodes.into_iter().map(|node| (node.name.clone(), node)).collect()
}

/// Where a task was placed, and why.
async fn placed(world: &World) -> (String, Vec<v1::Candidate>) {
    let job = world.submit(calls("echo", &["a"])).await;
    world.wait(job).await;
    let asked = v1::WhyRequest { job, task: "1".to_owned() };
    let why = world.service.why(&world.admin, asked).await.expect("it is there");
    (why.task.expect("it is told").node, why.candidates)
}

/// The number behind a word in a reason.
fn number(reason: &str, word: &str) -> f64 {
    let rest = reason.split(word).nth(1).expect("the word is there").trim_start();
    let end = rest.find(|one: char| !one.is_ascii_digit() && one != '.').unwrap_or(rest.len());
    rest[..end].parse().expect("a number follows it")
}

fn reason_of(candidates: &[v1::Candidate], node: &str) -> String {
    let of = candidates.iter().find(|candidate| candidate.node == node);
    of.expect("it was considered").reason.clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_placed_by_the_score_that_is_shown() {
    let world = world("capability,memory_share=0.4");
    assert_eq!(placed(&world).await.0, "n0", "of machines that were not looked at the first");
    world.service.cluster().probe();
    let (node, candidates) = placed(&world).await;
    assert_eq!(node, "n1", "{candidates:?}");
    let shown = shown(&world).await;
    for candidate in &candidates {
        let (node, reason) = (&shown[&candidate.node], &candidate.reason);
        // This machine is busy with something, and what is shown says so; the meter does not.
        let free = node.memory_available as f64 / node.memory as f64;
        let parts = [
            ("CPU", node.capability_cpu, node.idle, 0.4),
            ("GPU", node.capability_gpu, 1.0, 0.3),
            ("memory", node.capability_memory, free, 0.4),
            ("network", node.capability_network, 1.0, 0.1),
        ];
        let sums = parts.iter().fold([0.0, 0.0], |[shown, placed], (word, part, left, weight)| {
            let whole = number(reason, word);
            assert!((whole * left - part).abs() < 0.06, "{word} {part}: {reason}");
            [shown + part * weight, placed + whole * weight]
        });
        assert!((node.capability - sums[0]).abs() < 1e-6, "{node:?}");
        assert!((number(reason, "capability") - sums[1]).abs() < 0.2, "{sums:?}: {reason}");
    }
    let cpu = |node: &str| number(&reason_of(&candidates, node), "CPU");
    assert!(cpu("n1") > 2.0 * cpu("n0"), "{candidates:?}");
    assert!((shown["n1"].capability_network - 25.0).abs() < 1e-6, "half for the link and the loss");
}
