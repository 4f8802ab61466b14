//! Commands beside tasks that run at another member than the home of their job: the home hands
//! them on to that member, which knows such a task by its home, not by a job of its own.

use std::fmt;
use std::pin::Pin;
use std::str::FromStr;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::HeaderName;
use bary_api::problem::{Kind, Refused};
use bary_api::v1::exec_input::What;
use bary_api::v1::{ExecInput, ExecOutput, ExecStart};
use bary_executor::beside::Beside;
use bary_identity::name::Name;
use bary_model::id::{JobNo, ShardId, SpecNo, TaskId};
use tokio_stream::{Stream, StreamExt};
use tonic::{Code, Status};

use crate::service::caller::Caller;
use crate::service::emit::Emit;
use crate::service::others::Calls;
use crate::service::{Inner, Streamed, jobs};

/// By which a member says beside which task of which home a command is to run.
pub(crate) const GUEST: HeaderName = HeaderName::from_static("bary-guest");
/// How long the member where the task runs has to start the command.
const PATIENCE: Duration = Duration::from_secs(20);
/// Seconds after which a member that is away may be back.
const AWAY_SECONDS: f64 = 1.0;

/// A task that runs at another member than the home of its job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Guest {
    /// What the home is called.
    pub(crate) home: Box<str>,
    pub(crate) shard: ShardId,
    pub(crate) task: TaskId,
}

impl Guest {
    /// The job as people name it.
    pub(super) fn job(&self) -> String {
        format!("{}/{}", self.home, jobs::shown_no(self.task.job))
    }
}

impl fmt::Display for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { home, shard, task } = self;
        write!(f, "{home}/{}/{}/{}/{}", shard.0, task.job.0, task.spec.0, task.index)
    }
}

/// What a member said names no task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the member does not say which task of its own it means")]
pub(crate) struct NoGuest;

impl FromStr for Guest {
    type Err = NoGuest;

    fn from_str(text: &str) -> Result<Self, NoGuest> {
        let mut parts = text.split('/');
        let home = parts.next().and_then(|home| Name::new(home).ok()).ok_or(NoGuest)?;
        let mut number = || parts.next().and_then(|part| part.parse().ok()).ok_or(NoGuest);
        let small = |number: u64| u32::try_from(number).map_err(|_| NoGuest);
        let shard = ShardId(number()?);
        let (job, spec, index) = (small(number()?)?, small(number()?)?, small(number()?)?);
        if parts.next().is_some() {
            return Err(NoGuest);
        }
        let task = TaskId { job: JobNo(job), spec: SpecNo(spec), index };
        Ok(Self { home: home.as_str().into(), shard, task })
    }
}

/// Where a command is to run.
pub(super) enum Spot {
    Here(Here),
    There(There),
}

/// A task that runs in this process.
pub(super) struct Here {
    pub(super) shard: ShardId,
    pub(super) task: TaskId,
    pub(super) beside: Beside,
    /// What the node is called.
    pub(super) node: String,
}

/// A task that runs at another member.
pub(super) struct There {
    pub(super) member: u64,
    /// What the member is called.
    pub(super) name: Box<str>,
    pub(super) guest: Guest,
    /// What people call the task within its job.
    pub(super) task: String,
}

impl Inner {
    /// Where a task of another home runs here.
    pub(super) fn guest_spot(&self, guest: &Guest, named: &str) -> Result<Here, Refused> {
        let node = self.board.read().guests.node_of(guest.shard, guest.task);
        let node = node.ok_or_else(|| {
            let title = format!("{named} does not run here: it has not begun, or has ended");
            Refused::new(Kind::Conflict, title).help("see bary why")
        })?;
        let (shard, task, name) = (guest.shard, guest.task, self.node_name(node));
        let beside = self.cluster.beside(node).ok_or_else(|| in_worker(named, &name))?;
        Ok(Here { shard, task, beside, node: name })
    }

