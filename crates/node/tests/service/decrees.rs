//! What is said of nodes and of the policy holds at once, is told, and holds over restarts.

use std::collections::BTreeMap;
use std::path::Path;

use bary_api::problem::{Kind, Refused};
use bary_api::role::Role;
use bary_api::v1::submit_request::Job;
use bary_api::v1::{self, SubmitRequest};
use bary_node::service::{Ending, OpenError, Service};
use bary_policy::preset;
use tokio::runtime::Runtime;

use crate::world::{Gate, World, all, caller, calls, options};

fn label(pairs: &[(&str, &str)]) -> v1::ChangeNodeRequest {
    let pairs = pairs.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    change("label", pairs.collect())
}

fn change(action: &str, labels: BTreeMap<String, String>) -> v1::ChangeNodeRequest {
    let (node, action) = ("n0".to_owned(), action.to_owned());
    v1::ChangeNodeRequest { node, action, labels, reason: "because".to_owned() }
}

/// One task for a node with a label.
fn asking() -> SubmitRequest {
    let file = "[[task]]\nfunction = \"echo\"\nwhere = { gpu = \"yes\" }\n".to_owned();
    SubmitRequest { job: Some(Job::File(file)), ..SubmitRequest::default() }
}

async fn node(service: &Service) -> v1::NodeStatus {
    let listed = service.list_nodes(&caller(Role::Viewer), Default::default()).await;
    listed.expect("a viewer may").nodes[0].clone()
}

fn open(dir: &Path, policy: Option<&str>) -> Result<Service, OpenError> {
    let mut options = options(&Gate::default());
    if let Some(policy) = policy {
        options.policy_chosen = true;
        options.cluster.policy = preset::parse(policy).expect("it is there");
    }
    Service::open(options, dir)
}

