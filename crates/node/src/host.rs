//! The loop of one node: gather what came in, step the engine, do what it wants done.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::{Duration, Instant};

use bary_engine::effect::{Effect, Why};
use bary_engine::engine::Engine;
use bary_engine::input::{Input, Reply};
use bary_model::event::Event;
use bary_model::time::{Moment, Span};
use bary_ports::executor::{Completion, Executor, Start, Stop, StopReason};
use bary_ports::journal::Journal;
use bary_ports::transport::Transport;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant as Deadline, sleep_until};

use crate::inbox::Control;
use crate::listener::News;

/// One node: an engine and its hands.
pub(crate) struct Host {
    pub(crate) engine: Engine,
    pub(crate) executor: Box<dyn Executor>,
    pub(crate) transport: Box<dyn Transport>,
    pub(crate) journal: Box<dyn Journal>,
    pub(crate) origin: Instant,
    pub(crate) control: UnboundedReceiver<Control>,
    pub(crate) completions: UnboundedReceiver<Completion>,
    pub(crate) news: SyncSender<News>,
    pub(crate) news_max: usize,
    pub(crate) answers: BTreeMap<u64, SyncSender<Reply>>,
    pub(crate) state: State,
}

/// What a host has under way besides its engine.
#[derive(Debug, Default)]
pub(crate) struct State {
    tickets: u64,
    /// Events of this step.
    fresh: Vec<Event>,
    /// News that the listener has had no room for yet.
    waiting: VecDeque<News>,
    stopping: bool,
    killed: bool,
}

/// How long a host waits before it offers news again to a listener that was behind.
const OFFER_AGAIN: Duration = Duration::from_millis(1);
/// Most inputs taken into one step.
const INPUTS_MAX: usize = 1_024;

impl Host {
    /// Runs until it is stopped or killed.
    pub(crate) async fn run(mut self, first: Vec<Input>) {
        self.step(first);
        while !self.is_over() {
            let inputs = self.gather().await;
            self.step(inputs);
        }
        self.executor.close();
        // What has not been heard by now is told to whoever still listens.
        for news in self.state.waiting.drain(..) {
            if self.news.send(news).is_err() {
                break;
            }
        }
    }

    fn is_over(&self) -> bool {
        self.state.killed || (self.state.stopping && self.engine.is_idle())
    }

    /// Waits for something to happen, and takes in what else has happened by then.
    async fn gather(&mut self) -> Vec<Input> {
        let mut inputs = Vec::new();
        let behind = self.state.waiting.len() >= self.news_max;
        let wake = self.wake();
        tokio::select! {
            biased;
            control = self.control.recv() => match control {
                Some(control) => self.on_control(control, &mut inputs),
                None => self.state.killed = true,
            },
            Some(completion) = self.completions.recv(), if !behind => {
                inputs.push(input_of(completion));
            }
            () = sleep_until(wake.unwrap_or_else(Deadline::now)), if wake.is_some() => {}
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
            inputs.push(input_of(completion));
        }
        inputs
    }

    /// When to go on though nothing came in: a timer of the engine, or news to offer again.
    fn wake(&self) -> Option<Deadline> {
        let timer = self.engine.wake().map(|at| self.origin + Span(at.0).to_std());
        let offer = (!self.state.waiting.is_empty()).then(|| Instant::now() + OFFER_AGAIN);
        timer.into_iter().chain(offer).min().map(Deadline::from_std)
    }

    fn on_control(&mut self, control: Control, inputs: &mut Vec<Input>) {
        match control {
            Control::Message { from, message } => inputs.push(Input::Received { from, message }),
            Control::Request { request, answer } => {
                self.state.tickets += 1;
                self.answers.insert(self.state.tickets, answer);
                inputs.push(Input::Request { ticket: self.state.tickets, request });
            }
            Control::Kill => self.state.killed = true,
            Control::Stop => self.state.stopping = true,
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
        if !self.state.fresh.is_empty() {
            let fresh = std::mem::take(&mut self.state.fresh);
            self.state.waiting.push_back(News::Events(fresh));
        }
        self.offer_news();
    }

    /// Does one effect; a hand that completes at once gives the next input.
    fn perform(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Append { lsn, records: _ } => {
                return Some(Input::Durable(self.journal.append(lsn)));
            }
            Effect::Send { to, message } => self.transport.send(to, message),
            Effect::Start { run, slot, items, budget } => {
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
            Effect::Tell(event) => self.state.fresh.push(event),
            Effect::Reply { ticket, reply } => {
                if let Some(answer) = self.answers.remove(&ticket) {
                    // A user who has gone wants no answer.
                    drop(answer.send(reply));
                }
            }
        }
        None
    }

    fn offer_news(&mut self) {
        while let Some(news) = self.state.waiting.pop_front() {
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
}

fn input_of(completion: Completion) -> Input {
    match completion {
        Completion::Ended { run, items } => Input::Ended { run, items },
        Completion::Beat { run } => Input::Beat { run },
    }
}
