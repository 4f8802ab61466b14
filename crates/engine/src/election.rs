//! Which member gives advice for the whole cluster: how many nodes there should be, what should be
//! moved. Each member decides for itself, from what the others say with their beats; nobody votes,
//! and nothing is kept. Whoever leads has a term, and the highest one counts, of equal ones the
//! higher score. Terms rise by one with each change of the leader.
//!
//! What is right depends on nobody being the only one: while members do not hear each other, each
//! side has a leader of its own, and for some beats after they do there may be two. So only duties
//! that may be done twice are theirs. Homes, grants and leases know nothing of leaders.

use std::collections::BTreeMap;

use bary_model::time::{Moment, Span};

/// When a leader is followed by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElectionConfig {
    /// By how much of the leader's score another's must be higher, in percent. Defaults to 20:
    /// scores follow load, and waves of it are no reason.
    pub margin_percent: u64,
    /// For how long it must be. Defaults to 10 s, a few times what a burst of short tasks takes.
    pub steady: Span,
    /// How long nobody leads until the best one does. Defaults to 2 s: longer than two members take
    /// to meet, so that one who comes to a cluster hears its leader first.
    pub patience: Span,
}

impl Default for ElectionConfig {
    fn default() -> Self {
        Self { margin_percent: 20, steady: Span::secs(10), patience: Span::secs(2) }
    }
}

/// What a member says of itself with its beats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    /// The highest term that it knows of, or its own where it leads.
    pub term: u64,
    /// How fit it is.
    pub score: u64,
    /// Whether it leads, in that term.
    pub leads: bool,
}

/// Who leads, as one member sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lead {
    /// The member; none while none is known.
    pub member: Option<u64>,
    /// Its term, or the last one that is known.
    pub term: u64,
    /// Why, in words.
    pub why: String,
}

/// One member's part.
#[derive(Clone, Debug)]
pub struct Election {
    me: u64,
    config: ElectionConfig,
    own: Candidate,
    /// Since when nobody leads.
    none_since: Option<Moment>,
    /// Since when this one is better than that leader.
    better_since: Option<(u64, Moment)>,
}

impl Election {
    /// That of a member which knows of nobody yet.
    #[must_use]
    pub fn new(me: u64, config: ElectionConfig) -> Self {
        let own = Candidate::default();
        Self { me, config, own, none_since: None, better_since: None }
    }

    /// What the member says of itself.
    #[must_use]
    pub fn own(&self) -> Candidate {
        self.own
    }

    /// Looks at what the others say that are there, with the own score as it is now.
    pub fn look(&mut self, now: Moment, score: u64, others: &BTreeMap<u64, Candidate>) -> Lead {
        self.own.score = score;
        let told = others.values().map(|other| other.term).max().unwrap_or_default();
        match self.leader(others) {
            Some((leader, _)) if leader == self.me => {
                self.none_since = None;
                self.lead("it leads since it was the best, and nobody is much better")
            }
            Some((leader, claim)) => {
                let term = self.own.term.max(claim.term).max(told);
                self.own = Candidate { term, score, leads: false };
                self.none_since = None;
                self.follow(now, leader, claim, others)
            }
            None => {
                self.own.term = self.own.term.max(told);
                self.better_since = None;
                self.none_leads(now, others)
            }
        }
    }

    /// Who leads: the highest term, of equal ones the higher score, then the lower number.
    fn leader(&self, others: &BTreeMap<u64, Candidate>) -> Option<(u64, Candidate)> {
        let others = others.iter().map(|(member, said)| (*member, *said));
        let all = others.chain([(self.me, self.own)]).filter(|(_, said)| said.leads);
        all.max_by_key(|(member, said)| (said.term, said.score, std::cmp::Reverse(*member)))
    }

