//! Scratch.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "scratch")]
use bary_sim::hunt::case::Case;
use bary_sim::hunt::{self, shrink::shrink};
use bary_sim::oracle::Oracle;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    std::panic::set_hook(Box::new(|_| {}));
    match args[1].as_str() {
        "sweep" => {
            let (a, b): (u64, u64) = (args[2].parse().unwrap(), args[3].parse().unwrap());
            for seed in a..b {
                let began = std::time::Instant::now();
                let j = hunt::run(&Case::of(seed).plan());
                let t = began.elapsed().as_secs_f64();
                if j.finding.is_some() || t > 1.0 {
                    println!(
                        "{seed} {t:.1}s ev={} {}",
                        j.report.as_ref().map_or(0, |r| r.events),
                        j.finding.map_or("ok".into(), |f| f
                            .to_string()
                            .chars()
                            .take(260)
                            .collect::<String>())
                    );
                }
            }
        }
        "flaw" => {
            for (name, flaw) in bary_engine::flaw::Flaws::NAMES {
                if args.len() > 4 && args[4] != *name {
                    continue;
                }
                let (a, b): (u64, u64) = (args[2].parse().unwrap(), args[3].parse().unwrap());
                let mut hits = Vec::new();
                for seed in a..b {
                    let case = Case { flaw: Some(*flaw), ..Case::of(seed) };
                    if let Some(f) = hunt::run(&case.plan()).finding {
                        if hunt::run(&Case::of(seed).plan()).finding.is_none() {
                            println!("{name} {seed} {f}");
                            hits.push((seed, f.to_string().chars().take(150).collect::<String>()));
                            if hits.len() >= 4 {
                                break;
                            }
                        }
                    }
                }
                println!("{name}: {hits:#?}");
            }
        }
        "shrink" => {
            let case = Case::of(args[2].parse().unwrap());
            let f = hunt::run(&case.plan()).finding.expect("broken");
            let s = shrink(&case, &f, 300);
            println!("{} tries {}\n{}", s.finding, s.tries, s.case.command());
        }
        "table" => {
            let mut case = Case::of(args[2].parse().unwrap());
            if args.len() > 3 && args[3] != "-" {
                case.without = args[3].split(',').map(|c| c.parse().unwrap()).collect();
            }
            let mut text = String::new();
            let plan = case.plan();
            println!("{:#?}", plan.faults);
            println!(
                "policy {} nodes {} net {:?} disk {:?} fates {:?} calm {:?} deadline {:?} unit {:?}",
                plan.policy,
                plan.nodes.len(),
                plan.network,
                plan.disk,
                plan.fates,
                plan.calm,
                plan.deadline(),
                plan.unit
            );
            for j in &plan.jobs {
                println!(
                    "job at {:?} home {} specs {:?} then {}",
                    j.at,
                    j.home,
                    j.spec
                        .specs
                        .iter()
                        .map(|s| (s.count, s.weight, s.body.timeout, s.body.retries))
                        .collect::<Vec<_>>(),
                    j.then.len()
                );
            }
            let j = hunt::judged(&plan, Oracle::new(&plan), Some(&mut text));
            println!("{text}");
            println!("{:?}", j.finding.map(|f| f.to_string()));
            println!("{:?}", j.report);
        }
        _ => {}
    }
}
