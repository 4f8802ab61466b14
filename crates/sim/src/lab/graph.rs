//! Families of graphs: which tasks of a job wait for which.

use crate::lot::Lot;

/// A family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `width` chains of `depth` tasks.
    Chain,
    /// One task, then `width` of them, then one again, `depth` times over.
    ForkJoin,
    /// `width` leaves, two and two joined until one is left.
    Tree,
    /// `width` tasks, and as many that each wait for all of them.
    MapReduce,
    /// `depth` rows of `width`; each waits for the three above it.
    Stencil,
    /// `depth` rows of `width`; each waits for one to three of the row above it.
    Layers,
    /// `depth` rows of `width` in groups of eight; each waits for two of its group in the row above
    /// it, and one in twenty-one for one of another group.
    Communities,
}

/// Every family, in the order of their names in the table of keys.
const FAMILIES: [Family; 7] = [
    Family::Chain,
    Family::ForkJoin,
    Family::Tree,
    Family::MapReduce,
    Family::Stencil,
    Family::Layers,
    Family::Communities,
];

/// How many tasks of a row make a community.
const GROUP: u32 = 8;
/// One task of so many waits for one of another community.
const STRAY: u64 = 21;

/// A family of a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Graph {
    /// Which.
    pub family: Family,
    /// How many tasks may run side by side.
    pub width: u32,
    /// How many follow each other.
    pub depth: u32,
}

impl Family {
    /// The family of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let at = super::keys::GRAPHS.iter().position(|known| *known == name)?;
        FAMILIES.get(at).copied()
    }
}

impl Graph {
    /// How many tasks one has.
    #[must_use]
    pub fn tasks(&self) -> u64 {
        let (width, depth) = (u64::from(self.width), u64::from(self.depth));
        match self.family {
            Family::Chain | Family::Stencil | Family::Layers | Family::Communities => width * depth,
            Family::ForkJoin => depth * (width + 1) + 1,
            Family::Tree => 2 * width - 1,
            Family::MapReduce => 2 * width,
        }
    }

    /// At most how many dependencies one has.
    #[must_use]
    pub fn dependencies(&self) -> u64 {
        let (width, depth) = (u64::from(self.width), u64::from(self.depth));
        match self.family {
            Family::Chain => width * depth,
            Family::ForkJoin => 2 * depth * width,
            Family::Tree => 2 * width,
            Family::MapReduce => width * width,
            Family::Stencil | Family::Layers | Family::Communities => 3 * width * depth,
        }
    }

    /// For each task, in an order in which each stands behind those that it waits for, these.
    pub(crate) fn draw(&self, lot: &mut Lot) -> Vec<Vec<u32>> {
        let width = self.width;
        match self.family {
            Family::Chain => self.rows(|_, place| vec![place]),
            Family::Stencil => self
                .rows(|_, place| (place.saturating_sub(1)..=(place + 1).min(width - 1)).collect()),
            Family::Layers => self.rows(|_, _| some(lot, width)),
            Family::Communities => self.rows(|_, place| neighbours(lot, place, width)),
            Family::ForkJoin => self.fork_join(),
            Family::Tree => tree(width),
            Family::MapReduce => {
                let maps = (0..width).map(|_| Vec::new());
                maps.chain((0..width).map(|_| (0..width).collect())).collect()
            }
        }
    }

    /// Rows of tasks, each of which waits for places of the row above it.
    fn rows(&self, mut above: impl FnMut(u32, u32) -> Vec<u32>) -> Vec<Vec<u32>> {
        let mut all = Vec::new();
        for row in 0..self.depth {
            for place in 0..self.width {
                let waits = if row == 0 { Vec::new() } else { above(row, place) };
                let first = row.saturating_sub(1) * self.width;
                all.push(waits.into_iter().map(|place| first + place).collect());
            }
        }
        all
    }

    fn fork_join(&self) -> Vec<Vec<u32>> {
        let mut all = vec![Vec::new()];
        for _ in 0..self.depth {
            let fork = all.len() as u32 - 1;
            all.extend((0..self.width).map(|_| vec![fork]));
            all.push((fork + 1..=fork + self.width).collect());
        }
        all
    }
}

fn some(lot: &mut Lot, width: u32) -> Vec<u32> {
    let many = lot.between(1, 3.min(u64::from(width)));
    let mut waits: Vec<u32> = (0..many).map(|_| lot.below(u64::from(width)) as u32).collect();
    waits.sort_unstable();
    waits.dedup();
    waits
}

/// Two of a place's own community, and seldom one of all.
fn neighbours(lot: &mut Lot, place: u32, width: u32) -> Vec<u32> {
    let first = place / GROUP * GROUP;
    let size = u64::from(GROUP.min(width - first));
    let mut waits: Vec<u32> = (0..2).map(|_| first + lot.below(size) as u32).collect();
    if lot.below(STRAY) == 0 {
        waits.push(lot.below(u64::from(width)) as u32);
    }
    waits.sort_unstable();
    waits.dedup();
    waits
}

fn tree(leaves: u32) -> Vec<Vec<u32>> {
    let mut all: Vec<Vec<u32>> = (0..leaves).map(|_| Vec::new()).collect();
    let mut left: Vec<u32> = (0..leaves).collect();
    while left.len() > 1 {
        let mut next = Vec::new();
        for pair in left.chunks(2) {
            if let [one] = *pair {
                next.push(one);
                continue;
            }
            next.push(all.len() as u32);
            all.push(pair.to_vec());
        }
        left = next;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graphs_have_their_size_and_wait_only_for_what_is_before() {
        for family in FAMILIES {
            for (width, depth) in [(1, 1), (1, 3), (7, 1), (5, 4)] {
                let graph = Graph { family, width, depth };
                let drawn = graph.draw(&mut Lot::new(1, "graph"));
                assert_eq!(drawn.len() as u64, graph.tasks(), "{graph:?}");
                let edges: usize = drawn.iter().map(Vec::len).sum();
                assert!(edges as u64 <= graph.dependencies(), "{graph:?}");
                for (task, waits) in (0..).zip(&drawn) {
                    assert!(waits.iter().all(|before| *before < task), "{graph:?}: {task}");
                }
            }
        }
    }
}
