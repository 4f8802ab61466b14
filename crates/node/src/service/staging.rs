//! What has come of submissions in chunks. Nothing of it is visible to anybody; what is abandoned
//! is dropped.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bary_api::chunks::{CHUNK_BYTES_MAX, Format, IN_PARTS};
use bary_api::problem::{Kind, Refused};
use bary_api::v1::{BeginRequest, SubmitReply, SubmitRequest};
use bytes::Bytes;

use crate::service::keys;
use crate::service::options::ServiceLimits;

/// All submissions of which chunks come.
#[derive(Debug, Default)]
pub(super) struct Staging {
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    staged: BTreeMap<Name, Arc<Staged>>,
    /// Bytes that were announced, of all.
    bytes: usize,
    /// Whether somebody waits to drop what is abandoned.
    watched: bool,
    /// What was answered to the latest that added to jobs. They leave no key in the ledger, so
    /// that this is how one that is committed again is known.
    added: VecDeque<(Name, SubmitReply)>,
}

/// How many answers to those that added to jobs are remembered.
const STAGED_ADDED_MAX: usize = 1_024;

/// Names of callers do not meet.
type Name = (Box<str>, Box<str>);

/// One submission of which chunks come.
#[derive(Debug)]
pub(super) struct Staged {
    said: SubmitRequest,
    format: Format,
    bytes: usize,
    /// The open job that it adds to, by the number that people know; 0 where it is a job.
    pub(super) job: u32,
    came: Mutex<Came>,
    /// Whoever commits it has this, so that a second one waits for the answer of the first.
    pub(super) turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Came {
    what: What,
    /// When something came of it last.
    at: Instant,
}

#[derive(Debug)]
enum What {
    Part(Vec<u8>),
    Whole(Bytes),
}

impl What {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Part(part) => part,
            Self::Whole(whole) => whole,
        }
    }
}

/// Seconds after which there may be room for another one.
const FULL: f64 = 5.0;

impl Staging {
    /// Announces one; what has come of it, and whether nobody watches over them yet.
    ///
    /// # Errors
    /// Where it cannot be, there is no room, or another one has the name.
    pub(super) fn begin(
        &self,
        caller: &str,
        request: BeginRequest,
        limits: &ServiceLimits,
        now: Instant,
    ) -> Result<(u64, bool), Refused> {
        let name = (caller.into(), request.id.as_str().into());
        let wanted = Staged::of(request, limits, now)?;
        let mut books = self.books();
        if let Some(there) = books.staged.get(&name) {
            return if there.is_same(&wanted) {
                Ok((there.touch(now), false))
            } else {
                Err(in_use(&name.1))
            };
        }
        if let Some(reply) = books.added(&name) {
            let same = wanted.job == reply.job;
            return if same { Ok((wanted.bytes as u64, false)) } else { Err(in_use(&name.1)) };
        }
        books.check_room(caller, wanted.bytes, limits)?;
        wanted.reserve()?;
        books.bytes += wanted.bytes;
        books.staged.insert(name, Arc::new(wanted));
        Ok((0, !std::mem::replace(&mut books.watched, true)))
    }

    /// Adds a chunk; how many bytes there are by now.
    ///
    /// # Errors
    /// Where nothing was announced under the name, or the chunk is not the next one and was not
    /// there before.
    pub(super) fn chunk(
        &self,
        caller: &str,
        id: &str,
        offset: u64,
        data: &[u8],
        now: Instant,
    ) -> Result<u64, Refused> {
        let staged = self.find(caller, id).ok_or_else(|| unknown(id))?;
        staged.add(offset, data, now)
    }

    /// The one of a name.
    pub(super) fn find(&self, caller: &str, id: &str) -> Option<Arc<Staged>> {
        self.books().staged.get(&(caller.into(), id.into())).cloned()
    }

    /// Whether it is still there.
    pub(super) fn has(&self, caller: &str, id: &str, staged: &Arc<Staged>) -> bool {
        self.find(caller, id).is_some_and(|there| Arc::ptr_eq(&there, staged))
    }

