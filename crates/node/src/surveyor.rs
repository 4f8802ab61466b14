//! Finds where nodes are in the graph of the cluster, how jobs lie over its regions, and how busy
//! the machine is, on threads beside the loop that asked.

use std::sync::Arc;

use bary_model::id::{JobNo, NodeId, ShardId};
use bary_model::time::Span;
use bary_policy::dice::Dice;
use bary_policy::layout::Question;
use bary_policy::topology::Probe;
use bary_policy_spectral::place;
use bary_policy_spectral::plan::plan;
use tokio::sync::mpsc::{UnboundedSender, WeakUnboundedSender};

use crate::inbox::Control;
use crate::meter::Meter;
use crate::options::ClusterOptions;

/// How long messages between the nodes of one process are made to take.
pub(crate) fn ways(options: &ClusterOptions) -> impl Fn(NodeId, NodeId) -> Span + 'static {
    let (nodes, latency) = (options.nodes.clone(), options.latency.clone());
    let first = options.id(0);
    // A state may name nodes that only an earlier run had.
    let at = move |node: NodeId| usize::try_from(node.0.checked_sub(first.0)?).ok();
    move |from: NodeId, to: NodeId| {
        let of = |node| nodes.get(at(node)?);
        of(from).zip(of(to)).map_or(Span::ZERO, |(from, to)| latency.between(from, to))
    }
}

/// Answers the questions of one host.
#[derive(Debug)]
pub(crate) struct Surveyor {
    /// Weak, so that the host's door closes when all others have gone.
    door: WeakUnboundedSender<Control>,
    meter: Arc<dyn Meter>,
}

impl Surveyor {
    /// One that answers through a host's door.
    pub(crate) fn new(door: &UnboundedSender<Control>, meter: &Arc<dyn Meter>) -> Self {
        Self { door: door.downgrade(), meter: Arc::clone(meter) }
    }

    /// Has it measured how busy the machine of a node is. As with graphs, there is one question of
    /// a host at a time.
    pub(crate) fn gauge(&self, node: NodeId) {
        let (door, meter) = (self.door.clone(), Arc::clone(&self.meter));
        drop(tokio::task::spawn_blocking(move || {
            let busy = meter.busy(node);
            if let Some(door) = door.upgrade() {
                // As below.
                drop(door.send(Control::Gauged(busy)));
            }
        }));
    }

    /// Has the graph of these nodes found from what they measured. There is one question of a host
    /// at a time, so that one thread is enough.
    pub(crate) fn find(&self, number: u64, nodes: Vec<NodeId>, probes: Vec<Probe>) {
        let door = self.door.clone();
        drop(tokio::task::spawn_blocking(move || {
            // Without a graph nodes have no scores, and policies say so.
            let topology = plan(&nodes, &probes, &mut Dice::new(1, "plan")).ok().map(Box::new);
            if let Some(door) = door.upgrade() {
                // A host that has ended asks no more.
                drop(door.send(Control::Planned { number, topology }));
            }
        }));
    }

    /// Has it found how a job lies over regions. A home asks once for a job, and a job waits no
    /// longer than `layout_wait`; threads are as many as tokio lets there be.
    pub(crate) fn lay(&self, shard: ShardId, job: JobNo, question: Box<Question>) {
        let door = self.door.clone();
        drop(tokio::task::spawn_blocking(move || {
            let choice = place::lay(&question).map(Box::new);
            if let Some(door) = door.upgrade() {
                // As above.
                drop(door.send(Control::Laid { shard, job, choice }));
            }
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::Machine;
    use tokio::sync::mpsc::unbounded_channel;

    /// What each of sixteen nodes at two sites measured of all others.
    fn probes() -> Vec<Probe> {
        let pairs = (0..16).flat_map(|from| (0..16).map(move |to| (from, to)));
        let probe = |(from, to): (u64, u64)| {
            let round_trip = Span::millis(if from / 8 == to / 8 { 2 } else { 100 });
            Probe { from: NodeId(from), to: NodeId(to), round_trip }
        };
        pairs.filter(|(from, to)| from != to).map(probe).collect()
    }

    fn machine() -> Arc<dyn Meter> {
        Arc::new(Machine::default())
    }

    #[tokio::test]
    async fn an_answer_comes_through_the_hosts_door() {
        let (door, mut control) = unbounded_channel();
        let surveyor = Surveyor::new(&door, &machine());
        surveyor.find(7, (0..16).map(NodeId).collect(), probes());
        let Some(Control::Planned { number, topology }) = control.recv().await else {
            panic!("nothing else is told")
        };
        let topology = topology.expect("sixteen nodes make a graph");
        assert_eq!((number, topology.regions, topology.places.len()), (7, 2, 16));
    }

    #[tokio::test]
    async fn it_does_not_keep_the_door_open() {
        let (door, mut control) = unbounded_channel();
        let surveyor = Surveyor::new(&door, &machine());
        drop(door);
        surveyor.find(1, vec![NodeId(0), NodeId(1)], Vec::new());
        assert!(control.recv().await.is_none());
    }
}
