//! One task as callers see it.

use bary_api::v1::Task;
use bary_identity::calendar;
use bary_model::id::TaskId;
use bary_model::roster::Roster;
use bary_model::time::Moment;

use crate::board::active::Hold;
use crate::board::books::Books;
use crate::board::clock::Clock;
use crate::board::ends::How;
use crate::board::job::{Detail, JobRow};
use crate::service::cell::{Cell, Cells, Kind};
use crate::service::jobs;

/// What a node is called.
pub(super) type NodeName<'a> = &'a dyn Fn(bary_model::id::NodeId) -> String;

/// A task with all that is known of it.
pub(super) struct TaskView<'a> {
    pub(super) row: &'a JobRow,
    pub(super) detail: &'a Detail,
    pub(super) task: TaskId,
    pub(super) clock: Clock,
    /// The member whose job it is of.
    pub(super) home: &'a str,
    pub(super) node_name: NodeName<'a>,
    /// How it ended, where it has.
    pub(super) how: Option<&'a How>,
}

/// The most characters of a command that are shown.
const COMMAND_SHOWN: usize = 200;

impl<'a> TaskView<'a> {
    pub(super) fn new(
        books: &'a Books,
        (row, detail): (&'a JobRow, &'a Detail),
        task: TaskId,
        node_name: NodeName<'a>,
    ) -> Self {
        let how = detail.ends.find(task.spec, task.index).map(|(_, piece)| &piece.how);
        let (clock, home) = (books.clock, &*books.home);
        Self { row, detail, task, clock, home, node_name, how }
    }

    fn roster(&self) -> &'a Roster {
        &self.detail.roster
    }

    fn running(&self) -> Option<Hold> {
        self.detail.running.find(self.task)
    }

    fn held(&self) -> Option<Hold> {
        self.running().or_else(|| self.detail.granted.find(self.task))
    }

    /// The task in one word.
    pub(super) fn state(&self) -> &'static str {
        if let Some(how) = self.how {
            return how.name();
        }
        let ready = || {
            let (no, index) = (self.task.spec, self.task.index);
            let arrived = self.row.arrived as usize >= self.row.brief.upstream.len();
            let is_ready = |spec| self.detail.is_ready(no, spec, index);
            arrived && self.roster().spec(no).is_some_and(|spec| is_ready(spec))
        };
        match () {
            () if self.running().is_some() => "running",
            () if self.held().is_some() => "granted",
            () if self.row.held => "held",
            () if !ready() => "blocked",
            () => "waiting",
        }
    }

    /// When it began, and when it ended, as far as is known. Of tasks that were told together the
    /// times are those of all of them.
    fn times(&self) -> (Option<Moment>, Option<Moment>) {
        match self.how {
            Some(How::Ran(ended)) => {
                let began = ended.usage.began;
                (Some(began), Some(began + ended.usage.busy))
            }
            Some(How::Dropped(dropped)) => (dropped.ran.map(|hold| hold.at), Some(dropped.at)),
            Some(How::Known(_)) => (None, None),
            None => (self.running().map(|hold| hold.at), None),
        }
    }

    /// How long it ran: of tasks that were told together, its even share.
    fn ran(&self) -> Option<f64> {
        match self.how {
            Some(How::Ran(ended)) => {
                Some(ended.usage.busy.as_secs_f64() / f64::from(ended.range.count))
            }
            // When exactly what was cancelled stopped, no journal knows.
            Some(_) => None,
            None => {
                let since = |hold: Hold| self.clock.now().since(hold.at).as_secs_f64();
                self.running().map(since)
            }
        }
    }

    fn waited(&self) -> Option<f64> {
        // A journal that is read again does not say when a job came to be; the job itself does.
        let submitted = jobs::submitted(self.row, self.clock);
        let wait = |until: Moment| self.clock.wall(until).since(submitted).as_secs_f64();
        match (self.times().0, self.how) {
            (Some(began), _) => Some(wait(began)),
            (None, None) => Some(wait(self.clock.now())),
            (None, Some(_)) => None,
        }
    }

    fn cpu(&self) -> f64 {
        let Some(How::Ran(ended)) = self.how else { return 0.0 };
        ended.usage.cpu.as_secs_f64() / f64::from(ended.range.count)
    }

    fn attempt(&self) -> u32 {
        let failed = self.detail.failures.get(&self.task).copied().unwrap_or(0);
        match self.how {
            Some(How::Ran(ended)) => ended.attempt.into(),
            Some(How::Dropped(dropped)) => dropped.ran.map_or(failed, |hold| hold.attempt).into(),
            Some(How::Known(_)) => 0,
            None => self.running().map_or(failed, |hold| hold.attempt).into(),
        }
    }

    fn node(&self) -> String {
        match self.how {
            Some(How::Ran(ended)) => (self.node_name)(ended.node),
            Some(How::Dropped(dropped)) => {
                dropped.ran.map(|hold| (self.node_name)(hold.node)).unwrap_or_default()
            }
            Some(How::Known(_)) => String::new(),
            None => self.held().map(|hold| (self.node_name)(hold.node)).unwrap_or_default(),
        }
    }

    fn exit(&self) -> i32 {
        match self.how {
            Some(How::Ran(ended)) => ended.end.code(),
            _ => 0,
        }
    }

    /// Why it failed, or never ran.
    pub(super) fn error(&self) -> String {
        match self.how {
            Some(How::Ran(ended)) => {
                ended.end.failure().map(ToString::to_string).unwrap_or_default()
            }
            Some(How::Dropped(dropped)) => match dropped.because {
                Some(spec) => {
                    let name = self.roster().spec(spec).map(|spec| spec.name.to_string());
                    let name = name.filter(|name| !name.is_empty());
                    let name = name.unwrap_or_else(|| format!("spec {}", spec.0));
                    format!("`{name}` ended in a way that does not let it run")
                }
                None => String::new(),
            },
            _ => String::new(),
        }
    }

    fn progress(&self) -> f64 {
        match self.how {
            Some(_) => 1.0,
            None => self.detail.said.get(&self.task).map_or(0.0, |word| word.progress),
        }
    }

    fn message(&self) -> &'a str {
        if let Some(How::Ran(ended)) = self.how
            && ended.usage.cached
        {
            return "from the result cache";
        }
        self.detail.said.get(&self.task).map_or("", |word| &*word.message)
    }

    fn checkpoint(&self) -> u64 {
        self.detail.checkpoints.get(&self.task).copied().unwrap_or(0)
    }

    fn command(&self) -> String {
        let line = self.roster().command(self.task, 1, 1);
        let text = String::from_utf8_lossy(&line);
        if text.chars().count() <= COMMAND_SHOWN {
            return text.into_owned();
        }
        text.chars().take(COMMAND_SHOWN - 1).chain(['…']).collect()
    }

    /// All of it as a message.
    pub(super) fn shown(&self) -> Task {
        let at = |at: Option<Moment>| at.map(|at| self.clock.text(at)).unwrap_or_default();
        let (began, over) = self.times();
        let peak_memory = match self.how {
            Some(How::Ran(ended)) => ended.usage.peak_memory,
            _ => 0,
        };
        Task {
            job: jobs::shown_no(self.row.no),
            number: self.roster().number(self.task),
            name: self.roster().name(self.task),
            state: self.state().to_owned(),
            attempt: self.attempt(),
            node: self.node(),
            submitted: calendar::text(jobs::submitted(self.row, self.clock)),
            started: at(began),
            finished: at(over),
            wait_seconds: self.waited().unwrap_or(0.0),
            run_seconds: self.ran().unwrap_or(0.0),
            cpu_seconds: self.cpu(),
            peak_memory,
            exit: self.exit(),
            error: self.error(),
            progress: self.progress(),
            message: self.message().to_owned(),
            checkpoint: self.checkpoint(),
            command: self.command(),
            home: self.home.to_owned(),
        }
    }
}

