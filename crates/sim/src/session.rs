//! A session with a world: whoever has it lets time go by as far as they like, and between two
//! steps gives it tasks, lets servers join and leave, and looks at what each of them does. The
//! world is that of all simulated runs, and its engines decide everything.

pub(crate) mod ears;
pub mod task;

use std::sync::Arc;

use bary_engine::input::{Refusal, Request};
use bary_model::id::RunNo;
use bary_model::task::Body;
use bary_model::time::{Moment, Span};
use bary_policy::preset::Policy;

use crate::plan::Plan;
use crate::plan::ready::{function, job, spec};
use crate::session::ears::Ears;
use crate::session::task::{News, Task};
use crate::table::Table;
use crate::world::World;

/// How long a task of a session may take; no simulated task is stopped for being slow.
const TIMEOUT: Span = Span::secs(4_000_000_000);
/// The node that tasks are submitted to.
const HOME: usize = 0;

/// A world that goes on as far as it is told to.
pub struct Session<'a> {
    world: World<'a>,
    body: Arc<Body>,
}

/// What a server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running {
    /// The number of the run on its server.
    pub run: RunNo,
    /// The task, by its position among those of the session.
    pub task: usize,
    /// When it began.
    pub began: Moment,
    /// How long it takes there.
    pub takes: Span,
}

/// So much happened at one moment that time stands still; the world is of no more use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at {} s of virtual time nothing comes to an end any more", .at.0 / 1_000_000_000)]
pub struct Still {
    /// The moment.
    pub at: Moment,
}

/// Why a task was not taken in.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SubmitError {
    /// The home refused it; nothing was changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The world is of no more use.
    #[error(transparent)]
    Still(#[from] Still),
}

impl<'a> Session<'a> {
    /// Begins a world of [`Plan::stepped`]; the table gets a row for everything that happens.
    ///
    /// # Errors
    /// Where the world does not come to rest at its first moment.
    pub fn begin(plan: &'a Plan, table: Option<&'a mut dyn Table>) -> Result<Self, Still> {
        let table = table.map(|table| -> &mut dyn Table { table });
        let mut world = World::new(plan, None, table);
        world.ears = Some(Ears::default());
        world.begin();
        let body = Body { timeout: TIMEOUT, detail: true, ..function("work") };
        let mut session = Self { world, body: Arc::new(body) };
        session.settle()?;
        Ok(session)
    }

    /// The moment that the world is at.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.world.now
    }

    /// Lets everything happen up to a moment; one that is past is now.
    ///
    /// # Errors
    /// Where time stands still.
    pub fn live_until(&mut self, until: Moment) -> Result<(), Still> {
        let until = until.max(self.world.now);
        if self.world.live_until(until) { Ok(()) } else { Err(Still { at: self.world.now }) }
    }

    fn settle(&mut self) -> Result<(), Still> {
        self.live_until(self.world.now)
    }

    /// Submits a task that takes so many thousandths of a second at speed 1; its position among
    /// the tasks of the session. It goes where it can go at once.
    ///
    /// # Errors
    /// Where the home refuses it; nothing was changed then.
    pub fn submit(&mut self, thousandths: u64) -> Result<usize, SubmitError> {
        let job = job(vec![spec(1, thousandths, &self.body)]);
        let task = Task::new(Span::millis(thousandths), self.world.now);
        let ears = self.world.ears.get_or_insert_default();
        (ears.coming, ears.taken, ears.refused) = (Some(task), None, None);
        self.world.ask(HOME, Request::Submit(job));
        self.settle()?;
        let ears = self.world.ears.get_or_insert_default();
        ears.coming = None;
        let refusal = ears.refused.take().unwrap_or(Refusal::NoHome);
        ears.taken.take().ok_or(SubmitError::Refused(refusal))
    }

    /// Lets a server join that is not there, at this speed.
    ///
    /// # Errors
    /// Where time stands still.
    ///
    /// # Panics
    /// Where the plan has no such server, or it is there.
    pub fn join(&mut self, server: usize, speed: f64) -> Result<(), Still> {
        assert!(server != HOME && !self.is_there(server), "a server joins that is not there");
        self.world.set_speed(server, speed);
        self.world.join(server);
        self.settle()
    }

    /// Lets a server leave with what it runs, which is queued again.
    ///
    /// # Errors
    /// Where time stands still.
    ///
    /// # Panics
    /// Where the plan has no such server.
    pub fn leave(&mut self, server: usize) -> Result<(), Still> {
        assert!(server != HOME, "the home does not leave");
        self.world.leave(server);
        self.settle()
    }

    /// Changes how fast a server is; what it runs goes on as fast as it began.
    ///
    /// # Errors
    /// Where time stands still.
    pub fn set_speed(&mut self, server: usize, speed: f64) -> Result<(), Still> {
        self.world.set_speed(server, speed);
        self.settle()
    }

    /// Lets all decide by this policy from now on.
    ///
    /// # Errors
    /// Where time stands still.
    pub fn follow(&mut self, policy: &Policy) -> Result<(), Still> {
        self.world.follow(policy);
        self.settle()
    }

    /// Whether a server is there.
    #[must_use]
    pub fn is_there(&self, server: usize) -> bool {
        self.world.is_there(server)
    }

    /// How fast a server is, whether it is there or not.
    #[must_use]
    pub fn speed(&self, server: usize) -> f64 {
        self.world.nodes[server].info.speed
    }

    /// How long a server was busy with tasks that are over.
    #[must_use]
    pub fn busy(&self, server: usize) -> Span {
        self.world.nodes[server].busy
    }

    /// What a server runs, if it runs something.
    #[must_use]
    pub fn running(&self, server: usize) -> Option<Running> {
        let (run, task, began, takes) = self.world.first_run(server)?;
        let task = self.world.ears.as_ref()?.task_of(task.job)?;
        Some(Running { run, task, began, takes })
    }

    /// Ends a run, where what servers run goes on outside of the world.
    ///
    /// # Errors
    /// Where time stands still.
    pub fn run_ended(&mut self, server: usize, run: RunNo) -> Result<(), Still> {
        self.world.run_ended(server, run);
        self.settle()
    }

    /// All tasks that were submitted, in their order.
    #[must_use]
    pub fn tasks(&self) -> &[Task] {
        self.world.ears.as_ref().map_or(&[], |ears| &ears.tasks)
    }

    /// What happened since this was last asked, in its order.
    pub fn news(&mut self) -> Vec<News> {
        self.world.ears.as_mut().map(|ears| std::mem::take(&mut ears.news)).unwrap_or_default()
    }
}
