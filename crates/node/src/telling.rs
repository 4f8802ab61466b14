//! How news goes from the nodes to the one who listens: through a bounded queue, in order; or at
//! once, on the thread that has it, where nothing is on its way there: no other thread has to wake.

use std::fmt::{Debug, Formatter};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{
    Receiver, RecvError, RecvTimeoutError, SendError, SyncSender, TrySendError, sync_channel,
};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::listener::News;

/// Takes news in on the thread that has it; gives back what has to be queued.
pub(crate) type Ear = dyn Fn(News) -> Option<News> + Send + Sync;

/// Where news is told.
#[derive(Clone, Debug)]
pub(crate) struct NewsDoor {
    news: SyncSender<News>,
    way: Arc<Way>,
}

/// Where it is heard. What was taken last counts as taken in once the next is wanted.
#[derive(Debug)]
pub(crate) struct NewsQueue {
    news: Receiver<News>,
    way: Arc<Way>,
    has_taken: bool,
}

/// What both ends know.
#[derive(Default)]
struct Way {
    /// Pieces of news that are queued, or being taken in from the queue.
    under_way: AtomicUsize,
    ear: OnceLock<Box<Ear>>,
}

impl Debug for Way {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Way").field("under_way", &self.under_way).finish_non_exhaustive()
    }
}

/// The most events, or runs, that are taken in at once by the thread that has them.
const PIECES_MAX: usize = 16;

/// A queue of so many pieces of news, and both of its ends.
pub(crate) fn queue(news_max: usize) -> (NewsDoor, NewsQueue) {
    let (news, heard) = sync_channel(news_max);
    let way = Arc::<Way>::default();
    (NewsDoor { news, way: Arc::clone(&way) }, NewsQueue { news: heard, way, has_taken: false })
}

impl NewsDoor {
    /// Tells something at once, where nothing is on its way and it is little; gives it back where
    /// it has to be queued.
    pub(crate) fn tell_at_once(&self, news: News) -> Option<News> {
        let is_little = match &news {
            News::Events(events) => events.len() <= PIECES_MAX,
            News::Runs { began, over, .. } => began.len() + over.len() <= PIECES_MAX,
            News::Replied { .. } => true,
            _ => false,
        };
        // What this thread knows to have been told before is seen here until it was taken in.
        if !is_little || self.way.under_way.load(Ordering::Acquire) > 0 {
            return Some(news);
        }
        match self.way.ear.get() {
            Some(ear) => ear(news),
            None => Some(news),
        }
    }

    /// Queues news where there is room.
    pub(crate) fn try_send(&self, news: News) -> Result<(), TrySendError<News>> {
        self.way.under_way.fetch_add(1, Ordering::Relaxed);
        let sent = self.news.try_send(news);
        if sent.is_err() {
            self.way.under_way.fetch_sub(1, Ordering::Release);
        }
        sent
    }

    /// Queues news; waits for room.
    pub(crate) fn send(&self, news: News) -> Result<(), SendError<News>> {
        self.way.under_way.fetch_add(1, Ordering::Relaxed);
        let sent = self.news.send(news);
        if sent.is_err() {
            self.way.under_way.fetch_sub(1, Ordering::Release);
        }
        sent
    }
}

impl NewsQueue {
    /// Lets news be taken in by the thread that has it, from now on. Only the first counts.
    pub(crate) fn listen_at_once(&self, ear: Box<Ear>) {
        // A second one is not used.
        drop(self.way.ear.set(ear));
    }

    /// Waits for news.
    pub(crate) fn recv(&mut self) -> Result<News, RecvError> {
        self.taken_in();
        let news = self.news.recv();
        self.has_taken = news.is_ok();
        news
    }

    /// Waits for news for so long at most.
    pub(crate) fn recv_timeout(&mut self, wait: Duration) -> Result<News, RecvTimeoutError> {
        self.taken_in();
        let news = self.news.recv_timeout(wait);
        self.has_taken = news.is_ok();
        news
    }

    fn taken_in(&mut self) {
        if std::mem::take(&mut self.has_taken) {
            self.way.under_way.fetch_sub(1, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use bary_model::id::{NodeId, RunNo};
    use bary_model::time::Moment;

    use super::*;

    fn runs(count: usize) -> News {
        let over = vec![RunNo(1); count];
        News::Runs { node: NodeId(0), at: Moment(0), began: Vec::new(), over }
    }

    fn heard_by(queue: &NewsQueue) -> Arc<Mutex<usize>> {
        let heard = Arc::<Mutex<usize>>::default();
        let told = Arc::clone(&heard);
        queue.listen_at_once(Box::new(move |_| {
            *told.lock().expect("nobody panics") += 1;
            None
        }));
        heard
    }

    #[test]
    fn without_an_ear_everything_is_queued() {
        let (door, _queue) = queue(4);
        assert!(door.tell_at_once(runs(1)).is_some());
    }

    #[test]
    fn what_is_queued_is_taken_in_before_what_comes_later() {
        let (door, mut queue) = queue(4);
        let heard = heard_by(&queue);
        assert!(door.tell_at_once(runs(1)).is_none(), "nothing is on its way");
        door.try_send(News::Poke).expect("there is room");
        assert!(door.tell_at_once(runs(1)).is_some(), "something is queued");
        assert!(matches!(queue.recv(), Ok(News::Poke)));
        assert!(door.tell_at_once(runs(1)).is_some(), "it is being taken in");
        assert!(queue.recv_timeout(Duration::ZERO).is_err());
        assert!(door.tell_at_once(runs(1)).is_none(), "it was taken in");
        assert_eq!(*heard.lock().expect("nobody panics"), 2);
    }

    #[test]
    fn much_is_queued() {
        let (door, queue) = queue(4);
        let heard = heard_by(&queue);
        assert!(door.tell_at_once(runs(PIECES_MAX + 1)).is_some());
        assert_eq!(*heard.lock().expect("nobody panics"), 0);
    }

    #[test]
    fn news_that_finds_no_room_is_not_under_way() {
        let (door, queue) = queue(1);
        let heard = heard_by(&queue);
        door.try_send(News::Poke).expect("there is room");
        assert!(door.try_send(News::Poke).is_err(), "there is none");
        let mut queue = queue;
        assert!(queue.recv().is_ok());
        assert!(queue.recv_timeout(Duration::ZERO).is_err());
        assert!(door.tell_at_once(runs(1)).is_none());
        assert_eq!(*heard.lock().expect("nobody panics"), 1);
    }
}
