//! Keeping results of other members here as well, and at more members, where their job says so or
//! its home has several members keep its jobs: in the background, in the order in which they came
//! to be. A copy counts once the member says that it is on its disk.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use bary_model::payload::Kept;
use bary_transport::mesh::shelf::CopyState;

use super::Blobs;
use super::fetching::Lack;
use super::plan::Plan;
use crate::replicas::part::Part;
use crate::serve::log::Level;

/// At how many members a result is where it is here and where it was made.
pub(super) const HERE: u8 = 2;
/// How many results wait to be copied; of one more there is no copy.
pub(super) const WANTED_MAX: usize = 65_536;
/// How many are looked after together, at most as many as one request may speak of.
const TOGETHER_MAX: usize = 256;
/// How long until a member that fetches a copy is asked again whether it has it; twice as long each
/// time, up to `AGAIN_MAX`.
const AGAIN_MIN: Duration = Duration::from_millis(20);
const AGAIN_MAX: Duration = Duration::from_secs(2);
/// How long until one is looked for again that nobody has who is there.
const AWAY_AGAIN: Duration = Duration::from_secs(5);
/// How long the thread waits for what is due next, rather than to be called again.
const SOON: Duration = Duration::from_millis(100);

/// What is to be copied.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// In the order in which they were wanted.
    line: BTreeMap<u64, Want>,
    /// Where each is in it.
    places: BTreeMap<Kept, u64>,
    next: u64,
    /// Whether a thread goes through them.
    busy: bool,
}

/// A result that is to be copied.
#[derive(Clone, Debug)]
pub(super) struct Want {
    pub(super) kept: Kept,
    /// At how many members it is to be.
    pub(super) copies: u8,
    /// Of whose jobs it is, where several members keep those.
    pub(super) of: Option<Of>,
    tries: u32,
    /// Before when it is not looked at again.
    again: Instant,
    /// Why it is not at so many yet.
    pub(super) lack: Box<str>,
}

/// A member, and the part in the group that keeps its jobs. Nothing here keeps that open, as a
/// member that begins again opens it anew.
pub(super) type Of = (u64, Weak<Part>);

/// Results that fewer members have than are to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lacking {
    pub(crate) results: u64,
    pub(crate) bytes: u64,
    /// Why that is so of the one that waits for longest.
    pub(crate) why: Box<str>,
}

impl Wanted {
    fn remove(&mut self, kept: &Kept) {
        if let Some(place) = self.places.remove(kept) {
            self.line.remove(&place);
        }
    }

    /// What is due, the longest wanted first; nothing where the next is not due soon, and the
    /// thread is to end.
    fn due(&mut self, now: Instant) -> Result<Vec<(u64, Want)>, Duration> {
        let all = self.line.iter();
        let due = all.filter(|(_, want)| want.again <= now).take(TOGETHER_MAX);
        let due: Vec<_> = due.map(|(place, want)| (*place, want.clone())).collect();
        let next = self.line.values().map(|want| want.again).min();
        match next.map(|next| next.saturating_duration_since(now)) {
            Some(wait) if due.is_empty() && wait <= SOON => Err(wait),
            _ => {
                self.busy = !due.is_empty();
                Ok(due)
            }
        }
    }
}

impl Want {
    /// A result that is to be at so many members.
    pub(super) fn of(kept: Kept, copies: u8) -> Self {
        let (of, tries, again) = (None, 0, Instant::now());
        Self { kept, copies, of, tries, again, lack: "it has just been made".into() }
    }

    /// Whether it is of a member's jobs, which several members keep.
    fn is_of(&self, home: u64) -> bool {
        self.of.as_ref().is_some_and(|(of, _)| *of == home)
    }
}

