//! The large results of a home whose jobs several members keep: so many members are to have each
//! that none is lost where the jobs are not. What lacks copies is found by looking through what the
//! home knows: once as it begins, and again where those who keep its jobs, or members, are others.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use bary_model::id::{JobNo, SpecNo};
use bary_model::payload::{Kept, Payload};

use super::Blobs;
use super::copying::{Lacking, WANTED_MAX};
use super::telling;
use crate::board::Board;
use crate::board::books::room::Place;
use crate::replicas::part::{Keepers, Part};
use crate::serve::log::Level;

/// How many ended tasks and jobs are looked at before others may read on.
const AT_ONCE: usize = 4_096;
/// How long results may lack copies before that is said in the log.
const LACK_SPAN: Duration = Duration::from_secs(10);
/// Where looking begins.
const START: Place = (JobNo(0), SpecNo(0), 0);
/// What no bytes have as a hash: it stands for one that is not known.
const UNKNOWN: [u8; 32] = [0; 32];

/// What has several members keep the results of a home's jobs.
pub(crate) struct Keeping {
    /// The member whose jobs they are.
    home: u64,
    part: Weak<Part>,
    blobs: Arc<Blobs>,
    board: Weak<Board>,
    state: Mutex<State>,
}

impl std::fmt::Debug for Keeping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeping").field("home", &self.home).finish_non_exhaustive()
    }
}

struct State {
    /// From where on it is to be looked what lacks copies, if at all.
    next: Option<Place>,
    /// Whether a thread does so.
    looking: bool,
    /// Who keeps the jobs, and who is a member, as it was last.
    known: Option<(Keepers, BTreeSet<u64>)>,
    /// Since when results lack copies.
    lacks: Option<Instant>,
    said: bool,
}

impl Keeping {
    /// At how many members each is to be at least: as many as have to have the journal.
    fn least(&self) -> u8 {
        let wanted = self.part.upgrade().map_or(0, |part| part.keepers().wanted);
        u8::try_from(wanted / 2 + 1).unwrap_or(u8::MAX)
    }

    /// A result is to be kept at so many members, or at as many as all are.
    pub(crate) fn want(&self, payload: &Payload, copies: u8) {
        if !self.try_to_want(payload, copies) {
            self.state().next = Some(START);
        }
    }

    fn try_to_want(&self, payload: &Payload, copies: u8) -> bool {
        let copies = copies.max(self.least());
        match self.named(payload).filter(|_| copies > 1) {
            Some(kept) => self.blobs.want(kept, copies, Some((self.home, self.part.clone()))),
            None => true,
        }
    }

    /// A payload as all members name it; nothing of one that cannot be copied, as its hash is not
    /// known or it is lost here.
    fn named(&self, payload: &Payload) -> Option<Kept> {
        let mut payload = payload.clone();
        telling::name((self.blobs.me, &self.blobs.own), &mut payload);
        match payload {
            Payload::Kept(kept) => Some(*kept).filter(|kept| kept.hash != UNKNOWN),
            Payload::Empty | Payload::Inline(_) | Payload::Stored(_) => None,
        }
    }

    /// Nobody reads a result any more. Where the home is another member's its journal has no store
    /// here that would count it.
    pub(crate) fn released(&self, payload: &Payload) {
        if let Payload::Kept(kept) = payload
            && self.home != self.blobs.me
            && let Some(part) = self.part.upgrade()
        {
            part.copy.release(kept.blob);
        }
    }

    /// What has fewer copies than it is to have.
    pub(crate) fn lacking(&self) -> Lacking {
        self.blobs.lacking(self.home)
    }

    /// Looks what there is to do, and has that done.
    fn tend(self: &Arc<Self>) {
        let (peers, part) = (self.blobs.peers.upgrade(), self.part.upgrade());
        let (Some(peers), Some(part)) = (peers, part) else { return };
        let known = (part.keepers(), peers.members());
        self.say_lacking();
        let mut state = self.state();
        let is_news = state
            .known
            .as_ref()
            .is_none_or(|(keepers, members)| *keepers != known.0 || !members.is_subset(&known.1));
        if is_news {
            state.next = Some(START);
        }
        state.known = Some(known);
        if state.next.is_none() || state.looking || !self.has_places() {
            return;
        }
        state.looking = true;
        drop(state);
        let keeping = Arc::clone(self);
        drop(self.blobs.on.spawn_blocking(move || {
            keeping.look();
            keeping.state().looking = false;
        }));
    }

    /// Whether more may be wanted; the rest is left to what ends meanwhile.
    fn has_places(&self) -> bool {
        self.blobs.waiting_copies() < WANTED_MAX / 2
    }

    /// Wants all that there is, as far as there are places.
    fn look(&self) {
        while self.has_places()
            && let Some(board) = self.board.upgrade()
        {
            let Some(from) = self.state().next else { return };
            let (found, next) = board.read().large(from, AT_ONCE);
            drop(board);
            let taken = found.iter().all(|(payload, copies)| self.try_to_want(payload, *copies));
            let mut state = self.state();
            // It may have to begin anew by now.
            if taken && state.next == Some(from) {
                state.next = next;
            }
        }
    }

    /// Says it once where results lack copies for long, and once that none does any more.
    fn say_lacking(&self) {
        let lacking = self.lacking();
        let mut state = self.state();
        if lacking.results == 0 {
            if std::mem::take(&mut state.said) {
                self.blobs.log.say(Level::Info, "every large result has its copies again", &[]);
            }
            state.lacks = None;
            return;
        }
        let since = *state.lacks.get_or_insert_with(Instant::now);
        if !state.said && since.elapsed() >= LACK_SPAN {
            state.said = true;
            let Lacking { results, bytes, why } = lacking;
            let text = format!("{results} results of {bytes} bytes lack copies: {why}");
            self.blobs.log.say(Level::Warning, &text, &[]);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Blobs {
    /// What has several members keep the results of a home, which is that of a part, from now on.
    pub(crate) fn keep_for(self: &Arc<Self>, part: &Arc<Part>, board: &Arc<Board>) -> Arc<Keeping> {
        let state =
            State { next: Some(START), looking: false, known: None, lacks: None, said: false };
        let keeping = Arc::new(Keeping {
            home: part.home,
            part: Arc::downgrade(part),
            blobs: Arc::clone(self),
            board: Arc::downgrade(board),
            state: Mutex::new(state),
        });
        self.homes().push(Arc::downgrade(&keeping));
        keeping
    }

    /// This member is the home of a member's jobs no more.
    pub(crate) fn keep_no_more(&self, home: u64) {
        let is_other =
            |keeping: &Weak<Keeping>| keeping.upgrade().is_some_and(|keeping| keeping.home != home);
        self.homes().retain(is_other);
        self.unwant_of(home);
    }

    /// Looks after the results of all homes that are here.
    pub(super) fn tend_homes(&self) {
        let mut homes = self.homes();
        homes.retain(|keeping| keeping.strong_count() > 0);
        let all: Vec<Arc<Keeping>> = homes.iter().filter_map(Weak::upgrade).collect();
        drop(homes);
        all.iter().for_each(Keeping::tend);
    }

    fn homes(&self) -> MutexGuard<'_, Vec<Weak<Keeping>>> {
        self.homes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
