//! What is known of a member, and which of two such records is newer: the order of SWIM's
//! suspicion protocol (Das, Gupta and Motivala, "SWIM", 2002, section 4.2), after the order of
//! lives.

use crate::identity::Identity;

/// How a member stands with the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It answers.
    Up,
    /// Some member got no answer; it is a member until the suspicion runs out.
    Suspect,
    /// It left or was found dead. This life never comes back.
    Down,
}

/// What one node knows of another; a membership snapshot is a list of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// The life it is about.
    pub identity: Identity,
    /// How often this life refuted a suspicion.
    pub refutations: u16,
    /// How it stands.
    pub standing: Standing,
}

impl Record {
    /// A life that nobody doubts.
    #[must_use]
    pub fn up(identity: Identity) -> Self {
        Self { identity, refutations: 0, standing: Standing::Up }
    }

    /// Whether this record of a name replaces `known`.
    #[must_use]
    pub fn is_news_to(&self, known: &Self) -> bool {
        if self.identity != known.identity {
            return self.identity.beats(&known.identity);
        }
        match (known.standing, self.standing) {
            (Standing::Down, _) => false,
            (_, Standing::Down) => true,
            (Standing::Up, Standing::Suspect) => self.refutations >= known.refutations,
            _ => self.refutations > known.refutations,
        }
    }

    /// Whether whoever sent this record needs to hear `known`: a later life, or a death. Mere
    /// suspicions and refutations travel as rumours and are not worth an answer.
    #[must_use]
    pub fn is_overtaken_by(&self, known: &Self) -> bool {
        if self.identity != known.identity {
            return known.identity.beats(&self.identity);
        }
        known.standing == Standing::Down && self.standing != Standing::Down
    }

    /// The record as foca's.
    pub(crate) fn member(&self) -> foca::Member<Identity> {
        let state = match self.standing {
            Standing::Up => foca::State::Alive,
            Standing::Suspect => foca::State::Suspect,
            Standing::Down => foca::State::Down,
        };
        foca::Member::new(self.identity, self.refutations, state)
    }
}

impl From<&foca::Member<Identity>> for Record {
    fn from(member: &foca::Member<Identity>) -> Self {
        let standing = match member.state() {
            foca::State::Alive => Standing::Up,
            foca::State::Suspect => Standing::Suspect,
            foca::State::Down => Standing::Down,
        };
        Self { identity: *member.id(), refutations: member.incarnation(), standing }
    }
}

#[cfg(test)]
mod tests {
    use super::{Record, Standing};
    use crate::identity::{Address, Identity, Name};

    fn record(incarnation: u64, refutations: u16, standing: Standing) -> Record {
        let identity = Identity::new(Name(1), Address::Number(1), incarnation);
        Record { identity, refutations, standing }
    }

    #[test]
    fn news_follows_the_order_of_lives_and_then_of_suspicion() {
        use Standing::{Down, Suspect, Up};
        let table = [
            (record(2, 0, Up), record(1, 9, Down), true),
            (record(1, 9, Down), record(2, 0, Up), false),
            (record(1, 0, Suspect), record(1, 0, Up), true),
            (record(1, 0, Up), record(1, 0, Suspect), false),
            (record(1, 1, Up), record(1, 0, Suspect), true),
            (record(1, 0, Down), record(1, 5, Up), true),
            (record(1, 5, Up), record(1, 0, Down), false),
            (record(1, 0, Up), record(1, 0, Up), false),
        ];
        for (told, known, news) in table {
            assert_eq!(told.is_news_to(&known), news, "{told:?} to {known:?}");
            assert!(!(news && told.is_overtaken_by(&known)), "{told:?} and {known:?}");
        }
        assert!(record(1, 3, Up).is_overtaken_by(&record(1, 0, Down)));
        assert!(record(1, 0, Up).is_overtaken_by(&record(2, 0, Up)));
        assert!(!record(1, 0, Up).is_overtaken_by(&record(1, 4, Up)));
    }
}
