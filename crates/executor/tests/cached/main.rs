//! Answers from the result cache: equal work runs once, other work runs, and nothing is lost of a
//! run that is partly known.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bary_model::action::{FileMove, Stdin};
use bary_model::id::{SpecNo, TaskRange};
use bary_model::inputs::Inputs;
use bary_model::message::{GrantItem, Upstream};
use bary_model::outcome::{Failure, Outcome};
use bary_model::payload::Payload;
use bary_model::task::{Body, TaskSpec};
use bary_model::template::Template;
use bary_model::template::parse::Dialect;
use bary_model::time::Span;
use bary_ports::executor::{Executor, Stop, StopReason};
use bary_ports::store::Store;
use shelf::{HOUR, World};
use world::{assert_whole, command, function, item, shell, with};

mod shelf;
#[path = "../world/mod.rs"]
#[expect(dead_code, reason = "each test file uses a part of it")]
mod world;

fn cached(spec: TaskSpec) -> TaskSpec {
    with(spec, |body| body.cache = Some(HOUR))
}

fn template(text: &str) -> Template {
    let read = Template::parse(text.as_bytes(), Dialect::Loose, &mut |_| None);
    read.expect("the loose dialect refuses nothing")
}

/// An array of calls, one for each text.
fn each(texts: &[&str]) -> TaskSpec {
    let mut spec = function("echo", &["x"], u32::try_from(texts.len()).expect("they are few"));
    spec = with(spec, |body| {
        if let bary_model::action::Action::Function { args, .. } = &mut body.action {
            args[0].value = Template::values();
        }
        body.cache = Some(HOUR);
    });
    let inputs = Inputs::lines(texts.iter().collect()).expect("they make a table");
    TaskSpec { inputs, array: true, ..spec }
}

#[test]
fn equal_work_runs_once_and_says_so() {
    let mut world = World::new();
    let large = "x".repeat(2 * Payload::INLINE_MAX);
    for (times, text) in [(1, "a"), (2, &large)] {
        let call = || cached(function("echo", &[text], 1));
        assert_eq!(world.gives(call()), (text.to_owned(), false));
        for _ in 0..3 {
            assert_eq!(world.gives(call()), (text.to_owned(), true));
        }
        assert_eq!(world.calls(), times);
    }
    assert_eq!(world.counts(), [6, 2]);
    let known = world.run(cached(function("echo", &["a"], 1)));
    assert_eq!((known.usage.busy, known.usage.cpu, known.usage.slot), (Span::ZERO, Span::ZERO, 1));
    assert_eq!(world.gives(function("echo", &["a"], 1)), ("a".into(), false), "it did not ask");
}

#[test]
fn what_a_command_said_beside_its_result_is_kept_too() {
    let mut world = World::new();
    let spec = || cached(shell("echo out; echo err >&2"));
    for known in [false, true] {
        let outcome = world.run(spec());
        assert_eq!(outcome.usage.cached, known);
        let stderr = world.store.read(&outcome.stderr).expect("it can be read");
        assert_eq!(&*stderr, b"err\n");
    }
}

#[test]
fn other_work_runs() {
    let mut world = World::new();
    let dir = tempfile::tempdir().expect("a directory can be made");
    let file = dir.path().join("input");
    std::fs::write(&file, "1").expect("it can be written");
    let path = || Template::literal(file.as_os_str().as_encoded_bytes());
    let base = || cached(shell("cat; echo $X; pwd"));
    let bring = |to: &str| FileMove { from: path(), to: Template::literal(to) };
    let changes: [fn(&mut Body); 6] = [
        |body| body.surroundings.env.push(("X".into(), Template::literal("1"))),
        |body| body.surroundings.env.push(("X".into(), Template::literal("2"))),
        |body| body.surroundings.cwd = Some(Template::literal("/")),
        |body| body.surroundings.stdin = Stdin::Text(Template::literal("a")),
        |body| body.surroundings.stdin = Stdin::Text(Template::literal("b")),
        |body| body.retries = 3,
    ];
    assert!(!world.gives(base()).1);
    for (at, change) in changes.into_iter().enumerate() {
        assert_eq!(world.gives(with(base(), change)).1, at == 5, "change {at}");
        assert!(world.gives(with(base(), change)).1, "change {at}");
    }
    let read = || with(base(), |body| body.surroundings.stdin = Stdin::File(path()));
    let moved = |to| with(base(), |body| body.surroundings.inputs = vec![bring(to)]);
    for text in ["1", "2"] {
        std::fs::write(&file, text).expect("it can be written");
        for spec in [&read as &dyn Fn() -> TaskSpec, &|| moved("a"), &|| moved("b")] {
            assert!(!world.gives(spec()).1, "{text}");
            assert!(world.gives(spec()).1, "{text}");
        }
    }
}

