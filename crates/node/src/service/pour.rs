//! What tasks gave and printed, poured out in pieces: however many bytes it is, a few pieces are in
//! memory at a time.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use bary_api::problem::{Kind, Refused};
use bary_model::payload::Payload;
use bary_ports::store::{Store, StoreError};
use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::service::emit::Emit;

/// The most bytes of one piece.
const PIECE_BYTES: usize = 256 << 10;
/// How many pieces wait for whoever reads.
const PIECES_AHEAD_MAX: usize = 2;
/// How often it is looked whether a member is there again that a reader waits for.
pub(super) const AWAY_LOOK: Duration = Duration::from_secs(1);
/// After how many seconds it makes sense to ask again for what a member keeps that is away.
const AWAY_RETRY_SECONDS: f64 = 5.0;

/// Bytes on their way out.
pub(super) enum Poured {
    /// They are in memory already.
    Here(Bytes),
    /// A thread that may wait for them reads them, as fast as they are taken.
    Coming { coming: mpsc::Receiver<Bytes>, read: JoinHandle<Result<Bytes, StoreError>> },
}

impl Poured {
    /// The bytes of a payload, from one of them on.
    pub(super) fn new(store: Arc<dyn Store>, payload: &Payload, from: u64) -> Self {
        match payload {
            Payload::Empty => Self::Here(Bytes::new()),
            Payload::Inline(bytes) => {
                let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
                Self::Here(bytes.slice(from..))
            }
            payload @ (Payload::Stored(_) | Payload::Kept(_)) => {
                let (into, coming) = mpsc::channel(PIECES_AHEAD_MAX);
                let payload = payload.clone();
                let read = spawn_blocking(move || {
                    let mut pieces = Pieces { into, skipped: from, piece: BytesMut::new() };
                    store.read_payload_to(&payload, &mut pieces).map(|()| pieces.piece.freeze())
                });
                Self::Coming { coming, read }
            }
        }
    }

    /// The next piece, and whether more follow; the last may be empty. Not to be asked after it.
    ///
    /// # Errors
    /// Where they cannot be read. Those that another member keeps who is away: before the first.
    pub(super) async fn next(&mut self) -> Result<(Bytes, bool), StoreError> {
        match self {
            Self::Here(bytes) if bytes.len() > PIECE_BYTES => {
                Ok((bytes.split_to(PIECE_BYTES), true))
            }
            Self::Here(bytes) => Ok((std::mem::take(bytes), false)),
            Self::Coming { coming, read } => match coming.recv().await {
                Some(piece) => Ok((piece, true)),
                None => {
                    let last = read.await.map_err(io::Error::from)?;
                    last.map(|piece| (piece, false))
                }
            },
        }
    }
}

/// Waits a moment for a member that is away; false where nobody wants what it keeps any more.
pub(super) async fn wait<T>(emit: &Emit<T>) -> bool {
    tokio::select! {
        () = tokio::time::sleep(AWAY_LOOK) => true,
        () = emit.closed() => false,
    }
}

/// Why something that a task gave is not read.
pub(super) fn unread(what: &str, error: &StoreError) -> Refused {
    match error {
        StoreError::Away(why) => Refused {
            help: "try again when that member is there; --follow waits for it".to_owned(),
            retry_after: Some(AWAY_RETRY_SECONDS),
            ..Refused::new(Kind::Unavailable, format!("{what} cannot be read now: {why}"))
        },
        error => Refused::new(Kind::NotFound, format!("{what} is lost: {error}")),
    }
}

