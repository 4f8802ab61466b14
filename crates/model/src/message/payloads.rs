//! Looking into what is said: which payloads it refers to.

use std::sync::Arc;

use crate::message::{GrantItem, OutcomeItem, Outcomes, Say};
use crate::outcome::{Outcome, Results};
use crate::payload::Payload;

impl Say {
    /// Shows `visit` every payload of it, which may be changed. What others share is copied first.
    pub fn payloads(&mut self, visit: &mut dyn FnMut(&mut Payload)) {
        match self {
            Self::Checkpoint { payload, .. } => visit(payload),
            Self::Grant(grant) => grant.items.iter_mut().for_each(|item| of_grant(item, visit)),
            Self::Announce(told) => told.items.iter_mut().for_each(|item| of_grant(item, visit)),
            Self::Outcomes(outcomes) => of_outcomes(outcomes, visit),
            Self::Repeat(all) => all.iter_mut().for_each(|outcomes| of_outcomes(outcomes, visit)),
            _ => {}
        }
    }

    /// Whether any payload of it is such a one.
    pub fn any_payload(&self, is: &mut dyn FnMut(&Payload) -> bool) -> bool {
        match self {
            Self::Checkpoint { payload, .. } => is(payload),
            Self::Grant(grant) => grant.items.iter().any(|item| any_of_grant(item, is)),
            Self::Announce(told) => told.items.iter().any(|item| any_of_grant(item, is)),
            Self::Outcomes(outcomes) => any_of_outcomes(outcomes, is),
            Self::Repeat(all) => all.iter().any(|outcomes| any_of_outcomes(outcomes, is)),
            _ => false,
        }
    }
}

fn of_grant(item: &mut GrantItem, visit: &mut dyn FnMut(&mut Payload)) {
    if let Some(upstream) = &mut item.upstream {
        let all = Arc::make_mut(upstream).iter_mut();
        all.flat_map(|upstream| &mut upstream.results).for_each(&mut *visit);
    }
    if let Some((_, payload)) = &mut item.checkpoint {
        visit(payload);
    }
}

fn any_of_grant(item: &GrantItem, is: &mut dyn FnMut(&Payload) -> bool) -> bool {
    let mut upstream = item.upstream.iter().flat_map(|all| all.iter());
    upstream.any(|upstream| upstream.results.iter().any(&mut *is))
        || item.checkpoint.as_ref().is_some_and(|(_, payload)| is(payload))
}

fn of_outcomes(outcomes: &mut Outcomes, visit: &mut dyn FnMut(&mut Payload)) {
    let items = Arc::make_mut(&mut outcomes.items).iter_mut();
    for OutcomeItem { outcome, stderr, .. } in items {
        visit(stderr);
        match outcome {
            Outcome::Succeeded(Results::Each(each)) => each.iter_mut().for_each(&mut *visit),
            Outcome::Failed { output, .. } => visit(output),
            Outcome::Succeeded(Results::Nothing) | Outcome::Stopped | Outcome::Returned => {}
        }
    }
}

fn any_of_outcomes(outcomes: &Outcomes, is: &mut dyn FnMut(&Payload) -> bool) -> bool {
    outcomes.items.iter().any(|OutcomeItem { outcome, stderr, .. }| {
        is(stderr)
            || match outcome {
                Outcome::Succeeded(Results::Each(each)) => each.iter().any(&mut *is),
                Outcome::Failed { output, .. } => is(output),
                Outcome::Succeeded(Results::Nothing) | Outcome::Stopped | Outcome::Returned => {
                    false
                }
            }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Fence, TaskRange};
    use crate::outcome::Usage;

    #[test]
    fn every_payload_that_is_said_is_shown_and_found() {
        let text = |text: &'static str| Payload::Inline(text.into());
        let item = |outcome, stderr| OutcomeItem {
            fence: Fence::default(),
            range: TaskRange::default(),
            outcome,
            stderr: text(stderr),
            usage: Usage::default(),
        };
        let each = Results::Each(vec![text("a"), text("b")]);
        let items = [item(Outcome::Succeeded(each), "c"), item(Outcome::Returned, "d")];
        let outcomes = Outcomes { batch: 1, items: items.to_vec().into(), ask: None };
        let mut say = Say::Repeat(vec![outcomes]);
        let mut seen = Vec::new();
        say.payloads(&mut |payload| seen.push(payload.clone()));
        assert_eq!(seen, ["c", "a", "b", "d"].map(text));
        for one in &seen {
            assert!(say.any_payload(&mut |payload| payload == one));
        }
        assert!(!say.any_payload(&mut |payload| payload.is_empty()));
    }
}
