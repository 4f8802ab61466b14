//! What a killed process's commands left running is found by its family and ended.
#![cfg(target_os = "linux")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bary_executor::config::ExecutorConfig;
use bary_executor::leftover::{self, Family};
use bary_model::action::Capture;
use bary_model::outcome::{Failure, Outcome};
use bary_ports::executor::Stream;
use bary_ports::function::Functions;
use world::{Seen, World, shell, with};

#[expect(dead_code, reason = "each test file uses a part of it")]
mod world;

/// A world whose commands are of the family of a state in this directory.
fn world(directory: &Path) -> (World, Family) {
    let family = Family::of_state(u64::from(std::process::id()), directory);
    let config = ExecutorConfig { family, ..ExecutorConfig::default() };
    (World::with(config, Functions::new()), family)
}

/// Starts a shell text that prints so many process numbers; the numbers.
fn start(world: &mut World, text: &str, count: usize) -> Vec<u32> {
    world.start_spec(with(shell(text), |body| body.surroundings.capture = Capture::Lines));
    let mut printed = String::new();
    loop {
        let pids: Vec<u32> = printed.lines().filter_map(|line| line.parse().ok()).collect();
        if pids.len() == count && printed.ends_with('\n') {
            return pids;
        }
        match world.next() {
            Seen::Output(Stream::Out, bytes) => printed += &String::from_utf8_lossy(&bytes),
            other => panic!("the shell prints first: {other:?}"),
        }
    }
}

/// Whether a process is there and does something yet.
fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim().chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}

#[test]
fn all_of_a_family_is_ended_wherever_it_went() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let (mut world, family) = world(directory.path());
    let text = "sleep 1000 & echo $!; setsid sleep 1000 & echo $!; \
                env -i setsid sleep 1000 & echo $!; (sleep 1000 & echo $!) & echo $$; sleep 1000";
    let pids = start(&mut world, text, 5);
    assert!(pids.iter().all(|&pid| lives(pid)), "{pids:?}");
    let killed = leftover::end(family).expect("they are ours to kill");
    assert!(killed >= 5, "{killed} of {pids:?}");
    assert!(!pids.iter().any(|&pid| lives(pid)), "{pids:?}");
    assert_eq!(leftover::end(family).expect("there is nothing"), 0);
    let (_, items) = world.ended();
    let Outcome::Failed { failure: Failure::Signal(9), .. } = items[0].outcome else {
        panic!("it was killed: {items:?}")
    };
}

#[test]
fn other_families_and_strangers_live_on() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let copy = tempfile::tempdir().expect("a directory can be made");
    let (mut mine, family) = world(directory.path());
    let (mut others, _) = world(copy.path());
    let mut nobodys = World::new(Functions::new());
    let mut stranger =
        std::process::Command::new("sleep").arg("1000").spawn().expect("it is there");
    let ours = start(&mut mine, "echo $$; sleep 1000", 1);
    let theirs = [
        start(&mut others, "echo $$; exec sleep 1000", 1)[0],
        start(&mut nobodys, "echo $$; exec sleep 1000", 1)[0],
        stranger.id(),
    ];
    leftover::end(family).expect("they are ours to kill");
    assert!(!lives(ours[0]) && theirs.iter().all(|&pid| lives(pid)), "{ours:?} {theirs:?}");
    assert_eq!(leftover::end(Family::NONE).expect("nobody has nothing"), 0);
    assert!(theirs.iter().all(|&pid| lives(pid)), "{theirs:?}");
    stranger.kill().and_then(|()| stranger.wait()).expect("it is this process's own");
}

#[test]
fn what_starts_itself_again_and_again_comes_to_an_end() {
    for (name, again) in [("group", "\"$0\" &"), ("sessions", "setsid \"$0\" &")] {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let (mut world, family) = world(directory.path());
        let script = directory.path().join(name);
        std::fs::write(&script, format!("#!/bin/sh\n{again}\n")).expect("there is room");
        let runs = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&script, runs).expect("it is this process's own");
        let script = script.display();
        start(&mut world, &format!("{script} & {script} & {script} & echo $$; sleep 1000"), 1);
        let killed = leftover::end(family).expect("no round is the last one");
        assert!(killed > 0, "{name}");
        assert_eq!(leftover::end(family).expect("there is nothing"), 0, "{name}");
        world.ended();
    }
}