    /// Another leads; this one takes over where it is much better, and has been for a while.
    fn follow(
        &mut self,
        now: Moment,
        leader: u64,
        claim: Candidate,
        others: &BTreeMap<u64, Candidate>,
    ) -> Lead {
        let Candidate { term, score, .. } = claim;
        let bar = score.saturating_mul(100 + self.config.margin_percent) / 100;
        if self.own.score <= bar || self.best(others) != self.me {
            self.better_since = None;
            let why = format!("it leads with a score of {score}, and nobody is much better");
            return Lead { member: Some(leader), term, why };
        }
        let since = match self.better_since {
            Some((of, since)) if of == leader => since,
            _ => now,
        };
        self.better_since = Some((leader, since));
        if now.since(since) >= self.config.steady {
            return self.begin("it is much better than the one before, and has been for a while");
        }
        let why = format!("it leads with a score of {score}; another is better, not for long");
        Lead { member: Some(leader), term, why }
    }

    fn none_leads(&mut self, now: Moment, others: &BTreeMap<u64, Candidate>) -> Lead {
        let since = *self.none_since.get_or_insert(now);
        let best = self.best(others);
        if best == self.me && now.since(since) >= self.config.patience {
            return self.begin("nobody led, and it is the best");
        }
        let why = "nobody leads yet".to_owned();
        Lead { member: None, term: self.own.term, why }
    }

    /// The best of all, of equal ones the one with the lower number.
    fn best(&self, others: &BTreeMap<u64, Candidate>) -> u64 {
        let others = others.iter().map(|(member, said)| (*member, said.score));
        let all = others.chain([(self.me, self.own.score)]);
        let best = all.max_by_key(|(member, score)| (*score, std::cmp::Reverse(*member)));
        best.map_or(self.me, |(member, _)| member)
    }

    /// Leads from now on.
    fn begin(&mut self, why: &str) -> Lead {
        self.own = Candidate { term: self.own.term.saturating_add(1), leads: true, ..self.own };
        (self.none_since, self.better_since) = (None, None);
        self.lead(why)
    }

