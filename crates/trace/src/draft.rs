//! A trace as it is read: what comes in is counted against the limits, and a job is checked when
//! it is whole.

use std::collections::BTreeSet;
use std::sync::Arc;

use bary_model::time::Span;

use crate::fault::{Fault, Reason, shown};
use crate::limits::{EDGES_MAX, JOBS_MAX, NAME_BYTES_MAX, TASKS_MAX};
use crate::trace::{Job, Task, Trace};

/// A trace that is not whole yet.
pub(crate) struct Draft {
    trace: Trace,
    open: Option<Open>,
    /// Names that many share, each once.
    words: BTreeSet<Arc<str>>,
    tasks: usize,
    edges: usize,
}

/// A job that is not whole yet.
struct Open {
    job: Job,
    tasks: Vec<Task>,
    /// The line of each task.
    lines: Vec<u32>,
}

impl Draft {
    /// An empty trace; a unit of its weights is a second until something else is said.
    pub(crate) fn new(name: &str) -> Self {
        let trace = Trace { name: name.into(), unit: Trace::UNIT, jobs: Vec::new() };
        Self { trace, open: None, words: BTreeSet::new(), tasks: 0, edges: 0 }
    }

    /// Says how long a unit of weight takes.
    pub(crate) fn unit(&mut self, unit: Span) {
        self.trace.unit = unit;
    }

    /// A name that is kept once however often it comes.
    pub(crate) fn word(&mut self, line: usize, word: &str) -> Result<Arc<str>, Fault> {
        if let Some(word) = self.words.get(word) {
            return Ok(Arc::clone(word));
        }
        named(line, word)?;
        let word: Arc<str> = word.into();
        self.words.insert(Arc::clone(&word));
        Ok(word)
    }

    /// Begins the next job; tasks belong to it from now on.
    pub(crate) fn job(
        &mut self,
        line: usize,
        name: &str,
        owner: &str,
        arrival: Span,
    ) -> Result<(), Fault> {
        self.close()?;
        limited(line, "jobs", self.trace.jobs.len() + 1, JOBS_MAX)?;
        named(line, name)?;
        let owner = self.word(line, owner)?;
        let job = Job { name: name.into(), owner, arrival, tasks: Box::default() };
        self.open = Some(Open { job, tasks: Vec::new(), lines: Vec::new() });
        Ok(())
    }

    /// Adds a task to the job that was begun last. What it waits for may come later.
    pub(crate) fn task(&mut self, line: usize, mut task: Task) -> Result<(), Fault> {
        let Some(open) = &mut self.open else {
            return Err(Fault::at(line, Reason::Missing("job before this task")));
        };
        self.tasks += 1;
        self.edges += task.after.len();
        limited(line, "tasks", self.tasks, TASKS_MAX)?;
        limited(line, "dependencies", self.edges, EDGES_MAX)?;
        named(line, &task.name)?;
        task.after.sort_unstable();
        open.tasks.push(task);
        open.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
        Ok(())
    }

    /// The trace, when its last job is checked too.
    pub(crate) fn end(mut self) -> Result<Trace, Fault> {
        self.close()?;
        if self.trace.jobs.is_empty() {
            return Err(Fault::whole(Reason::Empty("job")));
        }
        Ok(self.trace)
    }

    fn close(&mut self) -> Result<(), Fault> {
        let Some(open) = self.open.take() else { return Ok(()) };
        open.check()?;
        let mut job = open.job;
        job.tasks = open.tasks.into();
        self.trace.jobs.push(job);
        Ok(())
    }
}

