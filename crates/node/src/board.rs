//! What is known of jobs, tasks and nodes, for whoever asks: a fold of what nodes tell. One thread
//! folds; everybody reads. It is durable without being written, as a home tells only what is.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
use std::time::SystemTime;

use bary_engine::input::Reply;
use bary_model::event::Event;
use bary_model::id::{JobNo, TaskRange};
use bary_ports::store::Store;
use tokio::sync::{oneshot, watch};

use crate::board::books::Books;
use crate::board::clock::Clock;
use crate::board::ends::How;
use crate::board::job::Word;
use crate::board::limits::BoardLimits;
use crate::board::watchers::{Note, Sink};
use crate::listener::{Listener, News};
use crate::peers::blobs::keeping::Keeping;

pub(crate) mod active;
pub(crate) mod books;
pub(crate) mod clock;
pub(crate) mod ends;
pub(crate) mod job;
pub(crate) mod learning;
pub mod limits;
pub(crate) mod nodes;
pub(crate) mod printed;
pub(crate) mod ring;
pub(crate) mod shelf;
pub(crate) mod tails;
pub(crate) mod watchers;

/// The books, who waits for answers, and who follows.
#[derive(Debug)]
pub struct Board {
    books: RwLock<Books>,
    asked: Mutex<BTreeMap<u64, Asked>>,
    /// Whether everything waits for space on the disk.
    stuck: AtomicBool,
    /// Counts what was folded, for those who follow.
    changes: watch::Sender<u64>,
    /// What has several members keep large results, where they keep the jobs as well.
    keeping: OnceLock<Arc<Keeping>>,
}

/// Who waits for the answer to a request.
#[derive(Debug)]
pub(crate) enum Asked {
    /// Somebody who asked once.
    Once(oneshot::Sender<Reply>, Option<Room>),
    /// A session, under its own ticket; it may want to hear of the tasks too.
    Session { sink: Sink, ticket: u64, outcomes: bool, room: Room },
}

/// The room that a submission takes until it is answered.
pub(crate) type Room = tokio::sync::OwnedSemaphorePermit;

/// How many events are folded before readers get their turn.
const EVENTS_AT_ONCE: usize = 256;

impl Board {
    /// Nothing known so far of a shard whose clock was zero at this moment of the calendar.
    #[must_use]
    pub fn since(origin: SystemTime, limits: &BoardLimits) -> Self {
        let clock = Clock::since(origin);
        let books = RwLock::new(Books::new(clock, limits));
        let (asked, changes) = (Mutex::default(), watch::Sender::new(0));
        let (stuck, keeping) = (AtomicBool::new(false), OnceLock::new());
        Self { books, asked, stuck, changes, keeping }
    }

