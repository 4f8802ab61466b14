//! What a member does again and again: says that it is there and how busy it is, looks whom there
//! is no stream to, and keeps whom it knows.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::envelope;
use super::load::Load;
use super::roster::{Away, Peers, RETURN_SPAN, lock};
use crate::serve::log::Level;

/// How often it is looked what has changed here, and whom there is no stream to, at least.
const LOOK: Duration = Duration::from_millis(300);
/// How often a member is tried that was not reached for [`RETURN_SPAN`].
const SELDOM: Duration = Duration::from_secs(5);

/// What a member knows of its own beats.
#[derive(Debug, Default)]
pub(super) struct Beating {
    /// When it looked last.
    looked: Mutex<Option<Instant>>,
    /// How busy it last said that it is.
    load: Mutex<Load>,
}

impl Peers {
    /// Keeps streams to all members that are known, until `closing` turns true.
    pub(crate) async fn live(self: Arc<Self>, mut closing: watch::Receiver<bool>) {
        let mut look = tokio::time::interval(self.period());
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next = Instant::now();
        // Whoever would say so may have gone.
        let mut closed = pin!(async { drop(closing.wait_for(|closing| *closing).await) });
        loop {
            tokio::select! {
                _ = look.tick() => {
                    let now = Instant::now();
                    if let Some(late) = self.lateness(now) {
                        self.excuse(now, late);
                    }
                    *lock(&self.beating.looked) = Some(now);
                    let beats = now >= next;
                    if beats {
                        next = now + self.pace.beat;
                    }
                    self.look(now, beats).await;
                }
                () = &mut closed => return,
            }
        }
    }

    /// Does what is due; with `beats`, says to all that there is a stream to that it is there.
    async fn look(self: &Arc<Self>, now: Instant, beats: bool) {
        self.reconcile(now);
        if let Some(inside) = self.inside.get() {
            inside.blobs.tend();
        }
        if self.changed.swap(false, Ordering::Relaxed) {
            let card = envelope::card(&self.card());
            let there: Vec<u64> = lock(&self.links).keys().copied().collect();
            there.into_iter().for_each(|member| self.mesh.send(member, card.clone()));
        }
        if beats {
            self.tell_load();
            self.tell_sight();
        }
        for (member, _) in self.book.all() {
            if member != self.me && self.is_due(member, now, beats) {
                self.mesh.send(member, envelope::ping(self.now()));
            }
        }
        if now.duration_since(self.began) > RETURN_SPAN {
            self.give_up();
        }
        if self.book.is_changed() {
            let peers = Arc::clone(self);
            let saved = tokio::task::spawn_blocking(move || peers.book.save()).await;
            if let Ok(Err(error)) = saved {
                let text = format!("the list of members cannot be written: {error}");
                self.log.say(Level::Warning, &text, &[]);
            }
        }
    }

    /// Ends streams that are silent, and takes in what the mesh says of the others.
    fn reconcile(self: &Arc<Self>, now: Instant) {
        let streams: BTreeSet<u64> = self.mesh.linked().into_iter().collect();
        let (mut silent, mut lost, mut known) = (Vec::new(), Vec::new(), BTreeSet::new());
        for (member, link) in &*lock(&self.links) {
            known.insert(*member);
            if !streams.contains(member) {
                lost.push(*member);
            } else if now.duration_since(link.heard) > self.pace.silence_max() {
                silent.push(*member);
            }
        }
        streams.difference(&known).for_each(|member| self.begin(*member));
        lost.into_iter().for_each(|member| self.end(member, "its stream has ended"));
        for member in silent {
            self.end(member, "it is silent");
            self.mesh.forget(member);
            let addresses = self.book.all().into_iter().find(|(number, _)| *number == member);
            self.mesh
                .place(member, addresses.map(|(_, known)| known.addresses).unwrap_or_default());
        }
    }

    /// How often it is looked.
    fn period(&self) -> Duration {
        LOOK.min(self.pace.beat)
    }

    /// By how much this member is late now: what others have said by now may not have been read.
    fn lateness(&self, now: Instant) -> Option<Duration> {
        let looked = (*lock(&self.beating.looked))?;
        lateness(now.saturating_duration_since(looked), self.period())
    }

    /// How long a member has been silent that was heard last at this time, as far as this member
    /// can know.
    pub(super) fn silence(&self, heard: Instant) -> Duration {
        let now = Instant::now();
        let late = self.lateness(now).unwrap_or_default();
        now.saturating_duration_since(excused(heard, late, now))
    }

    /// This member has had no processor for so long: what others said meanwhile has yet to be read,
    /// so that nobody is taken for silent by that time.
    fn excuse(&self, now: Instant, late: Duration) {
        for link in lock(&self.links).values_mut() {
            link.heard = excused(link.heard, late, now);
        }
    }

    /// Says how busy this member is, where that has changed.
    fn tell_load(&self) {
        let load = self.load();
        let before = std::mem::replace(&mut *lock(&self.beating.load), load.clone());
        if load != before {
            let load = envelope::load(&load);
            let there: Vec<u64> = lock(&self.links).keys().copied().collect();
            there.into_iter().for_each(|member| self.mesh.send(member, load.clone()));
        }
    }

    /// Whether a member is to hear from this one: at each beat where there is a stream to it, else
    /// now and then, and often where others say that it is there.
    fn is_due(&self, member: u64, now: Instant, beats: bool) -> bool {
        if lock(&self.links).contains_key(&member) {
            return beats;
        }
        let is_here = self.standing(member).is_some_and(|standing| standing.here);
        let mut away = lock(&self.away);
        let new = || Away::new(now, "it was not reached yet");
        let away = away.entry(member).or_insert_with(new);
        let often = is_here || now.duration_since(away.since) < RETURN_SPAN;
        let late = away.tried.is_none_or(|at| often || now.duration_since(at) >= SELDOM);
        if late {
            away.tried = Some(now);
        }
        late
    }
}

/// By how much one who looks so often is late, where that is more than a hiccup: it had no
/// processor.
fn lateness(since: Duration, period: Duration) -> Option<Duration> {
    Some(since.saturating_sub(period)).filter(|late| *late > period / 4)
}

/// When somebody counts as heard last by one that was late itself.
fn excused(heard: Instant, late: Duration, now: Instant) -> Instant {
    (heard + late).min(now)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{excused, lateness};

    #[test]
    fn who_had_no_processor_takes_nobody_for_silent_by_that() {
        let ms = Duration::from_millis;
        let (period, silence_max) = (ms(100), ms(1_200));
        assert_eq!(lateness(ms(100), period), None, "it is in time");
        assert_eq!(lateness(ms(120), period), None, "that is a hiccup");
        let late = lateness(ms(3_000), period).expect("it was late");
        let heard = Instant::now();
        let now = heard + ms(3_050);
        let silent = now.duration_since(excused(heard, late, now));
        assert!(silent < silence_max, "{silent:?}");
        // Who is silent all the while, and it was not late, is taken for it.
        assert!(now.duration_since(heard) > silence_max);
        assert_eq!(excused(now, late, now), now, "nobody was heard in the future");
    }
}
