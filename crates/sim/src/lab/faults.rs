//! What goes wrong in a scenario, and when.

use bary_jobfile::document::{Document, Section};
use bary_jobfile::fault::Fault;
use bary_model::time::{Moment, Span};

use crate::lab::nodes::Group;
use crate::network::Shape;
use crate::plan::{Fault as Planned, FaultKind};

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mishap {
    /// When it begins.
    pub at: Span,
    /// How long it lasts.
    pub lasts: Span,
    /// What.
    pub kind: Kind,
    /// Whether each node is met.
    pub nodes: Vec<bool>,
}

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A process ends and comes back, without what it had not written.
    Crash,
    /// A node ends for good.
    Death,
    /// A process stands still.
    Pause,
    /// A node is ten times slower.
    Slow,
    /// These nodes and the others do not reach each other.
    Partition,
}

impl Mishap {
    pub(crate) fn read(
        document: &Document<'_>,
        from: &Section<'_>,
        groups: &[Group],
    ) -> Result<Self, Box<Fault>> {
        let all: usize = groups.iter().map(|group| group.count).sum();
        let mut nodes = vec![false; all];
        for number in from.numbers("nodes") {
            let Some(node) = nodes.get_mut(number as usize) else {
                let text = format!("there is no node {number}");
                let fix = format!("the nodes are 0 to {}", all - 1);
                return Err(document.fault(from.span("nodes"), &text, &fix));
            };
            *node = true;
        }
        if let Some(region) = from.text("region") {
            let mut at = 0;
            for group in groups {
                nodes[at..at + group.count].fill(*group.region == *region);
                at += group.count;
            }
        }
        if !nodes.contains(&true) {
            let key = if from.has("region") { "region" } else { "nodes" };
            let fix = "write nodes = [3], or region = \"...\" as a group of nodes has it";
            return Err(document.fault(from.span(key), "this fault meets no node", fix));
        }
        Ok(Self {
            at: from.time("at").unwrap_or_default(),
            lasts: from.time("lasts").unwrap_or(Span::secs(1)),
            kind: match from.text("kind") {
                Some("death") => Kind::Death,
                Some("pause") => Kind::Pause,
                Some("slow") => Kind::Slow,
                Some("partition") => Kind::Partition,
                _ => Kind::Crash,
            },
            nodes,
        })
    }

    /// When it is over.
    pub(crate) fn until(&self) -> Moment {
        Moment(0) + self.at + self.lasts
    }

    /// It as the world is told: a fault for each node that it meets, or one for all.
    pub(crate) fn plan(&self) -> Vec<Planned> {
        let (at, lasts) = (Moment(0) + self.at, self.lasts);
        let kind = |node| match self.kind {
            Kind::Crash => FaultKind::Crash { node, after: 0, power: false, down: lasts },
            Kind::Death => FaultKind::Death { node },
            Kind::Pause => FaultKind::Pause { node, lasts },
            Kind::Slow => FaultKind::SlowNode { node, lag: Span::ZERO, lasts },
            Kind::Partition => {
                let first = self.nodes.clone();
                FaultKind::Partition { shape: Shape::Symmetric, first, lasts }
            }
        };
        let met = (0..self.nodes.len()).filter(|node| self.nodes[*node]);
        let most = if self.kind == Kind::Partition { 1 } else { usize::MAX };
        met.take(most).map(|node| Planned { at, kind: kind(node) }).collect()
    }
}
