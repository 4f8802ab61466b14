//! What is asked of a cluster's nodes, each answer waited for.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use bary_engine::input::{Reply, Request};
use bary_model::id::JobNo;
use bary_model::job::JobSpec;
use bary_model::task::TaskSpec;
use bary_policy::preset::Policy;
use tokio::sync::mpsc::UnboundedSender;

use crate::cluster::{Cluster, RequestError};
use crate::inbox::{Answer, Control};

impl Cluster {
    /// Submits a job to the first node's home.
    ///
    /// # Errors
    /// Where the home refuses it; nothing of it runs then.
    pub fn submit(&self, job: JobSpec) -> Result<JobNo, RequestError> {
        match self.request(Request::Submit(job))? {
            Reply::Accepted(job) => Ok(job),
            Reply::Done | Reply::Over { .. } => Err(RequestError::Stopped),
            Reply::Refused(refusal) => Err(refusal.into()),
        }
    }

    /// Adds specs to an open job.
    ///
    /// # Errors
    /// Where the home refuses them; none is added then.
    pub fn extend(&self, job: JobNo, specs: Arc<[Arc<TaskSpec>]>) -> Result<(), RequestError> {
        self.done(Request::Extend { job, specs })
    }

    /// Says that no more specs will be added.
    ///
    /// # Errors
    /// Where there is no such open job.
    pub fn close(&self, job: JobNo) -> Result<(), RequestError> {
        self.done(Request::Close(job))
    }

    /// Runs what did not succeed of a finished job once more.
    ///
    /// # Errors
    /// Where the job has not finished, or is not kept.
    pub fn retry(&self, job: JobNo) -> Result<(), RequestError> {
        self.done(Request::Retry(job))
    }

    /// Cancels what has not ended of a job; with `running`, also what runs.
    ///
    /// # Errors
    /// Where there is no such job.
    pub fn cancel(&self, job: JobNo, running: bool) -> Result<(), RequestError> {
        self.done(Request::Cancel { job, running, reason: None })
    }

    /// Makes all nodes decide by another policy from now on.
    ///
    /// # Errors
    /// Where the cluster has stopped.
    pub fn follow(&self, policy: &Policy) -> Result<(), RequestError> {
        for door in &self.doors {
            request(door, Request::Follow(policy.clone()))?;
        }
        self.crew.follow(policy);
        Ok(())
    }

    fn done(&self, wanted: Request) -> Result<(), RequestError> {
        match self.request(wanted)? {
            Reply::Refused(refusal) => Err(refusal.into()),
            Reply::Accepted(_) | Reply::Done | Reply::Over { .. } => Ok(()),
        }
    }

    fn request(&self, wanted: Request) -> Result<Reply, RequestError> {
        request(&self.doors[0], wanted)
    }
}

fn request(door: &UnboundedSender<Control>, request: Request) -> Result<Reply, RequestError> {
    let (answer, answered) = sync_channel(1);
    let request = Box::new(request);
    let sent = door.send(Control::Request { request, answer: Answer::Here(answer) });
    sent.map_err(|_| RequestError::Stopped)?;
    answered.recv().map_err(|_| RequestError::Stopped)
}
