//! What was seen of a run from outside, one fact a line. The same judge reads a simulated run as
//! it goes on and the history of a real one: its journal and the marks of its starts.

use std::borrow::Cow;

use bary_ledger::record::Record;
use bary_model::id::{
    Epoch, Fence, Incarnation, JobNo, Lsn, NodeId, RunNo, ShardId, SpecNo, TaskRange,
};
use bary_model::node::NodeInfo;
use bary_model::outcome::End;
use bary_model::task::Request;
use bary_model::time::{Moment, Wall};
use serde::{Deserialize, Serialize};

/// One thing that was seen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry<'a> {
    /// When.
    pub at: Moment,
    /// At which node.
    pub node: NodeId,
    /// What.
    pub fact: Fact<'a>,
}

/// What can be seen of a run without looking into an engine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Fact<'a> {
    /// What the node has; before anything else of it.
    Node(Cow<'a, NodeInfo>),
    /// A life of the node began.
    Began {
        /// Which.
        incarnation: Incarnation,
    },
    /// The node's process is gone, and all that it ran.
    Crashed,
    /// A fault other than a crash touched the node: it was cut off, held up or lied to.
    Touched {
        /// When that will be over.
        until: Moment,
    },
    /// The node sees other nodes than before, or has begun and sees none: it may take others for
    /// keepers than they do.
    Sees,
    /// The node was told that another is there.
    Meets {
        /// The other.
        peer: NodeId,
    },
    /// The node was told that another is gone.
    Misses {
        /// The other.
        peer: NodeId,
    },
    /// The node could not open a shard's journal, which stays closed for good.
    Refused {
        /// The shard.
        shard: ShardId,
    },
    /// The node opened a shard's journal and found in it all batches before `next`.
    Opened {
        /// The shard.
        shard: ShardId,
        /// The number of the first batch that was not there.
        next: Lsn,
    },
    /// The node learnt that another opened a shard of which it was the home.
    Deposed {
        /// The shard.
        shard: ShardId,
    },
    /// The node wants a batch to be in a shard's journal.
    Appended {
        /// The shard.
        shard: ShardId,
        /// The reign in which it was written.
        epoch: Epoch,
        /// The number of the batch.
        lsn: Lsn,
        /// When it was written, by the calendar of its writer, where that is known.
        #[serde(default)]
        wall: Option<Wall>,
        /// The records.
        records: Cow<'a, [Record]>,
    },
    /// All that the node appended to a shard up to this batch is durable.
    Durable {
        /// The shard.
        shard: ShardId,
        /// The last durable batch.
        lsn: Lsn,
    },
    /// A user asked the node for something.
    Asked {
        /// The name of the request.
        ticket: u64,
        /// What was asked for.
        wish: Wish,
    },
    /// The node answered.
    Answered {
        /// The name of the request.
        ticket: u64,
        /// The answer.
        answer: Answer,
    },
    /// A peer's word reached the node.
    Heard {
        /// The peer.
        from: NodeId,
        /// Its life as it says.
        incarnation: Incarnation,
    },
    /// A run was started that begins with these tasks.
    Started {
        /// The run; several facts of one run follow each other.
        run: RunNo,
        /// The slot, from 1.
        slot: u32,
        /// The tasks.
        work: Work,
        /// What the run holds while it goes on; with the first fact of a run only.
        need: Option<Cow<'a, Request>>,
        /// Their priority, that of their job included.
        #[serde(default)]
        rank: i32,
    },
    /// A grant reached the node, which may not have taken it in yet.
    Offered {
        /// The tasks.
        work: Work,
        /// Their priority, that of their job included.
        rank: i32,
        /// What they ask for.
        need: Cow<'a, Request>,
    },
    /// The node has acknowledged a grant that reached it before.
    Holds {
        /// The tasks.
        work: Work,
    },
    /// The node was told something by which it may hold nothing of a shard any more.
    MayDrop {
        /// The shard.
        shard: ShardId,
    },
    /// Tasks that were started are given results of another spec to read.
    Reads {
        /// The tasks.
        work: Work,
        /// The spec that gave them.
        from: SpecNo,
        /// Only the result of the same index.
        aligned: bool,
        /// What is given, in sum.
        results: Digest,
    },
    /// Tasks that were started are told the last checkpoint of the attempts before.
    Given {
        /// The tasks.
        work: Work,
        /// Its step, and its words in sum; none where there is no checkpoint.
        word: Option<(u64, Digest)>,
    },
    /// Tasks of a run came to an end.
    Ran {
        /// The run.
        run: RunNo,
        /// The tasks.
        work: Work,
        /// How.
        how: How,
    },
    /// A run is over and its slot is free.
    Over {
        /// The run.
        run: RunNo,
    },
    /// The node gives tasks back, which it says it has not started.
    GaveBack {
        /// The tasks.
        work: Work,
    },
    /// A home on the node takes another for the keeper of a limit.
    Keeps {
        /// The limit's name.
        limit: Cow<'a, str>,
        /// The keeper.
        by: NodeId,
    },
    /// The node told whoever listens of tasks or jobs.
    Told {
        /// The shard.
        shard: ShardId,
        /// What.
        tale: Tale,
    },
}

