//! Commands beside tasks that run: a shell to look around in, where the task is.

use std::sync::Arc;
use std::time::Duration;

use bary_api::problem::{Kind, Refused};
use bary_api::v1::exec_input::What;
use bary_api::v1::exec_output::What as Told;
use bary_api::v1::{ExecEnded, ExecInput, ExecOutput, ExecStart, ExecStarted, WindowSize};
use bary_api::verb::Verb;
use bary_executor::beside::{Asked, BesideError, Companion, Said, Size};
use bary_model::action::Action;
use bary_model::id::NodeId;
use tokio::sync::OwnedSemaphorePermit;
use tokio_stream::StreamExt;

use crate::service::beside::{Guest, Here, Spot, There, in_worker};
use crate::service::caller::Caller;
use crate::service::emit::{self, Emit};
use crate::service::task_view::TaskView;
use crate::service::{Inner, Service, Streamed, beside, choice, jobs};

/// How long a caller has to say what is to run.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// The most commands beside tasks at a time; each has two threads.
pub(super) const EXECS_MAX: usize = 64;
/// Seconds after which there may be a place for another one.
const FULL: f64 = 5.0;
/// The most words of a command, and the most bytes of all of them.
const WORDS_MAX: usize = 4_096;
const WORDS_BYTES_MAX: usize = 128 << 10;

/// The limits of commands beside tasks as the documentation lists them.
pub(crate) const TABLE: &[(&str, &str, &str)] = &[
    ("execs_max", "64", "commands beside tasks at a time"),
    ("exec_start_timeout", "20 s", "how long a caller of exec has to say what is to run"),
    ("exec_words_max", "4,096", "words of a command beside a task"),
    ("exec_words_bytes_max", "128 KiB", "bytes of such a command and its variables"),
];

impl Service {
    /// Runs a command beside a task that runs. It ends with its task, when nobody reads what it
    /// says any more, or by itself.
    ///
    /// # Errors
    /// Where the caller may not, the task runs no command here, or this one cannot be started;
    /// nothing runs then.
    pub async fn exec(
        &self,
        caller: &Caller,
        heard: Streamed<ExecInput>,
    ) -> Result<Streamed<ExecOutput>, Refused> {
        self.exec_beside(caller, None, heard).await
    }

    /// As [`Service::exec`]; where the home of a task that runs here asks for it, beside that one.
    ///
    /// # Errors
    /// As [`Service::exec`].
    pub(crate) async fn exec_beside(
        &self,
        caller: &Caller,
        guest: Option<&Guest>,
        mut heard: Streamed<ExecInput>,
    ) -> Result<Streamed<ExecOutput>, Refused> {
        if caller.role < Verb::Exec.row().role {
            // It is refused, with a line in the audit log.
            self.admit(caller, Verb::Exec, "")?;
        }
        let start = match start(&mut heard).await {
            Ok(start) => start,
            Err(refused) => return self.admit(caller, Verb::Exec, "")?.settle(Err(refused)),
        };
        let leave = self.admit(caller, Verb::Exec, target(&start, guest))?;
        let begun = match self.0.spot(&start, guest) {
            Ok(Spot::Here(here)) => match self.begin_beside(here, start).await {
                Ok(begun) => Begun::Here(begun, heard),
                Err(refused) => return leave.settle(Err(refused)),
            },
            Ok(Spot::There(there)) => match self.0.exec_there(there, caller, start, heard).await {
                Ok(said) => Begun::There(said),
                Err(refused) => return leave.settle(Err(refused)),
            },
            Err(refused) => return leave.settle(Err(refused)),
        };
        let (emit, streamed) = emit::stream(leave.begun()?);
        tokio::spawn(async move {
            match begun {
                Begun::Here((companion, node, place), heard) => {
                    talk(companion, node, heard, emit).await;
                    drop(place);
                }
                Begun::There(said) => beside::relay(said, emit).await,
            }
        });
        Ok(streamed)
    }

