//! `bary sim tune`: searches the parameters of a policy, and says what it gained on seeds that it
//! was not chosen by.

use std::ops::Range;

use bary_policy::preset;
use bary_sim::lab::compare::{Middle, Row, position};
use bary_sim::lab::knob::{self, Knob};
use bary_sim::lab::measures::{Better, MEASURES, Measure};
use bary_sim::lab::sample;
use bary_sim::lab::scenario::Scenario;
use bary_sim::lab::tune::{self, Found, Tried};
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
    found: Found,
    /// The policy as it was given and the best text, on seeds that nothing was chosen by.
    fresh: (Vec<f64>, Vec<f64>),
}

/// Searches, and prints what was tried and the best of it.
pub(crate) fn run(args: &TuneArgs, face: Face) -> Result<Exit, Complaint> {
    let given = preset::parse(&args.policy).map_err(Complaint::usage)?.name;
    let knobs = knobs(args, &given)?;
    let mut scenario = scenario(args)?;
    if scenario.scalings.len() > 1 {
        let text = "the scenario has several scalings, and a policy is tuned with one";
        return Err(Complaint::usage(text).help("leave all but one [[scaling]] out"));
    }
    scenario.seeds = args.seeds.unwrap_or(scenario.seeds);
    let mut screen = Screen::new(face);
    let goal = position(measure(args.goal)).unwrap_or(0);
    let mut run = |texts: &[String], seeds: Range<u32>, what: &str| {
        let parsed = texts.iter().map(|text| preset::parse(text).map_err(Complaint::usage));
        let policies = parsed.collect::<Result<Vec<_>, _>>()?;
        let seed = scenario.seed.wrapping_add(u64::from(seeds.start));
        let lived = Scenario { policies, seed, seeds: seeds.end - seeds.start, ..scenario.clone() };
        let runs = runs::all(&lived, args.jobs, (&mut screen, what), face)?;
        let of = |row: &Row| row.runs.iter().map(|(_, run)| cost(goal, run)).collect::<Vec<f64>>();
        Ok::<Vec<Vec<f64>>, Complaint>(runs.rows.iter().map(of).collect())
    };
    let most = args.tries as usize;
    let searched = |texts: &[String], seeds: Range<u32>| {
        let what = format!("search, {} texts with seeds up to {}", texts.len(), seeds.end);
        run(texts, seeds, &what)
    };
    let found = tune::search(&given, &knobs, most, searched)?;
    let best = found.tried[found.best].text.clone();
    // No text was chosen by these.
    let fresh = found.seeds..found.seeds + scenario.seeds;
    let mut fresh = run(&[given, best], fresh, "judgement")?.into_iter();
    let fresh = (fresh.next().unwrap_or_default(), fresh.next().unwrap_or_default());
    let search = Search { goal, found, fresh };
    verb::print(&mut screen, &shown(&search, face))?;
    Ok(Exit::OK)
}

fn knobs(args: &TuneArgs, policy: &str) -> Result<Vec<Knob>, Complaint> {
    let knobs = if args.param.is_empty() {
        knob::working(policy)
    } else {
        let each = args.param.iter().map(|text| knob::knob(policy, text));
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
    lab::on_trace(base, path)
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
        &self.found.tried[self.found.best]
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
    let row = |one: &Tried| {
        let Middle { median, min, max } = search.middle(&one.values);
        let seeds = one.values.len();
        json!({ "policy": one.text, "seeds": seeds, "median": median, "min": min, "max": max })
    };
    let tried = &search.found.tried;
    match face.output {
        Form::Json => format!("{:#}\n", document(search)),
        Form::Yaml => yaml::text(&document(search)),
        Form::Jsonl => tried.iter().map(|one| format!("{}\n", row(one))).collect(),
        Form::Csv => csv::text(&tried.iter().map(row).collect::<Vec<_>>()),
        _ => {
            let table = table(search);
            format!("{table}\n\n{}", foot(search))
        }
    }
}

fn table(search: &Search) -> String {
    let Measure { unit, head, digits, .. } = MEASURES[search.goal];
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["TRIED", "SEEDS", &format!("{head} {unit}"), "±", ""]);
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    for (at, one) in search.found.tried.iter().enumerate() {
        let Middle { median, min, max } = search.middle(&one.values);
        let mark = if at == search.found.best { "best" } else { "" };
        table.add_row([
            Cell::new(&one.text),
            right(one.values.len().to_string()),
            right(format!("{median:.digits$}")),
            right(format!("{:.digits$}", (max - min) / 2.0)),
            Cell::new(mark),
        ]);
    }
    crate::report::plain(&mut table)
}

fn foot(search: &Search) -> String {
    let Measure { name, digits, .. } = MEASURES[search.goal];
    let (texts, runs) = (search.found.tried.len(), search.found.runs);
    let judged = search.fresh.0.len() + search.fresh.1.len();
    let spent = format!("{runs} runs of {texts} texts, and {judged} more to judge the best");
    if search.found.best == 0 {
        return format!("{spent}\nnothing that was tried is better than {}\n", search.best().text);
    }
    let best = &search.best().text;
    let gains = search.gains();
    let better = gains.iter().filter(|gain| **gain > 0.0).count();
    let gain = Middle::of(gains.iter().copied());
    let (before, after) = (search.middle(&search.fresh.0), search.middle(&search.fresh.1));
    format!(
        "{spent}\n{} on {} other seeds: {:.digits$} before, {:.digits$} with the best; {:+.1} % \
         better in the middle ({:+.1} to {:+.1}), and better with {better} of them\n\n\
         in a scenario:  policies = [\"{best}\"]\n\
         on a live node: bary policy set '{best}'\n",
        name.replace('_', " "),
        gains.len(),
        before.median,
        after.median,
        gain.median,
        gain.min,
        gain.max,
    )
}

fn document(search: &Search) -> Value {
    let of = |costs: &[f64]| {
        let Middle { median, min, max } = search.middle(costs);
        json!({ "median": median, "min": min, "max": max })
    };
    let found = &search.found;
    let tried = found.tried.iter().map(
        |one| json!({ "policy": one.text, "seeds": one.values.len(), "value": of(&one.values) }),
    );
    let gain = Middle::of(search.gains());
    json!({
        "schema": "bary.sim.tune/1",
        "goal": MEASURES[search.goal].name,
        "tried": tried.collect::<Value>(),
        "best": search.best().text,
        "runs": found.runs,
        "fresh_seeds": search.fresh.0.len(),
        "before": of(&search.fresh.0),
        "after": of(&search.fresh.1),
        "gain_percent": { "median": gain.median, "min": gain.min, "max": gain.max },
    })
}
