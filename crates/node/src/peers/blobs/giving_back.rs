//! Giving back the space of results that nobody reads any more: the member that made them hears it
//! from the home of their job, at once or when it is there again, and as often as it takes.

use std::sync::Arc;

use bary_model::payload::{BlobRef, Kept};
use bary_transport::mesh::shelf::RESULTS_AT_ONCE_MAX;

use super::Blobs;
use crate::peers::holders::Holder;
use crate::serve::log::Level;

impl Blobs {
    /// Gives back the space of results here; what is not here, or is something else, stays.
    pub(super) fn give_back(&self, kept: &[Kept]) {
        let mut own: Vec<BlobRef> = Vec::new();
        for kept in kept {
            if kept.member != self.me {
                self.copies.remove(kept);
                self.fetched.remove(kept);
            } else if self.own.hash(kept.blob).is_ok_and(|hash| hash == kept.hash) {
                own.push(kept.blob);
            }
        }
        self.own.discard(&own);
    }

    /// Tells those members that are there what nobody reads any more.
    pub(crate) fn tend(self: &Arc<Self>) {
        self.go_on_copying();
        for member in self.releases.waiting() {
            let blobs = Arc::clone(self);
            drop(self.on.spawn(async move { blobs.release_at(member).await }));
        }
    }

    /// Tells a member, as long as it hears, all that it is to give back.
    async fn release_at(self: Arc<Self>, member: u64) {
        loop {
            let batch = self.releases.of(member, RESULTS_AT_ONCE_MAX);
            if batch.is_empty() {
                break;
            }
            if !self.hears(member, &batch).await {
                break;
            }
            let blobs = Arc::clone(&self);
            let done = move || {
                // What was copied or fetched here goes as well.
                blobs.give_back(&batch);
                blobs.releases.done(member, &batch)
            };
            if let Ok(Err(error)) = tokio::task::spawn_blocking(done).await {
                let text = format!("what was given back is not written down: {error}");
                self.log.say(Level::Warning, &text, &[]);
                break;
            }
        }
        self.releases.rest(member);
    }

    /// Whether a member has heard what it is to give back, or never will.
    async fn hears(&self, member: u64, batch: &[Kept]) -> bool {
        let Some(peers) = self.peers.upgrade() else { return false };
        match peers.holder(member) {
            _ if member == self.me => true,
            Holder::There(_) => {
                // Others may have copies.
                for other in peers.nearest().into_iter().filter(|other| *other != member) {
                    if let Err(error) = self.mesh.release(other, batch).await {
                        let text = format!("a member may keep copies that nobody reads: {error}");
                        self.log.say(Level::Warning, &text, &[]);
                    }
                }
                self.mesh.release(member, batch).await.is_ok()
            }
            Holder::Away(_) => false,
            Holder::Removed(_) => true,
        }
    }
}
