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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A process ends and comes back, without what it had not written; with the power, also
    /// without what it had not synced.
    Crash {
        /// Whether the power goes too.
        power: bool,
    },
    /// A node ends for good.
    Death,
    /// A process stands still.
    Pause,
    /// A node is ten times slower, and each of its messages takes so much longer.
    Slow(Span),
    /// A clock jumps ahead by so much.
    Jump(Span),
    /// These nodes and the others do not reach each other, in one way or another.
    Partition(Shape),
    /// These nodes hear nothing of the others.
    Deaf,
    /// This node takes them for gone, though they are there.
    FalseLeft(usize),
    /// The next sync of a home's journal fails, and its process ends with it.
    SyncFails,
    /// The disk under a home's journal has only so many bytes left.
    Full(u64),
    /// Each sync of a home's journal takes so long.
    SlowDisk(Span),
    /// A bit of a home's journal flips, so that whoever opens it next refuses to.
    Rot,
    /// This node opens a home's journal.
    Takeover(usize),
}

/// The keys that are of some kinds only.
const OF_KINDS: [(&str, &[&str]); 6] = [
    ("lag", &["slow"]),
    ("ahead", &["jump"]),
    ("period", &["flap"]),
    ("sync", &["slow-disk"]),
    ("room", &["full"]),
    ("by", &["bridge", "false-left", "takeover"]),
];

impl Mishap {
    pub(crate) fn read(
        document: &Document<'_>,
        from: &Section<'_>,
        (groups, homes): (&[Group], &[usize]),
    ) -> Result<Self, Box<Fault>> {
        let all = groups.iter().map(|group| group.count).sum();
        let name = from.text("kind").unwrap_or("crash");
        fitting(document, from, name)?;
        let mishap = Self {
            at: from.time("at").unwrap_or_default(),
            lasts: from.time("lasts").unwrap_or(Span::secs(1)),
            kind: kind(document, from, name, all)?,
            nodes: met(document, from, groups, all)?,
        };
        if mishap.kind.is_of_homes() {
            let other = (0..all).find(|node| mishap.nodes[*node] && !homes.contains(node));
            if let Some(node) = other {
                let text = format!("`{name}` is of a home's journal, and node {node} is no home");
                let homes: Vec<String> = homes.iter().map(usize::to_string).collect();
                let fix = format!("the homes are {}", homes.join(", "));
                let key = if from.has("region") { "region" } else { "nodes" };
                return Err(document.fault(from.span(key), &text, &fix));
            }
        }
        Ok(mishap)
    }

    /// When it is over.
    pub(crate) fn until(&self) -> Moment {
        Moment(0) + self.at + self.lasts
    }

    /// It as the world is told: a fault for each node that it meets, or one for all.
    pub(crate) fn plan(&self) -> Vec<Planned> {
        let at = Moment(0) + self.at;
        let met = (0..self.nodes.len()).filter(|node| self.nodes[*node]);
        let is_one = matches!(self.kind, Kind::Partition(_) | Kind::Deaf);
        let most = if is_one { 1 } else { usize::MAX };
        met.take(most).map(|node| Planned { at, kind: self.of(node) }).collect()
    }

    /// It as it meets a node.
    fn of(&self, node: usize) -> FaultKind {
        let (lasts, shard) = (self.lasts, node);
        match &self.kind {
            Kind::Crash { power } => {
                FaultKind::Crash { node, after: 0, power: *power, down: lasts }
            }
            Kind::Death => FaultKind::Death { node },
            Kind::Pause => FaultKind::Pause { node, lasts },
            Kind::Slow(lag) => FaultKind::SlowNode { node, lag: *lag, lasts },
            Kind::Jump(by) => FaultKind::Jump { node, by: *by },
            Kind::Partition(shape) => {
                let (shape, first) = (shape.clone(), self.nodes.clone());
                FaultKind::Partition { shape, first, lasts }
            }
            Kind::Deaf => {
                let first = self.nodes.iter().map(|deaf| !deaf).collect();
                FaultKind::Partition { shape: Shape::OneWay, first, lasts }
            }
            Kind::FalseLeft(by) => FaultKind::FalseLeft { node, by: *by, lasts },
            Kind::SyncFails => FaultKind::SyncFails { shard, down: lasts },
            Kind::Full(left) => FaultKind::Full { shard, left: *left, lasts },
            Kind::SlowDisk(sync) => FaultKind::SlowDisk { shard, sync: *sync, lasts },
            Kind::Rot => FaultKind::Rot { shard },
            Kind::Takeover(by) => FaultKind::Takeover { shard, by: *by },
        }
    }
}

impl Kind {
    /// Whether it is something of a home's journal.
    fn is_of_homes(&self) -> bool {
        use Kind::{Full, Rot, SlowDisk, SyncFails, Takeover};
        matches!(self, SyncFails | Full(_) | SlowDisk(_) | Rot | Takeover(_))
    }
}

/// Refuses keys that say nothing of this kind.
fn fitting(document: &Document<'_>, from: &Section<'_>, name: &str) -> Result<(), Box<Fault>> {
    let other = OF_KINDS.iter().find(|(key, kinds)| from.has(key) && !kinds.contains(&name));
    let Some((key, kinds)) = other else { return Ok(()) };
    let text = format!("`{key}` says nothing of the kind `{name}`");
    let fix = format!("it is of {}; leave it out, or write another kind", kinds.join(", "));
    Err(document.fault(from.span(key), &text, &fix))
}

fn kind(
    document: &Document<'_>,
    from: &Section<'_>,
    name: &str,
    all: usize,
) -> Result<Kind, Box<Fault>> {
    let time = |key, usual| from.time(key).unwrap_or(usual);
    let by = || match from.integer("by").map(|by| by as usize) {
        Some(by) if by < all => Ok(by),
        Some(by) => {
            let (text, fix) = (format!("there is no node {by}"), format!("0 to {}", all - 1));
            Err(document.fault(from.span("by"), &text, &format!("the nodes are {fix}")))
        }
        None => {
            let text = format!("`{name}` is between nodes, and `by` does not say the second");
            Err(document.fault(from.span("kind"), &text, "add by = 0"))
        }
    };
    Ok(match name {
        "power" => Kind::Crash { power: true },
        "death" => Kind::Death,
        "pause" => Kind::Pause,
        "slow" => Kind::Slow(time("lag", Span::ZERO)),
        "jump" => Kind::Jump(time("ahead", Span::secs(5))),
        "partition" => Kind::Partition(Shape::Symmetric),
        "one-way" => Kind::Partition(Shape::OneWay),
        "deaf" => Kind::Deaf,
        "bridge" => Kind::Partition(Shape::Bridge(by()?)),
        "flap" => Kind::Partition(Shape::Flapping(time("period", Span::millis(200)))),
        "false-left" => Kind::FalseLeft(by()?),
        "eio" => Kind::SyncFails,
        "full" => Kind::Full(from.size("room").unwrap_or(20_000)),
        "slow-disk" => Kind::SlowDisk(time("sync", Span::millis(500))),
        "rot" => Kind::Rot,
        "takeover" => Kind::Takeover(by()?),
        _ => Kind::Crash { power: false },
    })
}

/// Whether each node is met; at least one is.
fn met(
    document: &Document<'_>,
    from: &Section<'_>,
    groups: &[Group],
    all: usize,
) -> Result<Vec<bool>, Box<Fault>> {
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
    Ok(nodes)
}
