//! Functions: what they are given, what they return, and how they are given up on.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use bary_executor::config::{Addresses, ExecutorConfig};
use bary_model::action::{Action, Arg};
use bary_model::gang::Seat;
use bary_model::id::{NodeId, TaskRange};
use bary_model::inputs::Inputs;
use bary_model::message::GrantItem;
use bary_model::outcome::{Failure, Outcome, Results};
use bary_model::payload::Payload;
use bary_model::task::TaskSpec;
use bary_model::template::Template;
use bary_model::template::parse::Dialect;
use bary_model::time::Span;
use bary_ports::executor::{Completion, Executor, Stop, StopReason};
use bary_ports::function::{Function, FunctionError, Functions};
use bytes::Bytes;
use world::{Seen, World, assert_whole, blocking, function, future, item, spec, with};

#[expect(dead_code, reason = "each test file uses a part of it")]
mod world;

const LONG: Span = Span::secs(1_000);

fn world<const N: usize>(functions: [(&str, Function); N]) -> World {
    World::new(functions.into_iter().map(|(name, f)| (name.into(), f)).collect::<Functions>())
}

/// Its index as text, an error at 3 and a panic at 5.
fn odd(call: &bary_ports::function::Call) -> Result<Bytes, FunctionError> {
    match call.task.index {
        3 => Err(FunctionError::new("three")),
        5 => panic!("five is right {}", "out"),
        n => Ok(Bytes::from(n.to_string())),
    }
}

#[test]
fn neighbours_that_return_nothing_are_one_range() {
    let mut world = world([("noop", blocking(|_| Ok(Bytes::new())))]);
    let items = vec![item(function("noop", &[], 100_000)), item(function("noop", &[], 5))];
    world.start(1, items.clone(), LONG);
    let (_, outcomes) = world.ended();
    assert_whole(&items, &outcomes);
    assert_eq!(outcomes.len(), 2);
    assert!(outcomes.iter().all(|o| o.outcome == Outcome::Succeeded(Results::Nothing)));
    assert!(outcomes[0].usage.busy > Span::ZERO);
}

#[test]
fn a_failure_or_a_panic_is_its_task_s_only() {
    for odd in [blocking(odd), future(|call| Box::pin(async move { odd(&call) }))] {
        let mut world = world([("odd", odd)]);
        let items = vec![item(function("odd", &[], 8))];
        world.start(1, items.clone(), LONG);
        let (_, outcomes) = world.ended();
        assert_whole(&items, &outcomes);
        let ends: Vec<String> = outcomes.iter().map(|o| name(&o.outcome)).collect();
        let wanted = ["3 results", "error: three", "1 results", "panicked: five is right out"];
        assert_eq!(ends[..4], wanted);
        assert_eq!(ends[4], "2 results");
        let Outcome::Succeeded(Results::Each(each)) = &outcomes[4].outcome else {
            panic!("the fifth one succeeds with results")
        };
        assert_eq!(each[1], Payload::Inline(Bytes::from_static(b"7")));
    }
}

