//! The loop of one node: gather what came in, step the engine, do what it wants done.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::TrySendError;
use std::time::{Duration, Instant};

use bary_engine::effect::{Effect, Why};
use bary_engine::engine::Engine;
use bary_engine::input::{Input, Reply};
use bary_model::event::Event;
use bary_model::id::{Lsn, NodeId, RunNo, ShardId};
use bary_model::message::GrantItem;
use bary_model::time::{Moment, Span};
use bary_ports::executor::{Completion, Executor, Start, Stop, StopReason};
use bary_ports::journal::{Completion as Journaled, Journal, Room};
use bary_ports::transport::Transport;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant as Deadline, sleep_until};

use crate::inbox::{Answer, Control};
use crate::listener::{Began, News};
use crate::peers::blobs::Blobs;
use crate::running::Running;
use crate::surveyor::Surveyor;
use crate::telling::NewsDoor;

mod journaling;

/// One node: an engine and its hands.
pub(crate) struct Host {
    pub(crate) engine: Engine,
    pub(crate) executor: Box<dyn Executor>,
    pub(crate) transport: Box<dyn Transport>,
    pub(crate) surveyor: Surveyor,
    pub(crate) journal: Box<dyn Journal>,
    /// The results that the journal refers to, where other members keep it as well.
    pub(crate) shared: Option<Arc<Blobs>>,
    pub(crate) node: NodeId,
    /// The shard that this node is home of.
    pub(crate) shard: ShardId,
    pub(crate) origin: Instant,
    pub(crate) control: UnboundedReceiver<Control>,
    pub(crate) completions: UnboundedReceiver<Completion>,
    /// What the journal says later; closed where it says nothing.
    pub(crate) journaled: UnboundedReceiver<Journaled>,
    pub(crate) news: NewsDoor,
    pub(crate) news_max: usize,
    /// Whether runs are told.
    pub(crate) tells_runs: bool,
    pub(crate) answers: BTreeMap<u64, Answer>,
    /// How many guests there are, whom this node outlasts; none where it is a guest itself.
    pub(crate) guests: Option<Arc<AtomicUsize>>,
    pub(crate) state: State,
}

/// What a host has under way besides its engine.
#[derive(Debug, Default)]
pub(crate) struct State {
    tickets: u64,
    /// Events of this step.
    fresh: Vec<Event>,
    /// Runs of this step that began, and that are over.
    began: Vec<Began>,
    over: Vec<RunNo>,
    /// News that the listener has had no room for yet.
    waiting: VecDeque<News>,
    /// What came in while the journal was full.
    postponed: VecDeque<Control>,
    running: Running,
    /// How many jobs were forgotten so far, for the journal.
    forgotten: Arc<AtomicU64>,
    /// The last batch that was appended, and the last that is durable.
    appended: Lsn,
    durable: Lsn,
    /// How much room the journal has.
    room: Room,
    stopping: bool,
    killed: bool,
}

impl State {
    /// Nothing under way, after all batches before this one.
    pub(crate) fn new(next: Lsn) -> Self {
        let last = Lsn(next.0 - 1);
        Self { appended: last, durable: last, ..Self::default() }
    }

    /// The same, which counts there how many jobs are forgotten.
    pub(crate) fn counting(self, forgotten: Arc<AtomicU64>) -> Self {
        Self { forgotten, ..self }
    }
}

/// How long a host waits before it offers news again to a listener that was behind.
const OFFER_AGAIN: Duration = Duration::from_millis(1);
/// Most inputs taken into one step.
const INPUTS_MAX: usize = 1_024;

impl Host {
    /// Runs until it is stopped or killed.
    pub(crate) async fn run(&mut self, first: Vec<Input>) {
        self.step(first);
        while !self.is_over() {
            let inputs = self.gather().await;
            self.step(inputs);
        }
    }

    /// Ends what it runs its tasks with.
    pub(crate) fn close(mut self) {
        self.executor.close();
        // What has not been heard by now is told to whoever still listens.
        for news in self.state.waiting.drain(..) {
            if self.news.send(news).is_err() {
                break;
            }
        }
    }

