//! Jobs, filtered and sorted.

use std::borrow::Cow;

use bary_api::problem::{Kind as Problem, Refused};
use bary_api::v1::{ListJobsReply, ListJobsRequest};
use bary_api::verb::Verb;
use bary_model::id::JobNo;
use bary_model::time::Wall;

use crate::board::clock::{self, Clock};
use crate::board::job::JobRow;
use crate::service::caller::Caller;
use crate::service::cell::{Cell, Cells, Kind};
use crate::service::filter::{Filter, Sort};
use crate::service::{Inner, Service, change, jobs};

mod everywhere;

/// A job as a row of a list.
pub(super) struct JobView<'a> {
    row: &'a JobRow,
    clock: Clock,
    now: Wall,
}

/// How many jobs are looked at before the board goes on.
const AT_ONCE: usize = 1_024;

impl Service {
    /// Jobs, filtered and sorted; in the order of their numbers where no order is asked for.
    ///
    /// # Errors
    /// Where a named job is not there, or a condition or column means nothing.
    pub async fn list_jobs(
        &self,
        caller: &Caller,
        asked: ListJobsRequest,
    ) -> Result<ListJobsReply, Refused> {
        let _leave = self.admit(caller, Verb::ListJobs, change::numbers(&asked.jobs))?;
        match asked.everywhere {
            true => self.0.list_everywhere(caller, asked).await,
            false => self.0.list_jobs(&asked),
        }
    }
}

impl Inner {
    fn list_jobs(&self, asked: &ListJobsRequest) -> Result<ListJobsReply, Refused> {
        let filter = Filter::parse::<JobView<'_>>(&asked.filter)?;
        let sort = Sort::parse::<JobView<'_>>(&asked.sort)?;
        let limit = self.entries(asked.limit);
        let named = match asked.jobs.as_slice() {
            [] => None,
            shown => Some(self.named(shown)?),
        };
        let mut found: Vec<(Cell<'static>, JobNo)> = Vec::new();
        self.each_job(named.as_deref(), &mut |view| {
            if filter.takes(view) {
                let key = sort.as_ref().map_or(Cell::Absent, |sort| sort.key(view));
                found.push((key, view.row.no));
            }
        });
        let total = found.len() as u64;
        if let Some(sort) = &sort {
            found.sort_by(|a, b| sort.order(&a.0, &b.0));
        }
        if asked.limit == 0 && found.len() > limit {
            let title =
                format!("{total} jobs are more than one answer has (limit list_entries_max)");
            return Err(Refused::new(Problem::TooLarge, title).help("set a limit, or a filter"));
        }
        let offset = usize::try_from(asked.offset).unwrap_or(usize::MAX);
        let chosen = found.into_iter().skip(offset).take(limit);
        let chosen: Vec<JobNo> = chosen.map(|(_, job)| job).collect();
        let mut shown = Vec::with_capacity(chosen.len());
        for part in chosen.chunks(AT_ONCE) {
            shown.append(&mut jobs::all(&self.board.read(), part));
        }
        let home = self.board.read().home.to_string();
        Ok(ListJobsReply { jobs: shown, total, home, unreached: Vec::new() })
    }

    /// How many jobs one answer has, where so many are asked for; all where that is 0.
    pub(super) fn entries(&self, limit: u32) -> usize {
        match usize::try_from(limit).unwrap_or(usize::MAX) {
            0 => self.limits.list_entries_max,
            limit => limit.min(self.limits.list_entries_max),
        }
    }

    fn each_job(&self, named: Option<&[JobNo]>, visit: &mut dyn FnMut(&JobView<'_>)) {
        let now = clock::now();
        if let Some(named) = named {
            for part in named.chunks(AT_ONCE) {
                let books = self.board.read();
                let clock = books.clock;
                let rows = part.iter().filter_map(|job| books.job(*job));
                rows.for_each(|row| visit(&JobView { row, clock, now }));
            }
            return;
        }
        let mut next = JobNo(0);
        loop {
            let books = self.board.read();
            let (clock, mut seen) = (books.clock, 0);
            for row in books.jobs_from(next).take(AT_ONCE) {
                seen += 1;
                next = JobNo(row.no.0 + 1);
                visit(&JobView { row, clock, now });
            }
            if seen < AT_ONCE {
                return;
            }
        }
    }
}

impl Cells for JobView<'_> {
    const COLUMNS: &'static [(&'static str, Kind)] = &[
        ("id", Kind::Number),
        ("name", Kind::Text),
        ("state", Kind::Text),
        ("tasks", Kind::Number),
        ("waiting", Kind::Number),
        ("running", Kind::Number),
        ("succeeded", Kind::Number),
        ("failed", Kind::Number),
        ("cancelled", Kind::Number),
        ("skipped", Kind::Number),
        ("submitted", Kind::Time),
        ("started", Kind::Time),
        ("finished", Kind::Time),
        ("priority", Kind::Number),
        ("owner", Kind::Text),
        ("reason", Kind::Text),
        ("at", Kind::Time),
        ("progress", Kind::Number),
        ("exit", Kind::Number),
        ("attempts", Kind::Number),
        ("failed_attempts", Kind::Number),
        ("open", Kind::Number),
        ("cpu_seconds", Kind::Number),
        ("busy_seconds", Kind::Number),
        ("peak_memory", Kind::Number),
    ];

    fn cell(&self, column: usize) -> Cell<'_> {
        let (row, sums) = (self.row, &self.row.sums);
        let time = |at: Option<_>| Cell::number(at.map(|at| self.clock.seconds(at)));
        let wall = |at: Option<Wall>| Cell::number(at.map(|at| at.0 as f64 / 1e9));
        let number = match column {
            0 => f64::from(jobs::shown_no(row.no)),
            1 => return Cell::text(&row.brief.name),
            2 => return Cell::text(row.state(self.now)),
            3 => row.tasks as f64,
            4 => row.waiting() as f64,
            5 => row.running() as f64,
            6 => sums.succeeded as f64,
            7 => sums.failed as f64,
            8 => sums.cancelled as f64,
            9 => sums.skipped as f64,
            10 => return wall(Some(jobs::submitted(row, self.clock))),
            11 => return time(row.started()),
            12 => return time(row.finished),
            13 => f64::from(row.priority),
            14 => return Cell::text(&row.brief.about.owner),
            15 => return Cell::Text(Cow::Borrowed(row.reason.as_deref().unwrap_or_default())),
            16 => return wall(row.not_before),
            17 => row.progress(),
            18 => f64::from(if row.finished.is_some() { row.exit() } else { 0 }),
            19 => row.attempts() as f64,
            20 => row.failed_attempts() as f64,
            21 => f64::from(u8::from(row.open)),
            22 => sums.cpu.as_secs_f64(),
            23 => sums.busy.as_secs_f64(),
            24 => sums.peak_memory as f64,
            _ => return Cell::Absent,
        };
        Cell::Number(number)
    }

    fn tag(&self, name: &str) -> Cell<'_> {
        self.row.brief.about.tags.get(name).map_or(Cell::Absent, |value| Cell::text(value))
    }
}
