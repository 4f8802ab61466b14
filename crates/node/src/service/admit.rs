//! Who may do what: the role of the table, a line of the audit log for each change and each
//! refusal, and no more under way at a time than the limits say.

use std::sync::Arc;

use bary_api::problem::{Kind, Refused};
use bary_api::verb::Verb;
use bary_identity::audit::{Entry, Outcome};
use tokio::sync::OwnedSemaphorePermit;

use crate::board::clock;
use crate::service::caller::Caller;
use crate::service::{Inner, Service};

/// Leave to do one thing, while it lives.
pub(super) struct Leave<'a> {
    inner: &'a Inner,
    caller: &'a Caller,
    verb: Verb,
    target: String,
    pub(super) permit: OwnedSemaphorePermit,
}

/// Seconds after which a request that was shed may be tried again.
const SHED: f64 = 0.1;

impl Service {
    /// Leave for a caller to use a verb on something. What changes anything is in the audit log
    /// before it is done.
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

    /// As [`Service::admit`], for what the caller gave a reason for.
    pub(super) fn admit_why<'a>(
        &'a self,
        caller: &'a Caller,
        verb: Verb,
        target: impl Into<String>,
        why: &str,
    ) -> Result<Leave<'a>, Refused> {
        let (inner, row, target) = (&*self.0, verb.row(), target.into());
        let said = |outcome, reason| inner.note(caller, verb, &target, outcome, reason);
        if caller.role < row.role {
            let title =
                format!("{verb} needs the role {}, {} has {}", row.role, caller.name, caller.role);
            said(Outcome::Refused, &title)?;
            let help = format!("ask with a token of the role {}", row.role);
            return Err(Refused::new(Kind::Denied, title).help(help));
        }
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
            said(Outcome::Done, why)?;
        }
        Ok(Leave { inner, caller, verb, target, permit })
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
    /// Notes in the audit log what came of a change where it was not made after all.
    pub(super) fn settle<T>(self, done: Result<T, Refused>) -> Result<T, Refused> {
        if let Err(refused) = &done
            && self.verb.row().changes
        {
            let Self { inner, caller, verb, ref target, .. } = self;
            inner.note(caller, verb, target, Outcome::Refused, &refused.title)?;
        }
        done
    }
}