/// Tasks under a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// The grant.
    pub fence: Fence,
    /// The tasks.
    pub range: TaskRange,
    /// Which attempt it is, from 1; 0 where that is not known.
    pub attempt: u16,
}

/// What a user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wish {
    /// A job.
    Submit,
    /// A job once so many others have finished.
    SubmitAfter(u32),
    /// More specs of a job.
    Extend(JobNo),
    /// No more specs of a job.
    Close(JobNo),
    /// The end of a job.
    Cancel {
        /// The job.
        job: JobNo,
        /// Whether what runs is stopped too.
        running: bool,
    },
    /// Nothing more of a job for now, or its release.
    Hold {
        /// The job.
        job: JobNo,
        /// Whether it is to be held.
        held: bool,
    },
    /// A job ahead of others, or behind.
    Prioritise {
        /// The job.
        job: JobNo,
        /// What is added to the priority of its tasks.
        priority: i32,
    },
    /// Nothing more for a node, or work again.
    Drain {
        /// The node.
        node: NodeId,
        /// Whether it is to be drained.
        drain: bool,
    },
    /// That a finished job is forgotten.
    Forget(JobNo),
    /// What did not succeed, once more.
    Retry(JobNo),
    /// Another policy.
    Follow,
    /// What holds from now on.
    Decree,
    /// The first answer to a submission once more.
    Repeat,
}

/// What a user was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// The job has this number.
    Accepted(JobNo),
    /// It was done.
    Done,
    /// The job had finished before; whether well.
    Over(bool),
    /// It was refused.
    Refused,
}

/// How a start of a task came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum How {
    /// It succeeded.
    Succeeded,
    /// It failed.
    Failed,
    /// It failed and took its process down.
    Crashed,
    /// It was stopped.
    Stopped,
    /// It was not begun.
    Returned,
}

/// What a node tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Tale {
    /// Specs were added to a job.
    Added {
        /// The job.
        job: JobNo,
        /// The first of them.
        first: SpecNo,
        /// All of them, in sum.
        specs: Digest,
    },
    /// Tasks ended after they ran.
    Ended(TaskRange, End),
    /// Tasks ended without having run.
    Dropped(TaskRange, End),
    /// Every task of a job has ended.
    Finished(JobNo),
    /// What did not succeed of a finished job runs once more.
    Retried(JobNo),
    /// An outcome came too late and changed nothing.
    Superseded(TaskRange),
}

/// Results in sum: order does not matter, index and bytes do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// How many.
    pub count: u64,
    /// The sum of what each hashes to, wrapping.
    pub hash: u64,
}

impl Digest {
    /// Counts the result of one index in.
    pub fn add(&mut self, index: u32, result: &[u8]) {
        let start = 0xcbf2_9ce4_8422_2325 ^ (u64::from(index) << 20);
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        let hash = result.iter().fold(start.wrapping_mul(0x9e37_79b9_7f4a_7c15), step);
        self.count += 1;
        self.hash = self.hash.wrapping_add(hash ^ hash >> 29);
    }

    /// Counts others in.
    pub fn join(&mut self, other: Self) {
        self.count += other.count;
        self.hash = self.hash.wrapping_add(other.hash);
    }
}

/// Why a line is no entry. Nothing was judged of it.
#[derive(Debug, thiserror::Error)]
#[error("line {line} is no fact: {cause}")]
pub struct ReadError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub cause: serde_json::Error,
}

impl Entry<'_> {
    /// The entry as a line of JSON, without its end.
    ///
    /// # Panics
    /// Never: all that a fact holds can be written.
    #[must_use]
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("facts hold nothing that JSON lacks")
    }
}

/// The entries of a history, one a line; empty lines are passed over.
pub fn read(text: &str) -> impl Iterator<Item = Result<Entry<'static>, ReadError>> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(number, line)| {
        serde_json::from_str(line).map_err(|cause| ReadError { line: number + 1, cause })
    })
}
