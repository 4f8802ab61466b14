//! Submissions in chunks: nothing is seen before they are committed, and one that is committed
//! again, also after a restart, is the first.

use bary_api::problem::{Kind, Refused};
use bary_api::role::Role;
use bary_api::v1::submit_request::Job;
use bary_api::v1::{self, SubmitRequest, Tasks};
use bary_node::service::caller::Caller;
use bary_node::service::{Ending, Service};

use crate::world::{Gate, World, caller, calls, jobs, options};

/// Announces calls of `echo` for each line.
fn begin(id: &str, lines: &str) -> v1::BeginRequest {
    let tasks = Tasks { function: "echo".to_owned(), ..Tasks::default() };
    let submit = SubmitRequest { job: Some(Job::Tasks(tasks)), ..SubmitRequest::default() };
    let (id, format) = (id.to_owned(), "lines".to_owned());
    v1::BeginRequest { id, submit: Some(submit), format, bytes: lines.len() as u64, job: 0 }
}

fn chunk(id: &str, offset: usize, data: &str) -> v1::ChunkRequest {
    let data = data.to_owned().into();
    v1::ChunkRequest { id: id.to_owned(), offset: offset as u64, data }
}

async fn commit(service: &Service, who: &Caller, id: &str) -> Result<v1::SubmitReply, Refused> {
    service.commit(who, v1::CommitRequest { id: id.to_owned() }).await
}

