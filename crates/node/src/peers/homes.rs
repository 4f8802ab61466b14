//! Where the homes of jobs are: which member a name means, and whether it is there.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::about::span;
use super::card::Card;
use super::roster::{Link, Peers, lock};
use crate::replicas::Replicas;

/// The home of another member, as somebody names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// The member of this number, which is there.
    There(u64),
    /// A member that is not there, for which another one stands in.
    At {
        /// The number of the member whose home it is.
        home: u64,
        /// The number of the one that stands in.
        member: u64,
    },
    /// A member that is not there.
    Away(Away),
    /// No member has that name.
    Unknown,
}

/// A member that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Away {
    /// For how long, as far as this member knows.
    pub(crate) span: Duration,
    /// Why, in words.
    pub(crate) why: &'static str,
}

impl Away {
    /// It in words, as `beta has been away for 12 s (it is silent)`.
    pub(crate) fn words(&self, name: &str) -> String {
        format!("{name} has been away for {} ({})", span(self.span), self.why)
    }
}

/// Another member, as it is known now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Other {
    /// What it is called.
    pub(crate) name: Box<str>,
    /// Its number.
    pub(crate) number: u64,
    /// Its number, where it is there.
    pub(crate) there: Option<u64>,
    /// The number of the member that stands in for it, where one does.
    pub(crate) stand_in: Option<u64>,
    /// For how long it is not there, as far as this member knows.
    pub(crate) away: Option<Duration>,
    /// Why it is not there, in words.
    pub(crate) why: Box<str>,
    /// How many of its jobs and of their tasks had not ended when it last said so.
    pub(crate) unfinished: Option<(u64, u64)>,
}

impl Peers {
    /// Where this member listens for the others.
    pub(crate) fn listens_at(&self) -> SocketAddr {
        self.place.listen
    }

    /// Where other members reach one.
    pub(crate) fn addresses_of(&self, member: u64) -> Vec<String> {
        let known = self.book.all().into_iter().find(|(number, _)| *number == member);
        let addresses = match known {
            _ if member == self.me => self.place.addresses.clone(),
            known => known.map(|(_, known)| known.addresses).unwrap_or_default(),
        };
        addresses.iter().map(ToString::to_string).collect()
    }

    /// All other members, by their numbers.
    pub(crate) fn others(&self) -> Vec<Other> {
        let known = self.book.all().into_iter().filter(|(member, _)| *member != self.me);
        known.map(|(member, known)| self.other(member, known.name.as_str())).collect()
    }

    fn other(&self, member: u64, name: &str) -> Other {
        let (name, stand_in) = (name.into(), self.stand_in_of(member));
        if let Some(link) = lock(&self.links).get(&member) {
            let unfinished = link.load.as_ref().and_then(|load| load.unfinished);
            let (number, there) = (member, Some(member));
            let (away, why) = (None, "".into());
            return Other { name, number, there, stand_in, away, why, unfinished };
        }
        let Away { span, why } = self.away(member);
        let unfinished = lock(&self.away).get(&member).and_then(|away| away.unfinished);
        let (number, there) = (member, None);
        let (away, why) = (Some(span), why.into());
        Other { name, number, there, stand_in, away, why, unfinished }
    }

    /// The number of the member that stands in for another one, this one too.
    pub(crate) fn stand_in_of(&self, home: u64) -> Option<u64> {
        if lock(&self.stands_in_for).contains(&home) {
            return Some(self.me);
        }
        let links = lock(&self.links);
        let stands = |card: &Card| card.stands_in_for.contains(&home);
        let mut stands = links.iter().filter(|(_, link)| link.card.as_deref().is_some_and(stands));
        stands.next().map(|(member, _)| *member)
    }

