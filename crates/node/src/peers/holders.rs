//! Where the members are that keep results.

use std::time::{Duration, Instant};

use super::about::span;
use super::roster::{Peers, lock};

/// A member that keeps results.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Holder {
    /// It is there: what it is called.
    There(String),
    /// It is not there: since when, in words about what it keeps.
    Away(String),
    /// It is no member any more, in words about what it kept.
    Removed(String),
}

impl Peers {
    /// Where a member is that keeps something.
    pub(crate) fn holder(&self, member: u64) -> Holder {
        let Some(name) = self.member_name(member) else {
            let name = self.revoked.name(member).unwrap_or_else(|| "a member".to_owned());
            return Holder::Removed(format!(
                "it was on {name}, which was removed from the cluster"
            ));
        };
        if member == self.me || lock(&self.links).contains_key(&member) {
            return Holder::There(name);
        }
        let away = lock(&self.away).get(&member).map_or(self.began, |away| away.since);
        Holder::Away(away_words(&name, Instant::now().duration_since(away)))
    }

    /// The members that are there, the nearest first.
    pub(crate) fn nearest(&self) -> Vec<u64> {
        let links = lock(&self.links);
        let trip = |clock: Option<super::clocks::Clock>| clock.map(|clock| clock.round_trip);
        let mut all: Vec<_> =
            links.iter().map(|(member, link)| (trip(link.clock), *member)).collect();
        // Those that are not measured yet are last.
        all.sort_by_key(|(trip, member)| (trip.is_none(), *trip, *member));
        all.into_iter().map(|(_, member)| member).collect()
    }
}

fn away_words(name: &str, away: Duration) -> String {
    format!("it is on {name}, which has been away for {}", span(away))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::away_words;

    #[test]
    fn it_is_said_how_long_a_member_has_been_away() {
        let words = away_words("beta", Duration::from_millis(12_400));
        assert_eq!(words, "it is on beta, which has been away for 12 s");
    }
}
