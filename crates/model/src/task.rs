//! Task specs: what a job's entries say. Specs are immutable and shared once submitted.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::action::{Action, Backoff, Stdin, Surroundings};
use crate::id::SpecNo;
use crate::inputs::Inputs;
use crate::resources::Resources;
use crate::time::Span;
use crate::weight::Weight;

/// One entry of a job: a task, or an array of tasks that differ by their input row.
#[derive(Clone, Debug)]
pub struct TaskSpec {
    /// Its name, unique in the job where it is not empty.
    pub name: Box<str>,
    /// What all its tasks share; distinct specs may share one body.
    pub body: Arc<Body>,
    /// The rows that placeholders read.
    pub inputs: Inputs,
    /// The input row of index 0.
    pub first_row: u64,
    /// How many rows of the same stream came before its table, for placeholders that count.
    pub rows_before: u64,
    /// How many tasks; 1 for a plain task, never 0.
    pub count: u32,
    /// Whether it is an array, even of one task.
    pub array: bool,
    /// The weight of each task.
    pub weight: Weight,
    /// The specs that must end first.
    pub after: Box<[After]>,
    /// How many bytes the result of each task is expected to have; 0 where nobody says. It only
    /// helps to place what reads it.
    pub output: u64,
    /// How long each task is expected to run where speed is 1; zero where nobody says. It only
    /// helps to decide who goes when: a task that takes longer is not ended.
    pub estimate: Span,
    /// How many of its tasks are one gang, which is started, ended and tried again together: so
    /// many indices that follow each other. It divides the count; 0 where each task is alone.
    pub gang: u16,
}

/// A dependency on an earlier or later spec of the same job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct After {
    /// The spec that must end first.
    pub spec: SpecNo,
    /// Index by index (both have equally many) rather than as a whole.
    pub aligned: bool,
}

/// What the tasks of a spec share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// What runs.
    pub action: Action,
    /// With which surroundings.
    pub surroundings: Surroundings,
    /// What a node must have.
    pub request: Request,
    /// A limit, over the whole cluster, on how many tasks run at a time, where there is one.
    pub permit: Option<Permit>,
    /// Higher runs first, whatever else the order says.
    pub priority: i32,
    /// How long one attempt may take; never zero.
    pub timeout: Span,
    /// How long a task has between the request to end and its kill.
    pub grace: Span,
    /// How long an attempt may be silent, where that is limited.
    pub heartbeat_timeout: Option<Span>,
    /// How many more attempts a failed task gets.
    pub retries: u16,
    /// How long it waits before each.
    pub backoff: Backoff,
    /// Which ends of its dependencies let it run.
    pub run_if: RunIf,
    /// Results of other specs of the job that its placeholders or its function read.
    pub uses: Box<[Use]>,
    /// Whether results are kept for other specs of the job.
    pub keep_results: bool,
    /// Whether each task is reported alone, with its own times.
    pub detail: bool,
    /// How old a result of equal work may be for a task to take it instead of running; none where
    /// it always runs. Only for work that gives the same whenever it is given the same.
    pub cache: Option<Span>,
}

/// A result that a task reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// The spec whose result it is.
    pub spec: SpecNo,
    /// The name under which placeholders read it.
    pub name: Box<str>,
    /// The result of the same index, rather than of every index.
    pub aligned: bool,
}

/// What a node must have for a task to run there.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Request {
    /// The amounts it holds while it runs.
    pub resources: Resources,
    /// Labels that the node must have, all of them.
    pub labels: Vec<LabelRule>,
    /// The region it would rather run in.
    pub region: Option<Box<str>>,
    /// What it is bound by.
    pub kind: Kind,
    /// The function that it calls, which the node must offer; none for a command.
    pub function: Option<Box<str>>,
}

/// A limit on how many tasks of the whole cluster run at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Permit {
    /// Its name; tasks that name the same share it.
    pub name: Box<str>,
    /// How many of them run at a time; at least 1. Where tasks differ, the least counts.
    pub most: u32,
}

/// A condition on a node's label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LabelRule {
    /// The label.
    pub label: Box<str>,
    /// The value it must have, or must not have.
    pub value: Box<str>,
    /// Whether the value must differ.
    pub not: bool,
}

/// What a task is bound by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// By its processor.
    #[default]
    Compute,
    /// By talking to other nodes.
    Communication,
    /// By disks and devices.
    Io,
    /// By several of these.
    Mixed,
}

/// Which ends of its dependencies let a task run; otherwise it is skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunIf {
    /// All succeeded.
    #[default]
    Success,
    /// At least one did not succeed.
    Failure,
    /// All ended, however.
    Always,
}

/// The same spec, or one that says the same.
impl PartialEq for TaskSpec {
    fn eq(&self, other: &Self) -> bool {
        let rows = (self.first_row, self.rows_before, self.count, self.array);
        rows == (other.first_row, other.rows_before, other.count, other.array)
            && (&self.name, self.weight) == (&other.name, other.weight)
            && self.after == other.after
            && (self.output, self.estimate, self.gang) == (other.output, other.estimate, other.gang)
            && self.inputs == other.inputs
            && (Arc::ptr_eq(&self.body, &other.body) || self.body == other.body)
    }
}

impl TaskSpec {
    /// One plain task of weight 1, without a name, inputs or dependencies.
    #[must_use]
    pub fn new(body: Arc<Body>) -> Self {
        Self {
            name: Box::default(),
            body,
            inputs: Inputs::default(),
            first_row: 0,
            rows_before: 0,
            count: 1,
            array: false,
            weight: Weight::ONE,
            after: Box::default(),
            output: 0,
            estimate: Span::ZERO,
            gang: 0,
        }
    }

    /// The weight of all its tasks, in thousandths.
    #[must_use]
    pub fn total_weight(&self) -> u64 {
        self.weight.times(u64::from(self.count))
    }
}

impl Body {
    /// What a body is where nothing is said: one core, an hour, no retries.
    #[must_use]
    pub fn new(action: Action) -> Self {
        let function = match &action {
            Action::Function { name, .. } => Some(name.clone()),
            Action::Command { .. } => None,
        };
        let resources = Resources::cpus(1);
        Self {
            action,
            surroundings: Surroundings::default(),
            request: Request { resources, function, ..Request::default() },
            permit: None,
            priority: 0,
            timeout: Self::TIMEOUT,
            grace: Self::GRACE,
            heartbeat_timeout: None,
            retries: 0,
            backoff: Backoff::default(),
            run_if: RunIf::default(),
            uses: Box::default(),
            keep_results: false,
            detail: false,
            cache: None,
        }
    }

    /// How long an attempt may take where nothing is said: an hour.
    pub const TIMEOUT: Span = Span::secs(3_600);
    /// How long a task has to end by itself once asked: five seconds.
    pub const GRACE: Span = Span::secs(5);
    /// How old a kept result may be where a task only says that it takes one: a day.
    pub const CACHE: Span = Span::secs(86_400);

    /// Why a result of equal work cannot stand for a run, where the body asks for one: it would
    /// leave out what a run does besides giving a result.
    #[must_use]
    pub fn uncacheable(&self) -> Option<&'static str> {
        let around = &self.surroundings;
        self.cache?;
        if around.stdout.is_some() || around.stderr.is_some() || !around.outputs.is_empty() {
            return Some("leaves files behind, which a result from the cache would not");
        }
        let inherits = around.stdin == Stdin::Inherit;
        inherits.then_some("reads an input of its process, which nobody can compare")
    }
}
