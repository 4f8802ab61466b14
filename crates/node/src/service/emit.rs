//! Streams of answers: a task writes them into a bounded queue, and waits while it is full.

use bary_api::problem::Refused;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use crate::service::Streamed;

/// Where the answers of one stream go.
#[derive(Debug)]
pub(super) struct Emit<T> {
    answers: mpsc::Sender<Result<T, Refused>>,
    /// The stream's place among those that are under way.
    _permit: OwnedSemaphorePermit,
}

/// How many answers wait for their reader before the stream waits for it too.
const ANSWERS_MAX: usize = 64;

/// The reader has gone: nobody wants more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gone;

/// A stream, and where its answers come from.
pub(super) fn stream<T: Send + 'static>(permit: OwnedSemaphorePermit) -> (Emit<T>, Streamed<T>) {
    let (answers, read) = mpsc::channel(ANSWERS_MAX);
    (Emit { answers, _permit: permit }, Box::pin(ReceiverStream::new(read)))
}

impl<T> Emit<T> {
    /// Gives an answer; waits while the reader is behind.
    pub(super) async fn give(&self, answer: T) -> Result<(), Gone> {
        self.answers.send(Ok(answer)).await.map_err(|_| Gone)
    }

    /// Ends the stream with an error.
    pub(super) async fn fail(&self, refused: Refused) {
        // A reader that has gone needs no error.
        drop(self.answers.send(Err(refused)).await);
    }

    /// Waits until the reader has gone.
    pub(super) async fn closed(&self) {
        self.answers.closed().await;
    }
}