fn name(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Succeeded(Results::Each(each)) => format!("{} results", each.len()),
        Outcome::Failed { failure, .. } => failure.to_string(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_function_knows_its_rank_and_where_its_gang_meets() {
    let told = |call: &bary_ports::function::Call| {
        let told = call.rank.map(|rank| rank.variables().map(|(_, value)| value).join(" "));
        Ok(Bytes::from(told.unwrap_or_else(|| "no rank".to_owned())))
    };
    for told in [blocking(told), future(move |call| Box::pin(async move { told(&call) }))] {
        let reached = |node| (node == NodeId(7)).then_some(IpAddr::from([10, 0, 0, 7]));
        let addresses = Addresses::new(reached);
        let config = ExecutorConfig { addresses, ..ExecutorConfig::default() };
        let mut world = World::with(config, Functions::from([("told".into(), told)]));
        let mut tell = |gang, seat| {
            let spec = TaskSpec { gang, ..function("told", &[], 8) };
            let range = TaskRange { first: 6, count: 1, ..TaskRange::default() };
            world.start(1, vec![GrantItem { range, seat, ..item(spec) }], LONG);
            let (_, outcomes) = world.ended();
            match &outcomes[0].outcome {
                Outcome::Succeeded(results) => world.read(&results.at(0)),
                other => Bytes::from(name(other)),
            }
        };
        assert_eq!(tell(4, Some(Seat { first: NodeId(7), port: 29_501 })), "2 4 10.0.0.7 29501");
        assert_eq!(tell(0, None), "no rank");
        let unknown = tell(4, Some(Seat { first: NodeId(8), port: 29_501 }));
        assert!(unknown.starts_with(b"error: nobody knows the address of node n8"), "{unknown:?}");
    }
}

#[test]
fn with_detail_each_index_is_reported_alone() {
    let mut world = world([("noop", blocking(|_| Ok(Bytes::new())))]);
    let spec = with(function("noop", &[], 10), |body| body.detail = true);
    world.start(1, vec![item(spec)], LONG);
    let (_, outcomes) = world.ended();
    assert_eq!(outcomes.len(), 10);
    assert!(outcomes.is_sorted_by_key(|o| o.usage.began));
}

#[test]
fn arguments_are_expanded_for_each_index() {
    let argument = |call: &bary_ports::function::Call| {
        let named = call.arg("n", 0).cloned().unwrap_or_default();
        let placed = call.arg("none", 0).cloned().unwrap_or_default();
        Ok([named, placed].concat().into())
    };
    let argument = Arc::new(argument);
    let (one, other) = (Arc::clone(&argument), argument);
    let both = [
        blocking(move |call| one(call)),
        future(move |call| {
            let result = other(&call);
            Box::pin(async { result })
        }),
    ];
    for f in both {
        let mut world = world([("f", f)]);
        let index = Template::parse(b"{index}", Dialect::Strict, &mut |_| None).expect("it is one");
        let args = vec![
            Arg { name: Some("n".into()), value: index },
            Arg { name: None, value: Template::literal("!") },
        ];
        let inputs = Inputs::numbers(10, 5, 3).expect("three numbers");
        let spec = spec(Action::Function { name: "f".into(), args });
        let spec = TaskSpec { inputs, count: 3, ..spec };
        world.start(1, vec![item(spec)], LONG);
        let (_, outcomes) = world.ended();
        let Outcome::Succeeded(Results::Each(each)) = &outcomes[0].outcome else { panic!() };
        let texts: Vec<Bytes> = each.iter().map(|payload| world.read(payload)).collect();
        assert_eq!(texts, ["10!", "15!", "20!"]);
    }
}

#[test]
fn an_unknown_function_is_named() {
    let mut world = world([]);
    let text = world.failure(function("who", &[], 1)).to_string();
    assert!(text.contains("`who` is not known"), "{text}");
}

#[test]
fn a_spent_budget_returns_the_rest() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let count = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(Bytes::new())
    };
    let other = count.clone();
    for f in [blocking(move |_| count()), future(move |_| Box::pin(std::future::ready(other())))] {
        let mut world = world([("count", f)]);
        calls.store(0, Ordering::Relaxed);
        let items = vec![item(function("count", &[], 9)), item(function("count", &[], 4))];
        world.start(1, items.clone(), Span::ZERO);
        let (_, outcomes) = world.ended();
        assert_whole(&items, &outcomes);
        assert_eq!(calls.load(Ordering::Relaxed), 1, "one is begun, no more");
        assert_eq!(outcomes[1].outcome, Outcome::Returned);
        assert_eq!((outcomes[1].range.first, outcomes[1].range.count), (1, 8));
        assert_eq!((outcomes[2].range.first, outcomes[2].range.count), (0, 4));
    }
}

#[test]
fn a_stretched_slot_is_busy_for_longer() {
    let took = Arc::new(AtomicU32::new(0));
    let inside = Arc::clone(&took);
    let spin = blocking(move |_| {
        let began = std::time::Instant::now();
        while began.elapsed().as_micros() < 2_000 {
            std::hint::spin_loop();
        }
        inside.store(began.elapsed().as_micros() as u32, Ordering::Relaxed);
        Ok(Bytes::new())
    });
    let config = ExecutorConfig { stretch: 3.0, speed: 1.0 / 3.0, ..ExecutorConfig::default() };
    let mut world = World::with(config, Functions::from([("spin".into(), spin)]));
    let usage = world.outcome(function("spin", &[], 1)).usage;
    let least = Span::micros(u64::from(took.load(Ordering::Relaxed)) * 3);
    assert!(usage.busy >= least, "{} is less than {least}", usage.busy);
}

#[test]
fn a_function_that_is_asked_can_end_itself() {
    let mut world = world([(
        "patient",
        blocking(|call| {
            (call.beat)();
            while !call.is_stopped() {
                std::thread::yield_now();
            }
            Ok(Bytes::from_static(b"late"))
        }),
    )]);
    let spec = with(function("patient", &[], 2), |body| body.heartbeat_timeout = Some(LONG));
    let run = world.start_spec(spec);
    assert!(matches!(world.next(), Seen::Completion(Completion::Beat { run: r }) if r == run));
    world.executor.stop(run, Stop::Ask(StopReason::Cancel));
    let (_, outcomes) = world.ended();
    assert_eq!(outcomes[0].outcome, Outcome::Stopped);
    assert_eq!(outcomes[1].outcome, Outcome::Returned);
}

