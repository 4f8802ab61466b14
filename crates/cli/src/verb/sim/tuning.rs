//! `bary sim tune`: searches the parameters of a policy, and says what it gained on seeds that it
//! was not chosen by.

use std::path::Path;
use std::sync::Arc;

use bary_policy::preset;
use bary_sim::lab::compare::{Middle, position};
use bary_sim::lab::measures::{Better, MEASURES};
use bary_sim::lab::sample;
use bary_sim::lab::scenario::Scenario;
use bary_sim::lab::tune::{self, Knob, Tried};
use bary_trace::trace::Trace;
use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, Table};
use serde_json::{Value, json};

use crate::args::sim::{Goal, TuneArgs};
use crate::args::{Face, Form};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::listing::{csv, yaml};
use crate::screen::Screen;
use crate::verb;
use crate::verb::sim::lab::{self, runs};

/// What a search came to.
struct Search {
    goal: usize,
    tried: Vec<Tried>,
    /// The policy as it was given and the best text, on seeds that nothing was chosen by.
    fresh: (Vec<f64>, Vec<f64>),
}

/// Searches, and prints what was tried and the best of it.
pub(crate) fn run(args: &TuneArgs, face: Face) -> Result<Exit, Complaint> {
    let given = preset::parse(&args.policy).map_err(Complaint::usage)?.name;
    let knobs = knobs(args, &given)?;
    let mut scenario = scenario(args)?;
    scenario.seeds = args.seeds.unwrap_or(scenario.seeds);
    let mut screen = Screen::new(face);
    let goal = position(measure(args.goal)).unwrap_or(0);
    let mut run = |text: &str, scenario: &Scenario| {
        let policies = vec![preset::parse(text).map_err(Complaint::usage)?];
        let scenario = Scenario { policies, ..scenario.clone() };
        let runs = runs::all(&scenario, args.jobs, &mut screen, face)?;
        let each = runs.rows.iter().flat_map(|row| &row.runs);
        Ok::<Vec<f64>, Complaint>(each.map(|(_, run)| cost(goal, run)).collect())
    };
    let most = args.tries as usize;
    let tried = tune::search(&given, &knobs, most, |text| run(text, &scenario))?;
    let best = tried[tune::best(&tried)].text.clone();
    let other = scenario.seed.wrapping_add(u64::from(scenario.seeds));
    let fresh = Scenario { seed: other, ..scenario.clone() };
    let fresh = (run(&given, &fresh)?, run(&best, &fresh)?);
    let search = Search { goal, tried, fresh };
    verb::print(&mut screen, &shown(&search, face))?;
    Ok(Exit::OK)
}

fn knobs(args: &TuneArgs, policy: &str) -> Result<Vec<Knob>, Complaint> {
    let knobs = if args.param.is_empty() {
        tune::knobs(policy)
    } else {
        let each = args.param.iter().map(|text| tune::knob(policy, text));
        each.collect::<Result<_, _>>().map_err(Complaint::usage)?
    };
    if knobs.is_empty() {
        let text = format!("{policy} has no parameter that is a number");
        return Err(Complaint::usage(text).help("bary policy ls lists policies with their parts"));
    }
    Ok(knobs)
}

fn scenario(args: &TuneArgs) -> Result<Scenario, Complaint> {
    let base = args.scenario.as_deref().map(lab::read).transpose()?;
    let Some(path) = &args.trace else { return Ok(base.unwrap_or_else(sample::usual)) };
    let trace = Arc::new(trace(path)?);
    let made = match base {
        Some(base) => base.with_trace(trace),
        None => Some(sample::of_trace(trace)),
    };
    made.ok_or_else(|| {
        let text = "no node of the scenario has as many cores as a task of the trace needs";
        Complaint::usage(text).help("add such nodes to the scenario, or leave --scenario out")
    })
}

fn trace(path: &Path) -> Result<Trace, Complaint> {
    let bytes = lab::bytes_of(path).map_err(|cause| {
        let text = format!("cannot read `{}`: {cause}", path.display());
        match cause.kind() {
            std::io::ErrorKind::NotFound => Complaint::not_found(text),
            _ => Complaint::failed(text),
        }
    })?;
    let name = path.to_string_lossy();
    let read = bary_trace::read::read(&name, &bytes, None);
    read.map_err(|fault| Complaint::usage(format!("{}: {fault}", path.display())))
}

