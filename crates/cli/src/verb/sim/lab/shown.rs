//! A comparison in every form of output, all made from the table of measures.

use bary_sim::lab::compare::{Middle, Row, position, ranked};
use bary_sim::lab::measures::{MEASURES, Measure};
use bary_sim::lab::scenario::Scenario;
use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, Table};
use serde_json::{Map, Value, json};

use crate::args::{Face, Form};
use crate::counted::counted;
use crate::listing::{clean, csv, yaml};
use crate::verb::sim::lab::runs::Runs;

/// The text of a comparison; with `time` what depends on this machine as well.
pub(crate) fn text(scenario: &Scenario, runs: &Runs, time: bool, face: Face) -> String {
    if face.is_quiet() {
        let order = ranked(&runs.rows, judged_by(scenario));
        return order.iter().map(|at| format!("{}\n", runs.rows[*at].policy)).collect();
    }
    match face.output {
        Form::Json => format!("{:#}\n", document(scenario, runs, time)),
        Form::Yaml => yaml::text(&document(scenario, runs, time)),
        Form::Jsonl => each(runs).iter().map(|run| format!("{run}\n")).collect(),
        Form::Csv => csv::text(&each(runs)),
        form => table(scenario, runs, time, form == Form::Wide),
    }
}

/// What policies are ranked by: how long tasks wait where they come bit by bit, and when all are
/// done otherwise.
pub(crate) fn judged_by(scenario: &Scenario) -> usize {
    let name = if scenario.is_dynamic() { "response_mean_seconds" } else { "makespan_seconds" };
    position(name).unwrap_or(0)
}

fn table(scenario: &Scenario, runs: &Runs, time: bool, wide: bool) -> String {
    let shown: Vec<usize> = (0..MEASURES.len())
        .filter(|at| wide || MEASURES[*at].is_shown(scenario) && tells(&runs.rows, *at))
        .collect();
    let mut table = Table::new();
    table.load_style(NOTHING);
    let heads = shown.iter().map(|at| {
        let Measure { head, unit, .. } = MEASURES[*at];
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        Cell::new(format!("{head}{unit}")).set_alignment(CellAlignment::Right)
    });
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    let host = ["HOST us/TASK", "HOMES us/TASK"].map(|head| right(head.to_owned()));
    let host = host.into_iter().filter(|_| time);
    table.set_header([Cell::new("POLICY")].into_iter().chain(heads).chain(host));
    for (number, row) in runs.rows.iter().enumerate() {
        let cells = shown.iter().map(|at| {
            let text = cell(row.middle(*at), MEASURES[*at].digits, scenario.seeds > 1);
            Cell::new(text).set_alignment(CellAlignment::Right)
        });
        let host = [runs.host[number], runs.homes[number]];
        let host = host.into_iter().filter(|_| time).map(|micros| right(format!("{micros:.2}")));
        table.add_row([Cell::new(clean::line(&row.policy))].into_iter().chain(cells).chain(host));
    }
    format!("{}\n{}", crate::report::plain(&mut table), foot(scenario, runs))
}

/// Whether any row has something else than nothing in a column.
fn tells(rows: &[Row], measure: usize) -> bool {
    rows.iter().any(|row| row.middle(measure).max != 0.0)
}

/// The median, and half of how far the runs are apart.
fn cell(middle: Middle, digits: usize, several: bool) -> String {
    let Middle { median, min, max } = middle;
    if several {
        format!("{median:.digits$} ±{:.digits$}", (max - min) / 2.0)
    } else {
        format!("{median:.digits$}")
    }
}

fn foot(scenario: &Scenario, runs: &Runs) -> String {
    let bound = position("lower_bound_seconds").and_then(|at| Some(runs.rows.first()?.middle(at)));
    let bound = bound.unwrap_or_default();
    let (tasks, nodes, seeds) = (scenario.tasks(), scenario.count(), scenario.seeds);
    let spread =
        if scenario.seeds > 1 { "; each number is a median ± half the range" } else { "" };
    let name = clean::line(&scenario.name);
    let (tasks, nodes) = (counted(tasks, "task"), counted(nodes as u64, "node"));
    let seeds = counted(u64::from(seeds), "seed");
    format!(
        "\n{name}: {tasks} on {nodes}, {seeds} from {}{spread}\n\
         no schedule can end before {} s\n",
        scenario.seed,
        cell(bound, 3, scenario.seeds > 1),
    )
}

fn numbers(of: impl Fn(usize) -> Value) -> Map<String, Value> {
    MEASURES.iter().enumerate().map(|(at, measure)| (measure.name.to_owned(), of(at))).collect()
}

fn document(scenario: &Scenario, runs: &Runs, time: bool) -> Value {
    let lives = scenario.lives();
    let rows = runs.rows.iter().zip(&lives).enumerate().map(|(number, (row, life))| {
        let measures = numbers(|at| {
            let Middle { median, min, max } = row.middle(at);
            json!({ "median": median, "min": min, "max": max })
        });
        let mut made = json!({
            "policy": row.policy, "parts": life.policy.to_string(), "measures": measures,
        });
        if let Some(scaling) = life.scenario.scalings.first() {
            made["scaling"] = json!(scaling.name);
        }
        if time {
            made["host_microseconds_per_task"] = json!(runs.host[number]);
            made["homes_microseconds_per_task"] = json!(runs.homes[number]);
        }
        made
    });
    json!({
        "schema": "bary.sim.lab/1",
        "scenario": scenario.name,
        "tasks": scenario.tasks(),
        "nodes": scenario.count(),
        "seed": scenario.seed,
        "seeds": scenario.seeds,
        "policies": rows.collect::<Value>(),
    })
}

/// One object a run.
fn each(runs: &Runs) -> Vec<Value> {
    let all = runs.rows.iter().flat_map(|row| {
        row.runs.iter().map(|(seed, run)| {
            let mut fields = Map::new();
            fields.insert("policy".into(), json!(row.policy));
            fields.insert("seed".into(), json!(seed));
            fields.extend(numbers(|at| json!((MEASURES[at].of)(run))));
            Value::Object(fields)
        })
    });
    all.collect()
}
