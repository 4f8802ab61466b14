//! What a command finds in its environment: this process's, the task's own, and who it is.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bary_model::message::GrantItem;
use bary_model::outcome::Failure;
use bary_model::template::Scope;
use bary_ports::function::Rank;

use super::lookup::holds_zero;
use crate::config::{Addresses, ExecutorConfig};
use crate::run::locked;

/// Variables that are each task's own and never handed down.
const OWN: [&str; 10] = [
    "BARY_JOB_ID",
    "BARY_TASK_ID",
    "BARY_ARRAY_INDEX",
    "BARY_ATTEMPT",
    "BARY_FENCE",
    "BARY_SLOT",
    "BARY_RUN",
    "BARY_NODE",
    "BARY_SCRATCH",
    "SLURM_ARRAY_TASK_ID",
];

/// The environment as it was when the executor was made.
pub(crate) struct Base {
    vars: Vec<CString>,
    /// Where programs are looked for.
    pub(crate) path: OsString,
    run_id: String,
    node: u64,
    addresses: Addresses,
}

/// The variables of one task, and the mark by which its processes are known.
pub(crate) struct Environment {
    vars: Vec<CString>,
    /// Names that take the place of those in the base.
    names: Vec<Box<str>>,
    /// The search path, where the task has one of its own.
    pub(crate) path: Option<OsString>,
    /// `BARY_RUN=...`, which no other task of any process has.
    pub(crate) mark: CString,
}

/// What the commands that run were started with, by their process groups. A process shows it
/// itself, but not while it becomes another program, nor after it has changed it.
#[derive(Default)]
pub(crate) struct Given(Mutex<BTreeMap<i32, Arc<Environment>>>);

impl Given {
    pub(crate) fn add(&self, group: i32, environment: &Arc<Environment>) {
        locked(&self.0).insert(group, Arc::clone(environment));
    }

    /// Forgets that of a command that has ended; its number may be another's by now.
    pub(crate) fn remove(&self, group: i32, environment: &Arc<Environment>) {
        let mut given = locked(&self.0);
        if given.get(&group).is_some_and(|known| Arc::ptr_eq(known, environment)) {
            given.remove(&group);
        }
    }

    pub(crate) fn of(&self, group: i32) -> Option<Arc<Environment>> {
        locked(&self.0).get(&group).cloned()
    }
}

impl Base {
    pub(crate) fn new(config: &ExecutorConfig) -> Self {
        let var = |(name, value): (OsString, OsString)| {
            if OWN.iter().any(|own| *own == name) {
                return None;
            }
            CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).ok()
        };
        Self {
            vars: std::env::vars_os().filter_map(var).collect(),
            path: std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into()),
            run_id: format!("{}{}", config.family.mark(), config.run_id),
            node: config.node.0,
            addresses: config.addresses.clone(),
        }
    }

    /// How the marks of the tasks of a run begin.
    fn marks(&self, run: u64) -> String {
        format!("BARY_RUN={}-{}-{run}-", self.run_id, self.node)
    }

    /// The variables of one task.
    pub(crate) fn of_task(
        &self,
        item: &GrantItem,
        scope: &Scope<'_>,
        run: u64,
        scratch: Option<&Path>,
    ) -> Result<Environment, Failure> {
        let (range, index) = (item.range, scope.index);
        let own = index - item.spec.rows_before - item.spec.first_row;
        let task = format!("{}.{}.{own}", range.job.0, range.spec.0);
        let number = scope.row.number().map_or_else(|| index.to_string(), |n| n.to_string());
        let mark = format!("{}{task}", self.marks(run));
        let mut vars = vec![
            made(&mark)?,
            made(&format!("BARY_JOB_ID={}", range.job.0))?,
            made(&format!("BARY_TASK_ID={task}"))?,
            made(&format!("BARY_ARRAY_INDEX={number}"))?,
            made(&format!("BARY_ATTEMPT={}", item.attempt))?,
            made(&format!("BARY_FENCE={}.{}", item.fence.epoch.0, item.fence.grant.0))?,
            made(&format!("BARY_SLOT={}", scope.slot))?,
            made(&format!("BARY_NODE={}", self.node))?,
        ];
        if item.spec.array {
            vars.push(made(&format!("SLURM_ARRAY_TASK_ID={number}"))?);
        }
        if let Some(scratch) = scratch {
            let bytes = [b"BARY_SCRATCH=".as_slice(), scratch.as_os_str().as_bytes()].concat();
            vars.push(CString::new(bytes.as_slice()).map_err(|_| holds_zero(&bytes))?);
        }
        let mut task = Environment { vars, names: Vec::new(), path: None, mark: made(&mark)? };
        for (name, value) in &item.spec.body.surroundings.env {
            task.add(name, &value.expand(scope))?;
        }
        for (name, value) in self.addresses.rank(item)?.iter().flat_map(Rank::variables) {
            task.add(name, value.as_bytes())?;
        }
        Ok(task)
    }
}

impl Environment {
    /// All variables, the task's own in the place of others of the same name.
    pub(crate) fn all<'a>(&'a self, base: &'a Base) -> Vec<&'a CStr> {
        let kept = base.vars.iter().filter(|var| !self.names.iter().any(|name| has(var, name)));
        kept.chain(&self.vars).map(CString::as_c_str).collect()
    }

    fn add(&mut self, name: &str, value: &[u8]) -> Result<(), Failure> {
        if name.is_empty() || name.contains('=') {
            let text = format!("`{name}` cannot be the name of an environment variable");
            return Err(Failure::NotStarted(text.into()));
        }
        let bytes = [name.as_bytes(), b"=", value].concat();
        self.vars.retain(|var| !has(var, name));
        self.vars.push(CString::new(bytes.as_slice()).map_err(|_| holds_zero(&bytes))?);
        self.names.push(name.into());
        if name == "PATH" {
            self.path = Some(OsStr::from_bytes(value).to_os_string());
        }
        Ok(())
    }
}

fn made(text: &str) -> Result<CString, Failure> {
    CString::new(text).map_err(|_| holds_zero(text.as_bytes()))
}

fn has(var: &CStr, name: &str) -> bool {
    var.to_bytes().strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'='))
}
