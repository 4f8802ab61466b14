//! The graph as a picture: places in circles by region, the nearer two are the stronger the line
//! between them, bridges in red, key nodes with a ring, the leader filled.

use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::fmt::Write as _;

use bary_api::v1::{GraphPlace, GraphReply, GraphWay};

use crate::kinds::micros;

/// The picture's width and height.
const SIZE: f64 = 900.0;
/// What is left at its edges.
const MARGIN: f64 = 110.0;
/// The colours of regions, in turn.
const COLOURS: [&str; 8] =
    ["#2563eb", "#d97706", "#059669", "#9333ea", "#db2777", "#0891b2", "#65a30d", "#475569"];
/// Of how many ways the times are written.
const WRITTEN_MAX: usize = 60;

/// The picture.
pub(super) fn drawn(graph: &GraphReply) -> String {
    let at = positions(&graph.places);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {SIZE} {SIZE}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{SIZE}\" height=\"{SIZE}\" fill=\"white\"/>\n"
    );
    let shortest = graph.ways.iter().map(|way| way.round_trip_seconds).fold(f64::MAX, f64::min);
    let with_times = graph.ways.len() <= WRITTEN_MAX;
    for way in &graph.ways {
        if let Some((from, to)) = at.get(&*way.from).zip(at.get(&*way.to)) {
            line(&mut svg, way, (*from, *to), shortest, with_times);
        }
    }
    for place in &graph.places {
        if let Some(at) = at.get(&*place.name) {
            circle(&mut svg, place, *at);
        }
    }
    let lines = [
        format!("regions: {}, lambda_2: {:.6}", graph.regions, graph.lambda_2),
        "filled: leader; dashed ring: home of its region; double ring: key node".to_owned(),
    ];
    for (number, text) in lines.iter().enumerate() {
        let y = 22.0 + 18.0 * number as f64;
        // A string takes all.
        let _ = writeln!(svg, "<text x=\"14\" y=\"{y}\" fill=\"#334155\">{}</text>", escaped(text));
    }
    svg.push_str("</svg>\n");
    svg
}

/// Where each place is: regions around the middle, and the places of one around its own.
fn positions(places: &[GraphPlace]) -> BTreeMap<&str, (f64, f64)> {
    let mut regions: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for place in places {
        regions.entry(place.region).or_default().push(&place.name);
    }
    let (middle, room) = (SIZE / 2.0, SIZE / 2.0 - MARGIN);
    let count = regions.len() as f64;
    let (far, near) = match regions.len() {
        0 | 1 => (0.0, room),
        _ => {
            // Neighbouring circles just do not touch.
            let sine = (TAU / 2.0 / count).sin();
            let near = room * sine / (1.0 + sine) * 0.8;
            (room - near, near)
        }
    };
    let mut all = BTreeMap::new();
    for (number, names) in regions.into_values().enumerate() {
        let (x, y) = turned((middle, middle), far, number as f64 / count);
        let radius = if names.len() == 1 { 0.0 } else { near };
        let share = names.len() as f64;
        for (place, name) in names.into_iter().enumerate() {
            all.insert(name, turned((x, y), radius, place as f64 / share));
        }
    }
    all
}

/// A point on a circle, a share of a turn from its top.
fn turned((x, y): (f64, f64), radius: f64, turn: f64) -> (f64, f64) {
    let angle = TAU * (turn - 0.25);
    (x + radius * angle.cos(), y + radius * angle.sin())
}

fn line(
    svg: &mut String,
    way: &GraphWay,
    ((x1, y1), (x2, y2)): ((f64, f64), (f64, f64)),
    shortest: f64,
    with_time: bool,
) {
    let strength = (shortest / way.round_trip_seconds.max(1e-9)).sqrt().clamp(0.08, 1.0);
    let (colour, strength) = if way.bridge { ("#dc2626", 1.0) } else { ("#64748b", strength) };
    let width = 1.0 + 2.0 * strength;
    // A string takes all, here and below.
    let _ = writeln!(
        svg,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{colour}\" \
         stroke-width=\"{width:.1}\" stroke-opacity=\"{strength:.2}\"/>"
    );
    if with_time {
        let (x, y) = ((x1 + x2) / 2.0, (y1 + y2) / 2.0 - 4.0);
        let text = escaped(&micros(way.round_trip_seconds));
        let _ = writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"10\" text-anchor=\"middle\" \
             fill=\"{colour}\">{text}</text>"
        );
    }
}

fn circle(svg: &mut String, place: &GraphPlace, (x, y): (f64, f64)) {
    let colour = COLOURS[place.region.saturating_sub(1) as usize % COLOURS.len()];
    let fill = if place.role == "leader" { colour } else { "white" };
    let dashes = if place.role == "home" { " stroke-dasharray=\"5 3\"" } else { "" };
    let mut ring = |radius: u32, fill: &str| {
        let _ = writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"{fill}\" \
             stroke=\"{colour}\" stroke-width=\"3\"{dashes}/>"
        );
    };
    if place.is_key_node {
        ring(17, "white");
    }
    ring(11, fill);
    let y = y + 34.0;
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" fill=\"#0f172a\">{}</text>",
        escaped(&place.name)
    );
}

/// A text as it stands in a picture.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::tests::graph;
    use super::{SIZE, drawn, positions};

    #[test]
    fn a_picture_has_every_place_and_way_within_its_bounds() {
        let graph = graph();
        let svg = drawn(&graph);
        assert_eq!(svg.matches("<line ").count(), graph.ways.len());
        assert_eq!(svg.matches("<circle ").count(), graph.places.len() + 1, "one is a key node");
        assert!(svg.contains("&lt;d&gt;") && !svg.contains("<d>"), "names are no markup");
        assert_eq!(svg.matches("#dc2626").count(), 2, "the bridge and its time");
        let at = positions(&graph.places);
        let inside = |at: f64| (0.0..SIZE).contains(&at);
        assert!(at.values().all(|(x, y)| inside(*x) && inside(*y)), "{at:?}");
        let near = |a: &str, b: &str| (at[a].0 - at[b].0).hypot(at[a].1 - at[b].1);
        assert!(near("a", "b") < near("a", "c"));
    }

    #[test]
    fn a_graph_of_nobody_is_a_picture_too() {
        assert!(drawn(&Default::default()).ends_with("</svg>\n"));
    }
}
