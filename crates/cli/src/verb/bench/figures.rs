//! The figures of a scene, over several runs of it, beside what the published system claims.

use std::collections::BTreeMap;

use bary_api::v1::Task;
use serde::Serialize;

use crate::args::bench::Scene;
use crate::listing::amount::plain;
use crate::listing::{Kind, column, number};
use crate::verb::bench::scene::{Plot, Seen};

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Figure {
    scene: String,
    figure: &'static str,
    /// The median over all runs.
    value: f64,
    unit: &'static str,
    /// What nothing can be better than; none where that is not known.
    bound: Option<f64>,
    /// What the published system claims, in its words.
    claimed: &'static str,
    /// What each run gave.
    runs: Vec<f64>,
}

/// Figures.
pub(crate) const FIGURES: Kind<Figure> = Kind {
    schema: "bary.bench/1",
    noun: "figures",
    columns: &[
        column("SCENE", 0, |row, _| row.scene.clone()),
        column("FIGURE", 0, |row, _| row.figure.to_owned()),
        number("VALUE", 0, |row, _| plain(row.value)),
        column("UNIT", 1, |row, _| row.unit.to_owned()),
        number("BOUND", 2, |row, _| row.bound.map_or_else(String::new, plain)),
        column("CLAIMED", 3, |row, _| row.claimed.to_owned()),
        column("RUNS", 4, |row, _| {
            row.runs.iter().copied().map(plain).collect::<Vec<_>>().join(" ")
        }),
    ],
    id: |row| format!("{}: {}", row.scene, row.figure),
};

/// A figure of one run, what it is measured in, and what is claimed of it.
type Row = (&'static str, &'static str, fn(&Seen) -> f64, &'static str);

/// The figures that every scene has; what is claimed is the published system's (W21 to W33).
const ROWS: [Row; 11] = [
    (
        "rate of tasks",
        "1/s",
        |seen| seen.tasks.len() as f64 / seen.took,
        "burst 4, gradual 2, long 0.2",
    ),
    ("submission to end, mean", "s", |seen| mean(&seen.tasks, lasted), "1.2 for tasks of 1 s"),
    ("wait, mean", "s", |seen| mean(&seen.tasks, waited), "2.1 at a full queue"),
    ("wait, longest", "s", |seen| most(seen.tasks.iter().map(waited)), "5.3"),
    ("succeeded", "%", succeeded, "100"),
    ("started more than once", "tasks", repeated, "0"),
    ("share of a node, least", "%", |seen| shares(seen).0, "17"),
    ("share of a node, most", "%", |seen| shares(seen).1, "25"),
    ("shares, standard deviation", "points", |seen| shares(seen).2, "3.2"),
    ("held by a node, most", "tasks", |seen| most(seen.held.iter().map(|&n| n as f64)), "10"),
    ("waiting, mean", "tasks", waiting, "4-6 a queue"),
];

/// The figures of a scene that was played by so many nodes of one slot.
pub(crate) fn figures(scene: Scene, runs: &[Seen], nodes: u32) -> Vec<Figure> {
    let name = format!("{scene:?}").to_lowercase();
    let claimed = match scene {
        Scene::Burst => "25.3",
        Scene::Gradual => "15.8",
        Scene::Long => "28.5",
    };
    let took = ("makespan", "s", (|seen: &Seen| seen.took) as fn(&Seen) -> f64, claimed);
    let bound = Plot::of(scene).least(nodes);
    let row = |(at, (figure, unit, value, claimed)): (usize, Row)| {
        let runs: Vec<f64> = runs.iter().map(value).collect();
        let bound = (at == 0).then_some(bound);
        Figure { scene: name.clone(), figure, value: median(&runs), unit, bound, claimed, runs }
    };
    std::iter::once(took).chain(ROWS).enumerate().map(row).collect()
}

fn waited(task: &Task) -> f64 {
    task.wait_seconds
}

fn lasted(task: &Task) -> f64 {
    task.wait_seconds + task.run_seconds
}

fn succeeded(seen: &Seen) -> f64 {
    let well = seen.tasks.iter().filter(|task| task.state == "succeeded").count();
    well as f64 * 100.0 / seen.tasks.len().max(1) as f64
}

fn repeated(seen: &Seen) -> f64 {
    seen.tasks.iter().filter(|task| task.attempt > 1).count() as f64
}

/// Which shares of the tasks the nodes had that had any, in percent: the least, the most, and
/// their standard deviation.
fn shares(seen: &Seen) -> (f64, f64, f64) {
    let mut by_node: BTreeMap<&str, f64> = BTreeMap::new();
    for task in &seen.tasks {
        *by_node.entry(&task.node).or_default() += 100.0 / seen.tasks.len() as f64;
    }
    let count = by_node.len().max(1) as f64;
    let mean = by_node.values().sum::<f64>() / count;
    let spread = by_node.values().map(|share| (share - mean).powi(2)).sum::<f64>() / count;
    let least = by_node.values().copied().fold(f64::INFINITY, f64::min);
    (least, most(by_node.values().copied()), spread.sqrt())
}

fn mean(tasks: &[Task], of: fn(&Task) -> f64) -> f64 {
    tasks.iter().map(of).sum::<f64>() / tasks.len().max(1) as f64
}

/// How many tasks waited on average: all their waits together over the whole time (Little 1961).
fn waiting(seen: &Seen) -> f64 {
    seen.tasks.iter().map(waited).sum::<f64>() / seen.took
}

fn most(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, f64::max)
}

fn median(runs: &[f64]) -> f64 {
    let mut sorted = runs.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        length if length % 2 == 0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
        _ => sorted[middle],
    }
}

#[cfg(test)]
mod tests {
    use bary_api::v1::Task;

    use super::{Scene, Seen, figures};
    use crate::verb::bench::scene::Plot;

    fn seen(took: f64) -> Seen {
        let task = |at: u32| Task {
            node: format!("node-{}", at % 2),
            state: "succeeded".into(),
            attempt: 1 + u32::from(at == 3),
            wait_seconds: f64::from(at),
            run_seconds: 1.0,
            ..Task::default()
        };
        Seen { took, tasks: (0..5).map(task).collect(), held: vec![0, 3] }
    }

    #[test]
    fn figures_are_medians_of_what_was_seen() {
        let told = figures(Scene::Burst, &[seen(5.0), seen(4.0), seen(9.0)], 5);
        let value = |name: &str| told.iter().find(|row| row.figure == name).map(|row| row.value);
        assert_eq!((value("makespan"), value("rate of tasks")), (Some(5.0), Some(1.0)));
        assert_eq!((value("wait, mean"), value("wait, longest")), (Some(2.0), Some(4.0)));
        assert_eq!(value("submission to end, mean"), Some(3.0));
        assert_eq!((value("succeeded"), value("started more than once")), (Some(100.0), Some(1.0)));
        assert_eq!(value("share of a node, least"), Some(40.0));
        assert_eq!(value("shares, standard deviation"), Some(10.0));
        assert_eq!((value("held by a node, most"), value("waiting, mean")), (Some(3.0), Some(2.0)));
        assert_eq!(told[0].bound, Some(4.0));
    }

    #[test]
    fn no_cluster_is_faster_than_its_slots_and_its_arrivals() {
        assert_eq!(Plot::of(Scene::Long).least(5), 5.0);
        assert_eq!(Plot::of(Scene::Long).least(2), 15.0);
        assert_eq!(Plot::of(Scene::Gradual).least(5), 14.5);
    }
}
