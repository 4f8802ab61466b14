//! A cluster that runs one job to its end: start, watch, stop early where asked, clean up.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bary_model::id::JobNo;
use bary_node::cluster::{Cluster, Durability};
use bary_node::listener::{Heard, Listener};
use bary_node::options::ClusterOptions;
use bary_node::state::State;

use crate::complaint::Complaint;
use crate::desk::{Desk, DeskError};
use crate::exit::Exit;
use crate::report::Messages;
use crate::resume::Recalled;
use crate::screen::PrintError;
use crate::signals::Signals;

/// A running cluster and what listens to it.
pub(crate) struct Session {
    pub(crate) cluster: Arc<Cluster>,
    /// When the clock of the nodes was zero.
    pub(crate) origin: SystemTime,
    listener: Option<Listener>,
    signals: Signals,
}

/// How the watching ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Every task has ended.
    Finished,
    /// There was no task at all.
    Nothing,
    /// The user, the reader of the output, or a rule ended it early.
    Stopped(Exit),
    /// Something went wrong that is no task's failure.
    Broken(Complaint),
}

/// How long to wait for news where nothing else is due.
const PATIENCE: Duration = Duration::from_secs(3_600);

impl Session {
    /// Starts the cluster, on a state where there is one, and listens to signals.
    pub(crate) fn start(
        mut options: ClusterOptions,
        state: Option<State>,
    ) -> Result<Self, Complaint> {
        options.executor.origin = std::time::Instant::now();
        let origin = state.as_ref().map_or_else(SystemTime::now, State::origin);
        options.functions = bary::functions::builtin();
        let (cluster, listener) = match state {
            Some(state) => Cluster::resume(options, state)?,
            None => Cluster::start(options)?,
        };
        let cluster = Arc::new(cluster);
        let signals = Signals::listen(&cluster).map_err(Complaint::failed)?;
        Ok(Self { cluster, origin, listener: Some(listener), signals })
    }

    /// Recalls what earlier runs of the same state did, has the rest submitted, and hands all news
    /// to the desk until the job has ended.
    pub(crate) fn run(
        &mut self,
        desk: &mut Desk,
        recalled: Option<Recalled>,
        submit: impl FnOnce(&Self, &mut Desk) -> Result<(), Complaint>,
    ) -> Result<Ending, Complaint> {
        let mut retry = None;
        if let Some(recalled) = recalled {
            desk.recovery = Some(recalled.took);
            if let Err(error) = desk.recall(recalled.events) {
                return Ok(broken(&error));
            }
            retry = desk.job.filter(|_| recalled.retry);
        }
        submit(self, desk)?;
        if let Some(job) = retry {
            self.cluster.retry(job)?;
        }
        Ok(self.watch(desk))
    }

    /// Hands all news to the desk until the job has ended.
    fn watch(&mut self, desk: &mut Desk) -> Ending {
        let mut ending: Option<Ending> = None;
        let mut cancelled = false;
        loop {
            if ending.is_none() {
                ending = self.reason_to_stop(desk);
            }
            if let (Some(stop), true) = (&ending, self.is_durable()) {
                // A later run goes on with what has not ended.
                return stop.clone();
            }
            if let Some(stop) = &ending
                && !cancelled
            {
                match desk.job {
                    Some(job) => {
                        self.cancel(job, desk);
                        cancelled = true;
                    }
                    None if desk.feed.as_ref().is_none_or(|feed| !feed.has_submitted()) => {
                        return stop.clone();
                    }
                    None => {}
                }
            }
            if desk.finished {
                return ending.unwrap_or(Ending::Finished);
            }
            if let Err(stop) = self.hear(desk) {
                let first = ending.is_none();
                desk.muted |= stop == Ending::Stopped(Exit::PIPE_CLOSED);
                let ending = ending.get_or_insert(stop);
                if !first {
                    // Nothing more is heard of the tasks that were cancelled.
                    return ending.clone();
                }
            }
        }
    }

    /// Whether what is not done now can be done by a later run.
    fn is_durable(&self) -> bool {
        self.cluster.durability() == Durability::Disk
    }

    /// What ends the run early: a signal, or inputs that cannot be read.
    fn reason_to_stop(&self, desk: &Desk) -> Option<Ending> {
        if let Some(exit) = self.signals.exit() {
            return Some(Ending::Stopped(exit));
        }
        let feed = desk.feed.as_ref()?;
        match feed.outcome()? {
            Err(complaint) => Some(Ending::Broken(complaint.clone())),
            Ok(()) if !feed.has_submitted() => Some(Ending::Nothing),
            Ok(()) => None,
        }
    }

    /// Waits for news and hands it on.
    fn hear(&mut self, desk: &mut Desk) -> Result<(), Ending> {
        let Some(listener) = &mut self.listener else { return Err(over()) };
        let mut heard = listener.next_timeout(Duration::ZERO);
        if matches!(heard, Heard::Nothing) {
            desk.on_idle().map_err(|error| broken(&error))?;
            let due = desk.progress.as_ref().map_or(PATIENCE, |progress| progress.due());
            heard = listener.next_timeout(due.max(Duration::from_millis(1)));
        }
        match heard {
            Heard::Nothing => Ok(()),
            Heard::Over => Err(over()),
            Heard::News(news) => desk.on_news(news).map_err(|error| broken(&error)),
        }
    }

    fn cancel(&self, job: JobNo, desk: &mut Desk) {
        desk.tally.stopping = true;
        if let Some(feed) = &desk.feed {
            feed.gate.close();
        }
        // A job that has ended meanwhile needs no cancelling.
        drop(self.cluster.cancel(job, true));
    }

    /// Messages between nodes so far.
    pub(crate) fn messages(&self) -> Messages {
        let counts = self.cluster.message_counts();
        let kinds = vec![
            ("loads", counts.loads),
            ("asks", counts.asks),
            ("grants", counts.grants),
            ("outcomes", counts.outcomes),
            ("retracts", counts.retracts),
            ("retracteds", counts.retracteds),
        ];
        Messages { kinds }
    }

    /// Waits until what was stopped has ended, hands on what it still says, and ends all threads.
    pub(crate) fn close(mut self, desk: &mut Desk) {
        if let Some(feed) = &desk.feed {
            feed.gate.close();
        }
        let cluster = Arc::clone(&self.cluster);
        let unfinished = self.is_durable() && !desk.finished;
        desk.tally.stopping |= unfinished;
        let stopping = std::thread::spawn(move || match unfinished {
            true => cluster.suspend(),
            false => cluster.stop(),
        });
        while let Some(news) = self.listener.as_mut().and_then(Listener::next) {
            // A reader that has gone, or a full disk, does not keep tasks from ending.
            desk.muted |= desk.on_news(news).and_then(|_| desk.on_idle()).is_err();
        }
        // A panic there was printed when it happened.
        drop(stopping.join());
    }
}

fn over() -> Ending {
    Ending::Broken(Complaint::failed("the nodes have stopped before the job ended"))
}

fn broken(error: &DeskError) -> Ending {
    match error {
        DeskError::Print(PrintError::Closed) => Ending::Stopped(Exit::PIPE_CLOSED),
        other => Ending::Broken(Complaint::failed(other)),
    }
}