/// The policy that is followed, as both verbs say that tell it.
async fn followed(service: &Service) -> String {
    let viewer = caller(Role::Viewer);
    let info = service.info(&viewer, Default::default()).await.expect("a viewer may");
    let list = service.list_policies(&viewer, Default::default()).await.expect("a viewer may");
    assert_eq!(info.policy, list.followed);
    info.policy
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_makes_room_for_what_asks_for_it() {
    let world = World::new();
    let change = async |asked| world.service.change_node(&world.admin, asked).await;
    let kind = |refused: Result<v1::ChangedReply, Refused>| refused.expect_err("it is wrong").kind;
    let early = world.service.submit(&world.admin, asking()).await;
    assert_eq!(early.expect_err("no node has it").kind, Kind::Unplaceable);
    change(label(&[("gpu", "yes"), ("rack", "7")])).await.expect("it is good");
    let labels = node(&world.service).await.labels;
    assert_eq!(labels, [("gpu", "yes"), ("rack", "7")].map(|(a, b)| (a.into(), b.into())).into());
    let job = world.submit(asking()).await;
    assert_eq!(world.wait(job).await.state, "succeeded");
    change(label(&[("gpu", "")])).await.expect("it is good");
    assert_eq!(node(&world.service).await.labels.len(), 1);
    assert_eq!(kind(change(label(&[])).await), Kind::Invalid);
    assert_eq!(kind(change(label(&[("a b", "c")])).await), Kind::Invalid);
    assert_eq!(kind(change(label(&[("a", &"c".repeat(2_000))])).await), Kind::TooLarge);
    let unknown = v1::ChangeNodeRequest { node: "n9".into(), ..label(&[("a", "b")]) };
    assert_eq!(kind(change(unknown).await), Kind::NotFound);
    let asked = v1::EventsRequest { kinds: vec!["labelled".to_owned()], ..Default::default() };
    let events = all(world.service.events(&world.admin, asked).await.expect("an admin may")).await;
    let told: Vec<_> = events.iter().map(|one| (&*one.node, &*one.detail)).collect();
    assert_eq!(told, [("n0", "gpu=yes rack=7"), ("n0", "rack=7")]);
}

#[test]
fn a_drain_labels_and_the_policy_hold_over_a_restart() {
    let runtime = Runtime::new().expect("the machine has threads");
    let dir = tempfile::tempdir().expect("there is room");
    let admin = caller(Role::Admin);
    let service = open(dir.path(), None).expect("the state is sound");
    assert_eq!(runtime.block_on(followed(&service)), "gravity");
    runtime.block_on(async {
        for asked in [change("drain", BTreeMap::new()), label(&[("gpu", "yes")])] {
            service.change_node(&admin, asked).await.expect("it is good");
        }
        let parts = [("steal".to_owned(), "none".to_owned())].into();
        let asked = v1::SetPolicyRequest { parts, ..Default::default() };
        service.set_policy(&admin, asked).await.expect("it is good");
    });
    service.end(&Ending::Now);
    drop(service);

    let service = open(dir.path(), None).expect("the state is sound");
    assert_eq!(runtime.block_on(followed(&service)), "gravity,steal=none");
    let node_now = runtime.block_on(node(&service));
    assert_eq!((&*node_now.state, &*node_now.labels["gpu"]), ("drained", "yes"));
    runtime.block_on(async {
        let undrain = change("undrain", BTreeMap::new());
        service.change_node(&admin, undrain).await.expect("it is good");
        assert_eq!(node(&service).await.state, "up");
        let job = service.submit(&admin, asking()).await.expect("a node has the label").job;
        let asked = v1::WaitRequest { jobs: vec![job], timeout: 300.0 };
        assert!(service.wait(&admin, asked).await.expect("it is there").done);
    });
    service.end(&Ending::Now);
    drop(service);

    // Who starts it decides, and that is on record too.
    let service = open(dir.path(), Some("round-robin")).expect("the state is sound");
    assert_eq!(runtime.block_on(followed(&service)), "round-robin");
    runtime.block_on(async {
        // What is asked after it is answered after it: it is on record by then.
        service.change_node(&admin, label(&[("gpu", "")])).await.expect("it is good");
    });
    service.end(&Ending::Now);
    drop(service);
    let service = open(dir.path(), None).expect("the state is sound");
    assert_eq!(runtime.block_on(followed(&service)), "round-robin");
    service.end(&Ending::Now);
}

#[test]
fn a_reader_of_events_sees_a_grant_before_its_start() {
    let runtime = Runtime::new().expect("the machine has threads");
    let dir = tempfile::tempdir().expect("there is room");
    let admin = caller(Role::Admin);
    let service = open(dir.path(), None).expect("the state is sound");
    let events = runtime.block_on(async {
        for input in ["a", "b", "c"] {
            let job = service.submit(&admin, calls("echo", &[input])).await.expect("it is good");
            let asked = v1::WaitRequest { jobs: vec![job.job], timeout: 300.0 };
            assert!(service.wait(&admin, asked).await.expect("it is there").done);
        }
        all(service.events(&admin, Default::default()).await.expect("an admin may")).await
    });
    for job in 1..=3 {
        let of_job = events.iter().filter(|event| event.job == job);
        let kinds: Vec<&str> = of_job.map(|event| &*event.kind).collect();
        assert_eq!(kinds, ["submitted", "granted", "started", "ended", "finished"]);
    }
    service.end(&Ending::Now);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_cancelled_while_it_runs_shows_the_attempt_that_ran() {
    let world = World::new();
    let job = world.submit(calls("wait", &["a"])).await;
    let task = async || {
        let asked = v1::ListTasksRequest { job, ..Default::default() };
        let listed = world.service.list_tasks(&world.admin, asked).await;
        listed.expect("it is there").tasks[0].clone()
    };
    let asked = v1::EventsRequest { follow: true, ..Default::default() };
    let mut events = world.service.events(&world.admin, asked).await.expect("an admin may");
    loop {
        let event = tokio_stream::StreamExt::next(&mut events).await.expect("it goes on");
        if event.expect("it can be read").kind == "started" {
            break;
        }
    }
    let asked = v1::CancelRequest { jobs: vec![job], ..Default::default() };
    world.service.cancel(&world.admin, asked).await.expect("it runs");
    let task = task().await;
    assert_eq!((&*task.state, task.attempt, &*task.node), ("cancelled", 1, "n0"));
    assert!(!task.started.is_empty(), "{task:?}");
    assert_eq!(world.job(job).await.attempts, 1);
}

#[test]
fn what_was_cancelled_while_it_ran_is_the_same_after_a_restart() {
    let runtime = Runtime::new().expect("the machine has threads");
    let dir = tempfile::tempdir().expect("there is room");
    let (gate, admin) = (Gate::default(), caller(Role::Admin));
    let open = || Service::open(options(&gate), dir.path()).expect("the state is sound");
    let listed = async |service: &Service, job| {
        let asked = v1::ListJobsRequest { jobs: vec![job], ..Default::default() };
        let jobs = service.list_jobs(&admin, asked).await.expect("it is there").jobs;
        let asked = v1::ListTasksRequest { job, ..Default::default() };
        let tasks = service.list_tasks(&admin, asked).await.expect("it is there").tasks;
        // When what was cancelled ended is known roughly after a restart.
        let each = tasks.into_iter().map(|task| {
            (task.name, task.state, task.attempt, task.node, task.started, task.run_seconds)
        });
        (jobs[0].attempts, jobs[0].started.clone(), each.collect::<Vec<_>>())
    };
    let service = open();
    let (job, before) = runtime.block_on(async {
        let reply = service.submit(&admin, calls("wait", &["a"; 9])).await;
        let job = reply.expect("it is good").job;
        let asked = v1::EventsRequest { follow: true, ..Default::default() };
        let mut events = service.events(&admin, asked).await.expect("an admin may");
        let mut started = 0;
        while started < 2 {
            let event = tokio_stream::StreamExt::next(&mut events).await.expect("it goes on");
            let event = event.expect("it can be read");
            started += if event.kind == "started" { event.tasks } else { 0 };
        }
        let asked = v1::CancelRequest { jobs: vec![job], ..Default::default() };
        service.cancel(&admin, asked).await.expect("it runs");
        (job, listed(&service, job).await)
    });
    let attempts = before.2.iter().map(|task| task.2).sum::<u32>();
    assert_eq!((before.0, attempts), (2, 2), "one node of two slots ran them");
    gate.open();
    service.end(&Ending::Now);
    drop(service);
    let service = open();
    assert_eq!(runtime.block_on(listed(&service, job)), before);
    service.end(&Ending::Now);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_job_takes_no_more_and_says_so() {
    let world = World::new();
    let job = world.submit(calls("echo", &["a"])).await;
    let Some(Job::Tasks(tasks)) = calls("echo", &["b"]).job else { panic!("it is of tasks") };
    let more =
        |job| v1::ExtendRequest { job, more: Some(v1::extend_request::More::Tasks(tasks.clone())) };
    let late = world.service.extend(&world.admin, more(job)).await.expect_err("it is closed");
    assert!(late.kind == Kind::Conflict && late.title.contains("job 1 is closed"), "{late:?}");
    let again = world.service.close(&world.admin, crate::world::jobs(job)).await;
    assert_eq!(again.expect_err("it is closed").kind, Kind::Conflict);
    let unknown = world.service.extend(&world.admin, more(9)).await.expect_err("there is none");
    assert_eq!(unknown.kind, Kind::NotFound);
}