#[test]
fn a_program_of_one_s_own_is_known_by_what_it_holds() {
    let mut world = World::new();
    let dir = tempfile::tempdir().expect("a directory can be made");
    let at = dir.path().join("tool");
    let tool = at.to_str().expect("it is text");
    for text in ["one", "two"] {
        script(&at, text);
        assert_eq!(world.gives(cached(command(&[tool]))), (format!("{text}\n"), false));
        assert_eq!(world.gives(cached(command(&[tool]))), (format!("{text}\n"), true));
    }
}

/// Makes a script beside and puts it in its place, since nobody may write to what runs.
fn script(at: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    let draft = at.with_extension("draft");
    std::fs::write(&draft, format!("#!/bin/sh\necho {text}\n")).expect("it can be written");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&draft, mode).expect("it is ours");
    std::fs::rename(&draft, at).expect("it can be renamed");
}

#[test]
fn what_a_task_is_called_by_matters_only_where_it_asks() {
    let mut world = World::new();
    let call = |text: &str| {
        with(function("echo", &[""], 1), |body| {
            if let bary_model::action::Action::Function { args, .. } = &mut body.action {
                args[0].value = template(text);
            }
            body.cache = Some(HOUR);
        })
    };
    let known = |world: &mut World, text: &str, attempt, slot| {
        let granted = GrantItem { attempt, ..item(call(text)) };
        world.ended(slot, vec![granted])[0].usage.cached
    };
    assert!(!known(&mut world, "a", 1, 1));
    assert!(known(&mut world, "a", 2, 2));
    assert!(!known(&mut world, "{attempt}", 1, 1));
    assert!(!known(&mut world, "{attempt}", 2, 1));
    assert!(known(&mut world, "{attempt}", 2, 2));
    assert!(!known(&mut world, "slot {%}", 1, 1));
    assert!(!known(&mut world, "slot {%}", 1, 2));
}

#[test]
fn results_of_others_count() {
    let mut world = World::new();
    let reads = |text: &'static str| {
        let results = vec![Payload::Inline(text.into())];
        let upstream = Upstream { name: "a".into(), results, ..Upstream::default() };
        let upstream = Upstream { indices: vec![0], nodes: vec![Default::default()], ..upstream };
        let spec = cached(function("read", &[], 1));
        GrantItem { upstream: Some([upstream].into()), ..item(spec) }
    };
    for (text, known) in [("a", false), ("b", false), ("a", true), ("b", true)] {
        let outcome = world.ended(1, vec![reads(text)]).remove(0);
        assert_eq!(outcome.usage.cached, known, "{text}");
        let Outcome::Succeeded(results) = &outcome.outcome else { panic!("it must succeed") };
        assert_eq!(results.at(0), Payload::Inline(text.into()));
    }
}

#[test]
fn a_run_that_is_partly_known_comes_again_until_all_of_it_is_told() {
    let mut world = World::new();
    for text in ["b", "c", "e"] {
        world.ended(1, vec![item(each(&[text]))]);
    }
    let plain = function("echo", &["plain"], 2);
    let of = |spec, no| GrantItem { range: numbered(&spec, no), ..item(spec) };
    let first = each(&["a", "b", "c", "d", "d", "e"]);
    let mut left = vec![of(first, 0), of(plain, 1), of(each(&["a"]), 2)];
    let mut told: Vec<(String, bool)> = Vec::new();
    let mut runs = 0;
    while !left.is_empty() {
        runs += 1;
        let mut back = Vec::new();
        for outcome in world.ended(1, left.clone()) {
            let of = left.iter().find(|item| item.range.spec == outcome.range.spec);
            let of = of.expect("it is of the run");
            let Outcome::Succeeded(results) = &outcome.outcome else {
                assert_eq!(outcome.outcome, Outcome::Returned);
                back.push(GrantItem { range: outcome.range, ..of.clone() });
                continue;
            };
            for at in 0..outcome.range.count {
                let bytes = world.store.read(&results.at(at as usize)).expect("it can be read");
                told.push((String::from_utf8_lossy(&bytes).into_owned(), outcome.usage.cached));
            }
        }
        left = back;
    }
    let told: Vec<(&str, bool)> = told.iter().map(|(text, known)| (&**text, *known)).collect();
    let wanted = [
        ("a", false),
        ("b", true),
        ("c", true),
        ("d", false),
        ("d", true),
        ("e", true),
        ("plain", false),
        ("plain", false),
        ("a", true),
    ];
    assert_eq!((told, runs), (wanted.to_vec(), 6));
    assert_eq!(world.calls(), 3 + 2 + 2);
    assert_eq!(world.counts(), [5, 3 + 2]);
}

fn numbered(spec: &TaskSpec, no: u32) -> TaskRange {
    TaskRange { spec: SpecNo(no), count: spec.count, ..TaskRange::default() }
}

