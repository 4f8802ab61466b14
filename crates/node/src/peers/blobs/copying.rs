//! Keeping results of other members here as well, and at more members, where their job says so: in
//! the background, one at a time, in the order in which they came to be.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use bary_model::payload::Kept;

use super::Blobs;
use super::fetching::Lack;
use crate::serve::log::Level;

/// At how many members a result is where it is here and where it was made.
pub(super) const HERE: u8 = 2;
/// How many results wait to be copied; of one more there is no copy.
pub(super) const WANTED_MAX: usize = 65_536;

/// What is to be copied.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// At how many members each is to be, in the order in which they were wanted.
    line: BTreeMap<u64, (Kept, u8)>,
    /// Where each is in it.
    places: BTreeMap<Kept, u64>,
    next: u64,
    /// Whether one is being copied.
    busy: bool,
}

impl Wanted {
    fn remove(&mut self, kept: &Kept) {
        if let Some(place) = self.places.remove(kept) {
            self.line.remove(&place);
        }
    }
}

impl Blobs {
    /// A result is to be kept at so many members; false where too many are.
    pub(super) fn want(&self, kept: Kept, copies: u8) -> bool {
        let mut wanted = self.wanted();
        if wanted.places.len() >= WANTED_MAX {
            return false;
        }
        wanted.remove(&kept);
        let place = wanted.next;
        wanted.next += 1;
        wanted.line.insert(place, (kept, copies));
        wanted.places.insert(kept, place);
        true
    }

    /// Whether a result of another member is kept here as well.
    pub(crate) fn has_copy(&self, kept: &Kept) -> bool {
        self.copies.has(kept)
    }

    /// A result is to be copied no more.
    pub(super) fn unwant(&self, kept: &Kept) {
        self.wanted().remove(kept);
    }

    /// Copies what can be copied now, unless that is being done.
    pub(super) fn go_on_copying(self: &Arc<Self>) {
        let mut wanted = self.wanted();
        if wanted.busy || wanted.line.is_empty() {
            return;
        }
        wanted.busy = true;
        drop(wanted);
        let blobs = Arc::clone(self);
        drop(self.on.spawn_blocking(move || {
            blobs.copy_all();
            blobs.wanted().busy = false;
        }));
    }

    /// Goes once through all that waits; what cannot be had now stays.
    fn copy_all(&self) {
        let mut after = None;
        loop {
            let next = match after {
                None => self.wanted().line.first_key_value().map(|(at, one)| (*at, *one)),
                Some(after) => {
                    let wanted = self.wanted();
                    wanted.line.range(after + 1..).next().map(|(at, one)| (*at, *one))
                }
            };
            let Some((place, (kept, copies))) = next else { return };
            after = Some(place);
            match self.copy_one(&kept, copies) {
                Err(Lack::Away(_)) => {}
                Err(Lack::Gone(why) | Lack::Own(why)) => {
                    let text = format!("there is no further copy of a result: {why}");
                    self.log.say(Level::Warning, &text, &[]);
                    self.unwant(&kept);
                }
                Ok(()) => self.copied(&kept, place),
            }
        }
    }

    fn copy_one(&self, kept: &Kept, copies: u8) -> Result<(), Lack> {
        if kept.member != self.me {
            self.bring(kept, &self.copies)?;
        }
        let more = usize::from(copies.saturating_sub(HERE));
        let Some(peers) = self.peers.upgrade().filter(|_| more > 0) else { return Ok(()) };
        let others = peers.nearest().into_iter().filter(|member| *member != kept.member);
        let mut lacking = more;
        for member in others {
            if lacking == 0 {
                break;
            }
            let asked = self.on.block_on(self.mesh.copy(member, std::slice::from_ref(kept)));
            lacking -= usize::from(matches!(asked, Ok(1)));
        }
        if lacking == 0 { Ok(()) } else { Err(Lack::Away("too few members are there".into())) }
    }

    /// A result was copied; where nobody wants it any more by now, the copy goes.
    fn copied(&self, kept: &Kept, place: u64) {
        let mut wanted = self.wanted();
        match wanted.places.get(kept) {
            Some(now) if *now == place => wanted.remove(kept),
            Some(_) => {}
            None => {
                drop(wanted);
                self.copies.remove(kept);
            }
        }
    }

    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
