//! What was found of a task's output, and how it is given to a reader: in pieces, and later where
//! it is with a member that is away.

use std::collections::VecDeque;

use bary_api::problem::Refused;
use bary_api::v1::LogChunk;
use bary_model::payload::Payload;
use bary_ports::executor::Stream;
use bary_ports::store::StoreError;
use bytes::Bytes;

use crate::service::Inner;
use crate::service::emit::{Emit, Gone};
use crate::service::pour::{Poured, unread};

/// What is there to be given of one task.
pub(super) struct Found {
    name: String,
    attempt: u16,
    /// The first of it first.
    parts: VecDeque<(Stream, Part)>,
    /// Whether the reader knows that he has to wait for it.
    is_told: bool,
}

/// Something that a task printed to one stream.
pub(super) enum Part {
    /// A piece of it, which the task printed since it was looked at last.
    Piece(Bytes),
    /// What an ended task printed, from one byte on, wherever that is kept.
    Rest(Payload, u64),
}

impl Found {
    /// Of an attempt of the task with this name.
    pub(super) fn new(
        name: String,
        attempt: u16,
        parts: impl IntoIterator<Item = (Stream, Part)>,
    ) -> Self {
        Self { name, attempt, parts: parts.into_iter().collect(), is_told: false }
    }

    /// Gives it, and forgets what was given.
    async fn give(
        &mut self,
        inner: &Inner,
        emit: &Emit<LogChunk>,
    ) -> Result<Result<(), Gone>, StoreError> {
        while let Some((stream, part)) = self.parts.front() {
            let stream = match stream {
                Stream::Out => "out",
                Stream::Err => "err",
            };
            let mut poured = match part {
                Part::Piece(bytes) => Poured::Here(bytes.clone()),
                Part::Rest(payload, from) => Poured::new(inner.store(), payload, *from),
            };
            let mut more = true;
            while more {
                let data;
                (data, more) = poured.next().await?;
                if data.is_empty() {
                    continue;
                }
                let (task, attempt) = (self.name.clone(), self.attempt.into());
                let stream = stream.to_owned();
                let chunk = LogChunk { task, attempt, stream, data, ..LogChunk::default() };
                if emit.give(chunk).await.is_err() {
                    return Ok(Err(Gone));
                }
            }
            self.parts.pop_front();
        }
        Ok(Ok(()))
    }
}

/// Gives what was found of tasks. What is with members that are away goes to `late`, where there is
/// such a list, and the reader is told so once.
pub(super) async fn show(
    inner: &Inner,
    found: Vec<Found>,
    mut late: Option<&mut Vec<Found>>,
    emit: &Emit<LogChunk>,
) -> Result<Result<(), Gone>, Refused> {
    for mut found in found {
        let error = match found.give(inner, emit).await {
            Ok(Ok(())) => continue,
            Ok(Err(Gone)) => return Ok(Err(Gone)),
            Err(error) => error,
        };
        let refused = unread(&format!("what task {} printed", found.name), &error);
        let (StoreError::Away(_), Some(late)) = (&error, late.as_deref_mut()) else {
            return Err(refused);
        };
        if !found.is_told {
            found.is_told = true;
            let note = format!("{}; it is shown once that member is there", refused.title);
            if emit.give(LogChunk { note, ..LogChunk::default() }).await.is_err() {
                return Ok(Err(Gone));
            }
        }
        late.push(found);
    }
    Ok(Ok(()))
}
