//! Scratch.
use std::panic;
use bary_sim::hunt::case::Case;
use bary_sim::hunt::{self, shrink::shrink};
#[test]
fn shrinks() {
    panic::set_hook(Box::new(|_| {}));
    for seed in std::env::var("SH").unwrap().split(',') {
        let case = Case::of(seed.parse().unwrap());
        let Some(found) = hunt::run(&case.plan()).finding else { println!("{seed}: nothing"); continue };
        let s = shrink(&case, &found, 150);
        println!("{}\n   {}", s.case.command(), s.finding);
    }
}
#[test]
fn table() {
    let cmd = std::env::var("CMD").unwrap();
    let w: Vec<&str> = cmd.split(' ').collect();
    let seed = w[3].parse().unwrap();
    let without = w.get(5).map(|c| c.split(',').map(|c| c.parse().unwrap()).collect()).unwrap_or_default();
    let case = Case { without, ..Case::of(seed) };
    let plan = case.plan();
    println!("{plan:#?}");
    let mut t = String::new();
    let j = hunt::judged(&plan, bary_sim::oracle::Oracle::new(&plan), Some(&mut t));
    println!("{t}\n{:?}", j.finding);
}
