//! What holds every scaling rule back: how many nodes there may be, how fast their number changes,
//! and by how much a rule must want something else before it does.

use bary_model::time::Span;

/// What holds any rule back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The fewest nodes. Defaults to 1.
    pub least: u32,
    /// The most nodes, at least `least`. Defaults to 100.
    pub most: u32,
    /// How long nothing is added after something was; how long a node takes to begin is sensible,
    /// since its work is not seen sooner. Defaults to 3 minutes.
    pub pause_add: Span,
    /// How long nothing is taken away after anything was added or taken away. Longer than
    /// `pause_add`, as a node too many costs less than one too few. Defaults to 15 minutes.
    pub pause_remove: Span,
    /// By how many percent of the nodes a rule must want more or fewer before anything is done;
    /// otherwise each small wave of load would add and remove the same nodes. Defaults to 10.
    pub band: u32,
    /// Over how long a rule must have wanted fewer: nodes stay that it wanted at any look within
    /// this (the stabilisation window of Kubernetes' pod autoscaler, which is 5 minutes there).
    /// As long as a node takes to pay off. Defaults to 15 minutes.
    pub steady: Span,
    /// At most how many percent of the nodes are added at a time, but [`STEP_MIN`] always may.
    /// Defaults to 100: their number at most doubles.
    pub step_add: u32,
    /// At most how many percent of the nodes are taken away at a time, but one always may.
    /// Defaults to 50.
    pub step_remove: u32,
}

/// So many nodes may be added at a time however few there are.
pub const STEP_MIN: u32 = 4;

impl Default for Bounds {
    fn default() -> Self {
        Self {
            least: 1,
            most: 100,
            pause_add: Span::secs(180),
            pause_remove: Span::secs(900),
            band: 10,
            steady: Span::secs(900),
            step_add: 100,
            step_remove: 50,
        }
    }
}

/// What is wrong with [`Bounds`]. Nothing was changed; the caller corrects the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BoundsFault {
    /// There may be fewer at most than at least.
    #[error("at most {most} nodes are fewer than at least {least}")]
    Crossed {
        /// The fewest.
        least: u32,
        /// The most.
        most: u32,
    },
    /// The band leaves nothing to take away.
    #[error("a band of {0} percent is not below 100")]
    Band(u32),
    /// A step of nothing.
    #[error("{0} of 0 percent lets nothing happen")]
    Step(&'static str),
}

impl Bounds {
    /// Every fault at once; none where the bounds are good.
    #[must_use]
    pub fn check(&self) -> Vec<BoundsFault> {
        let mut faults = Vec::new();
        if self.least > self.most {
            faults.push(BoundsFault::Crossed { least: self.least, most: self.most });
        }
        if self.band >= 100 {
            faults.push(BoundsFault::Band(self.band));
        }
        let steps = [("step_add", self.step_add), ("step_remove", self.step_remove)];
        faults
            .extend(steps.iter().filter(|step| step.1 == 0).map(|step| BoundsFault::Step(step.0)));
        faults
    }

    /// Whether so many more or fewer of so many nodes are too few to do anything.
    pub(crate) fn hardly(&self, change: u32, nodes: u32) -> bool {
        u64::from(change) * 100 <= u64::from(self.band) * u64::from(nodes)
    }

    /// The most of so many nodes that are added at a time.
    pub(crate) fn most_added(&self, nodes: u32) -> u32 {
        part(nodes, self.step_add).max(STEP_MIN)
    }

    /// The most of so many nodes that are taken away at a time.
    pub(crate) fn most_removed(&self, nodes: u32) -> u32 {
        part(nodes, self.step_remove).max(1)
    }
}

fn part(nodes: u32, percent: u32) -> u32 {
    (u64::from(nodes) * u64::from(percent) / 100).min(u64::from(u32::MAX)) as u32
}
