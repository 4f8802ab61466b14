//! Which tasks run at a member, for the member that is their home: a home hears of what it granted
//! by itself only once that has ended.

use std::time::Duration;

use bary_model::id::{JobNo, ShardId, SpecNo, TaskRange};
use tonic::transport::Channel;

use crate::mesh::Mesh;
use crate::mesh::output::OutputError;
use crate::mesh::proto::output_client::OutputClient;
use crate::mesh::proto::{OutputTasks, RunningTasks, RunsRequest};

/// How many ranges of tasks one answer may name.
pub const RUNS_MAX: usize = 16_384;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Tasks that run, and began together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runs {
    /// Which.
    pub range: TaskRange,
    /// Which attempt it is.
    pub attempt: u16,
    /// How long ago they began, to a thousandth of a second.
    pub age: Duration,
}

impl Mesh {
    /// Asks a member which tasks of a shard run there.
    ///
    /// # Errors
    /// See [`OutputError`].
    pub async fn runs(&self, at: u64, shard: ShardId) -> Result<Vec<Runs>, OutputError> {
        let request = RunsRequest { shard: shard.0 };
        let ask = |mut client: OutputClient<Channel>| async move { client.runs(request).await };
        let answer = self.ask_output(at, PATIENCE, ask).await?;
        let all = answer.running.into_iter().take(RUNS_MAX);
        let read = all.map(read_runs).collect::<Option<_>>();
        read.ok_or_else(|| OutputError::Refused("it tells of tasks that cannot be".into()))
    }
}

pub(super) fn told_runs(runs: Runs) -> RunningTasks {
    let Runs { range, attempt, age } = runs;
    let TaskRange { job, spec, first, count } = range;
    RunningTasks {
        job: job.0,
        tasks: Some(OutputTasks { spec: spec.0, first, count }),
        attempt: attempt.into(),
        age_ms: u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
    }
}

/// The tasks that a member tells of; none where there can be no such tasks.
fn read_runs(told: RunningTasks) -> Option<Runs> {
    let OutputTasks { spec, first, count } = told.tasks?;
    let is_good = count > 0 && first.checked_add(count).is_some();
    let range = TaskRange { job: JobNo(told.job), spec: SpecNo(spec), first, count };
    let attempt = u16::try_from(told.attempt).ok()?;
    is_good.then_some(Runs { range, attempt, age: Duration::from_millis(told.age_ms) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(first: u32, count: u32) -> Runs {
        Runs {
            range: TaskRange { job: JobNo(7), spec: SpecNo(2), first, count },
            attempt: 3,
            age: Duration::from_millis(1_500),
        }
    }

    #[test]
    fn what_runs_is_read_as_it_was_told() {
        for (first, count) in [(0, 1), (7, 1_000), (u32::MAX - 1, 1)] {
            let runs = runs(first, count);
            assert_eq!(read_runs(told_runs(runs)), Some(runs));
        }
    }

    #[test]
    fn tasks_that_cannot_be_are_refused() {
        for (first, count) in [(0, 0), (u32::MAX, 1), (9, u32::MAX)] {
            assert_eq!(read_runs(told_runs(runs(first, count))), None, "{first} {count}");
        }
        let no_attempt = RunningTasks { attempt: u32::MAX, ..told_runs(runs(0, 1)) };
        for wrong in [RunningTasks::default(), no_attempt] {
            assert_eq!(read_runs(wrong), None);
        }
    }
}
