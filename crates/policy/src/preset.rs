//! Policies by name: a preset such as `gravity`, parts such as `order=fifo,steal=none`, parameters
//! of the parts such as `quarter=2ms`, or a preset with others of these. What is not said is as in
//! the preset, and that is `gravity` where none is named.

mod draft;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use crate::carrying::Carrying;
use crate::expression::fault::ExpressionError;
use crate::flow::{Flow, Rule};
use crate::force::Force;
use crate::layout::Plans;
use crate::order::Order;
use crate::parameter::given::Given;
use crate::parameter::{Parameter, Part, ValueError, network, table as parameters};
use crate::preset::draft::Draft;
pub use crate::preset::table::PRESETS;
use crate::protocol::Protocol;
use crate::pull::PullConfig;
use crate::queue::{Queue, QueueError};
use crate::steal::Steal;

/// When a task is bound to its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Late: when a node asks, as it is about to run dry.
    Pull,
    /// Early: when it is ready.
    Push,
    /// Not at all: any node that holds the grant may run it, and the first outcome counts.
    Open,
    /// Late, among few: nodes drawn by lot are asked to keep room, and ask when they have it.
    Sample,
    /// By the nodes themselves: what is ready is announced, and each claims by a rule.
    Claims,
}

impl Binding {
    /// The name under which people choose it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Open => "open",
            Self::Sample => "sample",
            Self::Claims => "claims",
        }
    }
}

/// A way of placing tasks.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What it was parsed from, without spaces.
    pub name: String,
    /// When a task is bound to its node.
    pub binding: Binding,
    /// Which task comes next.
    pub order: Arc<dyn Order>,
    /// Whether jobs go in the order in which they came, so that `order` counts inside each.
    pub by_job: bool,
    /// Which node it goes to.
    pub force: Arc<dyn Force>,
    /// Who steals how much from whom.
    pub steal: Arc<dyn Steal>,
    /// How much a node asks for, when, and of which home.
    pub pull: PullConfig,
    /// Who may go past whom while work waits for room.
    pub queue: Queue,
    /// How many times later than the soonest a task may end where it goes; none where that does
    /// not matter. See [`guard`](crate::guard).
    pub giants: Option<f64>,
    /// How many nodes are looked at for a task, whatever the force.
    pub looks: usize,
    /// What carrying and running cost, and whether whole jobs are laid out by that.
    pub carrying: Carrying,
    /// Which way room goes between homes.
    pub flow: Flow,
    /// How nodes are sampled, and how they claim, where they do.
    pub protocol: Protocol,
    /// The parameters that were given.
    pub given: Given,
}

