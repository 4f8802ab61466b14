//! Prints how successive halving, by which `bary sim tune` searches, does beside golden section
//! along one parameter after another, as a table of docs/simulator.md: what the best text of each
//! gains on seeds that neither has lived.
//! `cargo run --release -p bary-sim --example tuning [SEEDS]`.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

use std::ops::Range;
use std::path::Path;

use bary_sim::lab::compare::{self, Middle};
use bary_sim::lab::knob::{Knob, knob, placed, working};
use bary_sim::lab::load::load;
use bary_sim::lab::measures::MEASURES;
use bary_sim::lab::scenario::{self, Scenario};
use bary_sim::lab::{trial, tune};

/// A world, the parameters that are searched (all where there are none), and what is to be little.
type Case = (&'static str, &'static str, &'static [&'static str], &'static str);

const CASES: [Case; 4] = [
    (
        "heavy-tail",
        "[[nodes]]\ncount = 10\n[[workload]]\ntasks = 2_000\n\
         weights = { law = \"pareto\", shape = 1.5, most = 1000 }\nerror = 0.3\n",
        &["alpha=0.05..1", "ahead=1..15"],
        "response_mean_seconds",
    ),
    (
        "heavy-tail",
        "[[nodes]]\ncount = 10\n[[workload]]\ntasks = 2_000\n\
         weights = { law = \"pareto\", shape = 1.5, most = 1000 }\nerror = 0.3\n",
        &[],
        "response_mean_seconds",
    ),
    (
        "regions",
        "[[nodes]]\ncount = 8\nregion = \"a\"\n[[nodes]]\ncount = 8\nregion = \"b\"\n\
         [[workload]]\ntasks = 1_500\n",
        &[],
        "response_mean_seconds",
    ),
    (
        "arrivals",
        "homes = 2\n[[nodes]]\ncount = 10\n\
         [[workload]]\ntasks = 2_000\narrivals = \"poisson\"\nrho = 0.8\n",
        &["ahead=1..15"],
        "wait_mean_seconds",
    ),
];
/// Texts that halving may try.
const TEXTS: usize = 40;
/// Places that golden section looks at along a parameter, and the seeds that each lives.
const PLACES: usize = 8;
const PLACE_SEEDS: u32 = 2;
/// On how many other seeds the gains are measured where nobody says.
const SEEDS: u32 = 32;
const POLICY: &str = "gravity";

/// What of a world is to be little, with each policy and seed.
struct Judge {
    scenario: Scenario,
    measure: usize,
    runs: u64,
}

impl Judge {
    fn of((name, text, _, measure): &Case) -> Result<Self, String> {
        let mut none = |_: &str| Err(std::io::Error::other("there are no traces"));
        let read = scenario::read(text, Path::new(name), &mut none);
        let scenario = read.map_err(|faults| format!("{} faults", faults.len()))?;
        let at = compare::position(measure).ok_or_else(|| format!("no measure {measure}"))?;
        Ok(Self { scenario, measure: at, runs: 0 })
    }

    fn live(&mut self, text: &str, seeds: Range<u32>) -> Result<Vec<f64>, String> {
        let each = seeds.map(|seed| {
            self.runs += 1;
            let load = load(&self.scenario, u64::from(seed) + 1);
            let trial = trial::run(&self.scenario, &load, text, u64::from(seed) + 1);
            let trial = trial.map_err(|error| error.to_string())?;
            Ok((MEASURES[self.measure].of)(&trial.measures))
        });
        each.collect()
    }

    fn middle(&mut self, text: &str, seeds: Range<u32>) -> Result<f64, String> {
        Ok(Middle::of(self.live(text, seeds)?).median)
    }
}

/// The best text by golden section (Kiefer, Sequential minimax search for a maximum, 1953) along
/// one parameter after another, the others staying where they are.
fn golden(judge: &mut Judge, knobs: &[Knob]) -> Result<String, String> {
    let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
    let mut best = POLICY.to_owned();
    for knob in knobs {
        let knob = std::slice::from_ref(knob);
        let mut at = |place: f64| -> Result<(f64, String), String> {
            let text = placed(&best, knob, &[place]).ok_or("a place is no policy")?;
            Ok((judge.middle(&text, 0..PLACE_SEEDS)?, text))
        };
        let (mut low, mut high) = (0.0, 1.0);
        let (mut left, mut right) = (at(1.0 - ratio)?, at(ratio)?);
        for _ in 2..PLACES {
            if left.0 <= right.0 {
                high = low + (high - low) * ratio;
                right = left;
                left = at(high - (high - low) * ratio)?;
            } else {
                low += (high - low) * (1.0 - ratio);
                left = right;
                right = at(low + (high - low) * ratio)?;
            }
        }
        let found = if left.0 <= right.0 { left } else { right };
        let stays = judge.middle(&best, 0..PLACE_SEEDS)? <= found.0;
        if !stays {
            best = found.1;
        }
    }
    Ok(best)
}

fn halving(judge: &mut Judge, knobs: &[Knob]) -> Result<String, String> {
    let found = tune::search(POLICY, knobs, TEXTS, |texts, seeds| {
        texts.iter().map(|text| judge.live(text, seeds.clone())).collect::<Result<Vec<_>, String>>()
    })?;
    Ok(found.tried[found.best].text.clone())
}

/// By how many percent a text is better than the policy as it was given: the median over seeds that
/// no search has lived.
fn gain(judge: &mut Judge, text: &str, seeds: u32) -> Result<f64, String> {
    let fresh = 1_000..1_000 + seeds;
    let (given, tuned) = (judge.live(POLICY, fresh.clone())?, judge.live(text, fresh)?);
    let each = given.iter().zip(&tuned).map(|(given, tuned)| 100.0 * (1.0 - tuned / given));
    Ok(Middle::of(each).median)
}

fn main() -> Result<(), String> {
    let seeds = std::env::args().nth(1).map_or(Ok(SEEDS), |word| word.parse());
    let seeds = seeds.map_err(|error| format!("SEEDS: {error}"))?;
    println!("| | parameters | halving, {TEXTS} texts | runs | golden section | runs |");
    println!("|---|---|---|---|---|---|");
    for case in &CASES {
        let (name, _, ranges, _) = case;
        let given: Result<Vec<Knob>, _> = ranges.iter().map(|text| knob(POLICY, text)).collect();
        let given = given.map_err(|error| error.to_string())?;
        let knobs = if given.is_empty() { working(POLICY) } else { given };
        let mut row = format!("| `{name}` | {}", knobs.len());
        for search in [halving, golden] {
            let mut judge = Judge::of(case)?;
            let text = search(&mut judge, &knobs)?;
            let runs = judge.runs;
            let gained = gain(&mut judge, &text, seeds)?;
            row += &format!(" | {gained:.2} % (`{text}`) | {runs}");
        }
        println!("{row} |");
    }
    Ok(())
}
