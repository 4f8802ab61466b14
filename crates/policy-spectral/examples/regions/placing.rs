//! Rules of placement over six families of jobs, four sizes of data and two networks: makespan and
//! traffic between regions, relative to least-loaded.

use bary_policy::dice::Dice;
use bary_policy::layout::{Layout, Network};
use bary_policy_spectral::bisect;
use bary_policy_spectral::dag::Dag;
use bary_policy_spectral::place::choose;
use bary_policy_spectral::spectrum::Fiedler;

use crate::jobs::FAMILIES;
use crate::recovery::probed;
use crate::schedule::{Ran, Rule, Site, run};
use crate::sums::{geomean, mean};

const SEEDS: u64 = 5;
const BYTES: [u64; 4] = [1_000, 100_000, 1_000_000, 10_000_000];
/// Two networks with links of 200 Mb/s and 50 ms.
const SITES: [Site; 2] = [
    Site { regions: 2, nodes: 16, latency: 50.0, bandwidth: 25_000.0 },
    Site { regions: 4, nodes: 8, latency: 50.0, bandwidth: 25_000.0 },
];
/// What is compared; the first is what the others are relative to.
pub(crate) const RULES: [&str; 8] = [
    "least-loaded",
    "first begin (T2)",
    "one region",
    "split",
    "choice (T3)",
    "key nodes",
    "round-robin",
    "random",
];

/// A case: its place in the table, and what each rule took in each seed.
pub(crate) struct Case {
    family: &'static str,
    bytes: u64,
    site: usize,
    runs: Vec<[Ran; 8]>,
}

impl Case {
    /// The geometric mean over seeds of one rule's makespan over least-loaded's.
    fn makespan(&self, rule: usize) -> f64 {
        let ratio = |run: &[Ran; 8]| run[rule].makespan / run[0].makespan;
        geomean(&self.runs.iter().map(ratio).collect::<Vec<_>>())
    }

    /// The same of traffic, as a plain mean: some rules send nothing.
    fn traffic(&self, rule: usize) -> f64 {
        let ratio = |run: &[Ran; 8]| run[rule].traffic / run[0].traffic.max(1.0);
        mean(&self.runs.iter().map(ratio).collect::<Vec<_>>())
    }

    /// How much longer the choice takes than the best of the four that stand before it.
    fn regret(&self) -> f64 {
        let ratio = |run: &[Ran; 8]| {
            let best = run[..4].iter().map(|ran| ran.makespan).fold(f64::MAX, f64::min);
            run[4].makespan / best
        };
        geomean(&self.runs.iter().map(ratio).collect::<Vec<_>>())
    }
}

/// All 48 cases.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (site, place) in SITES.iter().enumerate() {
        for (family, make) in FAMILIES {
            for bytes in BYTES {
                let one = |seed| {
                    let dag = make(bytes, &mut Dice::new(seed, family));
                    rules(place, &dag, seed)
                };
                cases.push(Case { family, bytes, site, runs: (0..SEEDS).map(one).collect() });
            }
        }
    }
    cases
}

fn rules(site: &Site, dag: &Dag, seed: u64) -> [Ran; 8] {
    let all: Vec<usize> = (0..site.regions * site.nodes).collect();
    let powers = vec![site.nodes as f64; site.regions];
    let parts = bisect::parts(dag, &powers).expect("it converges");
    let (latency, bandwidth) = (site.latency, site.bandwidth);
    let network = Network { powers, latency, bandwidth, home: None };
    let first = run(site, dag, &Rule::First(&all));
    let one = run(site, dag, &Rule::First(&all[..site.nodes]));
    let split = run(site, dag, &Rule::Within(&parts));
    let choice = match choose(dag, &network).expect("it converges").layout {
        Layout::Spread => first,
        Layout::One(_) => one,
        Layout::Split(_) => split,
    };
    [
        run(site, dag, &Rule::LeastLoaded(&all)),
        first,
        one,
        split,
        choice,
        run(site, dag, &Rule::LeastLoaded(&key_nodes(site, seed))),
        run(site, dag, &Rule::Turn),
        run(site, dag, &Rule::Lot(seed)),
    ]
}

/// The half of the nodes whose entries of the Fiedler vector are largest, without sign.
fn key_nodes(site: &Site, seed: u64) -> Vec<usize> {
    let graph = probed(site.regions, site.nodes, 8, seed);
    let entries = Fiedler::of(&graph).expect("it converges").entries;
    let mut nodes: Vec<usize> = (0..entries.len()).collect();
    nodes.sort_by(|a, b| entries[*b].abs().total_cmp(&entries[*a].abs()));
    nodes.truncate(entries.len() / 2);
    nodes
}

/// The table.
pub(crate) fn print() {
    let cases = cases();
    println!("## Jobs between regions: makespan over least-loaded's, {SEEDS} seeds (traffic)\n");
    print!("| nodes | family | bytes |");
    RULES[1..].iter().for_each(|rule| print!(" {rule} |"));
    println!("\n|---|---|---|{}", "---|".repeat(RULES.len() - 1));
    for case in &cases {
        let site = &SITES[case.site];
        print!("| {}x{} | {} | {} |", site.regions, site.nodes, case.family, size(case.bytes));
        for rule in 1..RULES.len() {
            print!(" {:.2} ({:.2}) |", case.makespan(rule), case.traffic(rule));
        }
        println!();
    }
    print!("| all | geomean | |");
    for rule in 1..RULES.len() {
        print!(" {:.3} ({:.2}) |", overall(&cases, rule), traffic(&cases, rule));
    }
    let regrets: Vec<f64> = cases.iter().map(Case::regret).collect();
    let worst = regrets.iter().copied().fold(0.0, f64::max);
    let (mean, worst) = (100.0 * (geomean(&regrets) - 1.0), 100.0 * (worst - 1.0));
    println!("\n\nRegret of the choice to the best of four: {mean:.1} %, at worst {worst:.0} %.\n");
}

/// Traffic over least-loaded's, mean over all cases.
fn traffic(cases: &[Case], rule: usize) -> f64 {
    mean(&cases.iter().map(|case| case.traffic(rule)).collect::<Vec<_>>())
}

fn size(bytes: u64) -> String {
    if bytes < 1_000_000 {
        format!("{} KB", bytes / 1_000)
    } else {
        format!("{} MB", bytes / 1_000_000)
    }
}

/// One rule's makespan over least-loaded's, over all cases.
pub(crate) fn overall(cases: &[Case], rule: usize) -> f64 {
    geomean(&cases.iter().map(|case| case.makespan(rule)).collect::<Vec<_>>())
}

/// What the choice and its rivals take over all cases, and the regret.
pub(crate) fn figures() -> Vec<(&'static str, f64)> {
    let cases = cases();
    let regrets: Vec<f64> = cases.iter().map(Case::regret).collect();
    vec![
        ("choice_makespan", overall(&cases, 4)),
        ("choice_traffic", traffic(&cases, 4)),
        ("first_makespan", overall(&cases, 1)),
        ("choice_regret", 100.0 * (geomean(&regrets) - 1.0)),
    ]
}
