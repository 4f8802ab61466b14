//! The door of workers: what joins, is given tasks, reports, leaves or breaks off, and what becomes
//! of the tasks that it had.

use std::collections::BTreeMap;

use bary_api::problem::{Kind, Refused};
use bary_api::role::Role;
use bary_api::v1::from_worker::What;
use bary_api::v1::submit_request::Job;
use bary_api::v1::to_worker::What as Told;
use bary_api::v1::{
    self, Checkpoint, FromWorker, Leave, Output, Progress, Register, Run, RunEnded, RunsEnded,
    SubmitRequest, TaskEnded, Tasks, ToWorker,
};
use bary_node::board::limits::BoardLimits;
use bary_node::options::{ClusterOptions, NodeOptions};
use bary_node::service::caller::{Caller, Door};
use bary_node::service::options::{ServiceLimits, ServiceOptions};
use bary_node::service::{Ending, Service, Streamed};
use bary_policy::preset;
use bytes::Bytes;
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

struct World {
    service: Service,
    admin: Caller,
}

/// A worker that does as a test says.
struct Fake {
    name: String,
    said: Sender<Result<FromWorker, Refused>>,
    told: Streamed<ToWorker>,
}

impl World {
    fn new() -> Self {
        let policy = preset::parse("gravity").expect("it is the default");
        let cluster = ClusterOptions::new(vec![NodeOptions::local("n0", 2)], policy);
        let (limits, board) = (ServiceLimits::default(), BoardLimits::default());
        let options =
            ServiceOptions { cluster, policy_chosen: false, limits, board, version: "test".into() };
        let (service, _) = Service::in_memory(options).expect("it starts");
        Self { service, admin: caller(Role::Admin) }
    }

    async fn join(&self, register: Register) -> Result<Fake, Refused> {
        let (said, heard) = channel(64);
        let first = FromWorker { what: Some(What::Register(register)) };
        said.send(Ok(first)).await.expect("it is read");
        let told = self.service.work(&self.admin, Box::pin(ReceiverStream::new(heard))).await?;
        let mut fake = Fake { name: String::new(), said, told };
        match fake.next().await {
            Told::Registered(registered) => fake.name = registered.name,
            other => panic!("a worker hears first that it is registered, not {other:?}"),
        }
        Ok(fake)
    }

    async fn worker(&self) -> Fake {
        self.join(register("w")).await.expect("it is good")
    }

    async fn submit(&self, tasks: Tasks) -> u32 {
        let request = SubmitRequest { job: Some(Job::Tasks(tasks)), ..SubmitRequest::default() };
        self.service.submit(&self.admin, request).await.expect("it is good").job
    }

    async fn wait(&self, job: u32) -> v1::Job {
        let asked = v1::WaitRequest { jobs: vec![job], timeout: 300.0 };
        let reply = self.service.wait(&self.admin, asked).await.expect("it is there");
        assert!(reply.done, "{reply:?}");
        reply.jobs[0].clone()
    }

    async fn results(&self, job: u32) -> Vec<v1::TaskResult> {
        let asked = v1::ResultsRequest { job, ..Default::default() };
        let stream = self.service.results(&self.admin, asked).await.expect("it is there");
        stream.map(|item| item.expect("it can be read")).collect().await
    }

    async fn task(&self, job: u32) -> v1::Task {
        let asked = v1::ListTasksRequest { job, ..Default::default() };
        self.service.list_tasks(&self.admin, asked).await.expect("it is there").tasks[0].clone()
    }

    /// The state of a node, as it is listed.
    async fn state(&self, name: &str) -> Option<String> {
        let asked = v1::ListNodesRequest::default();
        let listed = self.service.list_nodes(&self.admin, asked).await.expect("it may be asked");
        listed.nodes.into_iter().find(|node| node.name == name).map(|node| node.state)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.service.end(&Ending::Now);
    }
}

impl Fake {
    async fn next(&mut self) -> Told {
        let told = self.told.next().await.expect("the stream goes on").expect("nothing is wrong");
        told.what.expect("a message says something")
    }