    /// What the members are called for which a member stands in, this one too.
    pub(crate) fn stood_in_by(&self, member: u64) -> Vec<String> {
        let homes = match member == self.me {
            true => lock(&self.stands_in_for).clone(),
            false => {
                let links = lock(&self.links);
                let card = links.get(&member).and_then(|link| link.card.as_deref());
                card.map_or_else(Vec::new, |card| card.stands_in_for.clone())
            }
        };
        homes.into_iter().filter_map(|home| self.member_name(home)).collect()
    }

    /// This member stands in for another one from now on, or no more.
    pub(crate) fn stands_in_for(&self, home: u64, stands: bool) {
        let mut homes = lock(&self.stands_in_for);
        homes.retain(|other| *other != home);
        homes.extend(stands.then_some(home));
        drop(homes);
        self.on_change();
    }

    /// The shards that this member keeps copies of.
    pub(crate) fn replicas(&self) -> Option<Arc<Replicas>> {
        self.replicas.get()?.upgrade()
    }

    /// These are the shards that this member keeps copies of.
    pub(crate) fn keeps(&self, replicas: &Arc<Replicas>) {
        // They are told once.
        drop(self.replicas.set(Arc::downgrade(replicas)));
    }

    /// Whether a member of this name is there that has another number.
    pub(super) fn has_name(&self, name: &str, number: u64) -> bool {
        let own = self.papers.name().as_str() == name && number != self.me;
        let links = lock(&self.links);
        let there = |link: &Link| link.card.as_ref().is_some_and(|card| &*card.name == name);
        own || links.iter().any(|(member, link)| *member != number && there(link))
    }

    /// Whether there is a member of this number.
    pub(crate) fn has_member(&self, number: u64) -> bool {
        number == self.me || self.book.has(number) && !self.revoked.has(number)
    }

    /// All members that are known, this one included.
    pub(crate) fn members(&self) -> BTreeSet<u64> {
        let known = self.book.all().into_iter().map(|(number, _)| number);
        known.chain([self.me]).filter(|number| self.has_member(*number)).collect()
    }

    /// The home that a name means, of another member than this one.
    pub(crate) fn home(&self, name: &str) -> Home {
        let numbers = self.book.all().into_iter().filter(|(_, known)| known.name.as_str() == name);
        let numbers: Vec<u64> = numbers.map(|(number, _)| number).collect();
        // One that has come again is not its own home before it was given that back.
        let stood_in = numbers.iter().rev();
        let mut stood_in = stood_in.filter_map(|home| Some((*home, self.stand_in_of(*home)?)));
        if let Some((home, member)) = stood_in.next() {
            return Home::At { home, member };
        }
        let links = lock(&self.links);
        if let Some(there) = numbers.iter().find(|number| links.contains_key(number)) {
            return Home::There(*there);
        }
        drop(links);
        numbers.last().map_or(Home::Unknown, |member| Home::Away(self.away(*member)))
    }

    /// The number of a member of this name: of several the one that is there, or the last.
    pub(crate) fn number_of(&self, name: &str) -> Option<u64> {
        if name == self.own_name() {
            return Some(self.me);
        }
        let numbers = self.book.all().into_iter().filter(|(_, known)| known.name.as_str() == name);
        let numbers: Vec<u64> = numbers.map(|(number, _)| number).collect();
        let links = lock(&self.links);
        let there = numbers.iter().find(|number| links.contains_key(number));
        there.or_else(|| numbers.last()).copied()
    }

    /// Since when another member is not there, in words; none where it is.
    pub(crate) fn away_words(&self, member: u64) -> Option<String> {
        if lock(&self.links).contains_key(&member) {
            return None;
        }
        let name = self.member_name(member).unwrap_or_else(|| "a member".to_owned());
        Some(self.away(member).words(&name))
    }

    /// What this member is called.
    pub(crate) fn own_name(&self) -> &str {
        self.papers.name().as_str()
    }

    fn away(&self, member: u64) -> Away {
        let why = "it was not reached yet";
        let since = lock(&self.away).get(&member).map_or((self.began, why), |a| (a.since, a.why));
        Away { span: since.0.elapsed(), why: since.1 }
    }
}
