//! The conversation with one worker: what the engine wants is said to it, and what it says is
//! judged and reported, until it leaves or has gone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bary_api::problem::{Kind, Refused};
use bary_api::v1::from_worker::What as Heard;
use bary_api::v1::to_worker::What as Told;
use bary_api::v1::{
    Checkpoint, FromWorker, Output, Progress, Registered, RunEnded, StopRun, ToWorker,
};
use bary_executor::arguments::Unread;
use bary_executor::config::Addresses;
use bary_model::id::RunNo;
use bary_model::payload::Payload;
use bary_model::time::Span;
use bary_ports::executor::{Completion, Start, Stop, StopReason, Stream};
use bary_ports::store::Store;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::spawn_blocking;
use tokio::time::{Instant as Deadline, sleep_until};
use tokio_stream::StreamExt;

use crate::service::Streamed;
use crate::worker::executor::{Order, unbegun};
use crate::worker::live::{Live, Speaker, shortened};
use crate::worker::seat::Seat;
use crate::worker::suspects::Suspects;
use crate::worker::translate::{self, Numbers};

/// How long a worker has to end what is killed before it is cut off.
const KILL_GRACE: Duration = Duration::from_secs(5);
/// Most bytes of what a task says of itself.
const WORD_BYTES_MAX: usize = 1 << 10;
/// How far apart beats of one run are at least.
const BEAT: Span = Span::millis(100);

/// How long a run waits that reads what a member keeps that is away, before it is given back.
const AWAY_WAIT: Duration = Duration::from_secs(1);

/// What a conversation needs of its surroundings.
pub(crate) struct Around {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) suspects: Arc<Suspects>,
    pub(crate) numbers: Arc<Numbers>,
    pub(crate) addresses: Addresses,
}

/// The conversation with one worker.
pub(crate) struct Talk {
    seat: Seat,
    around: Around,
    orders: UnboundedReceiver<Order>,
    told: mpsc::Sender<Result<ToWorker, Refused>>,
    runs: BTreeMap<RunNo, Live>,
    leaving: bool,
    /// Whether a run was lost here, so that the node cannot wait for its end.
    spoilt: bool,
}

/// How a conversation ended.
#[derive(Debug)]
pub(crate) enum Parting {
    /// The worker left when nothing ran there any more, or its node ended before.
    Left,
    /// The worker has gone, or was cut off for this reason.
    Gone(Option<Refused>),
}

impl Talk {
    /// A conversation with the worker in a seat. `told` has room for all that a run may need, for
    /// each slot.
    pub(crate) fn new(
        seat: Seat,
        around: Around,
        orders: UnboundedReceiver<Order>,
        told: mpsc::Sender<Result<ToWorker, Refused>>,
    ) -> Self {
        Self { seat, around, orders, told, runs: BTreeMap::new(), leaving: false, spoilt: false }
    }

    /// Goes on until the worker leaves or has gone; says how it was.
    pub(crate) async fn run(mut self, mut heard: Streamed<FromWorker>) -> Parting {
        let info = self.seat.info();
        let (name, node) = (info.name.to_string(), info.id.to_string());
        let mut parting = self.tell(Told::Registered(Registered { name, node })).err();
        let parting = loop {
            if let Some(parting) = parting.take() {
                break parting;
            }
            parting = self.next(&mut heard).await.err();
        };
        self.part(&parting).await;
        parting
    }

    async fn next(&mut self, heard: &mut Streamed<FromWorker>) -> Result<(), Parting> {
        let due = self.runs.values().filter_map(|live| live.due).min();
        let overdue = sleep_until(due.map_or_else(Deadline::now, Deadline::from_std));
        tokio::select! {
            biased;
            order = self.orders.recv() => match order {
                Some(Order::Start(start)) => self.begin(start).await,
                Some(Order::Stop(run, stop)) => self.stop(run, stop),
                Some(Order::Close) | None => Err(Parting::Left),
            },
            heard = heard.next() => match heard {
                Some(Ok(FromWorker { what: Some(what) })) => self.hear(what).await,
                Some(Ok(_)) => Err(wrong("a message says nothing")),
                Some(Err(refused)) => Err(Parting::Gone(Some(refused))),
                None => Err(Parting::Gone(None)),
            },
            () = overdue, if due.is_some() => {
                let title = "the worker did not end what it was told to end";
                Err(Parting::Gone(Some(Refused::new(Kind::TimedOut, title))))
            }
            () = self.told.closed() => Err(Parting::Gone(None)),
        }
    }

