//! Who may do what: the role of the table, a line of the audit log for each change and each
//! refusal, and no more under way at a time than the limits say.

use std::sync::Arc;

use bary_api::problem::{Kind, Refused};
use bary_api::verb::Verb;
use bary_identity::audit::{Entry, Outcome};
use tokio::sync::OwnedSemaphorePermit;

use crate::audit::{AppendError, Need};
use crate::board::clock;
use crate::service::caller::Caller;
use crate::service::{Inner, Service};

/// Leave to do one thing, while it lives.
pub(super) struct Leave<'a> {
    line: Line<'a>,
    pub(super) permit: OwnedSemaphorePermit,
}

/// The line of the audit log about one thing: written once, when it is known what came of it. Who
/// does not wait to know is told of all the same.
struct Line<'a> {
    inner: &'a Inner,
    caller: &'a Caller,
    verb: Verb,
    target: String,
    why: Box<str>,
    /// Whether it is still to be written; what changes nothing has none.
    due: bool,
}

/// What a line says where nobody waited for the outcome.
pub(super) const UNKNOWN: &str = "its caller did not wait for the answer";

/// Seconds after which a request that was shed may be tried again.
const SHED: f64 = 0.1;

impl Service {
    /// Leave for a caller to use a verb on something. Of what changes anything the audit log has a
    /// line before it is acknowledged.
    ///
    /// # Errors
    /// Where the role is too low, too much is under way, or the audit log takes no line. Nothing
    /// was changed.
    pub(super) fn admit<'a>(
        &'a self,
        caller: &'a Caller,
        verb: Verb,
        target: impl Into<String>,
    ) -> Result<Leave<'a>, Refused> {
        self.admit_why(caller, verb, target, "")
    }

    /// Whether a caller has the role that a verb needs; the audit log has a line where not.
    ///
    /// # Errors
    /// Where the role is too low.
    pub(crate) fn check_role(
        &self,
        caller: &Caller,
        verb: Verb,
        target: &str,
    ) -> Result<(), Refused> {
        let needed = verb.row().role;
        if caller.role >= needed {
            return Ok(());
        }
        let title = format!("{verb} needs the role {needed}, {} has {}", caller.name, caller.role);
        self.0.note(caller, verb, target, Outcome::Refused, &title)?;
        let help = format!("ask with a token of the role {needed}");
        Err(Refused::new(Kind::Denied, title).help(help))
    }

    /// As [`Service::admit`], for what the caller gave a reason for.
    pub(super) fn admit_why<'a>(
        &'a self,
        caller: &'a Caller,
        verb: Verb,
        target: impl Into<String>,
        why: &str,
    ) -> Result<Leave<'a>, Refused> {
        let (inner, row, target) = (&*self.0, verb.row(), target.into());
        self.check_role(caller, verb, &target)?;
        let long = row.streams || verb == Verb::Wait;
        let (places, limit) = match long {
            true => (&inner.streams, "streams_max"),
            false => (&inner.in_flight, "requests_in_flight_max"),
        };
        let permit = Arc::clone(places).try_acquire_owned().map_err(|_| {
            let title = format!("too much is under way (limit {limit})");
            Refused::new(Kind::Full, title).help("try again in a moment").retry_after(SHED)
        })?;
        if row.changes {
            inner.audit.make_sure(need(verb))?;
        }
        let line = Line { inner, caller, verb, target, why: why.into(), due: row.changes };
        Ok(Leave { line, permit })
    }
}

/// What has to wait on a full disk: all that makes more of what is kept.
fn need(verb: Verb) -> Need {
    match verb {
        Verb::Submit | Verb::Commit | Verb::Session | Verb::Extend | Verb::Retry => Need::More,
        Verb::CreateToken | Verb::Backup => Need::More,
        _ => Need::Less,
    }
}

impl Inner {
    /// Writes a line into the audit log.
    pub(super) fn note(
        &self,
        caller: &Caller,
        verb: Verb,
        target: &str,
        outcome: Outcome,
        reason: &str,
    ) -> Result<(), Refused> {
        Ok(self.append(caller, verb, target, outcome, reason)?)
    }

    fn append(
        &self,
        caller: &Caller,
        verb: Verb,
        target: &str,
        outcome: Outcome,
        reason: &str,
    ) -> Result<(), AppendError> {
        self.audit.append(&Entry {
            at: clock::now(),
            who: &caller.name,
            role: Some(caller.role),
            door: caller.door.name(),
            verb: verb.row().name,
            target,
            outcome,
            reason,
        })?;
        Ok(())
    }
}

impl Leave<'_> {
    /// Notes in the audit log what came of a change.
    ///
    /// # Errors
    /// Where it was refused, or the audit log took no line: it may have been done then.
    pub(super) fn settle<T>(mut self, done: Result<T, Refused>) -> Result<T, Refused> {
        let noted = self.line.write(done.as_ref().err());
        // What was refused was not done, whether or not that is noted.
        let done = done?;
        noted.map(|()| done)
    }

    /// As [`Leave::settle`] for a stream that has begun, which keeps its place.
    ///
    /// # Errors
    /// Where the audit log takes no line.
    pub(super) fn begun(mut self) -> Result<OwnedSemaphorePermit, Refused> {
        self.line.write(None)?;
        Ok(self.permit)
    }
}

impl Line<'_> {
    fn write(&mut self, refused: Option<&Refused>) -> Result<(), Refused> {
        if !std::mem::take(&mut self.due) {
            return Ok(());
        }
        let (outcome, reason) = match refused {
            Some(refused) => (Outcome::Refused, refused.title.as_str()),
            None => (Outcome::Done, &*self.why),
        };
        self.inner.append(self.caller, self.verb, &self.target, outcome, reason).map_err(|error| {
            let title = format!("it may have been done, but is not in the audit log: {error}");
            let refused = Refused::from(error);
            Refused { kind: Kind::Unavailable, title, ..refused }
        })
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if std::mem::take(&mut self.due) {
            let why = if self.why.is_empty() { UNKNOWN.into() } else { self.why.clone() };
            // A log that takes no line stops the next change, which needs one.
            drop(self.inner.append(self.caller, self.verb, &self.target, Outcome::Done, &why));
        }
    }
}
