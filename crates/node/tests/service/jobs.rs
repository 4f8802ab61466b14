//! What is submitted runs, is listed, steered, and refused where it cannot be.

use std::collections::BTreeMap;

use bary_api::problem::Kind;
use bary_api::role::Role;
use bary_api::v1::submit_request::Job;
use bary_api::v1::{self, SubmitRequest};
use bytes::Bytes;

use crate::world::{World, caller, calls, command, jobs};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_submitted_runs_and_can_be_read() {
    let world = World::new();
    let tags = BTreeMap::from([("team".to_owned(), "x".to_owned())]);
    let request =
        SubmitRequest { name: "first".to_owned(), tags, ..calls("echo", &["a", "", "c"]) };
    let job = world.submit(request).await;
    assert_eq!(job, 1);
    let done = world.wait(job).await;
    assert_eq!((&*done.state, done.tasks, done.succeeded, done.exit), ("succeeded", 3, 3, 0));
    assert_eq!((&*done.name, &*done.owner, done.progress), ("first", "admin", 1.0));
    let results = world.results(job).await;
    let given: Vec<_> = results.iter().map(|result| (result.number, &*result.data)).collect();
    assert_eq!(given, [(1, &b"a"[..]), (2, b""), (3, b"c")]);
    let large = world.submit(command(&["head", "-c", "3000000", "/dev/zero"])).await;
    world.wait(large).await;
    let pieces = world.results(large).await;
    assert!(pieces.len() > 1 && pieces.iter().rev().skip(1).all(|piece| piece.more));
    assert_eq!(pieces.iter().map(|piece| piece.data.len()).sum::<usize>(), 3_000_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_and_tasks_are_filtered_and_sorted() {
    let world = World::new();
    let good = world.submit(SubmitRequest { name: "b".into(), ..calls("fail", &["x"]) }).await;
    let bad = world
        .submit(SubmitRequest { name: "a".into(), ..calls("fail", &["bad", "x", "bad"]) })
        .await;
    world.wait(good).await;
    assert_eq!(world.wait(bad).await.exit, 1);
    let list = async |filter: &[&str], sort: &str| {
        let filter = filter.iter().map(ToString::to_string).collect();
        let asked = v1::ListJobsRequest { filter, sort: sort.to_owned(), ..Default::default() };
        let reply = world.service.list_jobs(&world.admin, asked).await;
        reply.map(|reply| reply.jobs.iter().map(|job| job.id).collect::<Vec<_>>())
    };
    assert_eq!(list(&[], "name").await, Ok(vec![bad, good]));
    assert_eq!(list(&[], "-name").await, Ok(vec![good, bad]));
    assert_eq!(list(&["state=failed"], "").await, Ok(vec![bad]));
    assert_eq!(list(&["tasks>2", "name=a*"], "").await, Ok(vec![bad]));
    let wrong = list(&["sate=failed"], "").await.expect_err("there is no such column");
    assert!(wrong.kind == Kind::Invalid && wrong.help.contains("`state`"), "{wrong:?}");
    let asked = v1::ListTasksRequest {
        job: bad,
        filter: vec!["state=failed".to_owned()],
        sort: "-number".to_owned(),
        limit: 1,
        ..Default::default()
    };
    let reply = world.service.list_tasks(&world.admin, asked).await.expect("it is there");
    assert_eq!((reply.total, reply.tasks.len()), (2, 1));
    let task = &reply.tasks[0];
    assert_eq!((task.number, &*task.error, &*task.node), (3, "error: no luck", "n0"));
    let none = v1::ListTasksRequest { job: 99, ..Default::default() };
    let none = world.service.list_tasks(&world.admin, none).await.expect_err("there is none");
    assert_eq!(none.kind, Kind::NotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_gives_the_first_answer_again() {
    let world = World::new();
    let keyed = |input| SubmitRequest { idempotency_key: "k".into(), ..calls("echo", &[input]) };
    let first = world.submit(keyed("a")).await;
    assert_eq!(world.submit(keyed("a")).await, first);
    let other = world.service.submit(&world.admin, keyed("b")).await;
    assert_eq!(other.expect_err("it is another job").kind, Kind::Conflict);
    let theirs = world.service.submit(&caller(Role::Operator), keyed("b")).await;
    assert_ne!(theirs.expect("keys are of their callers").job, first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_are_steered() {
    let world = World::new();
    let (service, admin) = (&world.service, &world.admin);
    let held = world.submit(SubmitRequest { hold: true, ..calls("echo", &["x"]) }).await;
    assert_eq!(world.job(held).await.state, "held");
    let after = world.submit(SubmitRequest { after: vec![held], ..calls("echo", &["y"]) }).await;
    let why = v1::WhyRequest { job: after, task: "1".to_owned() };
    let why = service.why(admin, why).await.expect("it is there");
    assert_eq!(why.answer, format!("its job waits for job {held}"));
    let asked = v1::SetPriorityRequest { jobs: vec![held], priority: 7, reason: String::new() };
    let changed = service.set_priority(admin, asked).await.expect("it is there");
    assert_eq!(changed.jobs[0].priority, 7);
    service.release(admin, jobs(held)).await.expect("it is held");
    assert_eq!(world.wait(after).await.state, "succeeded");
    let stuck = world.submit(calls("wait", &["1", "2", "3", "4", "5"])).await;
    let cancel =
        v1::CancelRequest { jobs: vec![stuck], reason: "enough".to_owned(), keep_running: true };
    let changed = service.cancel(admin, cancel).await.expect("it is there");
    assert_eq!(changed.jobs[0].reason, "enough");
    world.gate.open();
    let done = world.wait(stuck).await;
    assert_eq!((&*done.state, done.succeeded + done.cancelled), ("cancelled", 5));
    service.retry(admin, jobs(stuck)).await.expect("it has finished");
    assert_eq!(world.wait(stuck).await.succeeded, 5);
    let early = service.hold(admin, jobs(stuck)).await.expect_err("it has finished");
    assert_eq!(early.kind, Kind::Conflict);
    let prune = v1::PruneRequest { jobs: vec![stuck], ..Default::default() };
    service.prune(admin, prune).await.expect("it has finished");
    let asked = v1::ListJobsRequest { jobs: vec![stuck], ..Default::default() };
    let gone = service.list_jobs(admin, asked).await.expect_err("it is forgotten");
    assert_eq!(gone.kind, Kind::NotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_job_takes_more_tasks_until_it_is_closed() {
    let (world, more) = (World::new(), calls("echo", &["b", "c"]));
    let job = world.submit(SubmitRequest { open: true, ..calls("echo", &["a"]) }).await;
    let Some(Job::Tasks(tasks)) = more.job else { panic!("they are tasks") };
    let more = Some(v1::extend_request::More::Tasks(tasks));
    let extend = v1::ExtendRequest { job, more };
    let reply = world.service.extend(&world.admin, extend.clone()).await.expect("it is open");
    assert_eq!(reply.tasks, 3);
    world.service.close(&world.admin, jobs(job)).await.expect("it is open");
    let done = world.wait(job).await;
    assert_eq!((done.succeeded, done.open), (3, false));
    let late = world.service.extend(&world.admin, extend).await.expect_err("it is closed");
    assert_eq!(late.kind, Kind::Conflict);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_is_refused_with_its_kind() {
    let world = World::new();
    let kind = async |request| {
        world.service.submit(&world.admin, request).await.expect_err("it cannot be").kind
    };
    let mut huge = command(&["true"]);
    if let Some(Job::Tasks(tasks)) = &mut huge.job {
        tasks.gpus = 1e6;
    }
    assert_eq!(kind(huge).await, Kind::Unplaceable);
    let file = |text: &str| SubmitRequest {
        job: Some(Job::File(text.to_owned())),
        ..SubmitRequest::default()
    };
    assert_eq!(kind(file("[[task]]\ncomand = \"x\"")).await, Kind::Invalid);
    let reads = file("[[task]]\ncommand = \"x\"\neach-line = \"/etc/passwd\"");
    let refused = world.service.submit(&world.admin, reads).await.expect_err("no file is read");
    assert!(refused.title.contains("a node reads no files"), "{refused:?}");
    let spec = SubmitRequest { job: Some(Job::Spec(Bytes::new())), ..SubmitRequest::default() };
    assert_eq!(kind(spec).await, Kind::Invalid);
    assert_eq!(
        kind(SubmitRequest { at: "soon".into(), ..calls("echo", &["x"]) }).await,
        Kind::Invalid
    );
    assert_eq!(
        kind(SubmitRequest { after: vec![9], ..calls("echo", &["x"]) }).await,
        Kind::NotFound
    );
    let good = file("[[task]]\nfunction = \"echo\"\nargs = [\"{p}\"]\n[params]\np = \"1\"");
    let job = world.submit(good).await;
    assert_eq!(world.wait(job).await.state, "succeeded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn policies_are_swapped_while_work_runs() {
    let world = World::new();
    let job = world.submit(calls("wait", &["1", "2", "3"])).await;
    let asked = v1::SetPolicyRequest { preset: "fifo".to_owned(), ..Default::default() };
    let reply = world.service.set_policy(&world.admin, asked).await.expect("there is one");
    assert_eq!(
        (&*reply.before, reply.policy.expect("it is told").order),
        ("gravity", "fifo".into())
    );
    let parts = BTreeMap::from([("force".to_owned(), "random".to_owned())]);
    let asked = v1::SetPolicyRequest { parts, ..Default::default() };
    world.service.set_policy(&world.admin, asked).await.expect("there is one");
    let followed = world.service.list_policies(&world.admin, Default::default()).await;
    assert_eq!(followed.expect("all may").followed, "fifo,force=random");
    world.gate.open();
    assert_eq!(world.wait(job).await.succeeded, 3);
}
