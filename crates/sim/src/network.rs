//! The network: how long a frame takes, and whether it arrives at all, twice or late.

use bary_model::time::{Moment, Span};

use crate::lot::Lot;

/// What a network is like.
#[derive(Clone, Debug)]
pub struct NetworkPlan {
    /// How long a frame takes one way, from each region to each other.
    pub latency: Vec<Vec<Span>>,
    /// Whether each frame takes between 0.9 times that and, seldom, much longer: 0.9 + Exp(0.1).
    pub jitter: bool,
    /// How many frames of a million are lost.
    pub loss: u32,
    /// How many of a million arrive twice.
    pub twice: u32,
    /// How many of a million are late, and so overtaken by others.
    pub late: u32,
    /// The most by which a late frame is late.
    pub late_max: Span,
}

/// Which frames a partition keeps from arriving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// All between the two sides.
    Symmetric,
    /// Those from the first side to the second.
    OneWay,
    /// All between the two sides, except to and from this node, which both reach.
    Bridge(usize),
    /// All between the two sides, for the first half of each such period.
    Flapping(Span),
}

/// A partition that goes on.
#[derive(Debug)]
struct Cut {
    number: usize,
    began: Moment,
    shape: Shape,
    /// Whether each node is on the first side.
    first: Vec<bool>,
}

/// The network of a world.
#[derive(Debug)]
pub(crate) struct Network {
    plan: NetworkPlan,
    /// The region of each node.
    regions: Vec<u16>,
    cuts: Vec<Cut>,
    /// Nodes that are slow, by how much each of their frames takes longer.
    lags: Vec<(usize, Span)>,
    lot: Lot,
}

/// How many copies of a frame arrive, and after how long each.
pub(crate) type Copies = [Option<Span>; 2];

impl Network {
    pub(crate) fn new(plan: &NetworkPlan, regions: Vec<u16>, seed: u64) -> Self {
        let lot = Lot::new(seed, "network");
        Self { plan: plan.clone(), regions, cuts: Vec::new(), lags: Vec::new(), lot }
    }

    /// How long a frame takes on average.
    pub(crate) fn latency(&self, from: usize, to: usize) -> Span {
        self.plan.latency[usize::from(self.regions[from])][usize::from(self.regions[to])]
    }

    /// Draws what becomes of a frame that is sent now.
    pub(crate) fn carry(&mut self, now: Moment, from: usize, to: usize) -> Copies {
        if self.cuts.iter().any(|cut| cut.keeps(now, from, to)) || self.lot.million(self.plan.loss)
        {
            return [None, None];
        }
        let first = self.takes(from, to);
        let twice = self.lot.million(self.plan.twice);
        [Some(first), twice.then(|| self.takes(from, to))]
    }

    fn takes(&mut self, from: usize, to: usize) -> Span {
        let mut span = self.latency(from, to);
        if self.plan.jitter {
            let factor = 0.9 + 0.1 * self.lot.exponential();
            span = Span((span.0 as f64 * factor) as u64);
        }
        if self.lot.million(self.plan.late) {
            span += Span(self.lot.below(self.plan.late_max.0.max(1)));
        }
        for (node, lag) in &self.lags {
            if *node == from || *node == to {
                span += *lag;
            }
        }
        span
    }

    /// Begins a partition under a number; the sides are by node.
    pub(crate) fn cut(&mut self, number: usize, began: Moment, shape: Shape, first: Vec<bool>) {
        self.cuts.push(Cut { number, began, shape, first });
    }

    /// Ends the partition of this number.
    pub(crate) fn mend(&mut self, number: usize) {
        self.cuts.retain(|cut| cut.number != number);
    }

    /// Makes the frames of a node take longer.
    pub(crate) fn lag(&mut self, node: usize, by: Span) {
        self.lags.push((node, by));
    }

    /// Ends one slowness of a node.
    pub(crate) fn unlag(&mut self, node: usize) {
        if let Some(at) = self.lags.iter().position(|(slow, _)| *slow == node) {
            self.lags.swap_remove(at);
        }
    }

    /// From here on every frame arrives once and in time.
    pub(crate) fn heal(&mut self) {
        self.cuts.clear();
        self.lags.clear();
        (self.plan.loss, self.plan.twice, self.plan.late) = (0, 0, 0);
    }
}

impl Cut {
    fn keeps(&self, now: Moment, from: usize, to: usize) -> bool {
        let (a, b) = (self.first[from], self.first[to]);
        match &self.shape {
            _ if a == b => false,
            Shape::Symmetric => true,
            Shape::OneWay => a,
            Shape::Bridge(node) => *node != from && *node != to,
            Shape::Flapping(period) => now.since(self.began).0 % period.0 < period.0 / 2,
        }
    }
}