    fn lead(&self, why: &str) -> Lead {
        let Candidate { term, score, .. } = self.own;
        Lead { member: Some(self.me), term, why: format!("{why}; its score is {score}") }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bary_model::time::{Moment, Span};
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

    use super::{BTreeMap, Candidate, Election, ElectionConfig, Lead};

    /// Members that look at each other once a beat, each with what it heard last of whom it hears.
    struct World {
        members: Vec<Election>,
        scores: Vec<u64>,
        /// What each has heard of each.
        heard: Vec<BTreeMap<u64, Candidate>>,
        now: Moment,
    }

    const BEAT: Span = Span::millis(300);

    impl World {
        fn new(scores: &[u64]) -> Self {
            let config = ElectionConfig::default();
            let members = (0..scores.len() as u64).map(|me| Election::new(me, config)).collect();
            let heard = vec![BTreeMap::new(); scores.len()];
            Self { members, scores: scores.to_vec(), heard, now: Moment(0) }
        }

        /// A beat, in which `hears` says who hears whom anew, and `there` who is there to him.
        fn beat(
            &mut self,
            hears: impl Fn(usize, usize) -> bool,
            there: impl Fn(usize, usize) -> bool,
        ) -> Vec<Lead> {
            self.now = self.now + BEAT;
            let all: Vec<Candidate> = self.members.iter().map(Election::own).collect();
            let mut leads = Vec::new();
            for (me, member) in self.members.iter_mut().enumerate() {
                for (other, said) in all.iter().enumerate().filter(|(other, _)| *other != me) {
                    match (there(me, other), hears(me, other)) {
                        (false, _) => drop(self.heard[me].remove(&(other as u64))),
                        (true, true) => drop(self.heard[me].insert(other as u64, *said)),
                        (true, false) => {}
                    }
                }
                leads.push(member.look(self.now, self.scores[me], &self.heard[me]));
            }
            leads
        }

        /// So many beats in which all hear all; gives who led, in the order in which they did.
        fn calm(&mut self, beats: usize) -> Vec<u64> {
            let mut led = Vec::new();
            for _ in 0..beats {
                let leads = self.beat(|_, _| true, |_, _| true);
                let who: BTreeSet<Option<u64>> = leads.iter().map(|lead| lead.member).collect();
                if let [Some(one)] = *who.into_iter().collect::<Vec<_>>()
                    && led.last() != Some(&one)
                {
                    led.push(one);
                }
            }
            led
        }
    }

    /// Longer than patience and steadiness together.
    const LONG: usize = 50;

    #[test]
    fn the_best_one_leads_and_says_why() {
        let mut world = World::new(&[300, 900, 500]);
        assert_eq!(world.calm(LONG), [1]);
        let leads = world.beat(|_, _| true, |_, _| true);
        assert!(leads.iter().all(|lead| lead.term == 1 && lead.why.contains("900")), "{leads:?}");
    }

    #[test]
    fn a_leader_stays_unless_another_is_much_better_for_long() {
        let mut world = World::new(&[500, 500, 100]);
        assert_eq!(world.calm(LONG), [0]);
        world.scores = vec![500, 599, 100];
        assert_eq!(world.calm(LONG), [0], "that is within the margin");
        for _ in 0..10 {
            world.scores = vec![500, 900, 100];
            assert_eq!(world.calm(20), [0], "that is not for long");
            world.scores = vec![500, 500, 100];
            world.calm(1);
        }
        world.scores = vec![500, 900, 100];
        assert_eq!(world.calm(LONG), [0, 1]);
    }

    #[test]
    fn the_next_one_leads_when_the_leader_is_gone_and_when_it_comes_back() {
        let mut world = World::new(&[900, 500, 400]);
        assert_eq!(world.calm(LONG), [0]);
        let gone = |one: usize, other: usize| one != 0 && other != 0;
        for _ in 0..LONG {
            world.beat(gone, gone);
        }
        let own = |world: &World, at: usize| world.members[at].own();
        assert!(own(&world, 1).leads && own(&world, 0).leads, "each side has one");
        // The later term counts; then the better one takes over.
        assert_eq!(world.calm(LONG), [1, 0]);
        assert_eq!(own(&world, 0).term, 3);
    }

    proptest! {
        #[test]
        fn after_any_trouble_all_agree_on_one_and_terms_have_only_risen(
            scores in prop::collection::vec(0..2_000_u64, 1..7),
            trouble in prop::collection::vec((any::<u64>(), any::<u64>(), 0..7_usize), 0..60),
        ) {
            let mut world = World::new(&scores);
            let mut terms = vec![0; scores.len()];
            for (hears, there, waver) in trouble {
                let bit = |bits: u64, a: usize, b: usize| bits >> (a * 8 + b) & 1 == 1;
                if let Some(score) = world.scores.get_mut(waver) {
                    *score = hears % 2_000;
                }
                world.beat(|a, b| bit(hears, a, b), |a, b| bit(there, a, b));
                for (term, member) in terms.iter_mut().zip(&world.members) {
                    prop_assert!(*term <= member.own().term);
                    *term = member.own().term;
                }
            }
            // Two changes at most: whoever is left, and who is much better than that.
            let led = world.calm(3 * LONG);
            prop_assert!((1..=2).contains(&led.len()), "{led:?}");
            let again = world.calm(3 * LONG);
            prop_assert_eq!(again.as_slice(), &led[led.len() - 1..]);
            let leading = world.members.iter().filter(|member| member.own().leads).count();
            prop_assert_eq!(leading, 1);
        }

        #[test]
        fn waves_within_the_margin_change_no_leader(
            scores in prop::collection::vec(1_000..1_200_u64, 2..7),
            waves in prop::collection::vec(prop::collection::vec(1_000..1_200_u64, 7), 1..80),
        ) {
            let mut world = World::new(&scores);
            let first = world.calm(LONG);
            for wave in waves {
                let all = world.scores.len();
                world.scores = wave[..all].to_vec();
                prop_assert_eq!(world.calm(1), first.clone());
            }
        }
    }
}
