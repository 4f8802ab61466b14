//! A node inside the calling program: it knows the program's functions and runs jobs to their end.

use std::future::Future;
use std::path::{Path, PathBuf};

use bary_jobfile::fault::Fault;
use bary_jobfile::files::Disk;
use bary_jobfile::read::{ReadOptions, read};
use bary_model::event::Event;
use bary_model::job::{JobSpec, SubmissionKey};
use bary_node::cluster::{Cluster, Durability, RequestError, StartError};
use bary_node::listener::{Listener, News};
use bary_node::options::{ClusterOptions, NodeOptions};
use bary_node::state::{self, State, StateError};
use bary_policy::preset::{self, PolicyError};
use bary_ports::function::{Call, Functions};
use bary_ports::store::StoreError;
use bary_wire::codec::EncodeError;

use crate::done::Done;
use crate::functions::builtin;
use crate::into_function::{IntoFunction, IntoResult, of_future};

/// A node, or several of them, inside this process.
#[derive(Debug)]
pub struct Node {
    cluster: Cluster,
    listener: Listener,
    functions: Functions,
    /// What earlier lives of its state did.
    recalled: Vec<Event>,
}

/// What a node will be.
#[derive(Debug)]
pub struct NodeBuilder {
    functions: Functions,
    slots: u32,
    nodes: u32,
    policy: String,
    state: Option<PathBuf>,
}

/// Why a node did not start. Nothing runs.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The policy's name or parts are unknown.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The options cannot be, or the machine refused.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The state cannot be opened.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Why a job did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The job file is wrong; nothing ran.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    File(Vec<Fault>),
    /// The job file could not be read; nothing ran.
    #[error("cannot read {}: {why}", .path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// The node refused the job; nothing ran.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The job cannot be written to the state's journal; nothing ran.
    #[error("the job cannot be kept: {0}")]
    Content(#[from] EncodeError),
    /// The state's journal has failed. What had been told is on disk; nobody knows of the rest.
    #[error("the node's state has failed: {0}")]
    Journal(String),
    /// A result could not be read back.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The node stopped before the job's end.
    #[error("the node stopped before the job's end")]
    Stopped,
}

impl Node {
    /// A node with the built-in functions and a slot for each core.
    #[must_use]
    pub fn builder() -> NodeBuilder {
        let slots = std::thread::available_parallelism().map_or(1, |n| n.get() as u32);
        NodeBuilder {
            functions: builtin(),
            slots,
            nodes: 1,
            policy: "gravity".to_owned(),
            state: None,
        }
    }

    /// Runs the job of a job file to its end.
    ///
    /// # Errors
    /// Where the file cannot be read or is wrong, or the job is refused; nothing ran then. A task
    /// that fails is no error: [`Done`] tells.
    pub fn run_file(&mut self, path: &Path) -> Result<Done, RunError> {
        self.run_file_with(path, &[])
    }

    /// Runs the job of a job file with other values for some of its parameters.
    ///
    /// # Errors
    /// As [`Node::run_file`], and where the file has no such parameter.
    pub fn run_file_with(&mut self, path: &Path, set: &[(&str, &str)]) -> Result<Done, RunError> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|why| RunError::Read { path: path.into(), why })?;
        self.run_in(&text, path, set)
    }

    /// Runs the job that a text in the form of a job file describes.
    ///
    /// # Errors
    /// As [`Node::run_file`].
    pub fn run_text(&mut self, text: &str) -> Result<Done, RunError> {
        self.run_in(text, Path::new("job.toml"), &[])
    }

    /// Runs a job to its end. On a node with a state, the same job goes on where an earlier run of
    /// it ended, and gives the first answer again once it has finished.
    ///
    /// # Errors
    /// Where the job is refused; nothing ran then.
    pub fn run(&mut self, mut job: JobSpec) -> Result<Done, RunError> {
        let store = self.cluster.store();
        if self.cluster.durability() == Durability::Disk && job.key.is_none() {
            let key = state::content(&job)?;
            job.key = Some(SubmissionKey { key, content: key as u64 });
        }
        let job = self.cluster.submit(job)?;
        let mut done = Done::default();
        for event in &self.recalled {
            if done.fold(job, event.clone(), store.as_ref())? {
                return Ok(done);
            }
        }
        for news in self.listener.by_ref() {
            let events = match news {
                News::Events(events) => events,
                News::Failed(why) => return Err(RunError::Journal(why)),
                _ => continue,
            };
            if self.cluster.durability() == Durability::Disk {
                // Another run may want a job that goes on meanwhile.
                self.recalled.extend(events.iter().cloned());
            }
            for event in events {
                if done.fold(job, event, store.as_ref())? {
                    return Ok(done);
                }
            }
        }
        Err(RunError::Stopped)
    }

    fn run_in(&mut self, text: &str, path: &Path, set: &[(&str, &str)]) -> Result<Done, RunError> {
        let set = set.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let options = ReadOptions {
            set: set.collect(),
            functions: Some(self.functions.keys().map(ToString::to_string).collect()),
            ..ReadOptions::default()
        };
        let file = read(text, path, &options, &Disk).map_err(RunError::File)?;
        self.run(file.spec)
    }
}

impl NodeBuilder {
    /// Registers a function under a name; tasks call it by that name. A later one of the same
    /// name takes its place, built-in ones too.
    #[must_use]
    pub fn function<Form>(mut self, name: &str, function: impl IntoFunction<Form>) -> Self {
        self.functions.insert(name.into(), function.into_function());
        self
    }

    /// Registers an async function of the whole call.
    #[must_use]
    pub fn async_function<F, R>(
        mut self,
        name: &str,
        function: impl Fn(Call) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: IntoResult,
    {
        self.functions.insert(name.into(), of_future(function));
        self
    }

    /// How many tasks each node runs at a time; a slot for each core where not said.
    #[must_use]
    pub fn slots(mut self, slots: u32) -> Self {
        self.slots = slots;
        self
    }

    /// How many nodes there are in this process; one where not said.
    #[must_use]
    pub fn nodes(mut self, nodes: u32) -> Self {
        self.nodes = nodes;
        self
    }

    /// How tasks are placed, by a preset's name or by parts; `gravity` where not said.
    #[must_use]
    pub fn policy(mut self, policy: &str) -> Self {
        policy.clone_into(&mut self.policy);
        self
    }

    /// Keeps its state in this directory: what it acknowledges is on disk by then, and a later node
    /// on the same directory goes on where this one ended, however that ended. Nothing is kept
    /// where not said.
    #[must_use]
    pub fn state(mut self, directory: impl Into<PathBuf>) -> Self {
        self.state = Some(directory.into());
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// Where the policy is unknown, there are no slots or nodes, the state cannot be opened, or the
    /// machine gives no thread.
    pub fn start(self) -> Result<Node, BuildError> {
        let policy = preset::parse(&self.policy)?;
        let nodes = (0..self.nodes).map(|n| NodeOptions::local(format!("n{n}"), self.slots));
        let mut options = ClusterOptions::new(nodes.collect(), policy);
        options.functions = self.functions.clone();
        let mut recalled = Vec::new();
        let (cluster, listener) = match &self.state {
            Some(directory) => {
                let state = State::open(directory, &mut |event| recalled.push(event))?;
                Cluster::resume(options, state)?
            }
            None => Cluster::start(options)?,
        };
        Ok(Node { cluster, listener, functions: self.functions, recalled })
    }
}
