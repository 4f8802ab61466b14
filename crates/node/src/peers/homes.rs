//! Where the homes of jobs are: which member a name means, and whether it is there.

use std::net::SocketAddr;
use std::time::Duration;

use super::about::span;
use super::roster::{Peers, lock};

/// The home of another member, as somebody names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// The member of this number, which is there.
    There(u64),
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
    /// Its number, where it is there.
    pub(crate) there: Option<u64>,
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

    /// All other members, by their numbers.
    pub(crate) fn others(&self) -> Vec<Other> {
        let known = self.book.all().into_iter().filter(|(member, _)| *member != self.me);
        known.map(|(member, known)| self.other(member, known.name.as_str())).collect()
    }

    fn other(&self, member: u64, name: &str) -> Other {
        let name = name.into();
        if let Some(link) = lock(&self.links).get(&member) {
            let unfinished = link.load.as_ref().and_then(|load| load.unfinished);
            return Other { name, there: Some(member), away: None, why: "".into(), unfinished };
        }
        let Away { span, why } = self.away(member);
        let unfinished = lock(&self.away).get(&member).and_then(|away| away.unfinished);
        Other { name, there: None, away: Some(span), why: why.into(), unfinished }
    }

    /// The home that a name means, of another member than this one.
    pub(crate) fn home(&self, name: &str) -> Home {
        let numbers = self.book.all().into_iter().filter(|(_, known)| known.name.as_str() == name);
        let numbers: Vec<u64> = numbers.map(|(number, _)| number).collect();
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