    /// Has the worker begin a run, or as much of it as may run together.
    async fn begin(&mut self, start: Start) -> Result<(), Parting> {
        let most = self.around.suspects.together(start.items.iter().map(|item| item.range));
        let (store, numbers) = (Arc::clone(&self.around.store), Arc::clone(&self.around.numbers));
        let addresses = self.around.addresses.clone();
        let made = if translate::is_slow(&start) {
            let start = start.clone();
            let make = move || translate::run(&start, most, &*store, &*numbers, &addresses);
            let Ok(made) = spawn_blocking(make).await else {
                self.spoilt = true;
                return Err(Parting::Gone(None));
            };
            made
        } else {
            translate::run(&start, most, &*store, &*numbers, &addresses)
        };
        let (run, began) = (start.run, self.seat.now());
        match made {
            Ok(message) => {
                self.runs.insert(run, Live::new(start, message.tasks.len(), began));
                self.tell(Told::Run(message))
            }
            Err(Unread::Lost(failure)) => {
                let items = Live::new(start, 1, began).failed(failure);
                self.seat.complete(Completion::Ended { run, items });
                Ok(())
            }
            Err(Unread::Away) => {
                self.seat.complete_after(AWAY_WAIT, unbegun(&start));
                Ok(())
            }
        }
    }

    fn stop(&mut self, run: RunNo, stop: Stop) -> Result<(), Parting> {
        // One that has ended meanwhile needs no stopping.
        let Some(live) = self.runs.get_mut(&run) else { return Ok(()) };
        let (force, reason) = match stop {
            Stop::Ask(reason) => (false, reason),
            Stop::Kill(reason) => (true, reason),
        };
        live.ask(reason);
        if force {
            live.due.get_or_insert_with(|| Instant::now() + KILL_GRACE);
        }
        let why = match reason {
            StopReason::Timeout => "it took too long",
            StopReason::Silent => "it was silent for too long",
            StopReason::Cancel => "it was cancelled",
        };
        self.tell(Told::Stop(StopRun { run: run.0, force, why: why.to_owned() }))
    }

    async fn hear(&mut self, what: Heard) -> Result<(), Parting> {
        match what {
            Heard::Register(_) => Err(wrong("a worker registers once")),
            Heard::Ended(ended) => {
                for ended in ended.runs {
                    self.ended(ended).await?;
                }
                Ok(())
            }
            Heard::Progress(progress) => {
                self.progress(progress);
                Ok(())
            }
            Heard::Checkpoint(checkpoint) => self.checkpoint(checkpoint).await,
            Heard::Output(output) => self.output(output).await,
            Heard::Leave(_) => {
                if !self.leaving {
                    self.leaving = true;
                    self.seat.leave();
                }
                Ok(())
            }
        }
    }

    async fn ended(&mut self, ended: RunEnded) -> Result<(), Parting> {
        let run = RunNo(ended.run);
        match self.runs.get(&run) {
            Some(live) if ended.tasks.len() <= live.sent() => {}
            Some(_) => return Err(wrong(format!("run {} has fewer tasks", run.0))),
            None => return Err(wrong(format!("run {} is not this worker's", run.0))),
        }
        let Some(live) = self.runs.remove(&run) else { return Ok(()) };
        let (store, suspects) = (Arc::clone(&self.around.store), Arc::clone(&self.around.suspects));
        let now = self.seat.now();
        let large = ended.tasks.iter().any(|task| task.result.len() > Payload::INLINE_MAX);
        let take = move || live.ended(ended.tasks, now, &*store, &suspects);
        let taken = if large { spawn_blocking(take).await } else { Ok(take()) };
        if let Ok(items) = taken {
            self.seat.complete(Completion::Ended { run, items });
            return Ok(());
        }
        // The panic was printed. Nobody can tell any more how the run ended: the node goes, at
        // once, and what it had is given to others.
        self.spoilt = true;
        Err(Parting::Gone(None))
    }