/// Brings all of it.
async fn bring(service: &Service, who: &Caller, id: &str, lines: &str) {
    service.begin(who, begin(id, lines)).await.expect("there is room");
    service.chunk(who, chunk(id, 0, lines)).await.expect("it has begun");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_in_chunks_is_one_submission() {
    let world = World::new();
    let (service, admin) = (&world.service, &world.admin);
    service.begin(admin, begin("s", "a\nb\nc")).await.expect("there is room");
    let came = service.chunk(admin, chunk("s", 0, "a\nb")).await.expect("it has begun");
    assert_eq!((came.bytes, came.lifetime), (3, 600.0));
    let early = commit(service, admin, "s").await.expect_err("some is missing");
    assert_eq!((early.kind, &*early.title), (Kind::Conflict, "3 bytes of 5 have come"));
    let listed = service.list_jobs(admin, Default::default()).await.expect("an admin may");
    assert_eq!(listed.total, 0, "nothing is seen before the end");
    let theirs = commit(service, &caller(Role::Operator), "s").await;
    assert_eq!(theirs.expect_err("it is not theirs").kind, Kind::NotFound);
    service.chunk(admin, chunk("s", 3, "\nc")).await.expect("it is the next");
    let reply = commit(service, admin, "s").await.expect("it is whole");
    assert_eq!((reply.job, reply.tasks, &*reply.durability), (1, 3, "memory"));
    assert_eq!(world.wait(1).await.succeeded, 3);
    let given: Vec<_> = world.results(1).await.into_iter().map(|result| result.data).collect();
    assert_eq!(given, ["a", "b", "c"]);
    assert_eq!(commit(service, admin, "s").await, Ok(reply.clone()), "it is the first answer");
    // The same as one message is the same submission: the id is its key.
    let whole = SubmitRequest { idempotency_key: "s".into(), ..calls("echo", &["a", "b", "c"]) };
    assert_eq!(service.submit(admin, whole).await, Ok(reply));
    bring(service, admin, "s", "x\ny\nz").await;
    let other = commit(service, admin, "s").await.expect_err("the id was of another");
    assert_eq!(other.kind, Kind::Conflict);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_adds_to_a_job_in_chunks_adds_once() {
    let world = World::new();
    let (service, admin) = (&world.service, &world.admin);
    let open = SubmitRequest { open: true, hold: true, ..SubmitRequest::default() };
    let job = world.submit(open).await;
    let more = |id: &str| v1::BeginRequest { job, ..begin(id, "a\nb\nc") };
    let named = |submit| v1::BeginRequest { submit, ..more("named") };
    let name = Some(SubmitRequest { name: "n".into(), ..calls("echo", &[]) });
    let wrong = service.begin(admin, named(name)).await.expect_err("the job has a name");
    assert_eq!(wrong.kind, Kind::Invalid);
    for id in ["first", "second"] {
        service.begin(admin, more(id)).await.expect("there is room");
        service.chunk(admin, chunk(id, 0, "a\nb\nc")).await.expect("it has begun");
    }
    assert_eq!(world.job(job).await.tasks, 0, "nothing is seen before the end");
    let reply = commit(service, admin, "first").await.expect("it is whole");
    assert_eq!((reply.job, reply.tasks), (job, 3));
    assert_eq!(commit(service, admin, "first").await, Ok(reply), "it is the first answer");
    let there = service.begin(admin, more("first")).await.expect("it is the same");
    assert_eq!(there.bytes, 5, "all of it is there");
    let other = v1::BeginRequest { job: job + 1, ..more("first") };
    let other = service.begin(admin, other).await.expect_err("the id was of another");
    assert_eq!(other.kind, Kind::Conflict);
    assert_eq!(commit(service, admin, "second").await.map(|reply| reply.tasks), Ok(6));
    service.close(admin, jobs(job)).await.expect("it is open");
    service.begin(admin, more("late")).await.expect("there is room");
    service.chunk(admin, chunk("late", 0, "a\nb\nc")).await.expect("it has begun");
    let late = commit(service, admin, "late").await.expect_err("the job is closed");
    assert_eq!((late.kind, world.job(job).await.tasks), (Kind::Conflict, 6));
    service.release(admin, jobs(job)).await.expect("it is held");
    assert_eq!(world.wait(job).await.succeeded, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_leaves_before_the_answer_adds_once_all_the_same() {
    let world = World::new();
    let (service, admin) = (&world.service, &world.admin);
    let open = SubmitRequest { open: true, hold: true, ..SubmitRequest::default() };
    let job = world.submit(open).await;
    for wakes in 0..6 {
        let id = format!("s{wakes}");
        let more = v1::BeginRequest { job, ..begin(&id, "a\nb\nc") };
        service.begin(admin, more).await.expect("there is room");
        service.chunk(admin, chunk(&id, 0, "a\nb\nc")).await.expect("it has begun");
        left_after(wakes, commit(service, admin, &id)).await;
        let reply = commit(service, admin, &id).await.expect("it is whole");
        assert_eq!(reply.tasks, 3 * (u64::from(wakes) + 1), "after {wakes}");
    }
}

/// Drops a future that is not ready after so many wakes.
async fn left_after<T>(wakes: u32, future: impl Future<Output = T>) {
    let (mut future, mut left) = (std::pin::pin!(future), wakes);
    std::future::poll_fn(|context| {
        if future.as_mut().poll(context).is_ready() || left == 0 {
            return std::task::Poll::Ready(());
        }
        left -= 1;
        std::task::Poll::Pending
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_commits_twice_at_once_gets_one_job() {
    let world = World::new();
    bring(&world.service, &world.admin, "s", "a\nb").await;
    let twice = tokio::join!(
        commit(&world.service, &world.admin, "s"),
        commit(&world.service, &world.admin, "s"),
    );
    assert_eq!(twice.0.expect("it is whole").job, twice.1.expect("it is the same").job);
    assert_eq!(world.job(1).await.tasks, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_no_job_are_forgotten() {
    let world = World::new();
    let (service, admin) = (&world.service, &world.admin);
    let file = |id: &str| {
        let (id, format) = (id.to_owned(), "file".to_owned());
        v1::BeginRequest { id, format, bytes: 6, ..v1::BeginRequest::default() }
    };
    service.begin(admin, file("s")).await.expect("there is room");
    service.chunk(admin, chunk("s", 0, "task =")).await.expect("it has begun");
    assert_eq!(commit(service, admin, "s").await.expect_err("it is none").kind, Kind::Invalid);
    assert_eq!(commit(service, admin, "s").await.expect_err("it is gone").kind, Kind::NotFound);
}

#[test]
fn a_commit_after_a_restart_gives_the_first_answer() {
    let runtime = tokio::runtime::Runtime::new().expect("the machine has threads");
    let dir = tempfile::tempdir().expect("there is room");
    let gate = Gate::default();
    let open = || Service::open(options(&gate), dir.path()).expect("the state is sound");
    let admin = caller(Role::Admin);
    let service = open();
    runtime.block_on(bring(&service, &admin, "done", "a\nb"));
    let reply = runtime.block_on(commit(&service, &admin, "done")).expect("it is whole");
    assert_eq!((reply.tasks, &*reply.durability), (2, "disk"));
    runtime.block_on(bring(&service, &admin, "begun", "a"));
    service.end(&Ending::Now);
    drop(service);

    let service = open();
    assert_eq!(runtime.block_on(commit(&service, &admin, "done")), Ok(reply));
    let lost = runtime.block_on(commit(&service, &admin, "begun"));
    assert_eq!(lost.expect_err("it was never committed").kind, Kind::NotFound);
    service.end(&Ending::Now);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledgement_is_worth_what_was_asked_for() {
    let world = World::new();
    let asked = |durability: &str| {
        let durability = durability.to_owned();
        let request = SubmitRequest { durability, ..calls("echo", &["a"]) };
        world.service.submit(&world.admin, request)
    };
    assert_eq!(asked("memory").await.expect("it can").durability, "memory");
    let disk = asked("disk").await.expect_err("it keeps no state");
    assert!(disk.kind == Kind::Conflict && disk.help.contains("bary up"), "{disk:?}");
    assert_eq!(asked("stone").await.expect_err("there is none").kind, Kind::Invalid);
}
