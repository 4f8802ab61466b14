//! What tasks print at a member while they run, for the member that is their home: who wants more
//! asks again, and says how far it has heard, so that nothing is kept for one that has gone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use bary_model::id::{JobNo, ShardId, SpecNo, TaskId, TaskRange};
use bary_ports::executor::Stream;
use bytes::Bytes;
use tokio::sync::watch;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};

use crate::mesh::Mesh;
use crate::mesh::dial::DialError;
use crate::mesh::proto::output_client::OutputClient;
use crate::mesh::proto::output_server::{Output, OutputServer};
use crate::mesh::proto::{
    HeardOutput, OutputPiece, OutputReply, OutputRequest, OutputTasks, PrintedOutput, RunsReply,
    RunsRequest,
};
use crate::mesh::runs::{RUNS_MAX, Runs, told_runs};
use crate::mesh::shelf::FetchError;

/// How many ranges of tasks one request may name.
pub const RANGES_MAX: usize = 1_024;
/// Of how many tasks one request may say how far they were heard.
pub const HEARD_MAX: usize = 16_384;
/// Bytes that tasks printed in one answer, all together.
pub const ANSWER_BYTES_MAX: usize = 256 << 10;
/// How long a member waits at most until there is something to tell.
pub const WAIT_MAX: Duration = Duration::from_secs(10);
/// How much longer than it may wait its answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whose output is wanted, and from where on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The shard of the job.
    pub shard: ShardId,
    /// The job.
    pub job: JobNo,
    /// Tasks of it, at most [`RANGES_MAX`] ranges; all where there is none.
    pub ranges: Vec<TaskRange>,
    /// How far tasks were heard, of at most [`HEARD_MAX`].
    pub heard: BTreeMap<TaskId, Heard>,
    /// How long to wait until there is something, at most [`WAIT_MAX`].
    pub wait: Duration,
}

/// How far a task was heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// The attempt.
    pub attempt: u16,
    /// How many bytes of its output.
    pub out: u64,
    /// How many bytes of its errors.
    pub err: u64,
}

/// What a task printed since it was heard last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// The task.
    pub task: TaskId,
    /// Where the pieces begin; further on than was heard where some are not kept any more.
    pub from: Heard,
    /// The pieces, in the order in which they were printed.
    pub pieces: Vec<(Stream, Bytes)>,
}

/// Why it is not known what tasks print.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The member was not reached.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// It is not known where the member is.
    #[error("the member is not known")]
    Unknown,
    /// The member is of a version that does not tell it. It is of no use to ask again.
    #[error("its version does not tell what tasks print while they run")]
    Old,
    /// The member broke off, or refused.
    #[error("the member did not tell it: {0}")]
    Refused(Box<str>),
}

/// What tasks of other members do here.
pub trait Prints: Send + Sync + 'static {
    /// Which tasks of a shard run here, at most [`RUNS_MAX`] of them: the first ones.
    fn runs(&self, shard: ShardId) -> Vec<Runs>;

    /// What is new of the tasks that are wanted, at most [`ANSWER_BYTES_MAX`].
    fn printed(&self, wanted: &Wanted) -> Vec<Printed>;

    /// Tells when a task of another member's job has printed something.
    fn news(&self) -> watch::Receiver<u64>;
}

/// What answers members, and those too who want to know what their tasks print.
pub fn router(others: Router, prints: Arc<dyn Prints>) -> Router {
    let server = OutputServer::new(Teller(prints));
    tonic::service::Routes::from(others).add_service(server).into_axum_router()
}

impl Mesh {
    /// Asks a member what tasks print there, and waits until there is something, or the time is
    /// over.
    ///
    /// # Errors
    /// See [`OutputError`].
    pub async fn printed(&self, at: u64, wanted: &Wanted) -> Result<Vec<Printed>, OutputError> {
        let request = told(wanted);
        let ask = |mut client: OutputClient<Channel>| async move { client.follow(request).await };
        let answer = self.ask_output(at, wanted.wait + PATIENCE, ask).await?;
        let all = answer.printed.into_iter().map(|one| read_printed(wanted.job, one));
        all.collect::<Result<_, _>>().map_err(|why: &str| OutputError::Refused(why.into()))
    }