/// Why a text names no policy. Nothing was changed; the caller gives another text.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PolicyError {
    /// There is no such preset.
    #[error("no policy is called {given:?}; there are {allowed}, or parts such as order=fifo")]
    Preset {
        /// What was given.
        given: String,
        /// The presets, separated by commas.
        allowed: String,
    },
    /// A preset stands behind something else.
    #[error("{given:?} must come first, before any part")]
    NotFirst {
        /// What was given.
        given: String,
    },
    /// There is no such part or parameter.
    #[error("a policy has no part {given:?}; its parts are {allowed}; its parameters {parameters}")]
    Part {
        /// What was given.
        given: String,
        /// The parts, separated by commas.
        allowed: String,
        /// The parameters, separated by commas.
        parameters: String,
    },
    /// A part or a parameter was given twice.
    #[error("{part} is given twice")]
    Twice {
        /// The part.
        part: String,
    },
    /// A part has no such value.
    #[error("{part} {given:?} is unknown; there are {allowed}")]
    Value {
        /// The part.
        part: &'static str,
        /// What was given.
        given: String,
        /// Its values, separated by commas.
        allowed: String,
    },
    /// A parameter belongs to a part that was not chosen.
    #[error("{key} belongs to {belongs}, and this policy has {chosen}")]
    Foreign {
        /// The parameter.
        key: &'static str,
        /// The parts that read it.
        belongs: String,
        /// What was chosen instead.
        chosen: String,
    },
    /// A parameter has no such value.
    #[error(transparent)]
    Parameter(#[from] ValueError),
    /// How waiting tasks are let through is said wrongly.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// A force is no formula.
    #[error("force=expr(...): {0}")]
    Formula(#[from] ExpressionError),
    /// A parenthesis has no other.
    #[error("a parenthesis in {given:?} is not closed, or not opened")]
    Parentheses {
        /// The item that it stands in.
        given: String,
    },
    /// The text is too long.
    #[error("a policy of {bytes} bytes is too long; at most {TEXT_BYTES_MAX} are read")]
    Long {
        /// How long it is.
        bytes: usize,
    },
}

/// The longest text that is read.
pub const TEXT_BYTES_MAX: usize = 4_096;

/// The policy that `text` names: a preset, parts as `part=value`, parameters as `key=value`, or
/// a preset with these, between commas. Commas inside parentheses belong to the value.
///
/// # Errors
/// Where a name is unknown, out of place or given twice, a value is not usable, or a parameter
/// belongs to a part that is not chosen; the error lists what is allowed.
pub fn parse(text: &str) -> Result<Policy, PolicyError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(PolicyError::Long { bytes: text.len() });
    }
    let items = items(text)?;
    let (preset, parts) = match items.split_first() {
        Some((first, rest)) if !first.contains('=') => (*first, rest),
        _ => (PRESETS[0].0, items.as_slice()),
    };
    let mut draft = Draft::of(preset)?;
    for item in parts {
        let Some((part, value)) = item.split_once('=') else {
            Draft::of(item)?;
            return Err(PolicyError::NotFirst { given: (*item).to_owned() });
        };
        draft.give(part.trim(), value.trim())?;
    }
    draft.finish(text.split_whitespace().collect())
}

/// The items of a policy's text: what stands between commas that are in no parentheses.
///
/// # Errors
/// Where parentheses do not match.
pub fn items(text: &str) -> Result<Vec<&str>, PolicyError> {
    let mut items = Vec::new();
    let (mut start, mut depth) = (0, 0_usize);
    let unmatched = |end| PolicyError::Parentheses { given: text[..end].trim().to_owned() };
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1).ok_or_else(|| unmatched(at + 1))?,
            ',' if depth == 0 => {
                items.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    if depth > 0 {
        return Err(unmatched(text.len()));
    }
    items.push(text[start..].trim());
    Ok(items)
}

impl Policy {
    /// How many of `len` nodes are looked at for a task, drawn by lot; none where all are.
    #[must_use]
    pub fn looks_at(&self, len: usize) -> Option<usize> {
        let most = self.force.looks_at().unwrap_or(usize::MAX).min(self.looks);
        (most < len).then_some(most)
    }

    /// Whether it looks at where nodes are in the graph of the cluster, or how far they were
    /// measured to be from each other.
    #[must_use]
    pub fn needs_graph(&self) -> bool {
        self.carrying.layout != Plans::None
            || self.flow.rule == Rule::Laplacian
            || self.force.needs_graph()
            || self.given.word(&network::DISTANCES) == "measured"
    }

    /// The parameters that count in it.
    pub fn parameters(&self) -> impl Iterator<Item = &'static Parameter> {
        let (force, steal) = (self.force.name(), self.steal.name());
        parameters::ALL.iter().copied().filter(move |one| match one.part {
            _ if one.of.is_empty() => true,
            Part::Binding => one.of.contains(&self.binding.name()),
            Part::Force => one.of.contains(&force),
            Part::Steal => one.of.contains(&steal),
            Part::Pull | Part::Guard | Part::Queue => false,
        })
    }
}

/// The policy in full, as a text that parses to the same policy: its parts, and the parameters
/// that differ from what is usual.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (binding, order) = (self.binding.name(), self.order.name());
        let (force, steal) = (self.force.text(), self.steal.name());
        write!(f, "binding={binding},order={order},force={force},steal={steal}{}", self.queue)?;
        for (parameter, value) in self.given.unusual() {
            write!(f, ",{}={value}", parameter.key)?;
        }
        Ok(())
    }
}