    fn is_over(&self) -> bool {
        let State { running, appended, durable, stopping, killed, .. } = &self.state;
        let may_leave = match &self.guests {
            Some(guests) => guests.load(Ordering::Relaxed) == 0,
            None => self.engine.has_reported(),
        };
        let is_known = || !running.has_time() || self.engine.has_settled_elsewhere();
        let is_done = *stopping && self.engine.is_idle() || running.has_left() && is_known();
        *killed || (is_done && may_leave && appended <= durable)
    }

    /// Waits for something to happen, and takes in what else has happened by then.
    async fn gather(&mut self) -> Vec<Input> {
        let mut inputs = Vec::new();
        if self.journal.is_full() {
            self.wait_for_journal(&mut inputs).await;
            return inputs;
        }
        while let Some(control) = self.state.postponed.pop_front() {
            self.on_control(control, &mut inputs);
        }
        let behind = self.state.waiting.len() >= self.news_max;
        let wake = if inputs.is_empty() { self.wake() } else { Some(Deadline::now()) };
        tokio::select! {
            biased;
            control = self.control.recv() => match control {
                Some(control) => self.on_control(control, &mut inputs),
                None => self.state.killed = true,
            },
            Some(journaled) = self.journaled.recv() => self.on_journaled(journaled, &mut inputs),
            Some(completion) = self.completions.recv(), if !behind => {
                inputs.push(self.input_of(completion));
            }
            () = sleep_until(wake.unwrap_or_else(Deadline::now)), if wake.is_some() => {}
        }
        self.state.running.on_time(&mut *self.executor);
        while let Ok(journaled) = self.journaled.try_recv() {
            self.on_journaled(journaled, &mut inputs);
        }
        while inputs.len() < INPUTS_MAX
            && let Ok(control) = self.control.try_recv()
        {
            self.on_control(control, &mut inputs);
        }
        while inputs.len() < INPUTS_MAX
            && !behind
            && let Ok(completion) = self.completions.try_recv()
        {
            inputs.push(self.input_of(completion));
        }
        inputs
    }

    /// Waits until the journal has caught up, or the end is wanted; all else is postponed. Peers
    /// send no more than their links let them, so that what is postponed is bounded by that.
    async fn wait_for_journal(&mut self, inputs: &mut Vec<Input>) {
        tokio::select! {
            biased;
            control = self.control.recv() => match control {
                Some(Control::Kill) | None => self.state.killed = true,
                Some(Control::Suspend) => self.state.running.leave(&mut *self.executor),
                Some(Control::Drain) => self.state.running.drain(),
                // Whoever asked may have given up.
                Some(Control::Pulse(alive)) => drop(alive.send(())),
                Some(control) => self.state.postponed.push_back(control),
            },
            Some(journaled) = self.journaled.recv() => self.on_journaled(journaled, inputs),
        }
    }

    /// When to go on though nothing came in: a timer of the engine, or news to offer again.
    fn wake(&self) -> Option<Deadline> {
        let timer = self.engine.wake().map(|at| self.origin + Span(at.0).to_std());
        let offer = (!self.state.waiting.is_empty()).then(|| Instant::now() + OFFER_AGAIN);
        let due = self.state.running.due();
        timer.into_iter().chain(offer).chain(due).min().map(Deadline::from_std)
    }

    fn on_control(&mut self, control: Control, inputs: &mut Vec<Input>) {
        match control {
            Control::Frame { from, frame } => inputs.push(Input::Received { from, frame }),
            Control::Request { request, answer } => {
                self.state.tickets += 1;
                self.answers.insert(self.state.tickets, answer);
                inputs.push(Input::Request { ticket: self.state.tickets, request });
            }
            Control::Joined(peer) => inputs.push(Input::Joined(peer)),
            Control::Planned { number, topology } => {
                inputs.push(Input::Planned { number, topology });
            }
            Control::Laid { shard, job, choice } => inputs.push(Input::Laid { shard, job, choice }),
            Control::Gauged(busy) => inputs.push(Input::Gauged(busy)),
            Control::Left(node) => inputs.push(Input::Left(node)),
            Control::Checkpoint { run, task, step, payload, seen } => {
                inputs.push(Input::Checkpoint { run, task, step, payload });
                drop(seen);
            }
            // As above.
            Control::Pulse(alive) => drop(alive.send(())),
            Control::Kill => self.state.killed = true,
            Control::Stop => self.state.stopping = true,
            Control::Suspend => self.state.running.leave(&mut *self.executor),
            Control::Drain => self.state.running.drain(),
            Control::Full(full) => self.tell_full(full),
        }
    }