impl Blobs {
    /// A result is to be kept at so many members; false where too many are.
    pub(super) fn want(&self, kept: Kept, copies: u8, of: Option<Of>) -> bool {
        let mut wanted = self.wanted();
        if wanted.places.len() >= WANTED_MAX {
            return false;
        }
        wanted.remove(&kept);
        let place = wanted.next;
        wanted.next += 1;
        wanted.line.insert(place, Want { of, ..Want::of(kept, copies) });
        wanted.places.insert(kept, place);
        drop(wanted);
        if let Some(blobs) = self.itself.upgrade() {
            blobs.go_on_copying();
        }
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

    /// What is wanted for the jobs of a member is no matter of this one any more.
    pub(super) fn unwant_of(&self, home: u64) {
        let mut wanted = self.wanted();
        let is_of = |want: &&Want| want.is_of(home);
        let all: Vec<Kept> = wanted.line.values().filter(is_of).map(|want| want.kept).collect();
        all.iter().for_each(|kept| wanted.remove(kept));
    }

    /// How many results wait to be copied.
    pub(super) fn waiting_copies(&self) -> usize {
        self.wanted().places.len()
    }

    /// What lacks copies of the results of a member's jobs.
    pub(super) fn lacking(&self, home: u64) -> Lacking {
        let wanted = self.wanted();
        let mut lacking = Lacking::default();
        for want in wanted.line.values() {
            if want.is_of(home) {
                if lacking.results == 0 {
                    lacking.why = want.lack.clone();
                }
                lacking.results += 1;
                lacking.bytes += want.kept.blob.len;
            }
        }
        lacking
    }

    /// What this member, which is asked to keep a copy, has of it.
    pub(super) fn copy_state(&self, kept: &Kept) -> CopyState {
        if kept.member == self.me {
            let is_here = self.own.hash(kept.blob).is_ok_and(|hash| hash == kept.hash);
            return if is_here { CopyState::There } else { CopyState::Refused };
        }
        match () {
            () if self.copies.has(kept) => CopyState::There,
            () if !self.copies.has_room(kept.blob.len) => CopyState::Full,
            () if self.wanted().places.contains_key(kept) => CopyState::Coming,
            () if self.want(*kept, HERE, None) => CopyState::Coming,
            () => CopyState::Refused,
        }
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
        drop(self.on.spawn_blocking(move || blobs.copy_all()));
    }

    /// Goes through all that is due; what cannot be had now stays.
    fn copy_all(&self) {
        loop {
            let due = self.wanted().due(Instant::now());
            match due {
                Ok(due) if due.is_empty() => return,
                Ok(due) => self.copy_some(due),
                Err(wait) => std::thread::sleep(wait),
            }
        }
    }

    fn copy_some(&self, due: Vec<(u64, Want)>) {
        let Some(peers) = self.peers.upgrade() else {
            return due.into_iter().for_each(|(_, want)| self.unwant(&want.kept));
        };
        let near = peers.nearest();
        let holder = |member| peers.holder(member);
        let mut plans: Vec<Plan> = due
            .into_iter()
            .map(|(place, want)| Plan::new(place, want, (self.me, &near), &holder))
            .collect();
        loop {
            let mut asks: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
            for (at, plan) in plans.iter_mut().enumerate() {
                if let Some(member) = plan.next() {
                    asks.entry(member).or_default().push(at);
                }
            }
            if asks.is_empty() {
                break;
            }
            for (member, ats) in asks {
                self.ask_for_copies(member, &ats, &mut plans);
            }
        }
        // The others fetch theirs meanwhile.
        for plan in plans {
            self.end_plan(plan);
        }
    }

    /// Asks a member, which may be this one, to have copies of these plans' results.
    fn ask_for_copies(&self, member: u64, ats: &[usize], plans: &mut [Plan]) {
        if member == self.me {
            for at in ats {
                let kept = &plans[*at].want.kept;
                let state = match self.copies.has(kept) {
                    true => CopyState::There,
                    false if self.copies.has_room(kept.blob.len) => CopyState::Coming,
                    false => CopyState::Full,
                };
                plans[*at].is_for_here = state == CopyState::Coming;
                plans[*at].said("this member", state);
            }
            return;
        }
        let kept: Vec<Kept> = ats.iter().map(|at| plans[*at].want.kept).collect();
        let name = self.peers.upgrade().and_then(|peers| peers.member_name(member));
        let name = name.unwrap_or_default();
        match self.on.block_on(self.mesh.copy(member, &kept)) {
            Ok(states) => {
                ats.iter().zip(states).for_each(|(at, state)| plans[*at].said(&name, state));
            }
            Err(error) => {
                let why = format!("{name} does not take it: {error}");
                ats.iter().for_each(|at| plans[*at].lacks(&why));
            }
        }
    }

    /// Does what is to be done here, and notes what came of it.
    fn end_plan(&self, mut plan: Plan) {
        let (kept, mut least) = (plan.want.kept, AGAIN_MIN);
        if plan.is_for_here && self.wanted().places.contains_key(&kept) {
            match self.bring(&kept, &self.copies) {
                Ok(()) => plan.came_here(),
                Err(Lack::Away(why)) => {
                    plan.lacks(&why);
                    least = AWAY_AGAIN;
                }
                Err(Lack::Own(why)) if plan.want.of.is_some() => plan.lacks(&why),
                Err(Lack::Gone(why) | Lack::Own(why)) => {
                    let text = format!("there is no further copy of a result: {why}");
                    self.log.say(Level::Warning, &text, &[]);
                    return self.unwant(&kept);
                }
            }
        }
        if plan.is_done() {
            return self.copied(&kept, plan.place);
        }
        let mut wanted = self.wanted();
        if let Some(want) = wanted.line.get_mut(&plan.place) {
            let wait = AGAIN_MIN.saturating_mul(2_u32.saturating_pow(want.tries));
            want.again = Instant::now() + wait.min(AGAIN_MAX).max(least);
            want.tries = want.tries.saturating_add(1);
            want.lack = plan.lack().into();
        }
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
