//! One stream of frames in each direction. Frames that wait go together in one message, up to a
//! count and a size.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::{Stream, StreamExt};
use tonic::Streaming;

use crate::mesh::Inner;
use crate::mesh::proto::Batch;

/// Bytes that may be on their way on one stream before they are read.
pub(super) const WINDOW: u32 = 4 << 20;

/// Where frames go that wait for a member.
#[derive(Clone, Debug)]
pub(super) struct Outlet {
    frames: mpsc::Sender<Bytes>,
    /// The bytes of those that wait.
    ahead: Arc<AtomicUsize>,
}

/// Where they come from.
#[derive(Debug)]
pub(super) struct Inlet {
    frames: mpsc::Receiver<Bytes>,
    ahead: Arc<AtomicUsize>,
}

/// Both ends of a line in which at most so many frames wait.
pub(super) fn line(frames_max: usize) -> (Outlet, Inlet) {
    let (give, take) = mpsc::channel(frames_max);
    let ahead = Arc::<AtomicUsize>::default();
    (Outlet { frames: give, ahead: Arc::clone(&ahead) }, Inlet { frames: take, ahead })
}

impl Outlet {
    /// Has a frame wait; false where too many do, or more bytes would than these, or nobody takes
    /// any.
    pub(super) fn give(&self, frame: Bytes, bytes_max: usize) -> bool {
        let bytes = frame.len();
        let before = self.ahead.fetch_add(bytes, Ordering::Relaxed);
        let is_given =
            before.saturating_add(bytes) <= bytes_max && self.frames.try_send(frame).is_ok();
        if !is_given {
            self.ahead.fetch_sub(bytes, Ordering::Relaxed);
        }
        is_given
    }
}

impl Inlet {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let next = self.frames.poll_recv(cx);
        next.map(|frame| frame.inspect(|frame| self.taken(frame)))
    }

    fn try_next(&mut self) -> Option<Bytes> {
        self.frames.try_recv().ok().inspect(|frame| self.taken(frame))
    }

    fn taken(&self, frame: &Bytes) {
        self.ahead.fetch_sub(frame.len(), Ordering::Relaxed);
    }
}

/// Frames that wait, as messages.
#[derive(Debug)]
pub(super) struct Batches {
    waiting: Inlet,
    /// One that had no room in the message before.
    over: Option<Bytes>,
    frames_max: usize,
    bytes_max: usize,
}

/// The messages of frames that wait: at most so many frames and, beyond the first, bytes each.
pub(super) fn batches(waiting: Inlet, limits: (usize, usize)) -> Batches {
    Batches { waiting, over: None, frames_max: limits.0, bytes_max: limits.1 }
}

impl Stream for Batches {
    type Item = Batch;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Batch>> {
        let first = match self.over.take() {
            Some(frame) => frame,
            None => match self.waiting.poll_next(cx) {
                Poll::Ready(Some(frame)) => frame,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            },
        };
        let mut bytes = first.len();
        let mut frames = vec![first];
        while frames.len() < self.frames_max {
            let Some(next) = self.waiting.try_next() else { break };
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
    use tokio_stream::StreamExt;

    use super::{batches, line};

    #[tokio::test]
    async fn no_more_frames_and_bytes_wait_than_may() {
        let frame = |size: usize| Bytes::from(vec![0; size]);
        let (frames, waiting) = line(3);
        assert!(frames.give(frame(60), 100) && frames.give(frame(40), 100));
        assert!(!frames.give(frame(1), 100), "there are as many bytes as may be");
        let mut batches = batches(waiting, (1, 1_000));
        assert_eq!(batches.next().await.map(|batch| batch.frames[0].len()), Some(60));
        // What was taken makes room, and what was refused took none.
        assert!(frames.give(frame(59), 100) && frames.give(frame(0), 100));
        assert!(!frames.give(frame(0), 100), "there are as many frames as may be");
        assert_eq!(batches.next().await.map(|batch| batch.frames[0].len()), Some(40));
        drop(batches);
        assert!(!frames.give(frame(0), 100), "nobody takes them any more");
    }

    #[tokio::test]
    async fn frames_keep_their_order_and_messages_their_limits() {
        let (frames, waiting) = line(100);
        let sizes = [1, 1, 1, 5, 30, 2, 2];
        for (at, size) in sizes.into_iter().enumerate() {
            assert!(frames.give(Bytes::from(vec![at as u8; size]), 42));
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