    fn progress(&mut self, progress: Progress) {
        let Progress { run, task, progress, message } = progress;
        if let Some(speaker) = self.sign_of_life(run, task) {
            let share = if progress.is_finite() { progress.clamp(0.0, 1.0) } else { 0.0 };
            let message = shortened(&message, WORD_BYTES_MAX).into();
            self.seat.say(speaker, share, message);
        }
    }

    async fn output(&mut self, output: Output) -> Result<(), Parting> {
        let Output { run, task: place, stream, data } = output;
        let stream = match stream.as_str() {
            "out" => Stream::Out,
            "err" => Stream::Err,
            _ => return Err(wrong("the stream of an output is out or err")),
        };
        if let Some(speaker) = self.sign_of_life(run, place) {
            if let Some(live) = self.runs.get_mut(&RunNo(run)) {
                live.print(place as usize, &data);
            }
            self.seat.output(speaker, stream, data).await;
        }
        Ok(())
    }

    async fn checkpoint(&mut self, checkpoint: Checkpoint) -> Result<(), Parting> {
        let Checkpoint { run, task, step, data } = checkpoint;
        let Some(Speaker { task, .. }) = self.sign_of_life(run, task) else { return Ok(()) };
        let store = Arc::clone(&self.around.store);
        let kept = match data.len() > Payload::INLINE_MAX {
            false => store.payload(data),
            true => match spawn_blocking(move || store.payload(data)).await {
                Ok(kept) => kept,
                Err(_) => return Err(Parting::Gone(None)),
            },
        };
        match kept {
            Ok(payload) => {
                self.seat.checkpoint(RunNo(run), task, step, payload).await;
                Ok(())
            }
            Err(error) => {
                let title = format!("a checkpoint could not be kept: {error}");
                Err(Parting::Gone(Some(Refused::new(Kind::Full, title))))
            }
        }
    }

    /// The task that a worker speaks of, which is alive; late words of ended runs are of none.
    fn sign_of_life(&mut self, run: u64, place: u32) -> Option<Speaker> {
        let (run, now) = (RunNo(run), self.seat.now());
        let live = self.runs.get_mut(&run)?;
        let due = live.beaten.is_none_or(|at| now.since(at) >= BEAT);
        if due && live.beats() {
            live.beaten = Some(now);
            self.seat.complete(Completion::Beat { run });
        }
        live.task(place as usize)
    }

    fn tell(&self, what: Told) -> Result<(), Parting> {
        let message = ToWorker { what: Some(what) };
        self.told.try_send(Ok(message)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                let title = "the worker does not read what it is told";
                Parting::Gone(Some(Refused::new(Kind::Full, title)))
            }
            mpsc::error::TrySendError::Closed(_) => Parting::Gone(None),
        })
    }

    /// Reports how everything ends that the worker had, and tells it why it is cut off.
    async fn part(&mut self, parting: &Parting) {
        if !self.spoilt {
            self.seat.empty();
        }
        self.orders.close();
        while let Some(order) = self.orders.recv().await {
            if let Order::Start(start) = order {
                self.seat.complete(unbegun(&start));
            }
        }
        let obeying = self.runs.values().any(|live| live.due.is_some());
        for (run, live) in std::mem::take(&mut self.runs) {
            let items = live.lost(obeying, &self.around.suspects);
            self.seat.complete(Completion::Ended { run, items });
        }
        let last = match parting {
            Parting::Left if self.leaving => return,
            Parting::Left => Refused::new(Kind::Unavailable, "the node is ending"),
            Parting::Gone(Some(refused)) => refused.clone(),
            Parting::Gone(None) => return,
        };
        // One that reads nothing any more is told by the end of the stream.
        drop(self.told.try_send(Err(last)));
    }
}

fn wrong(title: impl Into<String>) -> Parting {
    Parting::Gone(Some(Refused::new(Kind::Invalid, title)))
}
