//! The processes that stand for servers: one each, with a pipe each way. What the engine starts on
//! a server is handed to its process; what the process ends, or that it has ended itself, goes back
//! to the world. Its clock is the wall's then.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use bary_model::id::RunNo;
use bary_model::time::{Moment, Span};
use bary_sim::session::Session;

use crate::console::order::{Answer, ORDER_BYTES_MAX, Order};

/// How many answers of processes may lie unread; a process that says more waits.
const ANSWERS_MAX: usize = 1_024;
/// How often every process is asked how it is.
const POLL: Duration = Duration::from_secs(1);

/// All processes.
pub(crate) struct Fleet {
    workers: BTreeMap<usize, Worker>,
    /// Counts processes, so that one is not taken for another of the same server.
    births: u64,
    tell: SyncSender<(usize, u64, Heard)>,
    heard: Receiver<(usize, u64, Heard)>,
    began: Instant,
    polled: Instant,
}

struct Worker {
    birth: u64,
    child: Child,
    to: ChildStdin,
    /// What it was told to run.
    run: Option<RunNo>,
    /// How many seconds it last said were left.
    left: Option<f64>,
}

/// What comes from a process.
enum Heard {
    Answer(Answer),
    /// It has closed its output, or said what makes no sense.
    Gone,
}

/// What became of a process that concerns the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    /// It has run something to its end.
    Done(usize, RunNo),
    /// It is there no longer.
    Gone(usize),
}

impl Fleet {
    pub(crate) fn new() -> Self {
        let (tell, heard) = sync_channel(ANSWERS_MAX);
        let now = Instant::now();
        Self { workers: BTreeMap::new(), births: 0, tell, heard, began: now, polled: now }
    }

    /// The world's time now.
    pub(crate) fn now(&self) -> Moment {
        Moment(0) + Span(u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    /// Begins the process of a server: this program, under another verb.
    ///
    /// # Errors
    /// Where the system begins no process.
    pub(crate) fn begin(&mut self, server: usize) -> io::Result<()> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("console-worker").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let streams = child.stdin.take().zip(child.stdout.take());
        let (to, from) = streams.ok_or_else(|| io::Error::other("a process without pipes"))?;
        self.births += 1;
        let (birth, tell) = (self.births, self.tell.clone());
        thread::spawn(move || listen(from, server, birth, &tell));
        let worker = Worker { birth, child, to, run: None, left: None };
        self.workers.insert(server, worker);
        Ok(())
    }

    /// Ends the process of a server, if it is there.
    pub(crate) fn end(&mut self, server: usize) {
        if let Some(mut worker) = self.workers.remove(&server) {
            // It may have ended by itself; either way it is there no longer.
            drop(worker.child.kill());
            drop(worker.child.wait());
        }
    }

    /// The process of a server, as the system numbers it.
    pub(crate) fn process(&self, server: usize) -> Option<u32> {
        self.workers.get(&server).map(|worker| worker.child.id())
    }

    /// What is left of what a server runs, as its process last said.
    pub(crate) fn left(&self, server: usize) -> Option<Span> {
        self.workers.get(&server)?.left.map(Span::from_secs_f64)
    }

    /// Hands every process what the world began on its server.
    pub(crate) fn hand_out(&mut self, session: &Session<'_>) {
        for (server, worker) in &mut self.workers {
            let running = session.running(*server);
            if let Some(running) = running.filter(|running| worker.run != Some(running.run)) {
                worker.run = Some(running.run);
                let seconds = running.takes.as_secs_f64();
                worker.left = Some(seconds);
                worker.say(Order::Run { run: running.run.0, seconds });
            }
        }
    }

    /// Waits until something happens, but no longer than until a moment; every process is asked
    /// now and then how it is.
    pub(crate) fn wait(&mut self, until: Moment) -> Option<Happening> {
        loop {
            if self.polled.elapsed() >= POLL {
                self.polled = Instant::now();
                self.workers.values_mut().for_each(|worker| worker.say(Order::State));
            }
            let poll = POLL.saturating_sub(self.polled.elapsed());
            let left = until.since(self.now()).to_std();
            match self.heard.recv_timeout(left.min(poll)) {
                Ok((server, birth, heard)) => {
                    if let Some(happening) = self.take_in(server, birth, heard) {
                        return Some(happening);
                    }
                }
                Err(RecvTimeoutError::Timeout) if left > poll => {}
                Err(_) => return None,
            }
        }
    }

    fn take_in(&mut self, server: usize, birth: u64, heard: Heard) -> Option<Happening> {
        let worker = self.workers.get_mut(&server).filter(|worker| worker.birth == birth)?;
        match heard {
            Heard::Answer(Answer::Busy { run, left }) => {
                if worker.run == Some(RunNo(run)) {
                    worker.left = Some(left);
                }
                None
            }
            Heard::Answer(Answer::Idle) => None,
            Heard::Answer(Answer::Done { run }) => {
                worker.left = None;
                let run = RunNo(run);
                (worker.run == Some(run)).then_some(Happening::Done(server, run))
            }
            Heard::Gone => Some(Happening::Gone(server)),
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let servers: Vec<usize> = self.workers.keys().copied().collect();
        servers.into_iter().for_each(|server| self.end(server));
    }
}

impl Worker {
    /// Tells it something. One that is gone is noticed by its reader.
    fn say(&mut self, order: Order) {
        let line = serde_json::to_string(&order).unwrap_or_default();
        drop(writeln!(self.to, "{line}").and_then(|()| self.to.flush()));
    }
}

/// Reads what a process says, to its end.
fn listen(from: ChildStdout, server: usize, birth: u64, tell: &SyncSender<(usize, u64, Heard)>) {
    let mut from = BufReader::new(from);
    loop {
        let mut line = Vec::new();
        let read = from.by_ref().take(ORDER_BYTES_MAX).read_until(b'\n', &mut line);
        let answer = read.ok().and_then(|_| serde_json::from_slice(&line).ok());
        let heard = answer.map_or(Heard::Gone, Heard::Answer);
        let gone = matches!(heard, Heard::Gone);
        if tell.send((server, birth, heard)).is_err() || gone {
            return;
        }
    }
}