    /// Remembers what was answered to one that added to a job.
    pub(super) fn answer(&self, caller: &str, id: &str, reply: SubmitReply) {
        let mut books = self.books();
        if books.added.len() == STAGED_ADDED_MAX {
            books.added.pop_front();
        }
        books.added.push_back(((caller.into(), id.into()), reply));
    }

    /// What was answered to one that added to a job, where that is still remembered.
    pub(super) fn answered(&self, caller: &str, id: &str) -> Option<SubmitReply> {
        self.books().added(&(caller.into(), id.into())).cloned()
    }

    /// Drops one that is no longer needed.
    pub(super) fn remove(&self, caller: &str, id: &str) {
        let mut books = self.books();
        if let Some(staged) = books.staged.remove(&(caller.into(), id.into())) {
            books.bytes -= staged.bytes;
        }
    }

    /// Drops what is abandoned; when to look again, or none where nothing is left, and nobody
    /// watches then.
    pub(super) fn drop_abandoned(&self, span: Duration, now: Instant) -> Option<Instant> {
        let mut books = self.books();
        let mut freed = 0;
        books.staged.retain(|_, staged| {
            // What is being committed is not abandoned.
            let kept = staged.due(span) > now || staged.turn.try_lock().is_err();
            freed += if kept { 0 } else { staged.bytes };
            kept
        });
        books.bytes -= freed;
        let next = books.staged.values().map(|staged| staged.due(span).max(now + LOOK_AGAIN)).min();
        books.watched = next.is_some();
        next
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // What the lock guards is changed in whole steps, so that a panic leaves it good.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long to wait at least before looking again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

impl Books {
    fn added(&self, name: &Name) -> Option<&SubmitReply> {
        self.added.iter().find(|(known, _)| known == name).map(|(_, reply)| reply)
    }

    fn check_room(
        &self,
        caller: &str,
        bytes: usize,
        limits: &ServiceLimits,
    ) -> Result<(), Refused> {
        let full = |limit: &str| {
            let title = format!("too many submissions have begun (limit {limit})");
            Refused::new(Kind::Full, title)
                .help("commit those that have come, or try again later")
                .retry_after(FULL)
        };
        let own = || self.staged.iter().filter(|((whose, _), _)| **whose == *caller);
        let own_bytes: usize = own().map(|(_, staged)| staged.bytes).sum();
        let checks = [
            (self.staged.len() + 1 > limits.staged_max, "staged_max"),
            (own().count() + 1 > limits.staged_caller_max, "staged_caller_max"),
            (self.bytes + bytes > limits.staged_bytes_max, "staged_bytes_max"),
            (own_bytes + bytes > limits.staged_caller_bytes_max, "staged_caller_bytes_max"),
        ];
        match checks.iter().find(|(is_full, _)| *is_full) {
            Some((_, limit)) => Err(full(limit)),
            None => Ok(()),
        }
    }
}

impl Staged {
    fn of(request: BeginRequest, limits: &ServiceLimits, now: Instant) -> Result<Self, Refused> {
        let BeginRequest { id, submit, format, bytes, job } = request;
        keys::check(&id)?;
        let mut said = submit.unwrap_or_default();
        let format = Format::of_word(&format)?;
        format.check(said.job.as_ref())?;
        if !said.idempotency_key.is_empty() && said.idempotency_key != id {
            return Err(Refused::new(Kind::Invalid, "`id` and `submit.idempotency_key` differ"));
        }
        if job > 0 && said != (SubmitRequest { job: said.job.clone(), ..Default::default() }) {
            let title = "what adds to a job says nothing of the job (`submit`)";
            return Err(Refused::new(Kind::Invalid, title));
        }
        said.idempotency_key = id;
        let most = limits.submissions_bytes_max;
        let bytes =
            usize::try_from(bytes).ok().filter(|bytes| *bytes <= most).ok_or_else(|| {
                let title = format!("a submission has at most {most} bytes, not {bytes}");
                let refused =
                    Refused::new(Kind::TooLarge, format!("{title} (submissions_bytes_max)"));
                refused.help(IN_PARTS)
            })?;
        let came = Mutex::new(Came { what: What::Part(Vec::new()), at: now });
        Ok(Self { said, format, bytes, job, came, turn: tokio::sync::Mutex::default() })
    }

    /// Whether the same was announced.
    fn is_same(&self, other: &Self) -> bool {
        let about = |staged: &Self| (staged.format, staged.bytes, staged.job);
        about(self) == about(other) && self.said == other.said
    }

    /// Asks for the memory; the system gives it page by page, as bytes come.
    fn reserve(&self) -> Result<(), Refused> {
        let What::Part(part) = &mut self.came().what else { return Ok(()) };
        part.try_reserve_exact(self.bytes).map_err(|_| {
            let title = format!("the machine has no {} bytes of memory left", self.bytes);
            Refused::new(Kind::Full, title).help("try again later").retry_after(FULL)
        })
    }

    fn add(&self, offset: u64, data: &[u8], now: Instant) -> Result<u64, Refused> {
        if data.len() > CHUNK_BYTES_MAX {
            let title = format!("a chunk has at most {CHUNK_BYTES_MAX} bytes (chunk_bytes_max)");
            return Err(Refused::new(Kind::TooLarge, title));
        }
        let mut came = self.came();
        let there = came.what.bytes();
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let Some(before) = there.get(offset..) else {
            let title = format!("the bytes from {} to {offset} are missing", there.len());
            return Err(Refused::new(Kind::Conflict, title).help("send the chunks in order"));
        };
        let (again, more) = data.split_at(before.len().min(data.len()));
        if !before.starts_with(again) {
            let title = format!("the bytes from {offset} on have come before, and were others");
            let help = "give each submission an id of its own";
            return Err(Refused::new(Kind::Conflict, title).help(help));
        }
        if there.len() + more.len() > self.bytes {
            let title = format!("more than the {} bytes have come that were announced", self.bytes);
            return Err(Refused::new(Kind::Invalid, title));
        }
        if let What::Part(part) = &mut came.what {
            part.extend_from_slice(more);
        }
        came.at = now;
        Ok(came.what.bytes().len() as u64)
    }

    /// The whole submission.
    ///
    /// # Errors
    /// Where bytes are missing, or they are no job.
    pub(super) fn whole(&self) -> Result<SubmitRequest, Refused> {
        let mut came = self.came();
        let there = came.what.bytes().len();
        if there < self.bytes {
            let title = format!("{there} bytes of {} have come", self.bytes);
            return Err(Refused::new(Kind::Conflict, title).help("send the rest"));
        }
        let bytes = match &mut came.what {
            What::Whole(whole) => whole.clone(),
            What::Part(part) => Bytes::from(std::mem::take(part)),
        };
        came.what = What::Whole(bytes.clone());
        drop(came);
        let mut said = self.said.clone();
        said.job = Some(self.format.job(bytes, said.job.take())?);
        Ok(said)
    }

    fn touch(&self, now: Instant) -> u64 {
        let mut came = self.came();
        came.at = now;
        came.what.bytes().len() as u64
    }

    fn due(&self, span: Duration) -> Instant {
        self.came().at + span
    }

    fn came(&self) -> MutexGuard<'_, Came> {
        // As for the books.
        self.came.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Another one has the name.
fn in_use(id: &str) -> Refused {
    let title = format!("another submission with the id `{id}` has begun");
    Refused::new(Kind::Conflict, title).help("give each an id of its own")
}

/// Nothing has begun under a name.
pub(super) fn unknown(id: &str) -> Refused {
    let title = format!("no submission `{id}` has begun, or it was abandoned");
    Refused::new(Kind::NotFound, title).help("begin it again")
}

#[cfg(test)]
#[path = "staging/tests.rs"]
mod tests;
