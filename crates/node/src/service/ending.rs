//! Who wants the end of a service, and that it has come.

use std::sync::Arc;

use crate::service::{Ending, Service};

impl Service {
    /// Waits until somebody wants the end, or the node has failed.
    pub async fn ending(&self) -> Ending {
        let mut wanted = self.0.ending.subscribe();
        let ending = wanted.wait_for(Option::is_some).await;
        // The sender lives as long as the service.
        ending.ok().and_then(|ending| ending.clone()).unwrap_or(Ending::Now)
    }

    /// Whether its end is wanted, or has come.
    pub(crate) fn has_ended(&self) -> bool {
        self.0.ending.borrow().is_some()
    }

    /// What says that the end is wanted, without keeping the service: nothing of it may be left
    /// where the node begins again.
    pub(crate) fn wants_later(&self) -> impl Fn(Ending) + Send + 'static {
        let inner = Arc::downgrade(&self.0);
        move |how| {
            if let Some(inner) = inner.upgrade() {
                Self(inner).want(how);
            }
        }
    }

    /// Says that the end is wanted, where nobody has said so.
    pub(crate) fn want(&self, how: Ending) {
        self.0.ending.send_if_modified(|ending| {
            let unknown = ending.is_none();
            ending.get_or_insert(how);
            unknown
        });
    }
}