    /// Has a command run beside a task at the member where that runs.
    pub(super) fn exec_there(
        &self,
        there: There,
        caller: &Caller,
        start: ExecStart,
        heard: Streamed<ExecInput>,
    ) -> Asking {
        let There { member, name, guest, task } = there;
        let away = self.cluster.peers().and_then(|peers| peers.away_words(member));
        let calls = self.calls_about(member, &guest, caller);
        // A member that does not know of guests looks for the job itself, and has none of this
        // number.
        let start = ExecStart { job: 0, task, ..start };
        Box::pin(async move {
            match (away, calls) {
                (None, Some(calls)) => ask(calls, name, start, heard).await,
                (away, _) => {
                    let left = || format!("{name} has left the cluster");
                    Err(lost(&away.unwrap_or_else(left)))
                }
            }
        })
    }
}

/// What becomes of a command that another member was asked for.
type Asking = Pin<Box<dyn Future<Output = Result<Streamed<ExecOutput>, Refused>> + Send>>;

/// What the caller of a command says, as it goes on.
struct Heard {
    first: Option<ExecInput>,
    rest: Streamed<ExecInput>,
}

impl Stream for Heard {
    type Item = ExecInput;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<ExecInput>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(first)),
            // Where something is wrong with the caller, what he hears ends too.
            None => self.rest.as_mut().poll_next(context).map(|said| said?.ok()),
        }
    }
}

/// Has a member run a command, and read what its caller says.
async fn ask(
    mut calls: Calls,
    name: Box<str>,
    start: ExecStart,
    heard: Streamed<ExecInput>,
) -> Result<Streamed<ExecOutput>, Refused> {
    let first = Some(ExecInput { what: Some(What::Start(start)) });
    let said = calls.exec(Heard { first, rest: heard });
    let answer = match tokio::time::timeout(PATIENCE, said).await {
        Ok(Ok(answer)) => answer.into_inner(),
        Ok(Err(status)) if status.code() == Code::NotFound => {
            let title = format!("{name} runs commands beside tasks of its own jobs only");
            return Err(Refused::new(Kind::Conflict, title).help("it is of an older version"));
        }
        Ok(Err(status)) => return Err(broken(&name, &status)),
        Err(_) => {
            let seconds = PATIENCE.as_secs();
            return Err(lost(&format!("{name} has not started it in {seconds} s")));
        }
    };
    Ok(Box::pin(answer.map(move |said| said.map_err(|status| broken(&name, &status)))))
}

/// Hands on what a command says at another member, until one of them has enough.
pub(super) async fn relay(mut said: Streamed<ExecOutput>, emit: Emit<ExecOutput>) {
    loop {
        let told = tokio::select! {
            told = said.next() => told,
            // Nobody reads any more: the other member hears so, and kills it.
            () = emit.closed() => return,
        };
        match told {
            Some(Ok(one)) => {
                if emit.give(one).await.is_err() {
                    return;
                }
            }
            Some(Err(refused)) => return emit.fail(refused).await,
            None => return,
        }
    }
}

/// A task that runs in a worker has nothing beside it.
pub(super) fn in_worker(named: &str, node: &str) -> Refused {
    let title = format!("{named} runs in a process of its own, the worker {node}");
    Refused::new(Kind::Conflict, title).help("look at that process where it runs")
}

/// What another member refused, or that it has gone.
fn broken(member: &str, status: &Status) -> Refused {
    match status.details().is_empty() {
        true => lost(&format!("{member} has gone: {}", status.message())),
        false => Refused::of_status(status),
    }
}

fn lost(title: &str) -> Refused {
    let help = "the task runs again elsewhere where its member is lost";
    Refused::new(Kind::Unavailable, title).help(help).retry_after(AWAY_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_is_read_as_it_was_told() {
        let task = TaskId { job: JobNo(2), spec: SpecNo(0), index: u32::MAX };
        let guest = Guest { home: "beta".into(), shard: ShardId(u64::MAX), task };
        assert_eq!(guest.to_string().parse(), Ok(guest.clone()));
        assert_eq!(guest.job(), "beta/3");
        for wrong in ["", "beta", "beta/1/2/3", "beta/1/2/3/4/5", "be ta/1/2/3/4", "beta/1/2/-3/4"]
        {
            assert_eq!(wrong.parse::<Guest>(), Err(NoGuest), "{wrong}");
        }
        assert_eq!("beta/1/4294967296/3/4".parse::<Guest>(), Err(NoGuest));
    }
}
