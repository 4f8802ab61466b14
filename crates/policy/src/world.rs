//! Tiny worlds for tests: some nodes, and tasks that could go to them.

use bary_model::id::NodeId;
use bary_model::machine::Machine;
use bary_model::node::{NodeInfo, Offers};
use bary_model::resources::Resources;
use bary_model::task::Request;
use bary_model::time::Span;
use bary_model::weight::Weight;

use crate::force::Force;
use crate::view::{Foresight, GraphScores, NodeView, TaskView, Timing, Used};

/// Nodes in the order in which they were added, and what every task requests.
#[derive(Debug, Default)]
pub(crate) struct World {
    nodes: Vec<Node>,
    pub(crate) request: Request,
}

/// A node being built: idle, near, and of power 1 until said otherwise.
#[derive(Debug)]
pub(crate) struct Node {
    info: NodeInfo,
    machine: Machine,
    load: u64,
    granted: u64,
    tasks: u64,
    round_trip: Span,
    power: f64,
    free: Option<Resources>,
    used: Option<Used>,
    bytes_here: Option<u64>,
    scores: Option<GraphScores>,
    timing: Option<Timing>,
}

impl Node {
    pub(crate) fn timing(&mut self, timing: Timing) -> &mut Self {
        self.timing = Some(timing);
        self
    }

    pub(crate) fn load(&mut self, thousandths: u64) -> &mut Self {
        self.load = thousandths;
        self
    }

    pub(crate) fn granted(&mut self, tasks: u64) -> &mut Self {
        self.granted = tasks;
        self
    }

    pub(crate) fn round_trip(&mut self, span: Span) -> &mut Self {
        self.round_trip = span;
        self
    }

    /// Both declares and measures the power.
    pub(crate) fn power(&mut self, power: f64) -> &mut Self {
        self.info.speed = power;
        self.measured(power)
    }

    /// Measures a power in some unit; the declared one stays.
    pub(crate) fn measured(&mut self, power: f64) -> &mut Self {
        self.power = power;
        self
    }

    pub(crate) fn tasks(&mut self, tasks: u64) -> &mut Self {
        self.tasks = tasks;
        self
    }

    pub(crate) fn slots(&mut self, slots: u32) -> &mut Self {
        self.info.slots = slots;
        self
    }

    pub(crate) fn label(&mut self, label: &str, value: &str) -> &mut Self {
        self.info.labels.insert(label.into(), value.into());
        self
    }

    pub(crate) fn resources(&mut self, resources: Resources) -> &mut Self {
        self.info.resources = resources;
        self
    }

    pub(crate) fn memory(&mut self, bytes: u64) -> &mut Self {
        self.info.resources.memory = bytes;
        self
    }

    pub(crate) fn free(&mut self, resources: Resources) -> &mut Self {
        self.free = Some(resources);
        self
    }

    pub(crate) fn machine(&mut self, machine: Machine) -> &mut Self {
        self.machine = machine;
        self
    }

    pub(crate) fn used(&mut self, cpu: f64, memory: f64) -> &mut Self {
        self.used = Some(Used { cpu, memory });
        self
    }

    pub(crate) fn bytes_here(&mut self, bytes: u64) -> &mut Self {
        self.bytes_here = Some(bytes);
        self
    }

    pub(crate) fn scores(&mut self, closeness: f64, fiedler: f64) -> &mut Self {
        self.scores = Some(GraphScores { closeness, fiedler });
        self
    }

    pub(crate) fn region(&mut self, region: &str) -> &mut Self {
        self.info.region = region.into();
        self
    }
}

impl World {
    pub(crate) fn node(&mut self, name: &str) -> &mut Node {
        let info = NodeInfo {
            offers: Offers::default(),
            id: NodeId(self.nodes.len() as u64),
            name: name.into(),
            region: "here".into(),
            resources: Resources::cpus(1),
            slots: 1,
            speed: 1.0,
            labels: std::collections::BTreeMap::new(),
        };
        self.nodes.push(Node {
            info,
            machine: Machine::default(),
            load: 0,
            granted: 0,
            tasks: 0,
            round_trip: Span::ZERO,
            power: 1.0,
            free: None,
            used: None,
            bytes_here: None,
            scores: None,
            timing: None,
        });
        self.nodes.last_mut().expect("one was pushed just now")
    }

    /// A node that was added before.
    pub(crate) fn at(&mut self, index: usize) -> &mut Node {
        &mut self.nodes[index]
    }

    pub(crate) fn task(&self, weight: f64) -> TaskView<'_> {
        let weight = Weight::new(weight).expect("tests give weights that are in range");
        let (b_level, known) = (weight.thousandths(), Foresight::default());
        TaskView { weight, b_level, sequence: 0, request: &self.request, known }
    }

    /// The node as a force sees it, its fair share computed from all nodes.
    pub(crate) fn view(&self, index: usize) -> NodeView<'_> {
        let node = &self.nodes[index];
        let loads: f64 = self.nodes.iter().map(|node| node.load as f64).sum();
        let powers: f64 = self.nodes.iter().map(|node| node.power).sum();
        NodeView {
            info: &node.info,
            machine: node.machine,
            load: node.load,
            mean_load: (loads * node.power / powers).round() as u64,
            granted: node.granted,
            tasks: node.tasks,
            round_trip: node.round_trip,
            power: node.power,
            free: node.free.as_ref(),
            used: node.used,
            bytes_here: node.bytes_here,
            scores: node.scores,
            timing: node.timing,
        }
    }

    /// How strongly each node draws `task`.
    pub(crate) fn pulls(&self, force: &dyn Force, task: &TaskView<'_>) -> Vec<i64> {
        let views = (0..self.nodes.len()).map(|index| self.view(index));
        views.map(|node| force.between(task, &node).0).collect()
    }
}
