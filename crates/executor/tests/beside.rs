//! Commands beside tasks: they are where the task is, and go when it goes.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::path::Path;

use bary_executor::beside::{Asked, BesideError, Companion, Said, Size};
use bary_model::action::Capture;
use bary_model::id::{Fence, RunNo, ShardId, TaskId};
use bary_model::message::GrantItem;
use bary_model::template::Template;
use bary_model::time::Span;
use bary_ports::executor::{Executor, Stop, StopReason, Stream};
use bary_ports::function::Functions;
use bytes::Bytes;
use world::{Seen, World, item, shell, with};

#[expect(dead_code, reason = "each test file uses a part of it")]
mod world;

/// A world with one task that prints `ready` and stays.
fn busy(text: &str) -> (World, RunNo) {
    let mut world = World::new(Functions::new());
    let spec = with(shell(&format!("{text} echo ready; sleep 1000")), |body| {
        body.surroundings.capture = Capture::Lines;
    });
    let run = world.start_spec(spec);
    let Seen::Output(Stream::Out, bytes) = world.next() else { panic!("it prints first") };
    assert_eq!(bytes, "ready\n");
    (world, run)
}

fn asked(text: &str) -> Asked {
    let words = ["/bin/sh", "-c", text].map(Into::into).to_vec();
    Asked { words, ..Asked::default() }
}

fn start(world: &World, asked: Asked) -> Companion {
    world.executor.beside().start(asked).expect("the task runs")
}

/// Takes in what a command says until it has said a text.
fn until(companion: &mut Companion, wanted: &str) -> String {
    let mut text = String::new();
    while !text.contains(wanted) {
        match companion.said.blocking_recv() {
            Some(Said::Out(bytes)) => text += &String::from_utf8_lossy(&bytes),
            other => panic!("`{wanted}` is missing after `{text}`: {other:?}"),
        }
    }
    text
}

/// All that a command says: standard output, standard error, its exit and whether its task ended.
fn all(companion: &mut Companion) -> (String, String, i32, bool) {
    let (mut out, mut err) = (String::new(), String::new());
    loop {
        match companion.said.blocking_recv().expect("its end is told") {
            Said::Out(bytes) => out += &String::from_utf8_lossy(&bytes),
            Said::Err(bytes) => err += &String::from_utf8_lossy(&bytes),
            Said::Over { exit, with_task } => return (out, err, exit, with_task),
        }
    }
}

#[test]
fn it_runs_where_the_task_does_and_hands_back_its_code() {
    let (world, _) = busy("cd /tmp; ");
    let env = BTreeMap::from([("MINE".into(), "x".into())]);
    let text = "echo $BARY_TASK_ID $BARY_SLOT $MINE; pwd; cat; echo no >&2; exit 3";
    let mut companion = start(&world, Asked { env, ..asked(text) });
    assert_eq!(companion.words[2], text.into());
    companion.heard.blocking_send(Bytes::from_static(b"a\n")).expect("it reads");
    companion.heard.blocking_send(Bytes::from_static(b"b\n")).expect("it reads");
    companion.heard.blocking_send(Bytes::new()).expect("it reads");
    let (out, err, exit, with_task) = all(&mut companion);
    assert_eq!(out, "0.0.0 1 x\n/tmp\na\nb\n");
    assert_eq!((err.as_str(), exit, with_task), ("no\n", 3, false));
    let mut killed = start(&world, asked("kill -KILL $$"));
    assert_eq!(all(&mut killed).2, 137);
}

#[test]
fn it_has_the_variables_that_its_task_was_started_with() {
    let (world, _) = busy("exec env -i /bin/sh -c 'echo ready; exec sleep 1000';");
    let mut companion = start(&world, asked("echo $BARY_TASK_ID $BARY_ATTEMPT"));
    assert_eq!(all(&mut companion).0, "0.0.0 1\n");
}

#[test]
fn more_than_pipes_hold_goes_through() {
    let (world, _) = busy("");
    let mut companion = start(&world, asked("cat; exit 0"));
    let heard = companion.heard.clone();
    let feed = std::thread::spawn(move || {
        let piece = Bytes::from(vec![b'x'; 100_000]);
        for _ in 0..30 {
            heard.blocking_send(piece.clone()).expect("it reads");
        }
        heard.blocking_send(Bytes::new()).expect("it reads");
        heard
    });
    let mut bytes = 0;
    loop {
        match companion.said.blocking_recv().expect("its end is told") {
            Said::Out(piece) => bytes += piece.len(),
            Said::Err(piece) => panic!("{piece:?}"),
            Said::Over { exit, .. } => break assert_eq!(exit, 0),
        }
    }
    assert_eq!(bytes, 3_000_000);
    drop(feed.join().expect("it was all read"));
}