    async fn begin_beside(&self, here: Here, start: ExecStart) -> Result<Running, Refused> {
        let place = Arc::clone(&self.0.execs).try_acquire_owned().map_err(|_| {
            let title = format!("{EXECS_MAX} commands run beside tasks (limit execs_max)");
            Refused::new(Kind::Full, title).help("end one, or try again").retry_after(FULL)
        })?;
        let Here { shard, task, beside, node } = here;
        let asked = Asked {
            shard,
            task,
            words: start.command.iter().map(|word| word.as_str().into()).collect(),
            env: start.env.iter().map(|(k, v)| (k.as_str().into(), v.as_str().into())).collect(),
            terminal: start.terminal.map(size),
        };
        let started = tokio::task::spawn_blocking(move || beside.start(asked)).await;
        let lost = |_| Refused::new(Kind::Internal, "the command was not started");
        let companion = started.map_err(lost)?.map_err(|error| refused(&error))?;
        Ok((companion, node, place))
    }
}

/// A command that was begun.
enum Begun {
    Here(Running, Streamed<ExecInput>),
    There(Streamed<ExecOutput>),
}

/// A command that runs, the node that it runs on, and its place among all of them.
type Running = (Companion, String, OwnedSemaphorePermit);

impl Inner {
    /// Where a task runs its command.
    fn spot(&self, start: &ExecStart, guest: Option<&Guest>) -> Result<Spot, Refused> {
        check(start)?;
        if let Some(guest) = guest {
            let named = format!("task {} of job {}", start.task, guest.job());
            return self.guest_spot(guest, &named).map(Spot::Here);
        }
        let books = self.board.read();
        let row = jobs::row(&books, start.job)?;
        let task = choice::task(row, &start.task)?;
        let detail = choice::detail(row)?;
        let node_name = |node| self.node_name(node);
        let view = TaskView::new(&books, (row, detail), task, &node_name);
        let shown = view.shown();
        let named = format!("task {} of job {}", shown.name, start.job);
        let conflict =
            |title: String, help: String| Err(Refused::new(Kind::Conflict, title).help(help));
        // Another member may run what it was granted a moment before that is known here.
        let held = detail.running.find(task).or_else(|| {
            detail.granted.find(task).filter(|hold| self.cluster.is_elsewhere(hold.node))
        });
        let Some(node) = held.map(|hold| hold.node) else {
            let title = format!("{named} does not run: it is {}", view.state());
            return conflict(title, format!("see bary why {}/{}", start.job, shown.name));
        };
        let action = detail.roster.spec(task.spec).map(|spec| &spec.body.action);
        if let Some(Action::Function { name, .. }) = action {
            let title = format!("{named} calls the function `{name}`, it is no command");
            let help = "only a command has a directory and an environment of its own";
            return conflict(title, help.to_owned());
        }
        let shard = self.shard;
        if self.cluster.is_elsewhere(node) {
            let guest = Guest { home: books.home.clone(), shard, task };
            return self.spot_there(node, guest, (shown.name, &named));
        }
        let beside = self.cluster.beside(node).ok_or_else(|| in_worker(&named, &shown.node))?;
        Ok(Spot::Here(Here { shard, task, beside, node: shown.node }))
    }

    /// Where a task runs that other nodes hold than those of its home.
    fn spot_there(
        &self,
        node: NodeId,
        guest: Guest,
        (task, named): (String, &str),
    ) -> Result<Spot, Refused> {
        let gone = || Refused::new(Kind::Conflict, format!("the member that ran {named} has gone"));
        let (member, peers) = (node.member(), self.cluster.peers().ok_or_else(gone)?);
        if member != peers.me() {
            let name = peers.member_name(member).ok_or_else(gone)?.into();
            return Ok(Spot::There(There { member, name, guest, task }));
        }
        // This is the home of another's jobs, and the nodes of its own member run them.
        let own = peers.replicas().and_then(|replicas| replicas.service()).ok_or_else(gone)?;
        own.0.guest_spot(&guest, named).map(Spot::Here)
    }
}

