//! `bary graph`: the graph of the cluster, printed or drawn.

use std::path::Path;

use bary_api::v1::GraphReply;

use crate::args::Face;
use crate::args::graph::GraphArgs;
use crate::asking;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::kinds::{self, PLACES};
use crate::listing;
use crate::listing::amount::plain;

mod svg;

/// The schema of the document.
pub(crate) const SCHEMA: &str = "bary.graph/1";
/// How many bridges are named at most.
const BRIDGES_MAX: usize = 8;
/// How many moves are.
const MOVES_MAX: usize = 8;

/// Prints it, or draws it.
pub(crate) fn run(args: &GraphArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let graph = asking.node.graph().await?;
        if let Some(file) = &args.svg {
            draw(&graph, file)?;
            asking.note(&summary(&graph));
            return Ok(Exit::OK);
        }
        let mut document = listing::json_of(&graph)?;
        document["schema"] = SCHEMA.into();
        if let Some(text) = listing::data(&document, face.output).filter(|_| !face.is_quiet()) {
            asking.say(&text)?;
            return Ok(Exit::OK);
        }
        asking.print(&PLACES, &graph.places, None)?;
        if !face.is_quiet() {
            asking.note(&summary(&graph));
        }
        Ok(Exit::OK)
    })
}

fn draw(graph: &GraphReply, file: &Path) -> Result<(), Complaint> {
    let written = std::fs::write(file, svg::drawn(graph));
    written.map_err(|cause| Complaint::failed(format!("{}: {cause}", file.display())))
}

/// The whole in a few words.
fn summary(graph: &GraphReply) -> String {
    let count = |count: usize, one: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    };
    let regions = count(graph.regions as usize, "region");
    let mut text = format!(
        "{} in {regions}, {} measured, lambda_2 {}",
        count(graph.places.len(), "place"),
        count(graph.ways.len(), "way"),
        plain((graph.lambda_2 * 1e6).round() / 1e6),
    );
    let bridges = graph.ways.iter().filter(|way| way.bridge).take(BRIDGES_MAX);
    let bridges: Vec<String> = bridges
        .map(|way| format!("{} - {} ({})", way.from, way.to, kinds::micros(way.round_trip_seconds)))
        .collect();
    if !bridges.is_empty() {
        text.push_str(&format!("; bridges: {}", bridges.join(", ")));
    }
    match graph.leader.as_str() {
        "" => text.push_str(&format!("; no leader: {}", graph.why)),
        leader => text.push_str(&format!("; {leader} leads in term {}: {}", graph.term, graph.why)),
    }
    if let Some(advice) = advice(graph) {
        text.push_str(&format!("; {advice}"));
    }
    text
}

/// What is advised of uneven work, in words; nothing where there is none.
fn advice(graph: &GraphReply) -> Option<String> {
    let uneven = format!("work is uneven by {:.0} % of a share", graph.uneven * 100.0);
    match graph.advice.as_str() {
        "move" => {
            let moves = graph.moves.iter().take(MOVES_MAX);
            let moves = moves.map(|step| format!("{} -> {} ({})", step.from, step.to, step.tasks));
            let moves: Vec<String> = moves.collect();
            Some(format!("{uneven}; best moved: {}", moves.join(", ")))
        }
        "flat" => Some(format!("{uneven}, all are as far as any: who is idle asks")),
        "dear" => Some(format!("{uneven}, which moves would not make up for")),
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use bary_api::v1::{GraphMove, GraphPlace, GraphReply, GraphWay};

    use super::summary;

    /// Two regions of two places.
    pub(in crate::verb::remote::graph) fn graph() -> GraphReply {
        let place = |name: &str, region, role: &str| GraphPlace {
            name: name.into(),
            nodes: vec![name.into()],
            region,
            closeness: 1.0,
            role: role.into(),
            is_key_node: role == "leader",
            ..GraphPlace::default()
        };
        let way = |from: &str, to: &str, round_trip_seconds, bridge| {
            let (from, to) = (from.into(), to.into());
            GraphWay { from, to, round_trip_seconds, bridge }
        };
        GraphReply {
            places: vec![
                place("a", 1, "leader"),
                place("b", 1, "leaf"),
                place("c", 2, "home"),
                place("<d>", 2, "leaf"),
            ],
            ways: vec![
                way("a", "b", 0.002, false),
                way("a", "c", 0.1, true),
                way("c", "<d>", 0.003, false),
            ],
            regions: 2,
            lambda_2: 0.123_456_7,
            leader: "a".into(),
            term: 3,
            why: "it is the best".into(),
            ..GraphReply::default()
        }
    }

    #[test]
    fn the_whole_is_said_in_a_line() {
        assert_eq!(
            summary(&graph()),
            "4 places in 2 regions, 3 ways measured, lambda_2 0.123; bridges: a - c (100 ms); a \
             leads in term 3: it is the best"
        );
    }

    #[test]
    fn what_is_advised_is_said_where_work_is_uneven() {
        let said = |advice: &str| {
            let step = GraphMove { from: "a".into(), to: "c".into(), tasks: 40 };
            let (uneven, moves) = (0.954, vec![step]);
            super::advice(&GraphReply { uneven, moves, advice: advice.into(), ..graph() })
        };
        let text = "work is uneven by 95 % of a share; best moved: a -> c (40)";
        assert_eq!(said("move").as_deref(), Some(text));
        assert_eq!([said("even"), said("nothing"), said("")], [None, None, None]);
        assert!(said("flat").is_some() && said("dear").is_some());
    }
}
