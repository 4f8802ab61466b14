//! One stream of frames in each direction. Frames that wait go together in one message, up to a
//! count and a size.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::{Stream, StreamExt};
use tonic::Streaming;

use crate::mesh::Inner;
use crate::mesh::proto::Batch;

/// Bytes that may be on their way on one stream before they are read.
pub(super) const WINDOW: u32 = 4 << 20;

/// Frames that wait, as messages.
#[derive(Debug)]
pub(super) struct Batches {
    waiting: mpsc::Receiver<Bytes>,
    /// One that had no room in the message before.
    over: Option<Bytes>,
    frames_max: usize,
    bytes_max: usize,
}

/// The messages of frames that wait: at most so many frames and, beyond the first, bytes each.
pub(super) fn batches(waiting: mpsc::Receiver<Bytes>, limits: (usize, usize)) -> Batches {
    Batches { waiting, over: None, frames_max: limits.0, bytes_max: limits.1 }
}

impl Stream for Batches {
    type Item = Batch;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Batch>> {
        let first = match self.over.take() {
            Some(frame) => frame,
            None => match self.waiting.poll_recv(cx) {
                Poll::Ready(Some(frame)) => frame,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            },
        };
        let mut bytes = first.len();
        let mut frames = vec![first];
        while frames.len() < self.frames_max {
            let Ok(next) = self.waiting.try_recv() else { break };
            bytes += next.len();
            if bytes > self.bytes_max {
                self.over = Some(next);
                break;
            }
            frames.push(next);
        }
        Poll::Ready(Some(Batch { frames }))
    }
}

/// Hands on what a member says, until it says no more or is heard over another stream.
pub(super) async fn hear(inner: &Inner, member: u64, number: u64, mut said: Streaming<Batch>) {
    while let Some(Ok(batch)) = said.next().await {
        for frame in batch.frames {
            inner.ears.frame(member, frame);
        }
        if !inner.is_kept(member, number) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio::sync::mpsc;
    use tokio_stream::StreamExt;

    use super::batches;

    #[tokio::test]
    async fn frames_keep_their_order_and_messages_their_limits() {
        let (frames, waiting) = mpsc::channel(100);
        let sizes = [1, 1, 1, 5, 30, 2, 2];
        for (at, size) in sizes.into_iter().enumerate() {
            frames.try_send(Bytes::from(vec![at as u8; size])).expect("there is room");
        }
        drop(frames);
        let all: Vec<Vec<Bytes>> =
            batches(waiting, (3, 8)).map(|batch| batch.frames).collect().await;
        let seen: Vec<usize> = all.iter().flatten().map(Bytes::len).collect();
        assert_eq!(seen, sizes);
        for batch in &all {
            let bytes: usize = batch.iter().map(Bytes::len).sum();
            assert!(batch.len() == 1 || batch.len() <= 3 && bytes <= 8, "{batch:?}");
        }
        assert_eq!(all.len(), 4);
    }
}