#[test]
fn on_a_terminal_it_is_a_session_of_its_own_with_a_size() {
    let (world, _) = busy("");
    let text = "test -t 0 && test -t 1 && test -t 2 && stty size && echo up < /dev/tty; \
                read line; stty size; echo got $line; exit 7";
    let terminal = Some(Size { rows: 30, columns: 100 });
    let mut companion = start(&world, Asked { terminal, ..asked(text) });
    assert!(until(&mut companion, "up").contains("30 100"));
    companion.resize(Size { rows: 40, columns: 90 });
    companion.heard.blocking_send(Bytes::from_static(b"hello\n")).expect("it reads");
    let (out, _, exit, _) = all(&mut companion);
    assert!(out.contains("40 90") && out.contains("got hello"), "{out}");
    assert_eq!(exit, 7);
    let mut asks = start(&world, Asked { terminal, ..asked("read line || echo end") });
    asks.heard.blocking_send(Bytes::new()).expect("it reads");
    assert!(all(&mut asks).0.contains("end"), "the end of its input is told to a terminal too");
}

#[test]
fn without_words_it_is_the_shell_of_the_task() {
    let (world, _) = busy("");
    let env = BTreeMap::from([("SHELL".into(), "/bin/sh".into())]);
    let mut companion = start(&world, Asked { env, ..Asked::default() });
    assert_eq!(companion.words, ["/bin/sh".into()]);
    companion.heard.blocking_send(Bytes::from_static(b"echo $0; exit 5\n")).expect("it reads");
    let (out, _, exit, _) = all(&mut companion);
    assert_eq!((out.as_str(), exit), ("/bin/sh\n", 5));
}

#[test]
fn it_ends_with_its_task_and_all_that_it_started() {
    for terminal in [None, Some(Size { rows: 24, columns: 80 })] {
        let (mut world, run) = busy("");
        let text = "setsid sleep 1000 & echo $!; sleep 1000 & echo $!; echo up; wait";
        let mut companion = start(&world, Asked { terminal, ..asked(text) });
        let said = until(&mut companion, "up");
        let pids: Vec<u32> = said.split_whitespace().filter_map(|pid| pid.parse().ok()).collect();
        assert_eq!(pids.len(), 2, "{said}");
        world.executor.stop(run, Stop::Kill(StopReason::Cancel));
        world.ended();
        let (.., exit, with_task) = all(&mut companion);
        assert_eq!((exit, with_task), (137, true));
        assert!(pids.iter().all(|pid| !Path::new(&format!("/proc/{pid}")).exists()), "{pids:?}");
    }
}

#[test]
fn what_nobody_holds_any_more_is_killed_and_the_task_goes_on() {
    let dir = tempfile::tempdir().expect("there is room");
    let pipe = dir.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()));
    let (world, _) = busy("");
    let text = format!("exec 3> {}; setsid sleep 1000 & echo held >&3; wait", pipe.display());
    let companion = start(&world, asked(&text));
    let mut held = std::fs::File::open(&pipe).expect("it opens it too");
    let mut word = [0; 5];
    std::io::Read::read_exact(&mut held, &mut word).expect("it says so");
    drop(companion);
    let rest = std::io::read_to_string(held).expect("whoever held it has gone");
    assert_eq!(rest, "");
    let mut again = start(&world, asked("echo still here"));
    assert_eq!(all(&mut again).0, "still here\n");
}

#[test]
fn tasks_of_several_homes_under_one_number_are_told_apart() {
    let mut world = World::new(Functions::new());
    for (slot, home) in [(1, 7), (2, 8)] {
        let spec = with(shell("echo ready; exec sleep 1000"), |body| {
            body.surroundings.capture = Capture::Lines;
            body.surroundings.env.push(("OF".into(), Template::literal(home.to_string())));
        });
        let fence = Fence { shard: ShardId(home), ..Fence::default() };
        world.start(slot, vec![GrantItem { fence, ..item(spec) }], Span::secs(1_000));
        let Seen::Output(Stream::Out, _) = world.next() else { panic!("it prints first") };
    }
    for home in [8, 7] {
        let shard = ShardId(home);
        let mut companion = start(&world, Asked { shard, ..asked("echo $OF") });
        assert_eq!(all(&mut companion).0, format!("{home}\n"));
    }
    let none = world.executor.beside().start(asked("true")).map(drop);
    assert!(matches!(none, Err(BesideError::NotRunning)), "{none:?}");
}

#[test]
fn what_cannot_be_is_refused() {
    let (world, _) = busy("");
    let start = |asked| world.executor.beside().start(asked).map(drop);
    let other = TaskId { index: 1, ..TaskId::default() };
    let nobody = start(Asked { task: other, ..asked("true") });
    assert!(matches!(nobody, Err(BesideError::NotRunning)), "{nobody:?}");
    let unknown = start(Asked { words: vec!["no-such-program".into()], ..Asked::default() });
    assert!(matches!(unknown, Err(BesideError::NotStarted(_))), "{unknown:?}");
    let zero = start(Asked { words: vec!["a\0b".into()], ..Asked::default() });
    assert!(matches!(zero, Err(BesideError::NotStarted(_))), "{zero:?}");
}
