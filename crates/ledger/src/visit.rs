//! Looking into records, whatever they are: which payloads they refer to, and which shard's jobs.

use bary_model::id::{JobNo, ShardId};
use bary_model::outcome::Results;
use bary_model::payload::Payload;

use crate::record::Record;

impl Record {
    /// Shows `each` every payload of it, which may be changed.
    ///
    /// # Errors
    /// What `each` gives; those before it are changed by then.
    pub fn payloads<E>(
        &mut self,
        mut each: impl FnMut(&mut Payload) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Checkpointed { payload, .. } => each(payload),
            Self::Ended { items } => items.iter_mut().try_for_each(|item| {
                each(&mut item.stderr)?;
                match &mut item.results {
                    Results::Each(results) => results.iter_mut().try_for_each(&mut each),
                    Results::Nothing => Ok(()),
                }
            }),
            _ => Ok(()),
        }
    }

    /// Whether any payload of it is such a one.
    pub fn any_payload(&self, is: impl Fn(&Payload) -> bool) -> bool {
        match self {
            Self::Checkpointed { payload, .. } => is(payload),
            Self::Ended { items } => items.iter().any(|item| {
                is(&item.stderr)
                    || matches!(&item.results, Results::Each(results) if results.iter().any(&is))
            }),
            _ => false,
        }
    }

    /// The job that it is about, where it is about one alone.
    pub(crate) fn of_job(&self) -> Option<JobNo> {
        match self {
            Self::Submitted { job, .. }
            | Self::Extended { job, .. }
            | Self::Closed { job }
            | Self::Arrived { job, .. }
            | Self::Stopping { job, .. }
            | Self::Held { job, .. }
            | Self::Prioritised { job, .. }
            | Self::Forgotten { job }
            | Self::Retried { job } => Some(*job),
            Self::Checkpointed { task, .. } | Self::Failed { task, .. } => Some(task.job),
            Self::Cancelled { range, .. } => Some(range.job),
            Self::Ran { items } => items.first().map(|one| one.range.job),
            Self::Opened { .. }
            | Self::Awaits { .. }
            | Self::Granted { .. }
            | Self::Retracted { .. }
            | Self::Ended { .. }
            | Self::Decreed { .. }
            | Self::Bygone { .. } => None,
        }
    }

    /// Has it speak of jobs of the shard `to` where it spoke of those of the shard `from`.
    pub fn move_shard(&mut self, from: ShardId, to: ShardId) {
        let upstream = match self {
            Self::Awaits { upstream } => upstream.as_mut_slice(),
            Self::Arrived { upstream, .. } => std::slice::from_mut(upstream),
            _ => &mut [],
        };
        upstream.iter_mut().filter(|one| one.shard == from).for_each(|one| one.shard = to);
    }
}

#[cfg(test)]
mod tests {
    use bary_model::id::{GrantNo, JobNo, NodeId, TaskId, TaskRange};
    use bary_model::job::JobRef;
    use bary_model::outcome::{End, Usage};

    use super::*;
    use crate::record::EndedTasks;

    fn text(text: &'static str) -> Payload {
        Payload::Inline(text.into())
    }

    #[test]
    fn every_payload_is_shown() {
        let ended = EndedTasks {
            range: TaskRange::default(),
            grant: GrantNo(1),
            node: NodeId(0),
            end: End::Succeeded,
            attempt: 1,
            results: Results::Each(vec![text("a"), text("b")]),
            stderr: text("c"),
            usage: Usage::default(),
        };
        let left = Record::Checkpointed {
            task: TaskId::default(),
            grant: GrantNo(1),
            step: 1,
            payload: text("d"),
        };
        let mut seen = Vec::new();
        for mut record in [Record::Ended { items: vec![ended] }, left] {
            let shown = record.payloads(|payload| {
                seen.push(std::mem::take(payload));
                Ok::<(), ()>(())
            });
            assert_eq!(shown, Ok(()));
        }
        assert_eq!(seen, ["c", "a", "b", "d"].map(text));
    }

    #[test]
    fn only_jobs_of_that_shard_are_moved() {
        let of = |shard| JobRef { shard: ShardId(shard), job: JobNo(4) };
        let mut awaits = Record::Awaits { upstream: vec![of(1), of(2)] };
        awaits.move_shard(ShardId(1), ShardId(9));
        assert_eq!(awaits, Record::Awaits { upstream: vec![of(9), of(2)] });
        let mut arrived = Record::Arrived { job: JobNo(5), upstream: of(1), good: true };
        arrived.move_shard(ShardId(1), ShardId(9));
        assert_eq!(arrived, Record::Arrived { job: JobNo(5), upstream: of(9), good: true });
    }
}
