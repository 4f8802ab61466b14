//! Answers that come in pieces.

use crate::address::Address;
use crate::call::{self, CallError};

/// An answer in pieces. Dropping it ends it on the node's side too.
#[derive(Debug)]
pub struct Streamed<T> {
    pieces: tonic::Streaming<T>,
    address: Address,
}

impl<T> Streamed<T> {
    pub(crate) fn new(pieces: tonic::Streaming<T>, address: Address) -> Self {
        Self { pieces, address }
    }

    /// The next piece; none after the last.
    ///
    /// # Errors
    /// Where the node ended it for a reason, or went away. No more pieces come then.
    pub async fn next(&mut self) -> Result<Option<T>, CallError> {
        self.pieces.message().await.map_err(|status| call::failure(&self.address, status))
    }

    /// All pieces that are still to come; of an answer without an end this never returns.
    ///
    /// # Errors
    /// As [`Streamed::next`].
    pub async fn all(mut self) -> Result<Vec<T>, CallError> {
        let mut all = Vec::new();
        while let Some(piece) = self.next().await? {
            all.push(piece);
        }
        Ok(all)
    }
}