impl Cells for TaskView<'_> {
    const COLUMNS: &'static [(&'static str, Kind)] = &[
        ("number", Kind::Number),
        ("name", Kind::Text),
        ("state", Kind::Text),
        ("attempt", Kind::Number),
        ("node", Kind::Text),
        ("started", Kind::Time),
        ("finished", Kind::Time),
        ("wait_seconds", Kind::Number),
        ("run_seconds", Kind::Number),
        ("cpu_seconds", Kind::Number),
        ("peak_memory", Kind::Number),
        ("exit", Kind::Number),
        ("error", Kind::Text),
        ("progress", Kind::Number),
        ("message", Kind::Text),
        ("checkpoint", Kind::Number),
        ("command", Kind::Text),
    ];

    fn cell(&self, column: usize) -> Cell<'_> {
        let time = |at: Option<Moment>| Cell::number(at.map(|at| self.clock.seconds(at)));
        let own = |text: String| Cell::Text(text.into());
        match column {
            0 => Cell::Number(self.roster().number(self.task) as f64),
            1 => own(self.roster().name(self.task)),
            2 => Cell::text(self.state()),
            3 => Cell::Number(f64::from(self.attempt())),
            4 => own(self.node()),
            5 => time(self.times().0),
            6 => time(self.times().1),
            7 => Cell::number(self.waited()),
            8 => Cell::number(self.ran()),
            9 => Cell::Number(self.cpu()),
            10 => match self.how {
                Some(How::Ran(ended)) => Cell::Number(ended.usage.peak_memory as f64),
                _ => Cell::Absent,
            },
            11 => Cell::Number(f64::from(self.exit())),
            12 => own(self.error()),
            13 => Cell::Number(self.progress()),
            14 => Cell::text(self.message()),
            15 => Cell::Number(self.checkpoint() as f64),
            16 => own(self.command()),
            _ => Cell::Absent,
        }
    }

    fn tag(&self, _name: &str) -> Cell<'_> {
        Cell::Absent
    }
}