    /// Steps the engine until no effect of the step is an input of the next.
    fn step(&mut self, mut inputs: Vec<Input>) {
        let mut effects = Vec::new();
        loop {
            self.engine.step(self.now(), inputs.drain(..), &mut effects);
            for effect in effects.drain(..) {
                if let Some(input) = self.perform(effect) {
                    inputs.push(input);
                }
            }
            if inputs.is_empty() {
                break;
            }
        }
        self.tell_runs();
        self.tell_fresh();
        self.offer_news();
    }

    fn tell_fresh(&mut self) {
        if !self.state.fresh.is_empty() {
            let fresh = std::mem::take(&mut self.state.fresh);
            self.state.waiting.push_back(News::Events(fresh));
        }
    }

    fn tell_runs(&mut self) {
        let State { began, over, .. } = &mut self.state;
        if began.is_empty() && over.is_empty() {
            return;
        }
        let (began, over) = (std::mem::take(began), std::mem::take(over));
        let (node, at) = (self.node, self.now());
        self.state.waiting.push_back(News::Runs { node, at, began, over });
    }

    fn note_began(&mut self, run: RunNo, items: &[GrantItem]) {
        if self.tells_runs {
            let items = items.iter().map(|item| (item.fence, item.range, item.attempt));
            self.state.began.push(Began { run, items: items.collect() });
        }
    }

    /// Gives an answer to whoever waits for it, or among the news behind what was told before.
    fn answer(&mut self, ticket: u64, reply: Reply) {
        match self.answers.remove(&ticket) {
            // A user who has gone wants no answer.
            Some(Answer::Here(answer)) => drop(answer.send(reply)),
            Some(Answer::Told(ticket)) => {
                self.tell_fresh();
                self.state.waiting.push_back(News::Replied { ticket, reply });
            }
            None => {}
        }
    }

    /// Does one effect; a hand that completes at once gives the next input.
    fn perform(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Append { epoch, lsn, at, mut records, .. } => {
                self.name(&mut records);
                return self.append(epoch, lsn, at, &records);
            }
            Effect::Send { to, frame } => self.transport.send(to, frame),
            Effect::Start { .. } if self.state.running.is_leaving() => {}
            Effect::Start { run, slot, items, budget } => {
                self.state.running.on_start(run, &items);
                self.note_began(run, &items);
                self.executor.start(Start { run, slot, items, budget });
            }
            Effect::Stop { run, force, why } => {
                let reason = match why {
                    Why::Timeout => StopReason::Timeout,
                    Why::Silent => StopReason::Silent,
                    Why::Cancel => StopReason::Cancel,
                };
                let stop = if force { Stop::Kill(reason) } else { Stop::Ask(reason) };
                self.executor.stop(run, stop);
            }
            Effect::Plan { number, nodes, probes } => {
                let nodes = nodes.into_iter().map(|(node, _)| node);
                self.surveyor.find(number, nodes.collect(), probes);
            }
            Effect::Lay { shard, job, question } => self.surveyor.lay(shard, job, question),
            Effect::Gauge => self.surveyor.gauge(self.node),
            Effect::Tell(event) => self.state.fresh.push(event),
            Effect::Reply { ticket, reply } => self.answer(ticket, reply),
        }
        None
    }

    fn offer_news(&mut self) {
        // While more is to be done here, another thread is the one to fold what was.
        let is_idle = self.control.is_empty() && self.completions.is_empty();
        while let Some(news) = self.state.waiting.pop_front() {
            let news = if is_idle { self.news.tell_at_once(news) } else { Some(news) };
            let Some(news) = news else { continue };
            match self.news.try_send(news) {
                Ok(()) | Err(TrySendError::Disconnected(_)) => {}
                Err(TrySendError::Full(news)) => {
                    self.state.waiting.push_front(news);
                    return;
                }
            }
        }
    }

    fn now(&self) -> Moment {
        Moment(0) + Span::from(self.origin.elapsed())
    }

    fn input_of(&mut self, completion: Completion) -> Input {
        match completion {
            Completion::Ended { run, items } => {
                self.state.running.on_ended(run);
                if self.tells_runs {
                    self.state.over.push(run);
                }
                Input::Ended { run, items }
            }
            Completion::Beat { run } => Input::Beat { run },
        }
    }
}
