//! Nodes and networks of plans.

use std::collections::BTreeMap;

use bary_model::id::NodeId;
use bary_model::node::{NodeInfo, Offers};
use bary_model::resources::Resources;
use bary_model::time::Span;

use crate::lot::Lot;
use crate::network::NetworkPlan;
use crate::plan::NodePlan;
use crate::plan::chores::Chores;
use crate::plan::machines::Probe;

/// A node of so many slots and a gibibyte in the only region.
pub(crate) fn node(id: usize, slots: u32, speed: f64, home: bool) -> NodePlan {
    let info = NodeInfo {
        offers: Offers::default(),
        id: NodeId(id as u64),
        name: format!("n{id}").into(),
        region: "r0".into(),
        resources: Resources { memory: 1 << 30, ..Resources::cpus(slots) },
        slots,
        speed,
        labels: BTreeMap::new(),
    };
    let (chores, probe) = (Chores::default(), Probe::default());
    NodePlan { info, region: 0, home, drift: 0, chores, probe }
}

/// A network without faults and one region.
pub(crate) fn even(latency: Span) -> NetworkPlan {
    NetworkPlan {
        latency: vec![vec![latency]],
        jitter: true,
        loss: 0,
        twice: 0,
        late: 0,
        late_max: Span::ZERO,
    }
}

/// Nodes as chaos draws them: of several sizes, speeds and kinds. The first always has something
/// of each kind, so that whatever is asked for is somewhere for good.
pub(crate) fn mixed(lot: &mut Lot, count: usize, homes: usize, drifts: bool) -> Vec<NodePlan> {
    let regions = lot.one_of(&[1, 1, 2, 3]);
    let all = (0..count).map(|id| {
        let slots = lot.between(1, 8) as u32;
        let mut made = node(id, slots, lot.one_of(&[0.25, 1.0, 1.0, 4.0]), id < homes);
        let resources = &mut made.info.resources;
        if id == 0 || lot.percent(30) {
            resources.named.insert("seat".into(), lot.between(1, 3));
        }
        if id == 0 || lot.percent(30) {
            resources.milli_gpus = 1_000 * lot.between(1, 2);
        }
        made.info.labels.insert("zone".into(), lot.one_of(&["a", "b"]).into());
        made.region = lot.below(regions) as u16;
        made.info.region = format!("r{}", made.region).into();
        if drifts {
            made.drift = lot.between(0, 400) as i32 - 200;
        }
        made
    });
    all.collect()
}

/// A network as chaos draws it, still without faults: up to 3 regions.
pub(crate) fn uneven(lot: &mut Lot) -> NetworkPlan {
    let far = lot.one_of(&[0, 1, 1_000, 1_000, 50_000]);
    let mut latency = vec![vec![Span::ZERO; 3]; 3];
    for (from, to) in [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)] {
        let most = if from == to { far / 10 } else { far };
        let span = Span::micros(lot.below(most + 1));
        latency[from][to] = span;
        latency[to][from] = span;
    }
    NetworkPlan { latency, jitter: lot.percent(70), ..even(Span::ZERO) }
}
