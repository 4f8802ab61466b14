//! Giving back the space of results that nobody reads any more: the member that made them and all
//! that may have copies hear it from a home of their job, at once or when they are there again, and
//! as often as it takes.

use std::sync::Arc;

use bary_model::payload::{BlobRef, Kept};
use bary_transport::mesh::shelf::RESULTS_AT_ONCE_MAX;

use super::Blobs;
use crate::journal::releases::Releases;
use crate::peers::holders::Holder;
use crate::serve::log::Level;

impl Blobs {
    /// Gives back the space of results here; what is not here, or is something else, stays.
    pub(super) fn give_back(&self, kept: &[Kept]) {
        let mut own: Vec<BlobRef> = Vec::new();
        for kept in kept {
            self.unwant(kept);
            if kept.member != self.me {
                self.copies.remove(kept);
                self.fetched.remove(kept);
            } else if self.own.hash(kept.blob).is_ok_and(|hash| hash == kept.hash) {
                own.push(kept.blob);
            }
        }
        self.own.discard(&own);
    }

    /// Does what is due: has copies made, and tells what nobody reads any more.
    pub(crate) fn tend(self: &Arc<Self>) {
        self.go_on_copying();
        self.tend_homes();
        self.give_back_of(&self.releases);
    }

    /// Tells those members that are there what nobody reads any more, as is on record beside a
    /// journal.
    pub(crate) fn give_back_of(self: &Arc<Self>, releases: &Arc<Releases>) {
        if releases.is_to_spread() {
            let (blobs, releases) = (Arc::clone(self), Arc::clone(releases));
            drop(self.on.spawn(async move { blobs.spread(&releases).await }));
        }
        for member in releases.waiting() {
            let (blobs, releases) = (Arc::clone(self), Arc::clone(releases));
            drop(self.on.spawn(async move { blobs.release_at(member, &releases).await }));
        }
    }

    /// Tells all members that are there what none has heard yet, and puts on record who has not.
    async fn spread(&self, releases: &Arc<Releases>) {
        loop {
            let batch = releases.fresh(RESULTS_AT_ONCE_MAX);
            let Some(peers) = self.peers.upgrade().filter(|_| !batch.is_empty()) else { break };
            let mut unheard = Vec::new();
            for member in peers.members().into_iter().filter(|member| *member != self.me) {
                if !self.hears(member, &batch).await {
                    unheard.push(member);
                }
            }
            let (blobs, releases) = (self.itself.clone(), Arc::clone(releases));
            let done = move || {
                blobs.upgrade().into_iter().for_each(|blobs| blobs.give_back(&batch));
                releases.spread(&batch, &unheard)
            };
            match tokio::task::spawn_blocking(done).await {
                Ok(Ok(0)) => {}
                Ok(Ok(left)) => {
                    let text = format!("{left} copies are kept for good by members that are away");
                    self.log.say(Level::Warning, &text, &[]);
                }
                Ok(Err(error)) => {
                    self.say_unwritten(&error);
                    break;
                }
                // The panic was printed when it happened.
                Err(_) => break,
            }
        }
        releases.rest();
    }

    /// Tells a member, as long as it hears, all that it is to give back.
    async fn release_at(&self, member: u64, releases: &Arc<Releases>) {
        loop {
            let batch = releases.of(member, RESULTS_AT_ONCE_MAX);
            if batch.is_empty() || !self.hears(member, &batch).await {
                break;
            }
            let at = Arc::clone(releases);
            let done = tokio::task::spawn_blocking(move || at.done(member, &batch)).await;
            if let Ok(Err(error)) = done {
                self.say_unwritten(&error);
                break;
            }
        }
        releases.rest_at(member);
    }

    fn say_unwritten(&self, error: &std::io::Error) {
        let text = format!("what was given back is not written down: {error}");
        self.log.say(Level::Warning, &text, &[]);
    }

    /// Whether a member has heard what it is to give back, or never will.
    async fn hears(&self, member: u64, batch: &[Kept]) -> bool {
        let Some(peers) = self.peers.upgrade() else { return false };
        match peers.holder(member) {
            _ if member == self.me => true,
            Holder::There(_) => self.mesh.release(member, batch).await.is_ok(),
            Holder::Away(_) => false,
            Holder::Removed(_) => true,
        }
    }
}