fn measure(goal: Goal) -> &'static str {
    match goal {
        Goal::Makespan => "makespan_seconds",
        Goal::Wait => "wait_mean_seconds",
        Goal::Response => "response_mean_seconds",
        Goal::Balance => "balance",
    }
}

/// A measure as something of which less is better.
fn cost(goal: usize, run: &bary_sim::lab::measures::Measures) -> f64 {
    (MEASURES[goal].of)(run) * sign(goal)
}

fn sign(goal: usize) -> f64 {
    if MEASURES[goal].better == Better::High { -1.0 } else { 1.0 }
}

impl Search {
    fn best(&self) -> &Tried {
        &self.tried[tune::best(&self.tried)]
    }

    /// The measure itself of such costs.
    fn middle(&self, costs: &[f64]) -> Middle {
        Middle::of(costs.iter().map(|cost| cost * sign(self.goal)))
    }

    /// By which share of itself the goal became better with each fresh seed, in percent.
    fn gains(&self) -> Vec<f64> {
        let (before, after) = &self.fresh;
        let pairs = before.iter().zip(after);
        let gain = |(before, after): (&f64, &f64)| {
            if *before == 0.0 { 0.0 } else { 100.0 * (before - after) / before.abs() }
        };
        pairs.map(gain).collect()
    }
}

fn shown(search: &Search, face: Face) -> String {
    let best = &search.best().text;
    if face.is_quiet() {
        return format!("{best}\n");
    }
    let name = MEASURES[search.goal].name;
    let row = |one: &Tried| {
        let Middle { median, min, max } = search.middle(&one.values);
        json!({ "policy": one.text, "median": median, "min": min, "max": max })
    };
    match face.output {
        Form::Json => format!("{:#}\n", document(search)),
        Form::Yaml => yaml::text(&document(search)),
        Form::Jsonl => search.tried.iter().map(|one| format!("{}\n", row(one))).collect(),
        Form::Csv => csv::text(&search.tried.iter().map(row).collect::<Vec<_>>()),
        _ => {
            let mut table = Table::new();
            table.load_style(NOTHING);
            let unit = MEASURES[search.goal].unit;
            table.set_header(["TRIED", &format!("{} {unit}", MEASURES[search.goal].head), "±", ""]);
            let digits = MEASURES[search.goal].digits;
            for one in &search.tried {
                let Middle { median, min, max } = search.middle(&one.values);
                let mark = if one.text == *best { "best" } else { "" };
                let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
                table.add_row([
                    Cell::new(&one.text),
                    right(format!("{median:.digits$}")),
                    right(format!("{:.digits$}", (max - min) / 2.0)),
                    Cell::new(mark),
                ]);
            }
            let gains = search.gains();
            let better = gains.iter().filter(|gain| **gain > 0.0).count();
            let gain = Middle::of(gains.iter().copied());
            let (before, after) = (search.middle(&search.fresh.0), search.middle(&search.fresh.1));
            let name = name.replace('_', " ");
            format!(
                "{}\n\nbest: {best}\n{name} on {} other seeds: {:.digits$} before, {:.digits$} \
                 with it; {:+.1} % better in the middle ({:+.1} to {:+.1}), and better with \
                 {better} of them\n",
                crate::report::plain(&mut table),
                gains.len(),
                before.median,
                after.median,
                gain.median,
                gain.min,
                gain.max,
            )
        }
    }
}

fn document(search: &Search) -> Value {
    let of = |costs: &[f64]| {
        let Middle { median, min, max } = search.middle(costs);
        json!({ "median": median, "min": min, "max": max })
    };
    let tried =
        search.tried.iter().map(|one| json!({ "policy": one.text, "value": of(&one.values) }));
    let gain = Middle::of(search.gains());
    json!({
        "schema": "bary.sim.tune/1",
        "goal": MEASURES[search.goal].name,
        "tried": tried.collect::<Value>(),
        "best": search.best().text,
        "before": of(&search.fresh.0),
        "after": of(&search.fresh.1),
        "gain_percent": { "median": gain.median, "min": gain.min, "max": gain.max },
    })
}
