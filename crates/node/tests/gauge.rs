//! Two nodes of which one machine does other things: `least-used` goes by what was measured.

use std::sync::Arc;

use bary_model::action::Action;
use bary_model::event::EventKind;
use bary_model::id::NodeId;
use bary_model::job::JobSpec;
use bary_model::node::Busy;
use bary_model::task::{Body, TaskSpec};
use bary_node::cluster::Cluster;
use bary_node::listener::{Listener, News};
use bary_node::meter::Meter;
use bary_node::options::{ClusterOptions, NodeOptions};
use bary_policy::preset;
use bary_ports::function::{Call, Function, Functions};
use bytes::Bytes;

/// Machines of which only this one is busy.
#[derive(Debug)]
struct Only(NodeId);

impl Meter for Only {
    fn busy(&self, node: NodeId) -> Option<Busy> {
        Some(Busy::of(if node == self.0 { 0.8 } else { 0.0 }, 0.1))
    }
}

fn cluster(policy: &str, busy: NodeId) -> (Cluster, Listener) {
    let nodes = ["n0", "n1"].map(|name| NodeOptions::local(name, 4)).to_vec();
    let policy = preset::parse(policy).expect("it is a policy");
    let mut options = ClusterOptions::new(nodes, policy);
    let nothing = |_: &Call| Ok(Bytes::new());
    options.functions =
        Functions::from([("nothing".into(), Function::Blocking(Arc::new(nothing)))]);
    options.meter = Arc::new(Only(busy));
    Cluster::start(options).expect("it starts")
}

/// The node that a task of one core was granted to.
fn place(cluster: &Cluster, listener: &mut Listener) -> NodeId {
    let body = Body::new(Action::Function { name: "nothing".into(), args: Vec::new() });
    let job = JobSpec::new("one", [Arc::new(TaskSpec::new(Arc::new(body)))]);
    let wanted = cluster.submit(job).expect("there is room");
    let mut granted = None;
    for news in listener.by_ref() {
        let News::Events(events) = news else { continue };
        for event in events {
            match event.kind {
                EventKind::Granted { node, .. } => granted = Some(node),
                EventKind::Finished { job } if job == wanted => {
                    return granted.expect("it was granted before it ended");
                }
                _ => {}
            }
        }
    }
    panic!("the job never finished")
}

#[test]
fn the_machine_that_does_less_besides_gets_the_task() {
    for (busy, idle) in [(0, 1), (1, 0)] {
        let (cluster, mut listener) = cluster("least-used", NodeId(busy));
        for _ in 0..3 {
            assert_eq!(place(&cluster, &mut listener), NodeId(idle), "n{busy} is busy");
        }
        cluster.kill_now();
    }
}
