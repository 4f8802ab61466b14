//! Tasks of one job, filtered and sorted.

use bary_api::problem::{Kind, Refused};
use bary_api::v1::{ListTasksReply, ListTasksRequest, Task};
use bary_api::verb::Verb;
use bary_model::id::{NodeId, TaskId, TaskRange};

use crate::service::caller::Caller;
use crate::service::cell::Cell;
use crate::service::choice;
use crate::service::filter::{Filter, Sort};
use crate::service::task_view::TaskView;
use crate::service::{Inner, Service, jobs};

/// How many tasks are looked at before the board goes on.
const AT_ONCE: u32 = 1_024;

/// What is listed.
struct Query {
    job: u32,
    filter: Filter,
    sort: Option<Sort>,
    offset: usize,
    limit: usize,
}

impl Service {
    /// Tasks of one job, filtered and sorted; in the order of their numbers where no order is
    /// asked for.
    ///
    /// # Errors
    /// Where the job or a task is not there, a condition or column means nothing, or the list is
    /// too long.
    pub async fn list_tasks(
        &self,
        caller: &Caller,
        asked: ListTasksRequest,
    ) -> Result<ListTasksReply, Refused> {
        let _leave = self.admit(caller, Verb::ListTasks, format!("job {}", asked.job))?;
        self.0.list_tasks(&asked)
    }
}

impl Inner {
    fn list_tasks(&self, asked: &ListTasksRequest) -> Result<ListTasksReply, Refused> {
        if asked.ranges {
            return self.task_ranges(asked);
        }
        let max = self.limits.list_entries_max;
        let query = Query {
            job: asked.job,
            filter: Filter::parse::<TaskView<'_>>(&asked.filter)?,
            sort: Sort::parse::<TaskView<'_>>(&asked.sort)?,
            offset: asked.offset as usize,
            limit: if asked.limit == 0 { max } else { max.min(asked.limit as usize) },
        };
        let ranges = choice::tasks(jobs::row(&self.board.read(), asked.job)?, &asked.tasks)?;
        let all: u64 = ranges.iter().map(|range| u64::from(range.count)).sum();
        let (found, total) = if query.filter.is_empty() && query.sort.is_none() {
            (window(&ranges, query.offset, query.limit), all)
        } else if all > self.limits.list_tasks_max {
            let title = format!("{all} tasks are too many to look at (limit list_tasks_max)");
            return Err(Refused::new(Kind::TooLarge, title).help("name the tasks, or only page"));
        } else {
            self.filtered(&query, &ranges)?
        };
        let listed = found.len().saturating_add(query.offset) as u64;
        if asked.limit == 0 && listed < total {
            let title = format!("{total} tasks are more than one answer has");
            let refused = Refused::new(Kind::TooLarge, title);
            return Err(refused.help("set a limit, and an offset (limit list_entries_max)"));
        }
        let tasks = self.shown(query.job, &found)?;
        Ok(ListTasksReply { tasks, total, ..ListTasksReply::default() })
    }

    /// The tasks that a filter takes, in their order, and how many that is in all.
    fn filtered(&self, query: &Query, ranges: &[TaskRange]) -> Result<(Vec<TaskId>, u64), Refused> {
        let mut found: Vec<(Cell<'static>, TaskId)> = Vec::new();
        for part in parts(ranges) {
            self.view(query.job, part.tasks(), &mut |view| {
                if query.filter.takes(view) {
                    let key = query.sort.as_ref().map_or(Cell::Absent, |sort| sort.key(view));
                    found.push((key, view.task));
                }
            })?;
        }
        if let Some(sort) = &query.sort {
            found.sort_by(|a, b| sort.order(&a.0, &b.0));
        }
        let total = found.len() as u64;
        let chosen = found.into_iter().skip(query.offset).take(query.limit);
        Ok((chosen.map(|(_, task)| task).collect(), total))
    }

    /// Tasks as they are now.
    pub(super) fn shown(&self, job: u32, tasks: &[TaskId]) -> Result<Vec<Task>, Refused> {
        let mut shown = Vec::with_capacity(tasks.len());
        for part in tasks.chunks(AT_ONCE as usize) {
            self.view(job, part.iter().copied(), &mut |view| shown.push(view.shown()))?;
        }
        Ok(shown)
    }

    /// Looks at some tasks of a job while the board stands still: few at a time.
    pub(super) fn view(
        &self,
        job: u32,
        tasks: impl Iterator<Item = TaskId>,
        visit: &mut dyn FnMut(&TaskView<'_>),
    ) -> Result<(), Refused> {
        let books = self.board.read();
        let row = jobs::row(&books, job)?;
        let detail = choice::detail(row)?;
        let node_name = |node: NodeId| self.node_name(node);
        for task in tasks {
            visit(&TaskView::new(&books, (row, detail), task, &node_name));
        }
        Ok(())
    }
}

/// Ranges in parts that are looked at in one go.
pub(super) fn parts(ranges: &[TaskRange]) -> impl Iterator<Item = TaskRange> {
    ranges.iter().flat_map(|range| {
        (range.first..range.end())
            .step_by(AT_ONCE as usize)
            .map(|first| range.with(first, AT_ONCE.min(range.end() - first)))
    })
}

/// So many tasks of some ranges, from a place on.
fn window(ranges: &[TaskRange], offset: usize, limit: usize) -> Vec<TaskId> {
    let (mut skip, mut found) = (offset as u64, Vec::new());
    for range in ranges {
        if skip >= u64::from(range.count) {
            skip -= u64::from(range.count);
            continue;
        }
        let first = range.first + std::mem::take(&mut skip) as u32;
        let rest = range.with(first, range.end() - first);
        found.extend(rest.tasks().take(limit - found.len()));
        if found.len() == limit {
            break;
        }
    }
    found
}