    /// Asks a member something, and waits for so long at most.
    pub(super) async fn ask_output<T, F>(
        &self,
        at: u64,
        wait: Duration,
        ask: impl FnOnce(OutputClient<Channel>) -> F,
    ) -> Result<T, OutputError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let channel = self.0.ask(at).await.map_err(|error| match error {
            FetchError::Dial(error) => OutputError::Dial(error),
            _ => OutputError::Unknown,
        })?;
        match tokio::time::timeout(wait, ask(OutputClient::new(channel))).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) if status.code() == Code::Unimplemented => Err(OutputError::Old),
            broken => {
                // The connection may be one that has ended.
                self.0.asking.lock().await.remove(&at);
                let why = match broken {
                    Ok(Err(status)) => status.message().into(),
                    _ => "no answer came in time".into(),
                };
                Err(OutputError::Refused(why))
            }
        }
    }
}

fn told(wanted: &Wanted) -> OutputRequest {
    let tasks = wanted.ranges.iter().take(RANGES_MAX);
    let heard = wanted.heard.iter().take(HEARD_MAX);
    OutputRequest {
        shard: wanted.shard.0,
        job: wanted.job.0,
        tasks: tasks
            .map(|range| OutputTasks { spec: range.spec.0, first: range.first, count: range.count })
            .collect(),
        heard: heard
            .map(|(task, heard)| HeardOutput {
                spec: task.spec.0,
                index: task.index,
                attempt: heard.attempt.into(),
                out: heard.out,
                err: heard.err,
            })
            .collect(),
        wait_ms: u32::try_from(wanted.wait.as_millis()).unwrap_or(u32::MAX),
    }
}

fn read_wanted(told: OutputRequest) -> Result<Wanted, Status> {
    if told.tasks.len() > RANGES_MAX || told.heard.len() > HEARD_MAX {
        return Err(Status::out_of_range("one request speaks of too many tasks"));
    }
    let (job, wrong) = (JobNo(told.job), || Status::invalid_argument("there is no such task"));
    let range = |tasks: OutputTasks| {
        let OutputTasks { spec, first, count } = tasks;
        let is_good = count > 0 && first.checked_add(count).is_some();
        is_good.then_some(TaskRange { job, spec: SpecNo(spec), first, count }).ok_or_else(wrong)
    };
    let heard = |heard: HeardOutput| {
        let HeardOutput { spec, index, attempt, out, err } = heard;
        let attempt = u16::try_from(attempt).map_err(|_| wrong())?;
        Ok::<_, Status>((TaskId { job, spec: SpecNo(spec), index }, Heard { attempt, out, err }))
    };
    Ok(Wanted {
        shard: ShardId(told.shard),
        job,
        ranges: told.tasks.into_iter().map(range).collect::<Result<_, _>>()?,
        heard: told.heard.into_iter().map(heard).collect::<Result<_, _>>()?,
        wait: Duration::from_millis(told.wait_ms.into()).min(WAIT_MAX),
    })
}

fn told_printed(printed: Printed) -> PrintedOutput {
    let Printed { task, from, pieces } = printed;
    let pieces = pieces
        .into_iter()
        .map(|(stream, bytes)| OutputPiece { is_error: stream == Stream::Err, bytes });
    let from = HeardOutput {
        spec: task.spec.0,
        index: task.index,
        attempt: from.attempt.into(),
        out: from.out,
        err: from.err,
    };
    PrintedOutput { from: Some(from), pieces: pieces.collect() }
}