#[test]
fn a_function_that_does_not_return_is_given_up_on() {
    let (release, held) = channel::<()>();
    let (entered, inside) = channel();
    let held = Mutex::new(held);
    let entered = Mutex::new(entered);
    let stuck = blocking(move |call| {
        if call.task.index == 1 {
            entered.lock().expect("one thread").send(()).expect("the test listens");
            let held = held.lock().expect("one thread");
            held.recv().expect("the test releases it");
        }
        Ok(Bytes::from_static(b"done"))
    });
    let mut world = world([("stuck", stuck), ("noop", blocking(|_| Ok(Bytes::new())))]);
    let items = vec![item(function("stuck", &[], 4))];
    let run = world.start(1, items.clone(), LONG);
    inside.recv_timeout(world::PATIENCE).expect("the function is called");
    world.executor.stop(run, Stop::Kill(StopReason::Timeout));
    let (_, outcomes) = world.ended();
    assert_whole(&items, &outcomes);
    let ends: Vec<String> = outcomes.iter().map(|o| name(&o.outcome)).collect();
    assert_eq!(ends, ["1 results", "timed out", "Returned"]);
    assert_eq!(world.executor.abandoned(), 1);
    let next = world.outcome(function("noop", &[], 1));
    assert_eq!(next.outcome, Outcome::Succeeded(Results::Nothing), "the slot has a new thread");
    release.send(()).expect("the function waits");
    while world.executor.abandoned() > 0 {
        std::thread::yield_now();
    }
    world.executor.close();
    assert!(world.seen.try_recv().is_err(), "a late result is dropped");
}

#[test]
fn a_future_is_dropped_by_a_kill() {
    struct Dropped(std::sync::mpsc::Sender<()>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.send(()).expect("the test listens");
        }
    }
    let (sender, dropped) = channel();
    let sender = Mutex::new(sender);
    let forever = future(move |call| {
        let guard = Dropped(sender.lock().expect("one thread").clone());
        Box::pin(async move {
            (call.beat)();
            std::future::pending::<()>().await;
            drop(guard);
            Ok(Bytes::new())
        })
    });
    let mut world = world([("forever", forever)]);
    let spec = with(function("forever", &[], 3), |body| body.heartbeat_timeout = Some(LONG));
    let run = world.start_spec(spec);
    assert!(matches!(world.next(), Seen::Completion(Completion::Beat { .. })));
    world.executor.stop(run, Stop::Kill(StopReason::Silent));
    dropped.recv_timeout(world::PATIENCE).expect("the future is dropped");
    let (_, outcomes) = world.ended();
    let silent = matches!(outcomes[0].outcome, Outcome::Failed { failure: Failure::Silent, .. });
    assert!(silent, "{outcomes:?}");
    assert_eq!(outcomes[1].outcome, Outcome::Returned);
}

#[test]
fn futures_of_many_slots_wait_at_once() {
    let barrier = Arc::new(tokio::sync::Barrier::new(50));
    let meet = future(move |_| {
        let barrier = Arc::clone(&barrier);
        Box::pin(async move {
            barrier.wait().await;
            Ok(Bytes::new())
        })
    });
    let mut world = world([("meet", meet)]);
    for slot in 1..=50 {
        world.start(slot, vec![item(function("meet", &[], 1))], LONG);
    }
    for _ in 0..50 {
        assert_eq!(world.ended().1[0].outcome, Outcome::Succeeded(Results::Nothing));
    }
}

#[test]
fn closing_gives_up_on_what_does_not_return() {
    let (_keep, held) = channel::<()>();
    let held = Mutex::new(held);
    let (entered, inside) = channel();
    let entered = Mutex::new(entered);
    let stuck = blocking(move |_| {
        entered.lock().expect("one thread").send(()).expect("the test listens");
        assert!(held.lock().expect("one thread").recv().is_err(), "nothing is ever sent");
        Ok(Bytes::new())
    });
    let mut world = world([("stuck", stuck)]);
    let run = world.start_spec(function("stuck", &[], 1));
    inside.recv_timeout(world::PATIENCE).expect("the function is called");
    world.executor.close();
    let (ended, outcomes) = world.ended();
    assert_eq!((ended, &outcomes[0].outcome), (run, &Outcome::Stopped));
}
