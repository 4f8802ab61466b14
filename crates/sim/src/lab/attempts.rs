//! What becomes of attempts in a scenario, and what is done about those that go wrong.

use bary_jobfile::document::{Document, Section};
use bary_jobfile::fault::Fault;
use bary_model::action::Backoff;
use bary_model::task::Body;
use bary_model::time::Span;

use crate::fates::Fates;

/// How often attempts go wrong, and what each task has against it.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempts {
    /// How often they go wrong.
    pub fates: Fates,
    /// How many more attempts a failed task gets.
    pub retries: u16,
    /// How long it waits before the second.
    pub backoff: Span,
    /// How long an attempt may take.
    pub timeout: Span,
    /// How long an attempt may show no life.
    pub heartbeat: Option<Span>,
}

/// No task of a scenario takes too long unless it says so.
const TIMEOUT: Span = Span::secs(1_000_000_000);

impl Default for Attempts {
    fn default() -> Self {
        let fates = Fates { exits: true, hang_max: TIMEOUT, ..Fates::default() };
        let backoff = Backoff::default().base;
        Self { fates, retries: 0, backoff, timeout: TIMEOUT, heartbeat: None }
    }
}

impl Attempts {
    /// Reads the table `attempts`.
    ///
    /// # Errors
    /// Where attempts hang or are silent for good, as nothing ends them.
    pub(crate) fn read(
        document: &Document<'_>,
        from: Option<&Section<'_>>,
    ) -> Result<Self, Box<Fault>> {
        let usual = Self::default();
        let Some(from) = from else { return Ok(usual) };
        let percent = |key| from.integer(key).map_or(0, |percent| percent as u64);
        let (fails, hangs) = (percent("fails"), percent("hangs"));
        let (silent, poison) = (percent("silent"), percent("poison"));
        for (share, key, against) in [(hangs, "hangs", "timeout"), (silent, "silent", "heartbeat")]
        {
            if share > 0 && !from.has(against) {
                let text = format!("`{key}` is given, and nothing ends such attempts");
                let fix = format!("add {against} = \"10s\"");
                return Err(document.fault(from.span(key), &text, &fix));
            }
        }
        Ok(Self {
            fates: Fates { fails, hangs, silent, poison, ..usual.fates },
            retries: from.integer("retries").map_or(3, |retries| retries as u16),
            backoff: from.time("backoff").unwrap_or(usual.backoff),
            timeout: from.time("timeout").unwrap_or(TIMEOUT),
            heartbeat: from.time("heartbeat"),
        })
    }

    /// Gives a task what it has against going wrong.
    pub(crate) fn arm(&self, body: &mut Body) {
        (body.retries, body.timeout) = (self.retries, self.timeout);
        (body.backoff.base, body.heartbeat_timeout) = (self.backoff, self.heartbeat);
    }
}
