//! A connection as the doors see it: what reads and writes nothing for too long is cut off, which
//! the protocols above do not do in each of their states.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// A stream that gives up on a peer that is silent at first, or takes nothing later.
#[derive(Debug)]
pub(crate) struct Wire<S> {
    stream: S,
    /// Bytes that still have to arrive before the protocol watches by itself.
    greeting: usize,
    /// When the greeting must be there, and later when a write must have gone on.
    due: Pin<Box<Sleep>>,
    stall: Duration,
    stalled: bool,
}

/// So long is the preface of HTTP/2; the first line of HTTP/1 with its host is longer.
const GREETING: usize = 24;

impl<S> Wire<S> {
    /// Watches a stream that was just accepted.
    pub(crate) fn new(stream: S, greeting: Duration, stall: Duration) -> Self {
        let due = Box::pin(sleep_until(Instant::now() + greeting));
        Self { stream, greeting: GREETING, due, stall, stalled: false }
    }

    /// Notes how a write went; an error once the peer has taken nothing for too long.
    fn wrote<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = false;
            return written;
        }
        if !self.stalled {
            self.stalled = true;
            self.due.as_mut().reset(Instant::now() + self.stall);
        }
        match self.due.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if self.greeting == 0 {
            return read;
        }
        if read.is_ready() {
            self.greeting = self.greeting.saturating_sub(buffer.filled().len() - before);
            return read;
        }
        match self.due.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.wrote(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.wrote(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn paused() -> tokio::runtime::Runtime {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().start_paused(true).build().expect("a runtime")
    }

    #[test]
    fn a_peer_that_says_little_is_cut_off() {
        paused().block_on(async {
            let (mut peer, end) = duplex(64);
            let mut wire = Wire::new(end, SECOND, SECOND);
            peer.write_all(b"PRI").await.expect("there is room");
            let mut buffer = [0; 64];
            assert_eq!(wire.read(&mut buffer).await.expect("it is there"), 3);
            let late = wire.read(&mut buffer).await.expect_err("nothing follows");
            assert_eq!(late.kind(), io::ErrorKind::TimedOut);
        });
    }

    #[test]
    fn a_peer_that_has_greeted_may_be_silent() {
        paused().block_on(async {
            let (mut peer, end) = duplex(64);
            let mut wire = Wire::new(end, SECOND, SECOND);
            peer.write_all(&[b'x'; 24]).await.expect("there is room");
            let mut buffer = [0; 64];
            assert_eq!(wire.read(&mut buffer).await.expect("it is there"), 24);
            let silent = tokio::time::timeout(10 * SECOND, wire.read(&mut buffer)).await;
            assert!(silent.is_err(), "nobody else gives up");
        });
    }

    #[test]
    fn a_reader_that_takes_nothing_is_cut_off() {
        paused().block_on(async {
            let (_peer, end) = duplex(64);
            let mut wire = Wire::new(end, SECOND, SECOND);
            let stuck = wire.write_all(&[0; 1_024]).await.expect_err("nobody reads");
            assert_eq!(stuck.kind(), io::ErrorKind::TimedOut);
        });
    }
}
