//! Waiting for jobs: whoever waits is told when the end is folded.

use std::time::Duration;

use bary_api::problem::Refused;
use bary_api::v1::{WaitReply, WaitRequest};
use bary_api::verb::Verb;
use bary_model::id::JobNo;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::service::caller::Caller;
use crate::service::{Inner, Service, change, jobs};

/// How long a wait is where nothing is said, and the longest, in seconds.
const WAIT: f64 = 30.0;
const WAIT_MAX: f64 = 300.0;

impl Service {
    /// Answers when jobs have ended, or when the time is over.
    ///
    /// # Errors
    /// Where one is not there, or the node stops meanwhile.
    pub async fn wait(&self, caller: &Caller, asked: WaitRequest) -> Result<WaitReply, Refused> {
        let _leave = self.admit(caller, Verb::Wait, change::numbers(&asked.jobs))?;
        let seconds = match asked.timeout {
            0.0 => WAIT,
            // What is no number is no time at all.
            seconds => seconds.clamp(0.0, WAIT_MAX),
        };
        let limit = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        self.0.wait(&asked.jobs, limit).await
    }
}

impl Inner {
    async fn wait(&self, shown: &[u32], limit: Duration) -> Result<WaitReply, Refused> {
        let named = self.named(shown)?;
        let ends = self.await_ends(&named);
        let all = async {
            for end in ends {
                if end.await.is_err() {
                    return Err(self.stopped());
                }
            }
            Ok(())
        };
        let done = timeout(limit, all).await.ok().transpose()?.is_some();
        Ok(WaitReply { done, jobs: jobs::all(&self.board.read(), &named) })
    }

    /// What tells of the end of each job that has not ended.
    fn await_ends(&self, named: &[JobNo]) -> Vec<oneshot::Receiver<()>> {
        let mut books = self.board.write();
        let open = |job: &&JobNo| books.job(**job).is_some_and(|row| row.finished.is_none());
        let open: Vec<JobNo> = named.iter().filter(open).copied().collect();
        open.into_iter().map(|job| books.watchers.await_end(job)).collect()
    }
}
