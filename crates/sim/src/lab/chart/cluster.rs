//! The cluster as a graph: its nodes, grouped and coloured by region, and how far regions are
//! apart.

use crate::lab::chart::{Chart, colour, short};
use crate::lab::nodes;
use crate::lab::scenario::Scenario;

/// The most nodes that are drawn of a region.
const NODES_MAX: usize = 120;
/// Of more regions than this, no distances are drawn.
const LINKED_MAX: usize = 8;

/// The cluster of a scenario; a node's area is its power.
#[must_use]
pub fn draw(scenario: &Scenario) -> Chart {
    let regions = nodes::regions(&scenario.nodes);
    let of = |region: &str| -> Vec<f64> {
        let groups = scenario.nodes.iter().filter(|group| *group.region == *region);
        let powers = groups.flat_map(|group| {
            let speeds = group.speeds.iter().cycle().take(group.count);
            speeds.map(|speed| f64::from(group.slots) * speed)
        });
        powers.collect()
    };
    let words = regions.iter().map(|region| format!("{region}: {} nodes.", of(region).len()));
    let words = words.collect::<Vec<_>>().join(" ");
    let mut chart = Chart::new(760.0, 420.0, "The cluster by region", &words);
    let centre = |number: usize| {
        let many = regions.len();
        if many == 1 {
            return (380.0, 210.0);
        }
        let turn = std::f64::consts::TAU * number as f64 / many as f64;
        (380.0 - 250.0 * turn.cos(), 210.0 - 120.0 * turn.sin())
    };
    for from in 0..regions.len().min(LINKED_MAX) {
        for to in from + 1..regions.len() {
            if regions.len() <= LINKED_MAX {
                let (a, b) = (centre(from), centre(to));
                chart.line(a, b, "faint");
                let middle = ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0 - 4.0);
                let far = scenario.network.latencies[from][to].to_string();
                chart.words(middle, &far, "middle", "muted");
            }
        }
    }
    let most = regions.iter().flat_map(|region| of(region)).fold(1e-9, f64::max);
    let reach = if regions.len() > 4 { 45.0 } else { 80.0 };
    for (number, region) in regions.iter().enumerate() {
        let (x, y) = centre(number);
        let many = of(region).len();
        for (place, power) in of(region).into_iter().take(NODES_MAX).enumerate() {
            // A sunflower: each node has the same room.
            let part = ((place as f64 + 0.5) / many.min(NODES_MAX) as f64).sqrt();
            let turn = place as f64 * 2.399_963;
            let at = (x + reach * part * turn.cos(), y + reach * part * turn.sin());
            let radius = 2.0 + 5.0 * (power / most).sqrt();
            chart.dot(at, radius, colour(number), &format!("power {power}"));
        }
        let label = format!("{} ({many})", short(region, 24));
        chart.words((x, y + reach + 22.0), &label, "middle", "");
    }
    chart
}