#[test]
fn a_result_is_taken_as_long_as_it_is_no_older_than_asked_for() {
    let mut world = World::new();
    let call = |age| with(function("echo", &["a"], 1), |body| body.cache = Some(age));
    assert!(!world.gives(call(HOUR)).1);
    world.today.fetch_add(HOUR.0, Ordering::SeqCst);
    assert!(world.gives(call(HOUR)).1);
    world.today.fetch_add(1, Ordering::SeqCst);
    assert!(world.gives(call(HOUR.times(2))).1);
    assert!(!world.gives(call(HOUR)).1);
    assert!(world.gives(call(HOUR)).1, "the new one counts");
}

#[test]
fn what_failed_or_was_stopped_is_not_kept() {
    let mut world = World::new();
    for _ in 0..2 {
        let outcome = world.run(cached(function("fail", &[], 1)));
        assert!(matches!(outcome.outcome, Outcome::Failed { failure: Failure::Error(_), .. }));
        let before = world.calls();
        let run = world.start(1, vec![item(cached(function("linger", &[], 1)))]);
        while world.calls() == before {
            std::thread::yield_now();
        }
        world.executor.stop(run, Stop::Ask(StopReason::Cancel));
        assert_eq!(world.next_end(run)[0].outcome, Outcome::Stopped);
    }
    assert!(world.shelf.kept.lock().expect("no test panics here").is_empty());
    assert_eq!(world.counts(), [0, 4]);
}

#[test]
fn what_read_a_file_that_changed_meanwhile_is_not_kept() {
    let mut world = World::new();
    let dir = tempfile::tempdir().expect("a directory can be made");
    let file = dir.path().join("input");
    std::fs::write(&file, "1").expect("it can be written");
    let path = Template::literal(file.as_os_str().as_encoded_bytes());
    let text = format!("cat; echo 23 > {}", file.display());
    let spec = with(cached(shell(&text)), |body| body.surroundings.stdin = Stdin::File(path));
    assert_eq!(world.gives(spec.clone()), ("1".into(), false));
    assert!(world.shelf.kept.lock().expect("no test panics here").is_empty());
    assert_eq!(world.gives(spec), ("23\n".into(), false));
}

#[test]
fn a_task_whose_input_is_not_there_fails_as_ever() {
    let mut world = World::new();
    let missing = Stdin::File(Template::literal("/nowhere/at/all"));
    let spec = with(cached(shell("cat")), |body| body.surroundings.stdin = missing);
    let outcome = world.run(spec).outcome;
    assert!(matches!(outcome, Outcome::Failed { failure: Failure::NotStarted(_), .. }));
}

#[test]
fn a_run_that_is_looked_up_can_be_stopped() {
    for reason in [StopReason::Cancel, StopReason::Timeout, StopReason::Silent] {
        let mut world = World::new();
        let shelf = Arc::clone(&world.shelf);
        // Whoever looks up waits for the shelf.
        let held = shelf.kept.lock().expect("no test panics here");
        let items = vec![item(each(&["a", "b", "c"]))];
        let run = world.start(1, items.clone());
        world.executor.stop(run, Stop::Kill(reason));
        let outcomes = world.next_end(run);
        assert_whole(&items, &outcomes);
        match (reason, &outcomes[0].outcome) {
            (StopReason::Cancel, Outcome::Stopped)
            | (StopReason::Timeout, Outcome::Failed { failure: Failure::TimedOut, .. })
            | (StopReason::Silent, Outcome::Failed { failure: Failure::Silent, .. }) => {}
            other => panic!("it was stopped: {other:?}"),
        }
        assert_eq!(outcomes[1].outcome, Outcome::Returned);
        drop(held);
        world.ended(1, vec![item(each(&["d"]))]);
        assert_eq!(world.calls(), 1, "what was stopped never began");
    }
}

#[test]
fn closing_ends_what_is_looked_up() {
    let mut world = World::new();
    let shelf = Arc::clone(&world.shelf);
    let held = shelf.kept.lock().expect("no test panics here");
    let run = world.start(1, vec![item(each(&["a"]))]);
    world.executor.close();
    assert_eq!(world.next_end(run)[0].outcome, Outcome::Stopped);
    drop(held);
    assert_eq!(world.calls(), 0);
}

#[test]
fn a_result_that_finds_no_room_is_computed_again() {
    let mut world = World::new();
    let large = "x".repeat(2 * Payload::INLINE_MAX);
    let call = || cached(function("echo", &[&large], 1));
    world.run(call());
    world.store.full.store(true, Ordering::Relaxed);
    let outcome = world.run(call());
    assert!(matches!(outcome.outcome, Outcome::Failed { .. }), "{outcome:?}");
    assert_eq!(world.calls(), 2);
}
