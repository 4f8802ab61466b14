//! Functions that tasks call by name: what they are given and what they may return.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bary_model::id::{NodeId, TaskId};
use bytes::Bytes;

/// What a function is given when a task calls it.
pub struct Call {
    /// The task.
    pub task: TaskId,
    /// The attempt, from 1.
    pub attempt: u16,
    /// The slot it runs on, from 1.
    pub slot: u32,
    /// The speed of the node, as the node says it.
    pub speed: f64,
    /// The arguments with all placeholders replaced; each a JSON text or plain text.
    pub args: Vec<(Option<Box<str>>, Bytes)>,
    /// The results of other specs that the task uses.
    pub upstream: Vec<UpstreamResults>,
    /// Set when the task should end.
    pub stop: Arc<AtomicBool>,
    /// Shows that the function is alive, where it has a heartbeat timeout.
    pub beat: Arc<dyn Fn() + Send + Sync>,
    /// Which rank of its gang the task is, where it is of one.
    pub rank: Option<Rank>,
}

/// Which rank of a gang a task is, and where the gang meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rank {
    /// Its number, from 0.
    pub rank: u32,
    /// How many ranks there are.
    pub size: u32,
    /// The machine that has rank 0, and a port there that is another at each attempt.
    pub master: SocketAddr,
}

impl Rank {
    /// The same as variables of an environment, by the names that `torch.distributed` reads.
    #[must_use]
    pub fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("RANK", self.rank.to_string()),
            ("WORLD_SIZE", self.size.to_string()),
            ("MASTER_ADDR", self.master.ip().to_string()),
            ("MASTER_PORT", self.master.port().to_string()),
        ]
    }
}

/// The results of another spec, read from wherever they were kept.
#[derive(Clone, Debug, Default)]
pub struct UpstreamResults {
    /// The name under which the task uses them.
    pub name: Box<str>,
    /// The results in index order.
    pub results: Vec<Bytes>,
    /// Which index each result is of.
    pub indices: Vec<u32>,
    /// The node that made each.
    pub nodes: Vec<NodeId>,
}

impl Call {
    /// Whether the task has been asked to end; long functions should look now and then.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The argument called `name`, else the one at `position` among those without a name.
    #[must_use]
    pub fn arg(&self, name: &str, position: usize) -> Option<&Bytes> {
        let named = self.args.iter().find(|(n, _)| n.as_deref() == Some(name));
        let placed = || self.args.iter().filter(|(n, _)| n.is_none()).nth(position);
        named.or_else(placed).map(|(_, value)| value)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("task", &self.task).field("args", &self.args).finish()
    }
}

/// Why a function failed; the text is for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FunctionError(pub Box<str>);

impl FunctionError {
    /// An error with this text.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }
}

/// What a function returns: the bytes of its result, which may be none.
pub type FunctionResult = Result<Bytes, FunctionError>;

/// A future that a function returned.
pub type FunctionFuture = Pin<Box<dyn Future<Output = FunctionResult> + Send>>;

/// A registered function.
#[derive(Clone)]
pub enum Function {
    /// Runs on a thread of its slot.
    Blocking(Arc<dyn Fn(&Call) -> FunctionResult + Send + Sync>),
    /// Runs as a future, many on one thread.
    Async(Arc<dyn Fn(Call) -> FunctionFuture + Send + Sync>),
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blocking(_) => "Function::Blocking",
            Self::Async(_) => "Function::Async",
        })
    }
}

/// The functions that a node knows, by name.
pub type Functions = BTreeMap<Box<str>, Function>;
