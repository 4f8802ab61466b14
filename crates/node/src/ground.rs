//! What the nodes of a cluster run on: a thread of their own, or threads that they share with
//! whoever asks them, so that a question takes no other thread.

use std::io;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle};

/// Where nodes live until all have ended.
#[derive(Debug)]
pub(crate) enum Ground {
    /// On a thread of their own.
    Thread(JoinHandle<()>),
    /// Beside others; nothing is ever sent, and the other end goes when they have ended.
    Shared(Receiver<()>),
}

impl Ground {
    /// Has nodes live on the threads of a runtime, or else on a thread of their own.
    ///
    /// # Errors
    /// Where the machine gives no thread. None lives then.
    pub(crate) fn start(
        shared: Option<&Handle>,
        life: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<Self> {
        if let Some(shared) = shared {
            let (alive, ended) = sync_channel(1);
            shared.spawn(async move {
                let _alive = alive;
                life.await;
            });
            return Ok(Self::Shared(ended));
        }
        let runtime = Builder::new_current_thread().enable_time().build()?;
        let thread = std::thread::Builder::new().name("bary-nodes".into());
        Ok(Self::Thread(thread.spawn(move || runtime.block_on(life))?))
    }

    /// Waits until all have ended.
    pub(crate) fn wait(self) {
        match self {
            // A panic of the loop was printed when it happened.
            Self::Thread(thread) => drop(thread.join()),
            // It says so by going. Whatever waits for this thread is done by another meanwhile.
            Self::Shared(ended) => drop(tokio::task::block_in_place(|| ended.recv())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn lives(
        shared: Option<&Handle>,
    ) -> (Ground, tokio::sync::oneshot::Sender<()>, Arc<AtomicBool>) {
        let (end, wanted) = tokio::sync::oneshot::channel();
        let ended = Arc::<AtomicBool>::default();
        let note = Arc::clone(&ended);
        let life = async move {
            wanted.await.expect("the end is wanted");
            note.store(true, Ordering::Release);
        };
        (Ground::start(shared, life).expect("there is a thread"), end, ended)
    }

    #[test]
    fn nodes_on_a_thread_of_their_own_are_waited_for() {
        let (ground, end, ended) = lives(None);
        end.send(()).expect("they live");
        ground.wait();
        assert!(ended.load(Ordering::Acquire));
    }

    #[test]
    fn nodes_on_shared_threads_are_waited_for_even_by_one_of_these() {
        let runtime = Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
        let (ground, end, ended) = lives(Some(runtime.handle()));
        let waits = runtime.spawn(async move {
            end.send(()).expect("they live");
            ground.wait();
            ended.load(Ordering::Acquire)
        });
        assert!(runtime.block_on(waits).expect("nobody panics"));
    }

    #[test]
    fn nodes_that_panic_have_ended() {
        let runtime = Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
        let (ground, end, ended) = lives(Some(runtime.handle()));
        drop(end);
        ground.wait();
        assert!(!ended.load(Ordering::Acquire));
    }
}
