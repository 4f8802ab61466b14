//! What is told of the memory of commands, in a process that holds more itself.
#![cfg(target_os = "linux")]

use bary_ports::function::Functions;
use world::{World, shell};

#[expect(dead_code, reason = "each test file uses a part of it")]
mod world;

#[test]
fn a_command_is_not_said_to_have_held_what_this_process_holds() {
    const MIB: u64 = 1 << 20;
    let mut world = World::new(Functions::new());
    let mut held = |text: &str| world.outcome(shell(text)).usage.peak_memory;
    let large = "x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo ${#x}";
    assert!(held(large) > 90 * MIB, "what a command holds is seen");
    let ballast = vec![1_u8; 200 * MIB as usize];
    assert!(held("true") < 50 * MIB, "and nothing of the {} here", ballast.len());
    // A shell counts so far for many times as long as it takes until it is looked at.
    let looked = "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done";
    let small = held(looked);
    assert!((1..50 * MIB).contains(&small), "a small one was looked at: {small}");
    assert!(ballast.iter().all(|byte| *byte == 1));
}