    /// What is known now. Readers take little at a time, so that folding goes on.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Books> {
        self.books.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Books> {
        self.books.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked(&self) -> MutexGuard<'_, BTreeMap<u64, Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has large results kept at several members from now on.
    pub(crate) fn keeps(&self, keeping: Arc<Keeping>) {
        self.write().want_all();
        // There is one for a home, which says so once.
        drop(self.keeping.set(keeping));
    }

    /// What has several members keep large results, if anything.
    pub(crate) fn keeping(&self) -> Option<&Arc<Keeping>> {
        self.keeping.get()
    }

    /// Tells when something was folded.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Whether everything waits for space on the disk, so that no answer would come.
    pub(crate) fn is_stuck(&self) -> bool {
        self.stuck.load(Ordering::Relaxed)
    }

    fn set_full(&self, full: bool) {
        self.write().full = full;
        self.stuck.store(full, Ordering::Relaxed);
    }

    /// Whether nothing more is told.
    pub(crate) fn is_over(&self) -> bool {
        self.read().over.is_some()
    }

    /// Notes who waits for the answer under a ticket. Where nothing is told any more they hear
    /// that at once.
    pub(crate) fn expect(&self, ticket: u64, asked: Asked) {
        self.asked().insert(ticket, asked);
        if self.read().over.is_some() {
            self.expect_no_more(ticket);
        }
    }

    /// Nobody waits for an answer any more.
    pub(crate) fn expect_no_more(&self, ticket: u64) {
        self.asked().remove(&ticket);
    }

    /// Folds one event of the past in, before anybody reads.
    pub(crate) fn recall(&self, event: Event) {
        self.write().fold(event);
    }

    /// Folds all that a cluster tells until it has stopped. Jobs that are too many are handed to
    /// `forget`.
    pub(crate) fn follow(
        self: &Arc<Self>,
        listener: Listener,
        store: &Arc<dyn Store>,
        forget: &mut dyn FnMut(JobNo),
    ) {
        let (board, kept) = (Arc::clone(self), Arc::clone(store));
        listener.listen_at_once(Box::new(move |news| board.take_in_at_once(news, &*kept)));
        for news in listener {
            self.take_in(news, &**store);
            let surplus = self.write().take_surplus();
            if let Some(job) = surplus {
                forget(job);
            }
        }
        self.end("the node has stopped");
    }

    /// Folds news in on the thread of the nodes, where nobody keeps that waiting. What has to go
    /// through the queue is given back.
    fn take_in_at_once(&self, news: News, store: &dyn Store) -> Option<News> {
        if self.books.try_write().is_err() {
            return Some(news);
        }
        self.take_in(news, store);
        // Whoever has jobs forgotten hears that there are some.
        self.read().has_surplus().then_some(News::Poke)
    }

    fn take_in(&self, news: News, store: &dyn Store) {
        match news {
            News::Events(events) => self.fold(events, store),
            News::Runs { node, at, began, over } => {
                self.write().on_runs(node, at, began, &over);
            }
            News::Output { shard, task, attempt, stream, bytes } => {
                let mut books = self.write();
                if books.is_of(shard) {
                    books.tails.push(task, attempt, stream, bytes);
                } else {
                    books.guests.push((shard, task), attempt, stream, bytes);
                }
            }
            News::Said { shard, task, progress, message, .. } => {
                let mut books = self.write();
                if books.is_of(shard) {
                    books.on_said(task, Word { progress, message });
                }
            }
            News::Replied { ticket, reply } => {
                self.answer(ticket, reply);
                return;
            }
            News::DiskFull => self.set_full(true),
            News::DiskFree => self.set_full(false),
            News::DiskLow(low) => self.write().low = low,
            News::Failed(why) => self.end(&why),
            News::Poke => return,
        }
        self.on_change();
    }

    /// Something was folded in.
    pub(crate) fn on_change(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Folds events in; readers get their turn in between. What nobody can ask for any more is
    /// released.
    pub fn fold(&self, events: Vec<Event>, store: &dyn Store) {
        let mut events = events.into_iter().peekable();
        while events.peek().is_some() {
            let mut books = self.write();
            events.by_ref().take(EVENTS_AT_ONCE).for_each(|event| books.fold(event));
            let (unread, wanted) = (books.take_unread(), books.take_wanted());
            drop(books);
            let keeping = self.keeping.get();
            for (payload, copies) in &wanted {
                match keeping {
                    Some(keeping) => keeping.want(payload, *copies),
                    None => store.copy_payload(payload, *copies),
                }
            }
            for payload in &unread {
                store.release_payload(payload);
                keeping.into_iter().for_each(|keeping| keeping.released(payload));
            }
        }
    }

    fn answer(&self, ticket: u64, reply: Reply) {
        let asked = self.asked().remove(&ticket);
        match asked {
            // Whoever gave up waiting wants no answer.
            Some(Asked::Once(answer, room)) => {
                drop(room);
                drop(answer.send(reply));
            }
            Some(Asked::Session { sink, ticket, outcomes, room }) => {
                drop(room);
                let job = match reply {
                    Reply::Accepted(job) => Some(job),
                    _ => None,
                };
                // A session that has gone is told no more.
                let heard = sink.tell(Note::Replied { ticket, reply });
                if let Some(job) = job.filter(|_| heard && outcomes) {
                    self.subscribe(job, &sink);
                }
            }
            None => {}
        }
    }

    /// Tells a session of all tasks of a job that have ended, and then of each that does.
    fn subscribe(&self, job: JobNo, sink: &Sink) {
        let mut books = self.write();
        let Some(open) = books.job(job).map(|row| row.finished.is_none()) else { return };
        if open && !books.watchers.await_outcomes(job, sink) {
            return;
        }
        let detail = books.job(job).and_then(|row| row.detail.as_ref());
        for ((spec, first), piece) in detail.into_iter().flat_map(|detail| detail.ends.all()) {
            let range = TaskRange { job, spec, first, count: piece.count };
            let heard = sink.tell(match &piece.how {
                How::Ran(ended) => Note::Ended(Arc::clone(ended)),
                How::Dropped(_) | How::Known(_) => Note::Dropped { range, end: piece.how.name() },
            });
            if !heard {
                return;
            }
        }
        if !open {
            // A session that has gone wants to know nothing.
            let _: bool = sink.tell(Note::Over(job));
        }
    }

    /// Nothing more is told: all that wait hear so.
    fn end(&self, why: &str) {
        let mut books = self.write();
        books.over.get_or_insert_with(|| why.into());
        books.watchers.clear();
        drop(books);
        self.asked().clear();
        self.changes.send_modify(|changes| *changes += 1);
    }
}
