//! A worker that writes down what it runs, for `cargo xtask chaos node` and `bench node`: each line
//! of its file is one append, and says which task of which job began, over which connection, in
//! which attempt.
//!
//! `scribe ADDRESS TOKEN-FILE FILE NAME SLOTS`; it ends with its standard input. Its function
//! `scribe` takes `TASK MILLISECONDS`, takes that long, and gives TASK.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bary_api::v1::from_worker::What;
use bary_api::v1::worker_client::WorkerClient;
use bary_api::v1::{FromWorker, Register, Run, RunEnded, RunTask, RunsEnded, TaskEnded, to_worker};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Request;
use tonic::transport::Endpoint;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What it offers.
const FUNCTION: &str = "scribe";
/// Messages that wait for the connection; past it runs wait.
const MESSAGES_MAX: usize = 1_024;
/// How long until it tries again to find the node.
const AGAIN: Duration = Duration::from_millis(20);

/// Which node it works for, and what it is called.
struct Scribe {
    address: String,
    token: PathBuf,
    file: PathBuf,
    name: String,
    slots: u32,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [address, token, file, name, slots] = &words[..] else {
        return Err("scribe ADDRESS TOKEN-FILE FILE NAME SLOTS".into());
    };
    let scribe = Scribe {
        address: address.clone(),
        token: token.into(),
        file: file.into(),
        name: name.clone(),
        slots: slots.parse()?,
    };
    std::thread::spawn(|| {
        // An input that fails has ended too.
        drop(std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink()));
        std::process::exit(0);
    });
    for connection in 0_u64.. {
        // A node that is killed is up again soon.
        while scribe.work(connection).await.is_err() {
            tokio::time::sleep(AGAIN).await;
        }
    }
    Ok(())
}

impl Scribe {
    /// Works for the node until the connection ends. Fails where there was none.
    async fn work(&self, connection: u64) -> Result<(), Failure> {
        let bearer = format!("Bearer {}", std::fs::read_to_string(&self.token)?.trim());
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address))?;
        let mut node = WorkerClient::new(endpoint.tcp_nodelay(true).connect().await?);
        let (out, said) = mpsc::channel(MESSAGES_MAX);
        let hand = Hand {
            file: self.file.clone(),
            place: format!("{}.{connection}", self.name),
            stopped: Arc::default(),
            out: out.clone(),
        };
        // Before the node can have given it anything: a process that is stopped meanwhile may read
        // what it was given after the node has gone.
        write(&hand.file, &hand.line("c", "-"))?;
        let (name, functions) = (self.name.clone(), vec![FUNCTION.to_owned()]);
        let register = Register { name, functions, slots: self.slots, ..Register::default() };
        out.send(FromWorker { what: Some(What::Register(register)) }).await?;
        let mut request = Request::new(ReceiverStream::new(said));
        request.metadata_mut().insert("authorization", bearer.parse()?);
        drop(out);
        let mut heard = node.work(request).await?.into_inner();
        // Dropped with the connection, after which no further task begins.
        let mut runs = JoinSet::new();
        while let Ok(Some(message)) = heard.message().await {
            match message.what {
                Some(to_worker::What::Run(run)) => drop(runs.spawn(hand.clone().run(run))),
                Some(to_worker::What::Stop(stop)) => drop(hand.stopped().insert(stop.run)),
                Some(to_worker::What::Registered(_)) | None => {}
            }
            while runs.try_join_next().is_some() {}
        }
        Ok(())
    }
}

/// Runs tasks over one connection.
#[derive(Clone)]
struct Hand {
    file: PathBuf,
    place: String,
    /// Runs of which nothing more is begun.
    stopped: Arc<Mutex<BTreeSet<u64>>>,
    out: mpsc::Sender<FromWorker>,
}

impl Hand {
    async fn run(self, run: Run) {
        let mut tasks = Vec::new();
        for task in run.tasks {
            if !tasks.is_empty() && self.stopped().contains(&run.run) {
                break;
            }
            tasks.push(match self.task(&task).await {
                Ok(result) => TaskEnded { result: result.into(), ..TaskEnded::default() },
                Err(error) => TaskEnded { error: error.to_string(), ..TaskEnded::default() },
            });
        }
        self.stopped().remove(&run.run);
        let ended = RunsEnded { runs: vec![RunEnded { run: run.run, tasks }] };
        // Where the connection has ended, nobody wants to know.
        drop(self.out.send(FromWorker { what: Some(What::Ended(ended)) }).await);
    }

    async fn task(&self, task: &RunTask) -> Result<String, Failure> {
        let input = std::str::from_utf8(&task.input)?;
        let (name, millis) = input.split_once(' ').ok_or("the input is `TASK MILLISECONDS`")?;
        let what = format!("{} {} {}", self.line("w", name), task.attempt, task.job);
        write(&self.file, &what)?;
        let millis = millis.parse()?;
        // A timer is never through at once.
        if millis > 0 {
            tokio::time::sleep(Duration::from_millis(millis)).await;
        }
        Ok(name.to_owned())
    }

    fn line(&self, kind: &str, task: &str) -> String {
        format!("{kind} {task} {}", self.place)
    }

    fn stopped(&self) -> std::sync::MutexGuard<'_, BTreeSet<u64>> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Appends a line in one piece.
fn write(file: &Path, line: &str) -> std::io::Result<()> {
    let mut file = File::options().create(true).append(true).open(file)?;
    file.write_all(format!("{line}\n").as_bytes())
}
