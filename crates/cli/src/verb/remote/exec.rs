//! `bary exec`: a shell, or another command, beside a task that runs.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Read, Write};

use bary_api::v1::exec_output::What;
use bary_api::v1::{ExecEnded, ExecStart};
use bary_client::exec::{Exec, ExecFeed};
use bytes::Bytes;
use tokio::sync::mpsc;

use crate::args::Face;
use crate::args::remote::ExecArgs;
use crate::asking::{self, Asking};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::screen::Screen;
use crate::verb;
use crate::verb::remote::exec::terminal::{Raw, Resized, size};

mod terminal;

/// Bytes of standard input that are sent at once, and how many such pieces wait to be.
const PIECE_BYTES: usize = 32 << 10;
const PIECES_MAX: usize = 4;

/// What of this terminal's environment the command gets along with the task's.
const TAKEN: [&str; 2] = ["TERM", "COLORTERM"];

/// Runs it to its end.
pub(crate) fn run(args: &ExecArgs, face: Face) -> Result<Exit, Complaint> {
    let on_terminal = !args.no_terminal && io::stdin().is_terminal() && io::stdout().is_terminal();
    let command = args.command.iter().map(|word| {
        let text = word.to_str().map(ToOwned::to_owned);
        text.ok_or_else(|| Complaint::usage(format!("{} is no text", word.display())))
    });
    let command = command.collect::<Result<Vec<String>, Complaint>>()?;
    asking::run(&args.reach, face, async |asking| {
        let (at, job) = asking.job(&args.target.jobs).await?;
        let task = match args.target.tasks.as_slice() {
            [] => String::new(),
            [one] => one.clone(),
            more => {
                let text = format!("{} tasks are named, and one is wanted", more.len());
                return Err(Complaint::usage(text));
            }
        };
        let terminal = if on_terminal { size() } else { None };
        let env = terminal.map(|_| taken()).unwrap_or_default();
        let start = ExecStart { job, task, command: command.clone(), terminal, env };
        let exec = at.node.exec(start).await?;
        talk(asking, exec, terminal.is_some()).await
    })
}

fn taken() -> BTreeMap<String, String> {
    let value = |name: &str| Some((name.to_owned(), std::env::var(name).ok()?));
    TAKEN.into_iter().filter_map(value).collect()
}

async fn talk(asking: &Asking, exec: Exec, on_terminal: bool) -> Result<Exit, Complaint> {
    let Exec { input, mut output } = exec;
    let raw = if on_terminal { Some(Raw::set().map_err(Complaint::failed)?) } else { None };
    let mut resized = Resized::listen().map_err(Complaint::failed)?;
    let mut screen = Screen::new(asking.face);
    let fed = tokio::spawn(feed(input.clone(), read().map_err(Complaint::failed)?));
    let ended = loop {
        let said = tokio::select! {
            said = output.next() => said?,
            () = resized.next(), if on_terminal => {
                if let Some(size) = size() {
                    input.size(size).await;
                }
                continue;
            }
            exit = terminal::ending() => {
                drop(raw);
                return Ok(exit);
            }
        };
        match said.and_then(|said| said.what) {
            Some(What::Started(_)) => {}
            Some(What::Stdout(bytes)) => {
                let printed = screen.out(&bytes).and_then(|()| screen.flush());
                printed.map_err(verb::printing)?;
            }
            Some(What::Stderr(bytes)) => {
                // Where that fails there is nobody left to tell.
                drop(io::stderr().write_all(&bytes));
            }
            Some(What::Ended(ended)) => break ended,
            None => {
                drop(raw);
                let complaint = Complaint::new(Exit::UNAVAILABLE, "the node broke off");
                return Err(complaint.help("see whether it runs: bary doctor"));
            }
        }
    };
    fed.abort();
    drop(raw);
    let ExecEnded { exit, with_task } = ended;
    if with_task {
        asking.note("the task has ended, and what ran beside it");
    }
    Ok(Exit::of_command(exit))
}

/// Hands on what is read here, and its end.
async fn feed(input: ExecFeed, mut pieces: mpsc::Receiver<Bytes>) {
    while let Some(piece) = pieces.recv().await {
        input.stdin(piece).await;
    }
    input.stdin(Bytes::new()).await;
}

/// Reads standard input on a thread of its own, which ends with the process.
fn read() -> io::Result<mpsc::Receiver<Bytes>> {
    let (send, pieces) = mpsc::channel(PIECES_MAX);
    let read = move || {
        let (mut stdin, mut buffer) = (io::stdin().lock(), vec![0; PIECE_BYTES]);
        // An input that fails has ended.
        while let Ok(bytes @ 1..) = stdin.read(&mut buffer) {
            if send.blocking_send(Bytes::copy_from_slice(&buffer[..bytes])).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("bary-input".into()).spawn(read)?;
    Ok(pieces)
}
