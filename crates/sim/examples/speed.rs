//! Prints how many events a second the simulator does:
//! `speed [NODES HOMES TASKS [noop|plain|placement|arrivals [checked]]]`.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "it is there to print times"
)]

use std::time::Instant;

use bary_sim::hunt;
use bary_sim::oracle::Oracle;
use bary_sim::plan::Plan;
use bary_sim::report::Report;
use bary_sim::tally::MESSAGES;
use bary_sim::world;

/// Lives a plan; with every invariant judged where that is wanted.
fn lived(plan: &Plan, checked: bool) -> Option<Report> {
    if checked {
        hunt::judged(plan, Oracle::new(plan), None).report
    } else {
        Some(world::run(plan, None, None))
    }
}

fn measure(kind: &str, nodes: usize, homes: usize, tasks: u32, checked: bool) {
    let plan = match kind {
        "plain" => Plan::plain(nodes, homes, tasks, "gravity"),
        "placement" => Plan::placement(7, nodes, homes, tasks, "gravity"),
        "arrivals" => Plan::arrivals(7, nodes, homes, tasks, 0.8),
        _ => Plan::noop(nodes, homes, tasks, "gravity"),
    };
    let began = Instant::now();
    let report = lived(&plan, checked);
    let wall = began.elapsed().as_secs_f64();
    let Some(report) = report else {
        println!("{kind} {nodes}/{homes}/{tasks}: gave no report");
        return;
    };
    println!(
        "{kind} {nodes}/{homes}/{tasks}: {:?} {} events in {wall:.3} s, {:.0} events/s",
        report.verdict,
        report.events,
        report.events as f64 / wall,
    );
    println!(
        "  balance {:.2} claims/task {:.4} makespan/bound {:.4} wait {} p99 {} executed {} left {}",
        report.balance,
        report.claims() as f64 / report.tasks as f64,
        report.makespan.as_secs_f64() / report.bound.as_secs_f64(),
        report.wait_mean,
        report.wait_p99,
        report.executed,
        report.unfinished,
    );
    let kinds: Vec<String> = MESSAGES
        .iter()
        .zip(report.messages)
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    println!("  frames {} lost {}: {}", report.frames, report.lost, kinds.join(", "));
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| words.get(at).and_then(|word| word.parse::<u32>().ok());
    if let (Some(nodes), Some(homes), Some(tasks)) = (number(0), number(1), number(2)) {
        let kind = words.get(3).map_or("noop", String::as_str);
        let checked = words.get(4).is_some_and(|word| word == "checked");
        measure(kind, nodes as usize, homes as usize, tasks, checked);
        return;
    }
    measure("noop", 1, 1, 1_000_000, false);
    measure("noop", 10, 1, 1_000_000, false);
    measure("plain", 10, 1, 100_000, false);
    measure("plain", 1_000, 1, 1_000_000, false);
}
