//! Six families of jobs. A task takes 10 to 100 ms, evenly drawn; each link carries the same.

use bary_policy::dice::Dice;
use bary_policy::layout::Link;
use bary_policy_spectral::dag::Dag;

/// A family's name and its job for a number of bytes on each link and a seed.
pub(crate) type Family = (&'static str, fn(u64, &mut Dice) -> Dag);

/// All families.
pub(crate) const FAMILIES: [Family; 6] = [
    ("stencil", stencil),
    ("tree", tree),
    ("communities", communities),
    ("map-reduce", map_reduce),
    ("pipelines", pipelines),
    ("layers", layers),
];

fn made(tasks: usize, links: Vec<(usize, usize)>, bytes: u64, dice: &mut Dice) -> Dag {
    let work = (0..tasks).map(|_| 10.0 + 90.0 * dice.unit()).collect();
    let links = links.into_iter().map(|(from, to)| Link { from, to, bytes });
    Dag::new(work, links.collect()).expect("each link leads to a later task")
}

/// 20 steps of 32 cells; a cell reads itself and its two neighbours of the step before.
fn stencil(bytes: u64, dice: &mut Dice) -> Dag {
    let (steps, cells) = (20, 32);
    let mut links = Vec::new();
    for step in 1..steps {
        for cell in 0..cells {
            let near = cell.max(1) - 1..=(cell + 1).min(cells - 1);
            let before = (step - 1) * cells;
            links.extend(near.map(|other| (before + other, before + cells + cell)));
        }
    }
    made(steps * cells, links, bytes, dice)
}

/// 256 leaves, each two joined by a task, down to one.
fn tree(bytes: u64, dice: &mut Dice) -> Dag {
    let mut links = Vec::new();
    let (mut first, mut width) = (0, 256);
    while width > 1 {
        let below = first + width;
        links.extend((0..width).map(|at| (first + at, below + at / 2)));
        (first, width) = (below, width / 2);
    }
    made(511, links, bytes, dice)
}

/// 8 groups of 8 layers of 8; each task past the first layer reads two of its own group's layer
/// before, and one in twenty reads one of another group's.
fn communities(bytes: u64, dice: &mut Dice) -> Dag {
    let (groups, depth, width) = (8_usize, 8, 8);
    let at = |group: usize, layer: usize, place: usize| (group * depth + layer) * width + place;
    let mut links = Vec::new();
    for group in 0..groups {
        for layer in 1..depth {
            for place in 0..width {
                let mut any = |of: usize| dice.below(of as u64) as usize;
                let first = any(width);
                let second = (first + 1 + any(width - 1)) % width;
                let task = at(group, layer, place);
                links.extend([first, second].map(|from| (at(group, layer - 1, from), task)));
                if any(20) == 0 {
                    let other = (group + 1 + any(groups - 1)) % groups;
                    links.push((at(other, layer - 1, any(width)), task));
                }
            }
        }
    }
    made(groups * depth * width, links, bytes, dice)
}

/// 64 maps, 32 reduces that read all of them.
fn map_reduce(bytes: u64, dice: &mut Dice) -> Dag {
    let links = (0..64).flat_map(|map| (64..96).map(move |reduce| (map, reduce)));
    made(96, links.collect(), bytes, dice)
}

/// 64 chains of 8.
fn pipelines(bytes: u64, dice: &mut Dice) -> Dag {
    let links = (0..64 * 8).filter(|task| task % 8 != 7).map(|task| (task, task + 1));
    made(64 * 8, links.collect(), bytes, dice)
}

/// 12 layers of 40; each task reads three of the layer before.
fn layers(bytes: u64, dice: &mut Dice) -> Dag {
    let (depth, width) = (12, 40);
    let mut links = Vec::new();
    for layer in 1..depth {
        for place in 0..width {
            let mut from: Vec<usize> = (0..width).collect();
            for _ in 0..3 {
                let drawn = from.swap_remove(dice.below(from.len() as u64) as usize);
                links.push(((layer - 1) * width + drawn, layer * width + place));
            }
        }
    }
    made(depth * width, links, bytes, dice)
}
