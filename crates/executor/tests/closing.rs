//! Closing kills what commands have left behind, and no child that this program has for itself.
#![cfg(target_os = "linux")]

use std::process::Command;

use bary_model::outcome::{Outcome, Results};
use bary_ports::executor::Executor;
use bary_ports::function::Functions;
use world::{World, command};

#[expect(dead_code, reason = "each test file uses a part of it")]
mod world;

#[test]
fn closing_leaves_no_child_but_this_programs_own() {
    let mut world = World::new(Functions::new());
    let ended = world.outcome(command(&["true"])).outcome;
    assert_eq!(ended, Outcome::Succeeded(Results::Nothing));
    let own = || Command::new("sleep").arg("1000").spawn().expect("sleep is there");
    let (mut mine, mut left) = (own(), own());
    // As if a command had started it: its limit is lower than this process's.
    let pid = left.id().to_string();
    let lowered = Command::new("prlimit").args(["--locks=5", "--pid", &pid]).status();
    assert!(lowered.is_ok_and(|status| status.success()), "prlimit is there");
    world.executor.close();
    let (left_after, mine_after) = (left.try_wait(), mine.try_wait());
    // Whatever has come of them, nothing stays behind; what was reaped before cannot be killed.
    drop((left.kill(), mine.kill(), mine.wait()));
    assert!(left_after.is_err(), "it was killed and reaped: {left_after:?}");
    assert!(matches!(mine_after, Ok(None)), "it still ran: {mine_after:?}");
}