    async fn run(&mut self) -> Run {
        match self.next().await {
            Told::Run(run) => run,
            other => panic!("a run was to come, not {other:?}"),
        }
    }

    async fn say(&self, what: What) {
        self.said.send(Ok(FromWorker { what: Some(what) })).await.expect("it is read");
    }

    async fn ended(&self, run: u64, tasks: Vec<TaskEnded>) {
        let runs = vec![RunEnded { run, tasks }];
        self.say(What::Ended(RunsEnded { runs })).await;
    }

    /// Ends all tasks of a run well, with what each was given.
    async fn echo(&self, run: Run) {
        let tasks = run.tasks.into_iter().map(|task| TaskEnded {
            result: task.input,
            run_seconds: 1e-6,
            ..TaskEnded::default()
        });
        self.ended(run.run, tasks.collect()).await;
    }

    /// The end of the stream: how it was.
    async fn end(mut self) -> Option<Kind> {
        while let Some(told) = self.told.next().await {
            if let Err(refused) = told {
                return Some(refused.kind);
            }
        }
        None
    }
}

fn caller(role: Role) -> Caller {
    Caller { name: role.name().into(), role, door: Door::Node, consistent: false }
}

fn register(name: &str) -> Register {
    let functions = vec!["f".to_owned()];
    Register { name: name.to_owned(), functions, slots: 1, ..Register::default() }
}