fn read_printed(job: JobNo, told: PrintedOutput) -> Result<Printed, &'static str> {
    let from = told.from.ok_or("it does not say of which task it tells")?;
    let HeardOutput { spec, index, attempt, out, err } = from;
    let attempt = u16::try_from(attempt).map_err(|_| "it tells of an attempt that cannot be")?;
    let pieces = told.pieces.into_iter().map(|piece| {
        let stream = if piece.is_error { Stream::Err } else { Stream::Out };
        (stream, piece.bytes)
    });
    Ok(Printed {
        task: TaskId { job, spec: SpecNo(spec), index },
        from: Heard { attempt, out, err },
        pieces: pieces.collect(),
    })
}

/// Answers members.
struct Teller(Arc<dyn Prints>);

#[tonic::async_trait]
impl Output for Teller {
    async fn runs(&self, call: Request<RunsRequest>) -> Result<Response<RunsReply>, Status> {
        let running = self.0.runs(ShardId(call.into_inner().shard));
        let running = running.into_iter().take(RUNS_MAX).map(told_runs).collect();
        Ok(Response::new(RunsReply { running }))
    }

    async fn follow(&self, call: Request<OutputRequest>) -> Result<Response<OutputReply>, Status> {
        let wanted = read_wanted(call.into_inner())?;
        let until = Instant::now() + wanted.wait;
        let mut news = self.0.news();
        loop {
            news.mark_unchanged();
            let printed = self.0.printed(&wanted);
            let left = until.saturating_duration_since(Instant::now());
            if !printed.is_empty() || left.is_zero() {
                let printed = printed.into_iter().map(told_printed).collect();
                return Ok(Response::new(OutputReply { printed }));
            }
            // Where the time is over, or nothing more will come, there is one more look.
            if let Ok(Err(_)) = tokio::time::timeout(left, news.changed()).await {
                return Err(Status::unavailable("the member stops"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(first: u32, count: u32, out: u64) -> Wanted {
        let (job, spec) = (JobNo(7), SpecNo(2));
        let heard = Heard { attempt: 3, out, err: 1 };
        Wanted {
            shard: ShardId(9),
            job,
            ranges: vec![TaskRange { job, spec, first, count }],
            heard: BTreeMap::from([(TaskId { job, spec, index: first }, heard)]),
            wait: Duration::from_millis(1_500),
        }
    }

    #[test]
    fn what_is_wanted_is_read_as_it_was_told() {
        for (first, count) in [(0, 1), (7, 1_000), (u32::MAX - 1, 1)] {
            let wanted = wanted(first, count, u64::MAX);
            let read = read_wanted(told(&wanted)).map_err(|status| status.to_string());
            assert_eq!(read, Ok(wanted));
        }
        for (first, count) in [(0, 0), (u32::MAX, 1), (9, u32::MAX)] {
            assert!(read_wanted(told(&wanted(first, count, 0))).is_err(), "{first} {count}");
        }
    }

    #[test]
    fn what_was_printed_is_read_as_it_was_told() {
        let task = TaskId { job: JobNo(7), spec: SpecNo(2), index: 5 };
        let pieces = vec![
            (Stream::Out, Bytes::from_static(b"one")),
            (Stream::Err, Bytes::from_static(b"two")),
        ];
        let printed = Printed { task, from: Heard { attempt: 1, out: 4, err: 0 }, pieces };
        let read = read_printed(JobNo(7), told_printed(printed.clone()));
        assert_eq!(read, Ok(printed));
        assert!(read_printed(JobNo(7), PrintedOutput::default()).is_err());
    }

    #[test]
    fn no_request_speaks_of_more_than_there_may_be() {
        let many = OutputRequest {
            tasks: vec![OutputTasks { spec: 0, first: 0, count: 1 }; RANGES_MAX + 1],
            wait_ms: u32::MAX,
            ..OutputRequest::default()
        };
        assert!(read_wanted(many).is_err());
        let long = OutputRequest { wait_ms: u32::MAX, ..OutputRequest::default() };
        assert_eq!(read_wanted(long).map(|wanted| wanted.wait).ok(), Some(WAIT_MAX));
    }
}