/// Hands on what goes in and what comes out, until one of them ends.
async fn talk(
    mut companion: Companion,
    node: String,
    heard: Streamed<ExecInput>,
    emit: Emit<ExecOutput>,
) {
    let say = |what| ExecOutput { what: Some(what) };
    let command = companion.words.iter().map(ToString::to_string).collect();
    if emit.give(say(Told::Started(ExecStarted { node, command }))).await.is_err() {
        return;
    }
    let (sizes, mut resized) = tokio::sync::watch::channel(None);
    let fed = tokio::spawn(feed(heard, companion.heard.clone(), sizes));
    loop {
        let said = tokio::select! {
            said = companion.said.recv() => said,
            Ok(()) = resized.changed() => {
                let size = *resized.borrow_and_update();
                size.into_iter().for_each(|size| companion.resize(size));
                continue;
            }
            // Nobody reads any more: the command is dropped, and so killed.
            () = emit.closed() => break,
        };
        let what = match said {
            Some(Said::Out(bytes)) => Told::Stdout(bytes),
            Some(Said::Err(bytes)) => Told::Stderr(bytes),
            Some(Said::Over { exit, with_task }) => Told::Ended(ExecEnded { exit, with_task }),
            None => break,
        };
        if emit.give(say(what)).await.is_err() {
            break;
        }
    }
    fed.abort();
}

/// Gives the command what it is to read, as fast as it reads.
async fn feed(
    mut heard: Streamed<ExecInput>,
    command: tokio::sync::mpsc::Sender<bytes::Bytes>,
    sizes: tokio::sync::watch::Sender<Option<Size>>,
) {
    while let Some(Ok(message)) = heard.next().await {
        match message.what {
            Some(What::Stdin(bytes)) => {
                if command.send(bytes).await.is_err() {
                    return;
                }
            }
            Some(What::Size(wanted)) => drop(sizes.send_replace(Some(size(wanted)))),
            // It has been started already.
            Some(What::Start(_)) | None => {}
        }
    }
    // A caller that has gone is seen by who tells him what is said; one that has said all ends
    // the command's input.
    drop(command.send(bytes::Bytes::new()).await);
}

/// The first message.
async fn start(heard: &mut Streamed<ExecInput>) -> Result<ExecStart, Refused> {
    let invalid = |title: &str| Refused::new(Kind::Invalid, title);
    match tokio::time::timeout(START_TIMEOUT, heard.next()).await {
        Ok(Some(Ok(ExecInput { what: Some(What::Start(start)) }))) => Ok(start),
        Ok(Some(Ok(_))) => Err(invalid("say first beside which task, and what")),
        Ok(Some(Err(refused))) => Err(refused),
        Ok(None) => Err(invalid("nothing was said")),
        Err(_) => Err(Refused::new(Kind::TimedOut, "nothing was said for too long")),
    }
}

fn check(start: &ExecStart) -> Result<(), Refused> {
    let words: usize = start.command.iter().map(String::len).sum();
    let env: usize = start.env.iter().map(|(name, value)| name.len() + value.len()).sum();
    if start.command.len() > WORDS_MAX || words + env > WORDS_BYTES_MAX {
        let title = "the command is too long (limits exec_words_max, exec_words_bytes_max)";
        return Err(Refused::new(Kind::TooLarge, title));
    }
    if let Some(name) = start.env.keys().find(|name| name.is_empty() || name.contains('=')) {
        return Err(Refused::new(Kind::Invalid, format!("`{name}` cannot name a variable")));
    }
    match start.command.first() {
        Some(first) if first.is_empty() => {
            Err(Refused::new(Kind::Invalid, "the first word of the command is empty"))
        }
        _ => Ok(()),
    }
}

fn target(start: &ExecStart, guest: Option<&Guest>) -> String {
    let ExecStart { job, task, command, .. } = start;
    let job = guest.map_or_else(|| job.to_string(), Guest::job);
    let command = if command.is_empty() { "a shell".to_owned() } else { command.join(" ") };
    format!("{job}/{task}: {command}")
}

fn size(asked: WindowSize) -> Size {
    let most = |size: u32| u16::try_from(size).unwrap_or(u16::MAX);
    Size { rows: most(asked.rows), columns: most(asked.columns) }
}

fn refused(error: &BesideError) -> Refused {
    let kind = match error {
        BesideError::NotRunning | BesideError::Unknown => Kind::Conflict,
        BesideError::NotStarted(_) => Kind::Invalid,
        BesideError::Refused { .. } => Kind::Unavailable,
    };
    Refused::new(kind, error.to_string())
}
