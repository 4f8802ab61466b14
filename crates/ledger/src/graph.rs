//! The dependency graph of a job: who waits for whom, and how much work hangs below each spec.

use std::sync::Arc;

use bary_model::id::SpecNo;
use bary_model::task::TaskSpec;
use bary_model::weight::Weight;

/// Why specs do not form a graph that can run. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// A spec waits for one that does not exist.
    #[error("`{name}` waits for spec {missing}, but the job has {specs}")]
    Missing {
        /// The waiting spec.
        name: Box<str>,
        /// What it waits for.
        missing: u32,
        /// How many specs there are.
        specs: usize,
    },
    /// Specs wait for each other.
    #[error("a cycle: {} wait for each other", .names.join(" -> "))]
    Cycle {
        /// Some specs of the cycle, in order.
        names: Vec<String>,
    },
    /// An aligned dependency between arrays of different lengths.
    #[error("`{name}` has {count} indices, but waits index by index for one that has {other}")]
    Unaligned {
        /// The waiting spec.
        name: Box<str>,
        /// How many indices it has.
        count: u32,
        /// How many the other has.
        other: u32,
    },
}

/// The specs in an order in which each comes after all that it waits for.
///
/// # Errors
/// Where a dependency is missing, misaligned or part of a cycle.
pub fn order(specs: &[Arc<TaskSpec>]) -> Result<Vec<SpecNo>, GraphError> {
    check_ends(specs)?;
    let mut waits: Vec<u32> = specs.iter().map(|spec| spec.after.len() as u32).collect();
    let dependents = dependents(specs);
    let mut order: Vec<SpecNo> =
        (0..specs.len()).filter(|&n| waits[n] == 0).map(|n| SpecNo(n as u32)).collect();
    let mut done = 0;
    while let Some(&spec) = order.get(done) {
        done += 1;
        for &(next, _) in &dependents[spec.index()] {
            waits[next.index()] -= 1;
            if waits[next.index()] == 0 {
                order.push(next);
            }
        }
    }
    if order.len() < specs.len() { Err(cycle(specs, &waits)) } else { Ok(order) }
}

fn check_ends(specs: &[Arc<TaskSpec>]) -> Result<(), GraphError> {
    for spec in specs {
        for after in &spec.after {
            let Some(other) = specs.get(after.spec.index()) else {
                let (name, missing) = (spec.name.clone(), after.spec.0);
                return Err(GraphError::Missing { name, missing, specs: specs.len() });
            };
            if after.aligned && other.count != spec.count {
                let (name, count) = (spec.name.clone(), spec.count);
                return Err(GraphError::Unaligned { name, count, other: other.count });
            }
        }
    }
    Ok(())
}

/// Walks backwards among the specs that still wait until one comes up twice.
fn cycle(specs: &[Arc<TaskSpec>], waits: &[u32]) -> GraphError {
    let mut at = waits.iter().position(|&w| w > 0).unwrap_or(0);
    let mut path = Vec::new();
    while !path.contains(&at) {
        path.push(at);
        let back = specs[at].after.iter().map(|a| a.spec.index()).find(|&n| waits[n] > 0);
        at = back.unwrap_or(at);
    }
    let start = path.iter().position(|&n| n == at).unwrap_or(0);
    let mut names: Vec<String> = path[start..].iter().map(|&n| specs[n].name.to_string()).collect();
    names.push(specs[at].name.to_string());
    GraphError::Cycle { names }
}

/// A spec that waits for another, and where it does so index by index, the place of that
/// dependency among its aligned ones.
pub type Dependent = (SpecNo, Option<u32>);

/// For each spec the ones that wait for it: as a whole, or index by index as the aligned
/// dependency of this place among theirs.
#[must_use]
pub fn dependents(specs: &[Arc<TaskSpec>]) -> Vec<Box<[Dependent]>> {
    if specs.iter().all(|spec| spec.after.is_empty()) {
        return vec![Box::default(); specs.len()];
    }
    let mut lists = vec![Vec::new(); specs.len()];
    for (number, spec) in specs.iter().enumerate() {
        let mut slot = 0;
        for after in &spec.after {
            let place = after.aligned.then_some(slot);
            slot += u32::from(after.aligned);
            lists[after.spec.index()].push((SpecNo(number as u32), place));
        }
    }
    lists.into_iter().map(Vec::into_boxed_slice).collect()
}

/// The bottom level of each spec in thousandths of weight: its own weight and the heaviest chain
/// of weights that waits for it (Adam, Chandy and Dickson, 1974). `weight` says what each counts.
#[must_use]
pub fn b_levels(
    specs: &[Arc<TaskSpec>],
    order: &[SpecNo],
    weight: impl Fn(&TaskSpec) -> Weight,
) -> Vec<u64> {
    let own: Vec<u64> = specs.iter().map(|spec| weight(spec).thousandths()).collect();
    let mut levels = own.clone();
    for &spec in order.iter().rev() {
        let level = levels[spec.index()];
        for after in &specs[spec.index()].after {
            let above = &mut levels[after.spec.index()];
            *above = (*above).max(own[after.spec.index()].saturating_add(level));
        }
    }
    levels
}
