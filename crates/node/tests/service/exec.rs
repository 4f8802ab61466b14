//! Commands beside tasks that run.

use bary_api::problem::{Kind, Refused};
use bary_api::v1::exec_input::What;
use bary_api::v1::exec_output::What as Told;
use bary_api::v1::{self, ExecInput, ExecOutput, ExecStart};
use bary_node::service::Streamed;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use crate::world::{World, calls, command};

/// A command beside a task: what goes to it, and what comes from it.
type Beside = (mpsc::Sender<Result<ExecInput, Refused>>, Streamed<ExecOutput>);

async fn exec(world: &World, job: u32, words: &[&str]) -> Result<Beside, Refused> {
    let command = words.iter().map(ToString::to_string).collect();
    let start = ExecStart { job, command, ..ExecStart::default() };
    let (send, sent) = mpsc::channel(8);
    let first = ExecInput { what: Some(What::Start(start)) };
    send.send(Ok(first)).await.expect("it is read");
    let heard: Streamed<ExecInput> = Box::pin(ReceiverStream::new(sent));
    Ok((send, world.service.exec(&world.admin, heard).await?))
}

async fn next(said: &mut Streamed<ExecOutput>) -> Told {
    let said = said.next().await.expect("its end is told").expect("it goes well");
    said.what.expect("it says something")
}

/// All that a command prints, and how it ended.
async fn all(said: &mut Streamed<ExecOutput>) -> (String, v1::ExecEnded) {
    let mut text = String::new();
    loop {
        match next(said).await {
            Told::Started(started) => assert_eq!(started.node, "n0"),
            Told::Stdout(bytes) | Told::Stderr(bytes) => text += &String::from_utf8_lossy(&bytes),
            Told::Ended(ended) => return (text, ended),
        }
    }
}

/// Submits a command that stays, and returns once it has begun.
async fn busy(world: &World) -> u32 {
    let job = world.submit(command(&["sh", "-c", "echo up; sleep 1000"])).await;
    let asked = v1::LogsRequest { job, follow: true, ..Default::default() };
    let mut logs = world.service.logs(&world.admin, asked).await.expect("it is there");
    logs.next().await.expect("it prints").expect("it goes well");
    job
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_reads_prints_and_hands_back_its_code() {
    let world = World::new();
    let job = busy(&world).await;
    let script = "read x; echo $BARY_JOB_ID $x; exit 4";
    let (send, mut said) = exec(&world, job, &["sh", "-c", script]).await.expect("it runs");
    let stdin = |text: &'static str| Ok(ExecInput { what: Some(What::Stdin(text.into())) });
    send.send(stdin("hi\n")).await.expect("it is read");
    let (text, ended) = all(&mut said).await;
    assert_eq!((text.as_str(), ended.exit, ended.with_task), ("0 hi\n", 4, false));
    let (send, mut said) = exec(&world, job, &["cat"]).await.expect("it runs");
    drop(send);
    assert_eq!(all(&mut said).await.1.exit, 0, "a caller that says no more ends its input");
    let asked = v1::AuditRequest::default();
    let lines = world.service.audit(&world.admin, asked).await.expect("an admin may");
    let lines: Vec<_> = lines.map(|line| line.expect("it is read")).collect().await;
    let told: Vec<_> = lines.iter().filter(|line| line.verb == "exec").collect();
    assert_eq!(told.len(), 2);
    assert_eq!((&*told[0].outcome, &*told[1].target), ("done", "1/: cat"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_with_its_task() {
    let world = World::new();
    let job = busy(&world).await;
    let (_send, mut said) = exec(&world, job, &["sleep", "1000"]).await.expect("it runs");
    let cancel = v1::CancelRequest { jobs: vec![job], ..Default::default() };
    world.service.cancel(&world.admin, cancel).await.expect("it runs");
    let (_, ended) = all(&mut said).await;
    assert!(ended.with_task && ended.exit == 137, "{ended:?}");
    let late = exec(&world, job, &["true"]).await.map(drop).expect_err("it has ended");
    assert_eq!(late.kind, Kind::Conflict);
    assert!(late.title.contains("does not run: it is cancelled"), "{late:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_no_command_is_told() {
    let world = World::new();
    let refused = async |job| exec(&world, job, &["true"]).await.map(drop).expect_err("it cannot");
    assert_eq!(refused(9).await.kind, Kind::NotFound);
    let function = world.submit(calls("wait", &["a"])).await;
    let asked = v1::EventsRequest {
        jobs: vec![function],
        kinds: vec!["started".to_owned()],
        follow: true,
        ..Default::default()
    };
    let mut events = world.service.events(&world.admin, asked).await.expect("it is there");
    events.next().await.expect("it starts").expect("it is remembered");
    let call = refused(function).await;
    assert!(call.kind == Kind::Conflict && call.title.contains("function `wait`"), "{call:?}");
    let job = busy(&world).await;
    let unknown = exec(&world, job, &["no-such-program"]).await.map(drop);
    assert_eq!(unknown.expect_err("there is none").kind, Kind::Invalid);
    let nothing: Streamed<ExecInput> = Box::pin(tokio_stream::empty());
    let silent = world.service.exec(&world.admin, nothing).await.map(drop);
    assert_eq!(silent.expect_err("nothing is said").kind, Kind::Invalid);
}
