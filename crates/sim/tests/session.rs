//! Worlds that are stepped from outside: who gets a task, what is left of it, and what becomes of
//! it when its server leaves.

use bary_engine::input::Refusal;
use bary_model::time::{Moment, Span};
use bary_policy::preset;
use bary_sim::plan::Plan;
use bary_sim::session::task::{Happened, Stage};
use bary_sim::session::{Session, SubmitError};

/// One queue, the earliest end first.
const POLICY: &str = "fifo,force=least-loaded,alpha=0.001";

fn plan() -> Plan {
    Plan::stepped(1, 5, POLICY)
}

/// A session with servers of these speeds, from 1.
fn session<'a>(plan: &'a Plan, speeds: &[f64]) -> Session<'a> {
    let mut session = Session::begin(plan, None).expect("nothing happens yet");
    for (server, speed) in (1..).zip(speeds) {
        session.join(server, *speed).expect("it comes to rest");
    }
    session
}

/// Lets whole seconds go by.
fn wait(session: &mut Session<'_>, seconds: u64) {
    let until = session.now() + Span::secs(seconds);
    session.live_until(until).expect("time goes by");
}

/// What each server runs, and for how many more thousandths of a second.
fn shown(session: &Session<'_>, servers: usize) -> Vec<Option<(usize, u64)>> {
    let left = |server| {
        let run = session.running(server)?;
        Some((run.task, (run.began + run.takes).since(session.now()).0 / 1_000_000))
    };
    (1..=servers).map(left).collect()
}

#[test]
fn a_task_goes_to_an_idle_server_and_the_rest_wait_in_their_order() {
    let plan = plan();
    let mut session = session(&plan, &[1.0, 1.0]);
    for seconds in [5, 3, 2, 4] {
        session.submit(seconds * 1_000).expect("there is room");
    }
    assert_eq!(shown(&session, 2), [Some((0, 5_000)), Some((1, 3_000))]);
    let queued = session.tasks().iter().filter(|task| task.stage == Stage::Queued).count();
    assert_eq!(queued, 2);
    wait(&mut session, 3);
    assert_eq!(shown(&session, 2), [Some((0, 2_000)), Some((2, 2_000))]);
    wait(&mut session, 2);
    assert_eq!(shown(&session, 2), [Some((3, 4_000)), None]);
    wait(&mut session, 4);
    assert!(session.tasks().iter().all(|task| task.is_over()));
    assert_eq!(session.now(), Moment(9_000_000_000));
    assert_eq!([session.busy(1), session.busy(2)], [Span::secs(9), Span::secs(5)]);
}

#[test]
fn the_task_of_a_server_that_leaves_runs_again_from_its_beginning_elsewhere() {
    let plan = plan();
    let mut session = session(&plan, &[1.0, 1.0]);
    session.submit(5_000).expect("there is room");
    session.submit(2_000).expect("there is room");
    wait(&mut session, 1);
    session.news();
    session.leave(1).expect("it comes to rest");
    let news: Vec<_> = session.news().iter().map(|news| (news.node, news.what)).collect();
    assert_eq!(news, [(1, Happened::Returned)]);
    assert_eq!(session.tasks()[0].stage, Stage::Queued);
    wait(&mut session, 1);
    assert_eq!(shown(&session, 2), [None, Some((0, 5_000))]);
    session.join(1, 1.0).expect("it comes to rest");
    session.submit(1_000).expect("there is room");
    assert_eq!(session.tasks()[2].stage, Stage::Runs(1));
    wait(&mut session, 5);
    assert!(session.tasks().iter().all(|task| task.is_over()));
    assert_eq!(session.tasks()[0].starts, 2);
}

#[test]
fn a_server_that_leaves_again_and_again_does_no_task_any_harm() {
    let plan = plan();
    let mut session = session(&plan, &[1.0]);
    session.submit(2_000).expect("there is room");
    for _ in 0..10 {
        wait(&mut session, 1);
        session.leave(1).expect("it comes to rest");
        session.join(1, 1.0).expect("it comes to rest");
    }
    wait(&mut session, 2);
    let done = Stage::Done { node: 1, at: session.now(), good: true };
    assert_eq!((session.tasks()[0].stage, session.tasks()[0].starts), (done, 11));
}

#[test]
fn the_faster_of_two_idle_servers_is_chosen_also_when_it_became_faster_just_now() {
    let plan = plan();
    let mut session = session(&plan, &[1.0, 2.0]);
    let first = session.submit(4_000).expect("there is room");
    assert_eq!(session.tasks()[first].stage, Stage::Runs(2));
    wait(&mut session, 2);
    session.set_speed(1, 4.0).expect("it comes to rest");
    let second = session.submit(4_000).expect("there is room");
    assert_eq!(session.tasks()[second].stage, Stage::Runs(1));
    assert_eq!(shown(&session, 2), [Some((1, 1_000)), None]);
}

#[test]
fn a_task_that_no_server_could_run_is_refused_and_one_that_lost_its_server_waits() {
    let plan = plan();
    let mut session = session(&plan, &[1.0]);
    session.submit(2_000).expect("there is room");
    session.leave(1).expect("it comes to rest");
    let refused = session.submit(1_000);
    assert!(matches!(refused, Err(SubmitError::Refused(Refusal::Unplaceable { .. }))));
    assert_eq!(session.tasks().len(), 1);
    wait(&mut session, 100);
    assert_eq!(session.tasks()[0].stage, Stage::Queued);
    session.join(2, 1.0).expect("it comes to rest");
    assert_eq!(session.tasks()[0].stage, Stage::Runs(2));
}

#[test]
fn another_policy_binds_tasks_to_servers_at_once() {
    let plan = plan();
    let mut session = session(&plan, &[1.0, 1.0]);
    session.follow(&preset::parse("round-robin").expect("there is one")).expect("it rests");
    for _ in 0..4 {
        session.submit(2_000).expect("there is room");
    }
    let stages: Vec<Stage> = session.tasks().iter().map(|task| task.stage).collect();
    assert_eq!(stages, [Stage::Runs(1), Stage::Runs(2), Stage::Bound(1), Stage::Bound(2)]);
    wait(&mut session, 4);
    assert!(session.tasks().iter().all(|task| task.is_over()));
}