fn calls(inputs: &[&'static str]) -> Tasks {
    let inputs = inputs.iter().map(|input| Bytes::from_static(input.as_bytes())).collect();
    Tasks { function: "f".to_owned(), inputs, ..Tasks::default() }
}

fn failed(error: &str, permanent: bool) -> TaskEnded {
    TaskEnded { result: "why".into(), error: error.to_owned(), permanent, ..TaskEnded::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_waits_for_a_worker_that_offers_it() {
    let world = World::new();
    let job = world
        .submit(Tasks { env: BTreeMap::from([("A".into(), "{}".into())]), ..calls(&["x", "y"]) })
        .await;
    let asked = v1::WhyRequest { job, task: "1".to_owned() };
    let why = world.service.why(&world.admin, asked).await.expect("it is there");
    assert!(why.answer.contains("no node offers the function `f`"), "{}", why.answer);
    let mut worker = world.worker().await;
    for (number, input) in [(1, "x"), (2, "y")] {
        let run = worker.run().await;
        let task = &run.tasks[0];
        assert_eq!((&*run.function, run.tasks.len(), run.timeout), ("f", 1, 3_600.0));
        assert_eq!(
            (task.job, task.number, task.attempt, &*task.input),
            (job, number, 1, input.as_bytes())
        );
        assert_eq!(task.env["A"], input);
        let text = Output { run: run.run, task: 0, stream: "out".into(), data: "hi".into() };
        worker.say(What::Output(text)).await;
        worker.echo(run).await;
    }
    let done = world.wait(job).await;
    assert_eq!((&*done.state, done.succeeded), ("succeeded", 2));
    let results = world.results(job).await;
    assert_eq!([&*results[0].data, &*results[1].data], [b"x", b"y"]);
    assert_eq!(world.task(job).await.node, "w");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_results_and_those_of_failures_are_kept() {
    let world = World::new();
    let mut worker = world.worker().await;
    let job = world.submit(calls(&["x"])).await;
    let run = worker.run().await;
    let result = Bytes::from(vec![7; 5_000_000]);
    worker.ended(run.run, vec![TaskEnded { result: result.clone(), ..TaskEnded::default() }]).await;
    world.wait(job).await;
    let given: Vec<u8> =
        world.results(job).await.iter().flat_map(|part| part.data.to_vec()).collect();
    assert_eq!(given, result);
    let job = world.submit(Tasks { retries: 1, ..calls(&["x"]) }).await;
    let run = worker.run().await;
    worker.ended(run.run, vec![failed("no luck", false)]).await;
    let run = worker.run().await;
    assert_eq!(run.tasks[0].attempt, 2);
    worker.ended(run.run, vec![failed("no luck", false)]).await;
    assert_eq!(world.wait(job).await.state, "failed");
    let results = world.results(job).await;
    assert_eq!((&*results[0].data, &*results[0].error), (&b"why"[..], "error: no luck"));
    let job = world.submit(Tasks { retries: 5, ..calls(&["x"]) }).await;
    let run = worker.run().await;
    worker.ended(run.run, vec![failed("hopeless", true)]).await;
    let done = world.wait(job).await;
    assert_eq!((&*done.state, done.attempts), ("failed", 1), "it said that nothing can help");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_goes_on_where_the_one_before_it_was() {
    let world = World::new();
    let mut worker = world.worker().await;
    let job = world.submit(Tasks { retries: 1, ..calls(&["x"]) }).await;
    let run = worker.run().await;
    assert_eq!(run.tasks[0].checkpoint_step, 0);
    let (run, task) = (run.run, 0);
    for (step, data) in [(2, Bytes::from(vec![1; 10])), (3, Bytes::from(vec![2; 1_000]))] {
        worker.say(What::Checkpoint(Checkpoint { run, task, step, data })).await;
    }
    let message = "half of it".to_owned();
    worker.say(What::Progress(Progress { run, task, progress: 0.5, message })).await;
    worker.ended(run, vec![failed("once", false)]).await;
    let run = worker.run().await;
    let task = &run.tasks[0];
    assert_eq!((task.attempt, task.checkpoint_step), (2, 3));
    assert_eq!(task.checkpoint, vec![2; 1_000]);
    worker.echo(run).await;
    assert_eq!(world.wait(job).await.state, "succeeded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_cancelled_is_stopped() {
    let world = World::new();
    let mut worker = world.worker().await;
    let job = world.submit(calls(&["x"])).await;
    let run = worker.run().await;
    let asked = v1::CancelRequest { jobs: vec![job], ..Default::default() };
    world.service.cancel(&world.admin, asked).await.expect("it is there");
    match worker.next().await {
        Told::Stop(stop) => assert_eq!((stop.run, stop.force), (run.run, false)),
        other => panic!("it was to be stopped, not {other:?}"),
    }
    worker.echo(run).await;
    assert_eq!(world.wait(job).await.state, "cancelled");
    let next = world.submit(calls(&["y"])).await;
    let run = worker.run().await;
    assert_eq!(run.tasks[0].job, next, "the slot is free again");
    worker.echo(run).await;
    world.wait(next).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_takes_three_workers_along_is_quarantined() {
    let world = World::new();
    let job = world.submit(calls(&["x"])).await;
    for attempt in 1..=3 {
        let mut worker = world.worker().await;
        let run = worker.run().await;
        assert_eq!((run.tasks.len(), run.tasks[0].attempt), (1, attempt));
    }
    assert_eq!(world.wait(job).await.state, "failed");
    let task = world.task(job).await;
    assert_eq!((&*task.state, task.attempt), ("quarantined", 3), "{}", task.error);
    assert!(task.error.contains("worker"), "{}", task.error);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_tasks_that_ran_together_when_a_worker_went_each_runs_alone_then() {
    let world = World::new();
    let job = world
        .submit(Tasks { array: "1-10_000".into(), function: "f".into(), ..Tasks::default() })
        .await;
    let mut worker = world.worker().await;
    let suspects: Vec<u64> = loop {
        let run = worker.run().await;
        if run.tasks.len() > 1 {
            break run.tasks.iter().map(|task| task.number).collect();
        }
        worker.echo(run).await;
    };
    drop(worker);
    let mut worker = world.worker().await;
    let mut left = 10_000 - (suspects[0] - 1);
    while left > 0 {
        let run = worker.run().await;
        let bad = run.tasks.iter().any(|task| suspects.contains(&task.number));
        assert!(!bad || run.tasks.len() == 1, "a suspect runs alone");
        assert!(run.tasks.iter().all(|task| task.attempt == 1), "nobody is to blame yet");
        left -= run.tasks.len() as u64;
        worker.echo(run).await;
    }
    let done = world.wait(job).await;
    assert_eq!((&*done.state, done.failed_attempts), ("succeeded", 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_finishes_first_and_is_down_then() {
    let world = World::new();
    let mut worker = world.worker().await;
    let other = world.worker().await;
    assert_eq!((&*worker.name, &*other.name), ("w", "w-2"), "names are told apart");
    assert_eq!(other.said.send(Ok(FromWorker { what: Some(What::Leave(Leave {})) })).await, Ok(()));
    assert_eq!(other.end().await, None);
    let job = world.submit(calls(&["x"])).await;
    let run = worker.run().await;
    worker.say(What::Leave(Leave {})).await;
    worker.echo(run).await;
    assert_eq!(worker.end().await, None, "it ended well");
    assert_eq!(world.wait(job).await.state, "succeeded");
    assert_eq!(world.state("w").await.as_deref(), Some("down"));
    assert_eq!(world.state("n0").await.as_deref(), Some("up"));
    let again = world.worker().await;
    assert_eq!(again.name, "w", "the name is free again");
    assert_eq!(world.state("w").await.as_deref(), Some("up"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_says_what_cannot_be_is_cut_off_and_its_task_goes_elsewhere() {
    let world = World::new();
    let ended = |run, tasks| What::Ended(RunsEnded { runs: vec![RunEnded { run, tasks }] });
    let output = |run| Output { run, task: 0, stream: "both".into(), data: Bytes::new() };
    for wrong in [
        &(|_| What::Register(register("w"))) as &dyn Fn(u64) -> What,
        &|run| ended(run + 1_000, Vec::new()),
        &|run| ended(run, vec![TaskEnded::default(); 2]),
        &|run| What::Output(output(run)),
    ] {
        let job = world.submit(calls(&["x"])).await;
        let mut worker = world.worker().await;
        let run = worker.run().await;
        // Words about tasks that there are not change nothing.
        let (task, progress) = (77, f64::NAN);
        let said = Progress { run: run.run + 5, task, progress, message: String::new() };
        worker.say(What::Progress(said)).await;
        worker.say(wrong(run.run)).await;
        assert_eq!(worker.end().await, Some(Kind::Invalid));
        let mut good = world.worker().await;
        let run = good.run().await;
        assert_eq!(run.tasks[0].attempt, 2);
        good.echo(run).await;
        assert_eq!(world.wait(job).await.state, "succeeded");
        good.say(What::Leave(Leave {})).await;
        assert_eq!(good.end().await, None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_work_or_does_not_say_what_it_offers_is_refused() {
    let world = World::new();
    let nothing = world.join(Register::default()).await;
    assert!(nothing.is_err_and(|refused| refused.kind == Kind::Invalid));
    let silent = world.service.work(&world.admin, Box::pin(tokio_stream::empty())).await;
    assert!(silent.is_err_and(|refused| refused.kind == Kind::Invalid));
    let viewer = caller(Role::Viewer);
    let denied = world.service.work(&viewer, Box::pin(tokio_stream::pending())).await;
    assert!(denied.is_err_and(|refused| refused.kind == Kind::Denied));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_drains_waits_for_its_workers() {
    let world = World::new();
    let mut worker = world.worker().await;
    let job = world.submit(calls(&["x"])).await;
    let run = worker.run().await;
    let service = world.service.clone();
    let drained = tokio::task::spawn_blocking(move || service.end(&Ending::Drain));
    let said = worker.said.clone();
    let tasks = vec![TaskEnded::default()];
    let runs = vec![RunEnded { run: run.run, tasks }];
    let ended = FromWorker { what: Some(What::Ended(RunsEnded { runs })) };
    said.send(Ok(ended)).await.expect("it is still heard");
    drained.await.expect("it ends");
    let asked = v1::ListJobsRequest { jobs: vec![job], ..Default::default() };
    let left = world.service.list_jobs(&world.admin, asked).await.expect("it is remembered");
    assert_eq!(left.jobs[0].succeeded, 1, "what was running has been told");
    assert_eq!(worker.end().await, Some(Kind::Unavailable), "it is told that the node ends");
}
