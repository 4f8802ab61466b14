//! How many no-op functions one slot calls in a second: `call_rate COUNT`.
#![expect(clippy::print_stdout, reason = "printing a figure is what it is for")]

use std::time::Instant;

use bary_model::time::Span;
use bary_ports::function::Functions;
use bytes::Bytes;

#[path = "../tests/world/mod.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
mod world;

fn main() {
    let count = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(10_000_000);
    let noop = world::blocking(|_| Ok(Bytes::new()));
    let mut world = world::World::new(Functions::from([("noop".into(), noop)]));
    let items = vec![world::item(world::function("noop", &[], count))];
    let began = Instant::now();
    world.start(1, items, Span::secs(1_000));
    let (_, outcomes) = world.ended();
    let each = began.elapsed().as_nanos() as f64 / f64::from(count);
    println!("{each:.1} ns a call, {} outcomes", outcomes.len());
}
