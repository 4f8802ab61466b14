//! Tasks that take results of equal work: what runs and what does not, what a restart keeps, and
//! what is refused.

use std::path::{Path, PathBuf};

use bary_api::problem::Kind;
use bary_api::role::Role;
use bary_api::v1::from_worker::What;
use bary_api::v1::submit_request::Job;
use bary_api::v1::to_worker::What as Told;
use bary_api::v1::{
    self, CacheReply, ClearCacheRequest, FromWorker, Register, RunEnded, RunsEnded, SubmitRequest,
    TaskEnded,
};
use bary_node::service::{Ending, Service};
use tempfile::TempDir;
use tokio::sync::mpsc::channel;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use crate::world::{Gate, World, all, caller, calls, command, jobs, options};

const HOUR: f64 = 3_600.0;
const CACHED: &str = "from the result cache";

/// The same tasks, which take results of the last hour.
fn cached(mut request: SubmitRequest) -> SubmitRequest {
    if let Some(Job::Tasks(tasks)) = &mut request.job {
        tasks.cache = HOUR;
    }
    request
}

/// A job file.
fn file(text: &str) -> SubmitRequest {
    SubmitRequest { job: Some(Job::File(text.to_owned())), ..SubmitRequest::default() }
}

/// A place outside of the node where work leaves a mark whenever it runs.
struct Marks(TempDir);

impl Marks {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("there is room"))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("marks")
    }

    /// A script that leaves a mark and does something.
    fn script(&self, then: &str) -> String {
        format!("echo >> {}; {then}", self.path().display())
    }

    fn command(&self, then: &str) -> SubmitRequest {
        cached(command(&["sh", "-c", &self.script(then)]))
    }

    fn count(&self) -> usize {
        std::fs::read(self.path()).unwrap_or_default().len()
    }
}

impl World {
    async fn run(&self, request: SubmitRequest) -> u32 {
        let job = self.submit(request).await;
        assert_eq!(self.wait(job).await.state, "succeeded");
        job
    }

    async fn tasks(&self, job: u32) -> Vec<v1::Task> {
        let asked = v1::ListTasksRequest { job, ..Default::default() };
        self.service.list_tasks(&self.admin, asked).await.expect("it is there").tasks
    }

    async fn output(&self, job: u32) -> String {
        let given: Vec<u8> =
            self.results(job).await.iter().flat_map(|one| one.data.to_vec()).collect();
        String::from_utf8(given).expect("it is text")
    }

