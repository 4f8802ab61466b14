//! Commands wait for descriptors rather than fail. The tests run themselves again under limits.
#![cfg(target_os = "linux")]

use std::process::Command;
use std::time::Duration;

use bary_executor::config::ExecutorConfig;
use bary_model::outcome::{Failure, Outcome, Results};
use bary_model::time::Span;
use bary_ports::executor::{Executor, Stop, StopReason};
use bary_ports::function::Functions;
use world::{World, command, item, shell};

#[expect(dead_code, reason = "each test file uses a part of it")]
mod world;

/// Runs the test of this name again, after this shell text; false in the run that this makes.
fn again_after(text: &str, test: &str) -> bool {
    const AGAIN: &str = "BARY_TEST_AGAIN";
    if std::env::var_os(AGAIN).is_some() {
        return false;
    }
    let this = std::env::current_exe().expect("a test has a file");
    let text = format!("{text}; exec \"$0\" --exact {test} --nocapture --test-threads 1");
    let done = Command::new("/bin/sh").arg("-c").arg(text).arg(this).env(AGAIN, "1").output();
    let done = done.expect("a shell can be started");
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
    true
}

/// Descriptors that are held, so that so many are left.
fn hold_all_but(left: usize) -> Vec<std::fs::File> {
    let mut held = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        held.push(file);
    }
    held.truncate(held.len() - left);
    held
}

#[test]
fn starts_are_held_back_while_others_hold_the_descriptors() {
    if again_after("ulimit -n 20", "starts_are_held_back_while_others_hold_the_descriptors") {
        return;
    }
    let mut world = World::new(Functions::new());
    // Some print more than is held in memory, which takes a file where there is one to be had.
    let texts = ["echo done", "sleep 0.01", "head -c 300000 /dev/zero", "cat; echo $$ >&2"];
    for n in 0..100 {
        let text = texts[n as usize % 4];
        world.start(n % 8 + 1, vec![item(shell(text))], Span::secs(1_000));
    }
    for _ in 0..100 {
        let (_, items) = world.ended();
        assert!(matches!(items[0].outcome, Outcome::Succeeded(_)), "{items:?}");
    }
}

#[test]
fn a_command_fails_when_nothing_gives_descriptors_back() {
    if again_after("ulimit -n 20", "a_command_fails_when_nothing_gives_descriptors_back") {
        return;
    }
    let config = ExecutorConfig { start_wait_max: Duration::ZERO, ..ExecutorConfig::default() };
    let mut world = World::with(config, Functions::new());
    let held = hold_all_but(2);
    let failure = world.failure(command(&["true"]));
    assert!(matches!(&failure, Failure::Error(text) if text.contains("open files")), "{failure}");
    drop(held);
    let ended = world.outcome(command(&["true"])).outcome;
    assert_eq!(ended, Outcome::Succeeded(Results::Nothing));
}

#[test]
fn a_command_that_is_held_back_can_be_stopped() {
    if again_after("ulimit -n 20", "a_command_that_is_held_back_can_be_stopped") {
        return;
    }
    let config =
        ExecutorConfig { start_wait_max: Duration::from_secs(3_600), ..ExecutorConfig::default() };
    let mut world = World::with(config, Functions::new());
    let _held = hold_all_but(2);
    for stop in [Stop::Ask(StopReason::Cancel), Stop::Kill(StopReason::Timeout)] {
        let run = world.start_spec(command(&["true"]));
        world.executor.stop(run, stop);
        let (ended, items) = world.ended();
        assert_eq!((ended, &items[0].outcome), (run, &Outcome::Returned));
    }
    let run = world.start_spec(command(&["true"]));
    world.executor.close();
    let (ended, items) = world.ended();
    assert_eq!((ended, &items[0].outcome), (run, &Outcome::Returned));
}

#[test]
fn only_this_process_gets_the_raised_limit() {
    if again_after("ulimit -S -n 64", "only_this_process_gets_the_raised_limit") {
        return;
    }
    let hard = world_output("ulimit -H -n");
    assert_eq!(world_output("ulimit -S -n"), "64\n");
    let raised = std::fs::read_to_string("/proc/self/limits").expect("Linux has it");
    let line = raised.lines().find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3)).expect("it is listed");
    assert_eq!(soft, hard.trim());
    assert_ne!(soft, "64");
}

fn world_output(text: &str) -> String {
    let printed = World::new(Functions::new()).output(shell(text));
    String::from_utf8(printed).expect("plain text")
}
