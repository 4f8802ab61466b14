//! How many `/bin/true` an executor runs in a second on two slots: `spawn_rate COUNT [RUN [MIB]]`.
//!
//! The second number is how many commands one run has, the third how much memory this process
//! holds meanwhile, in MiB.
#![expect(clippy::print_stdout, reason = "printing a figure is what it is for")]

use std::time::Instant;

use bary_model::time::Span;
use bary_ports::function::Functions;

#[path = "../tests/world/mod.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
mod world;

fn main() {
    let mut numbers = std::env::args().skip(1).map(|arg| arg.parse::<usize>());
    let count = numbers.next().and_then(Result::ok).unwrap_or(5_000);
    let each = numbers.next().and_then(Result::ok).unwrap_or(1).max(1);
    let held = numbers.next().and_then(Result::ok).unwrap_or(0);
    let memory = vec![1_u8; held << 20];
    let mut world = world::World::new(Functions::new());
    let command = world::command(&["/bin/true"]);
    let item = world::item(bary_model::task::TaskSpec { count: each as u32, ..command });
    let count = count / each;
    let began = Instant::now();
    let mut started = 0;
    let mut slots = std::collections::HashMap::new();
    for slot in 1..=2 {
        slots.insert(world.start(slot, vec![item.clone()], Span::secs(1_000)), slot);
        started += 1;
    }
    for _ in 0..count {
        let (run, _) = world.ended();
        let slot = slots.remove(&run).expect("each run ends once");
        if started < count {
            slots.insert(world.start(slot, vec![item.clone()], Span::secs(1_000)), slot);
            started += 1;
        }
    }
    let rate = (count * each) as f64 / began.elapsed().as_secs_f64();
    println!("{rate:.0} commands/s with {} MiB held", memory.len() >> 20);
}