    async fn cache(&self) -> CacheReply {
        self.service.cache(&self.admin, Default::default()).await.expect("an admin may")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_work_runs_once_and_its_task_says_so() {
    let (world, marks) = (World::new(), Marks::new());
    let large = "head -c 100000 /dev/zero | tr '\\0' x";
    for (times, then) in [(1, "echo hi; echo oh >&2"), (2, large)] {
        let first = world.run(marks.command(then)).await;
        let again = world.run(marks.command(then)).await;
        assert_eq!(marks.count(), times);
        assert_eq!(world.output(again).await, world.output(first).await);
        let said = world.tasks(first).await.remove(0).message;
        assert_eq!(said, "");
        let task = world.tasks(again).await.remove(0);
        assert_eq!((&*task.message, task.run_seconds, task.exit), (CACHED, 0.0, 0));
        let asked = v1::LogsRequest { job: again, stream: "err".into(), ..Default::default() };
        let logs = world.service.logs(&world.admin, asked).await.expect("it is there");
        let printed: Vec<u8> = all(logs).await.iter().flat_map(|one| one.data.to_vec()).collect();
        assert_eq!(printed, if times == 1 { b"oh\n".to_vec() } else { Vec::new() });
    }
    let cache = world.cache().await;
    assert_eq!((cache.entries, cache.hits, cache.misses, cache.kept), (2, 2, 2, 2));
    assert!((100_000..101_000).contains(&cache.bytes), "{cache:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn functions_are_looked_up_one_by_one() {
    let world = World::new();
    world.run(cached(calls("echo", &["b", "d"]))).await;
    let job = world.run(cached(calls("echo", &["a", "b", "c", "d", "a"]))).await;
    let given: Vec<Vec<u8>> =
        world.results(job).await.iter().map(|one| one.data.to_vec()).collect();
    assert_eq!(given, [b"a", b"b", b"c", b"d", b"a"]);
    let cache = world.cache().await;
    assert_eq!(cache.entries, 4);
    assert_eq!(cache.hits + cache.misses, 7);
    assert!(cache.misses <= 5, "only the two that are equal may run at the same time: {cache:?}");
    let job = world.run(calls("echo", &["a"])).await;
    assert_eq!(world.tasks(job).await[0].message, "", "it did not ask");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_gave_is_part_of_the_work() {
    let (world, marks) = (World::new(), Marks::new());
    let job = |text: &str| {
        let script = marks.script("echo $0");
        file(&format!(
            "cache = \"1h\"\n\
             [[task]]\nname = \"a\"\ncommand = [\"echo\", \"{text}\"]\ncache = false\n\
             [[task]]\nname = \"b\"\nafter = \"a\"\n\
             command = [\"sh\", \"-c\", \"{script}\", \"{{result.a}}\"]\n"
        ))
    };
    for (text, marked) in [("x", 1), ("y", 2), ("x", 2), ("y", 2)] {
        let job = world.run(job(text)).await;
        assert_eq!(world.output(job).await, format!("{text}\n{text}\n"));
        assert_eq!(marks.count(), marked, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_runs_again() {
    let (world, marks) = (World::new(), Marks::new());
    for times in 1..=2 {
        let job = world.submit(marks.command("exit 3")).await;
        assert_eq!((world.wait(job).await.exit, marks.count()), (3, times));
    }
    let job = world.wait(world.submit(cached(calls("fail", &["bad"]))).await).await;
    assert_eq!((&*job.state, world.cache().await.entries), ("failed", 0));
    world.service.retry(&world.admin, jobs(job.id)).await.expect("it has failed");
    world.wait(job.id).await;
    assert_eq!(world.cache().await.misses, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_leaves_more_than_its_result_is_refused() {
    let world = World::new();
    let task = "[[task]]\nname = \"t\"\ncommand = \"true\"\ncache = true\n";
    for more in ["stdout = \"/tmp/x\"", "stderr = \"/tmp/x\"", "outputs = [\"x\"]"] {
        let refused = world.service.submit(&world.admin, file(&format!("{task}{more}"))).await;
        let refused = refused.expect_err("a kept result would leave that out");
        assert_eq!(refused.kind, Kind::Invalid);
        assert!(refused.title.starts_with("`t` takes results from the cache, but leaves files"));
    }
    world.run(file(task)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clearing_lets_equal_work_run_again() {
    let (world, marks) = (World::new(), Marks::new());
    let clear =
        |older_than| world.service.clear_cache(&world.admin, ClearCacheRequest { older_than });
    world.run(marks.command("true")).await;
    assert_eq!(clear(HOUR).await.expect("an admin may").entries, 0);
    world.run(marks.command("true")).await;
    assert_eq!(marks.count(), 1);
    assert_eq!(clear(0.0).await.expect("an admin may").entries, 1);
    world.run(marks.command("true")).await;
    assert_eq!(marks.count(), 2);
    for wrong in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(clear(wrong).await.is_err_and(|refused| refused.kind == Kind::Invalid));
    }
    let lines =
        all(world.service.audit(&world.admin, Default::default()).await.expect("may")).await;
    let cleared = lines.iter().filter(|line| line.verb == "clear-cache" && line.outcome == "done");
    let targets: Vec<&str> = cleared.map(|line| &*line.target).collect();
    assert_eq!(targets[..2], ["older than 3600 s", "all"]);
}

#[test]
fn a_node_that_is_started_again_has_the_same_results() {
    let runtime = tokio::runtime::Runtime::new().expect("the machine has threads");
    let (dir, marks, gate) =
        (tempfile::tempdir().expect("there is room"), Marks::new(), Gate::default());
    let admin = caller(Role::Admin);
    let run = |service: &Service| {
        let job = runtime.block_on(service.submit(&admin, marks.command("echo hi")));
        let asked = v1::WaitRequest { jobs: vec![job.expect("it is good").job], timeout: 300.0 };
        let reply = runtime.block_on(service.wait(&admin, asked)).expect("it is there");
        assert_eq!(reply.jobs[0].state, "succeeded");
    };
    for (damaged, marked) in [(false, 1), (false, 1), (true, 2)] {
        if damaged {
            damage(&dir.path().join("cache"));
        }
        let service = Service::open(options(&gate), dir.path()).expect("the state is sound");
        run(&service);
        run(&service);
        assert_eq!(marks.count(), marked);
        service.end(&Ending::Drain);
    }
}

fn damage(dir: &Path) {
    for entry in std::fs::read_dir(dir).expect("it is there") {
        let path = entry.expect("it can be read").path();
        let mut bytes = std::fs::read(&path).expect("it can be read");
        *bytes.last_mut().expect("it has some") ^= 1;
        std::fs::write(&path, bytes).expect("it can be written");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn functions_of_workers_are_answered_too() {
    let world = World::new();
    let (said, heard) = channel(64);
    let say = |what| said.send(Ok(FromWorker { what: Some(what) }));
    let register = Register { functions: vec!["far".to_owned()], slots: 1, ..Register::default() };
    say(What::Register(register)).await.expect("it is read");
    let told = world.service.work(&world.admin, Box::pin(ReceiverStream::new(heard))).await;
    let mut told = told.expect("it is good");
    let job = world.submit(cached(calls("far", &["x"]))).await;
    let run = loop {
        let next = told.next().await.expect("the stream goes on").expect("nothing is wrong");
        if let Some(Told::Run(run)) = next.what {
            break run;
        }
    };
    let tasks = vec![TaskEnded { result: "from afar".into(), ..TaskEnded::default() }];
    let runs = vec![RunEnded { run: run.run, tasks }];
    say(What::Ended(RunsEnded { runs })).await.expect("it is read");
    assert_eq!(world.wait(job).await.state, "succeeded");
    // The worker is asked nothing more: it would never answer.
    let again = world.run(cached(calls("far", &["x"]))).await;
    assert_eq!(world.output(again).await, "from afar");
    assert_eq!(world.tasks(again).await[0].message, CACHED);
}
