//! Lives seeds one after another and tells of those that do not end well:
//! `seeds FIRST END [FAULTS]`, or `seeds SEED table [FAULTS]` to print one.
#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::panic::catch_unwind;

use bary_sim::plan::Plan;
use bary_sim::plan::faults::Faults;
use bary_sim::plan::swarm::Sizes;
use bary_sim::report::Verdict;
use bary_sim::world;

fn plan(seed: u64, faults: Option<&String>) -> Plan {
    match faults.and_then(|text| Faults::parse(text).ok()) {
        Some(on) => Plan::asked(seed, Sizes::default(), on),
        None => Plan::of(seed),
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok());
    let first = number(0).unwrap_or(0);
    if words.get(1).is_some_and(|word| word == "table") {
        let plan = plan(first, words.get(2));
        println!("{plan:#?}");
        struct Out;
        impl bary_sim::table::Table for Out {
            fn row(&mut self, row: &bary_sim::table::Row) {
                println!("{row}");
            }
        }
        println!("{:?}", world::run(&plan, None, Some(&mut Out)));
        return;
    }
    let mut events = 0;
    let mut bad = 0;
    for seed in first..number(1).unwrap_or(first + 1) {
        let lived = catch_unwind(|| world::run(&plan(seed, words.get(2)), None, None));
        match lived {
            Ok(report) if report.verdict == Verdict::Rest && report.unfinished == 0 => {
                events += report.events
            }
            Ok(report) => {
                bad += 1;
                println!(
                    "seed {seed}: {:?} events {} left {} orphans {} until {:.3}",
                    report.verdict,
                    report.events,
                    report.unfinished,
                    report.orphans,
                    report.until.0 as f64 / 1e9
                );
            }
            Err(_) => {
                bad += 1;
                println!("seed {seed}: panic");
            }
        }
    }
    println!("{events} events, {bad} bad");
}