/// Takes bytes in, and hands on those that make whole pieces. What is left is the last one.
struct Pieces {
    into: mpsc::Sender<Bytes>,
    /// How many bytes at the beginning nobody wants.
    skipped: u64,
    piece: BytesMut,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.skipped > 0 {
            let skipped = self.skipped.min(bytes.len() as u64);
            self.skipped -= skipped;
            return Ok(skipped as usize);
        }
        if self.piece.len() == PIECE_BYTES {
            let whole = std::mem::take(&mut self.piece).freeze();
            self.into.blocking_send(whole).map_err(|_| io::ErrorKind::BrokenPipe)?;
        }
        if self.piece.capacity() == 0 && bytes.len() + self.piece.len() > Payload::INLINE_MAX {
            self.piece.reserve(PIECE_BYTES);
        }
        let most = bytes.len().min(PIECE_BYTES - self.piece.len());
        self.piece.extend_from_slice(&bytes[..most]);
        Ok(most)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use bary_model::payload::BlobRef;

    use super::*;

    const PART: usize = 4 << 10;

    /// Has one blob of any length, of which no more than a part is ever in memory; counts how much
    /// of it was handed out.
    #[derive(Default)]
    struct Endless(AtomicU64);

    impl Store for Endless {
        fn put(&self, _: &[u8]) -> Result<BlobRef, StoreError> {
            panic!("nothing is kept here");
        }

        fn get(&self, _: BlobRef) -> Result<Bytes, StoreError> {
            panic!("nobody reads it whole");
        }

        fn read_to(&self, blob: BlobRef, to: &mut dyn Write) -> Result<(), StoreError> {
            let mut at = 0;
            while at < blob.len {
                let count = (PART as u64).min(blob.len - at);
                let part: Vec<u8> = (at..at + count).map(|at| at as u8).collect();
                to.write_all(&part).map_err(StoreError::Sink)?;
                at += count;
                self.0.store(at, Ordering::SeqCst);
            }
            Ok(())
        }

        fn release(&self, _: BlobRef) {}
    }

    async fn told(payload: Payload, from: u64) -> Vec<(usize, bool)> {
        let mut poured = Poured::new(Arc::new(Endless::default()), &payload, from);
        let (mut told, mut at) = (Vec::new(), from);
        loop {
            let (piece, more) = poured.next().await.expect("it can be read");
            assert!(piece.iter().zip(at..).all(|(&byte, at)| byte == at as u8), "from {at} on");
            at += piece.len() as u64;
            told.push((piece.len(), more));
            if !more {
                return told;
            }
        }
    }

    #[tokio::test]
    async fn bytes_come_in_pieces_of_which_the_last_says_so() {
        let stored = |len| Payload::Stored(BlobRef { id: 1, len });
        let piece = PIECE_BYTES as u64;
        assert_eq!(told(Payload::Empty, 0).await, [(0, false)]);
        assert_eq!(told(stored(piece), 0).await, [(PIECE_BYTES, false)]);
        assert_eq!(told(stored(piece + 1), 0).await, [(PIECE_BYTES, true), (1, false)]);
        assert_eq!(told(stored(3 * piece), 2 * piece - 1).await, [(PIECE_BYTES, true), (1, false)]);
        assert_eq!(told(stored(piece), piece).await, [(0, false)]);
        assert_eq!(told(Payload::Inline(Bytes::from_static(&[0, 1, 2])), 1).await, [(2, false)]);
    }

    #[tokio::test]
    async fn no_more_is_read_than_is_taken_and_a_few_pieces() {
        let (store, len) = (Arc::new(Endless::default()), 64 << 20);
        let payload = Payload::Stored(BlobRef { id: 1, len });
        let mut poured = Poured::new(Arc::clone(&store) as Arc<dyn Store>, &payload, 0);
        let mut taken = 0;
        loop {
            let (piece, more) = poured.next().await.expect("it can be read");
            taken += piece.len() as u64;
            // Those that wait, the one that is taken in, and the one that finds no place.
            let ahead = store.0.load(Ordering::SeqCst).saturating_sub(taken);
            assert!(ahead <= ((PIECES_AHEAD_MAX + 2) * PIECE_BYTES) as u64, "{ahead} bytes ahead");
            if !more {
                break;
            }
        }
        assert_eq!(taken, len);
    }
}