impl Open {
    fn check(&self) -> Result<(), Fault> {
        let at = |number: usize, reason| Fault { line: Some(self.lines[number]), reason };
        if self.tasks.len() > 1 {
            let mut names: BTreeSet<&str> = BTreeSet::new();
            for (number, task) in self.tasks.iter().enumerate() {
                if !task.name.is_empty() && !names.insert(&task.name) {
                    let name = shown(&task.name);
                    return Err(at(number, Reason::Twice { what: "task", name }));
                }
            }
        }
        for (number, task) in self.tasks.iter().enumerate() {
            if let Some(parent) = task.after.iter().find(|on| **on as usize >= self.tasks.len()) {
                let (task, parent) = (self.name_of(number), parent.to_string().into());
                return Err(at(number, Reason::UnknownParent { task, parent }));
            }
            if task.after.windows(2).any(|pair| pair[0] == pair[1]) {
                let name = self.name_of(number);
                return Err(at(number, Reason::Twice { what: "a dependency of task", name }));
            }
        }
        match in_a_circle(&self.tasks) {
            Some(number) => Err(at(number, Reason::Circle(self.name_of(number)))),
            None => Ok(()),
        }
    }

    fn name_of(&self, number: usize) -> Box<str> {
        let name = &self.tasks[number].name;
        if name.is_empty() { number.to_string().into() } else { shown(name) }
    }
}

/// A task that is part of a circle of dependencies, where there is one.
fn in_a_circle(tasks: &[Task]) -> Option<usize> {
    let mut rest = vec![0_u32; tasks.len()];
    // Most graphs come in an order in which nobody waits for a later one; they need no walk.
    let sorted = (0..).zip(tasks).all(|(number, task)| task.after.iter().all(|on| *on < number));
    if sorted {
        return None;
    }
    let mut children: Vec<Vec<u32>> = vec![Vec::new(); tasks.len()];
    for (number, task) in (0..).zip(tasks) {
        rest[number as usize] = task.after.len() as u32;
        task.after.iter().for_each(|on| children[*on as usize].push(number));
    }
    let mut free: Vec<usize> = (0..tasks.len()).filter(|task| rest[*task] == 0).collect();
    while let Some(task) = free.pop() {
        for child in children[task].iter().map(|child| *child as usize) {
            rest[child] -= 1;
            if rest[child] == 0 {
                free.push(child);
            }
        }
    }
    // What is left waits for something that is left; going from one to the next comes to a circle.
    let mut at = (0..tasks.len()).find(|task| rest[*task] > 0)?;
    for _ in 0..tasks.len() {
        at = *tasks[at].after.iter().find(|on| rest[**on as usize] > 0)? as usize;
    }
    Some(at)
}

fn limited(line: usize, what: &'static str, count: usize, most: usize) -> Result<(), Fault> {
    if count > most {
        return Err(Fault::at(line, Reason::TooMany { what, most: most as u64 }));
    }
    Ok(())
}

fn named(line: usize, name: &str) -> Result<(), Fault> {
    limited(line, "bytes in a name", name.len(), NAME_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drafted(after: &[&[u32]]) -> Result<Trace, Fault> {
        let mut draft = Draft::new("");
        draft.job(1, "j", "", Span::ZERO)?;
        for (number, after) in after.iter().enumerate() {
            let task = Task { after: (*after).into(), ..Task::new(Span::ZERO) };
            draft.task(number + 2, task)?;
        }
        draft.end()
    }

    #[test]
    fn a_circle_is_told_with_the_line_of_a_task_on_it() {
        assert!(drafted(&[&[1], &[2], &[]]).is_ok());
        let fault = drafted(&[&[], &[2], &[3], &[1, 0]]).expect_err("1, 2 and 3 are a circle");
        assert!(matches!(fault.reason, Reason::Circle(_)));
        assert!((3..=5).contains(&fault.line.expect("it has a line")));
        assert!(drafted(&[&[0]]).is_err());
    }

    #[test]
    fn a_parent_must_be_there_and_only_once() {
        let fault = drafted(&[&[], &[7]]).expect_err("there is no task 7");
        let parent = Reason::UnknownParent { task: "1".into(), parent: "7".into() };
        assert_eq!(fault, Fault::at(3, parent));
        assert!(drafted(&[&[], &[0, 0]]).is_err());
    }

    #[test]
    fn a_trace_without_jobs_is_none() {
        assert_eq!(Draft::new("").end(), Err(Fault::whole(Reason::Empty("job"))));
    }
}
