//! What a command started is gone when the command has ended, however it ended.
#![cfg(target_os = "linux")]

use std::path::Path;

use bary_model::action::Capture;
use bary_model::outcome::{Failure, Outcome};
use bary_model::time::Span;
use bary_ports::executor::{Executor, Stop, StopReason, Stream};
use bary_ports::function::Functions;
use world::{Seen, World, assert_whole, command, item, shell, with};

#[expect(dead_code, reason = "each test file uses a part of it")]
mod world;

/// Starts a shell text that prints so many process numbers, and `ready`; the numbers.
fn start(world: &mut World, text: &str, count: usize) -> (bary_model::id::RunNo, Vec<u32>) {
    let spec = with(shell(text), |body| body.surroundings.capture = Capture::Lines);
    let run = world.start_spec(spec);
    let mut printed = String::new();
    let numbers = |text: &str| -> Vec<u32> {
        text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
    };
    while !(printed.contains("ready") && numbers(&printed).len() == count) {
        match world.next() {
            Seen::Output(Stream::Out, bytes) => printed += &String::from_utf8_lossy(&bytes),
            other => panic!("the shell prints first: {other:?}"),
        }
    }
    (run, numbers(&printed))
}

fn is_there(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

#[test]
fn a_kill_takes_the_whole_tree() {
    let mut world = World::new(Functions::new());
    let text = "sleep 1000 & echo $!; (sleep 1000 & echo $!; wait) & echo $!; echo ready; \
                sleep 1000";
    let (run, pids) = start(&mut world, text, 3);
    world.executor.stop(run, Stop::Kill(StopReason::Timeout));
    let (ended, items) = world.ended();
    assert_eq!(ended, run);
    let Outcome::Failed { failure: Failure::TimedOut, .. } = items[0].outcome else {
        panic!("it was killed for its time: {items:?}")
    };
    assert!(pids.iter().all(|&pid| !is_there(pid)), "nothing of it is left");
}

#[test]
fn a_command_that_is_asked_may_end_by_itself() {
    let mut world = World::new(Functions::new());
    let text = "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done";
    let (run, _) = start(&mut world, text, 0);
    world.executor.stop(run, Stop::Ask(StopReason::Timeout));
    let (_, items) = world.ended();
    let Outcome::Failed { failure: Failure::TimedOut, output } = &items[0].outcome else {
        panic!("it was asked for its time: {items:?}")
    };
    assert_eq!(world.read(output), "ready\nbye\n");
}

#[test]
fn what_a_command_started_has_the_same_grace() {
    let mut world = World::new(Functions::new());
    let text = "(trap 'sleep 0.05; echo saved; exit 0' TERM; echo ready; \
                while :; do sleep 0.01; done) & wait";
    let (run, _) = start(&mut world, text, 0);
    world.executor.stop(run, Stop::Ask(StopReason::Timeout));
    let (_, items) = world.ended();
    let Outcome::Failed { failure: Failure::TimedOut, output } = &items[0].outcome else {
        panic!("it was asked for its time: {items:?}")
    };
    assert_eq!(world.read(output), "ready\nsaved\n");
}

#[test]
fn a_kill_ends_the_grace() {
    let mut world = World::new(Functions::new());
    let text = "echo $$; (trap '' TERM; echo ready; while :; do sleep 0.01; done) & echo $!; wait";
    let (run, pids) = start(&mut world, text, 2);
    world.executor.stop(run, Stop::Ask(StopReason::Timeout));
    while is_there(pids[0]) {
        std::thread::yield_now();
    }
    assert!(is_there(pids[1]), "it does not mind being asked");
    world.executor.stop(run, Stop::Kill(StopReason::Timeout));
    assert!(matches!(
        world.ended().1[0].outcome,
        Outcome::Failed { failure: Failure::TimedOut, .. }
    ));
    assert!(!is_there(pids[1]), "nothing of it is left");
}

#[test]
fn a_cancelled_command_is_stopped() {
    let mut world = World::new(Functions::new());
    let text = "trap '' TERM; echo ready; while :; do sleep 0.01; done";
    let (run, _) = start(&mut world, text, 0);
    world.executor.stop(run, Stop::Ask(StopReason::Cancel));
    world.executor.stop(run, Stop::Kill(StopReason::Cancel));
    assert_eq!(world.ended().1[0].outcome, Outcome::Stopped);
}

#[test]
fn a_command_that_forks_and_exits_holds_nothing_open() {
    let mut world = World::new(Functions::new());
    let printed = world.output(shell("sleep 1000 & echo $!"));
    assert_gone(&printed);
    // A session of its own leaves the process group.
    let printed = world.output(shell("echo $(setsid sh -c 'sleep 1000 >&- & echo $!')"));
    assert_gone(&printed);
    // So does one whose leader lives on and is the parent of what is looked for.
    let leader = r#"setsid sh -c "sh -c 'sleep 1000 >&- & echo \$!; exec >&-; wait' &""#;
    let printed = world.output(shell(&format!("echo $({leader})")));
    assert_gone(&printed);
    // An environment that is cleared has no mark.
    let printed = world.output(shell("echo $(env -i setsid sh -c 'sleep 1000 >&- & echo $!')"));
    assert_gone(&printed);
}

fn assert_gone(printed: &[u8]) {
    let text = String::from_utf8_lossy(printed);
    let pid = text.trim().parse().unwrap_or_else(|_| panic!("one number: {text:?}"));
    assert!(!is_there(pid), "{pid} is left");
}

#[test]
fn a_stop_before_the_start_returns_the_task() {
    let mut world = World::new(Functions::new());
    let (first, _) = start(&mut world, "echo ready; sleep 1000", 0);
    let waiting = world.start(1, vec![item(command(&["true"]))], Span::secs(1));
    world.executor.stop(waiting, Stop::Ask(StopReason::Cancel));
    world.executor.stop(first, Stop::Kill(StopReason::Silent));
    let (run, items) = world.ended();
    assert_eq!(run, first);
    assert!(matches!(items[0].outcome, Outcome::Failed { failure: Failure::Silent, .. }));
    let (run, items) = world.ended();
    assert_eq!((run, &items[0].outcome), (waiting, &Outcome::Returned));
}

#[test]
fn closing_kills_what_runs() {
    let mut world = World::new(Functions::new());
    let (run, pids) = start(&mut world, "sleep 1000 & echo $!; echo ready; wait", 1);
    world.executor.close();
    let (ended, items) = world.ended();
    assert_eq!((ended, &items[0].outcome), (run, &Outcome::Stopped));
    assert!(pids.iter().all(|&pid| !is_there(pid)));
}

#[test]
fn every_run_ends_once_under_any_stops() {
    let mut world = World::new(Functions::new());
    // A fixed sequence that looks random, so that a failure can be repeated.
    let mut dice = 7_u64;
    let mut roll = |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    let texts =
        ["exit 0", "exit 1", "sleep 1000", "sleep 1000 & exit 0", "kill -9 $$", "sleep 0.01"];
    let mut open = std::collections::BTreeMap::new();
    for slot in 1..=3 {
        for _ in 0..30 {
            let items = vec![item(shell(texts[roll(6) as usize]))];
            open.insert(world.start(slot, items.clone(), Span::secs(100)), items);
        }
    }
    let reasons = [StopReason::Timeout, StopReason::Silent, StopReason::Cancel];
    while !open.is_empty() {
        for &run in open.keys() {
            let reason = reasons[roll(3) as usize];
            let stop = if roll(2) == 0 { Stop::Ask(reason) } else { Stop::Kill(reason) };
            if roll(20) == 0 {
                world.executor.stop(run, stop);
            }
        }
        // The oldest run of some slot is at work, so that stopping it makes something end.
        let oldest = *open.keys().next().expect("some run is open");
        world.executor.stop(oldest, Stop::Kill(StopReason::Cancel));
        let (run, outcomes) = world.ended();
        let items = open.remove(&run).expect("a run ends once");
        assert_whole(&items, &outcomes);
    }
    world.executor.close();
    assert!(world.seen.try_recv().is_err(), "nothing is reported after the end");
}
