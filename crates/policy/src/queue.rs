//! Who may go past whom while work waits for room. Under `any` whatever fits goes; the other
//! disciplines hold tasks back until there is room for them, so that a node never holds what it
//! cannot start, and say who is let through. They need late binding: tasks that are bound before
//! a node has room stand in no line.

pub mod easy;
pub mod fair;

use std::collections::BTreeMap;
use std::fmt;

use bary_model::time::Span;

use crate::preset::Binding;

/// How those that wait are let through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Discipline {
    /// Whatever fits goes, in the order's order.
    #[default]
    Any,
    /// First come, first served: while the first of the line has no room, nothing behind it goes.
    Fcfs,
    /// As `Fcfs`, but what does not delay the first may go past it.
    Easy,
    /// The owner with the smallest dominant share goes next.
    Fair,
}

impl Discipline {
    /// Every discipline there is.
    pub const ALL: [Self; 4] = [Self::Any, Self::Fcfs, Self::Easy, Self::Fair];

    /// The name under which people choose it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Fcfs => "fcfs",
            Self::Easy => "easy",
            Self::Fair => "fair",
        }
    }
}

/// How a home lets waiting tasks through. `Default` is that whatever fits goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// Who may go past whom.
    pub discipline: Discipline,
    /// What owners' shares weigh against each other under `fair`, in thousandths, at least 1; an
    /// owner who is not named weighs 1,000.
    pub shares: BTreeMap<Box<str>, u64>,
    /// How long a task waits for the node that has most of what it reads, before it goes to any;
    /// not at all where it is zero.
    pub delay: Span,
}

/// Why a policy's text says wrongly how tasks are let through. Nothing was changed; the caller
/// gives another text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// There is no such discipline.
    #[error("queue {given:?} is unknown; there are any, fcfs, easy, fair")]
    Unknown {
        /// What was given.
        given: String,
    },
    /// Tasks that are bound before a node has room stand in no line.
    #[error("queue {queue:?} needs binding=pull, as it lets tasks wait until a node has room")]
    Early {
        /// The discipline that was given.
        queue: &'static str,
    },
    /// What an owner's share weighs is no such number.
    #[error("share {given:?} is not a number from 0.001 to 1000000")]
    Share {
        /// What was given.
        given: String,
    },
}

/// The most that a share weighs.
const SHARE_MAX: f64 = 1e6;
/// What a part that weighs an owner's share begins with.
const SHARE: &str = "share.";

impl Queue {
    /// Whether tasks stand in line, rather than going whenever something fits.
    #[must_use]
    pub fn is_line(&self) -> bool {
        self.discipline != Discipline::Any || self.delay > Span::ZERO
    }

    /// What an owner's share weighs, in thousandths.
    #[must_use]
    pub fn share(&self, owner: &str) -> u64 {
        self.shares.get(owner).copied().unwrap_or(1_000)
    }

    /// Checks that tasks can stand in line where they are bound so.
    ///
    /// # Errors
    /// Where they are bound before a node has room.
    pub fn check(&self, binding: Binding) -> Result<(), QueueError> {
        let early = self.discipline != Discipline::Any && binding != Binding::Pull;
        let queue = self.discipline.name();
        if early { Err(QueueError::Early { queue }) } else { Ok(()) }
    }

    /// Sets a part of a policy's text: `queue`, or `share.OWNER`. Tells whether it is one of these.
    ///
    /// # Errors
    /// Where the part has no such value; nothing is set then.
    pub fn set(&mut self, part: &str, value: &str) -> Result<bool, QueueError> {
        if part == "queue" {
            let named = Discipline::ALL.into_iter().find(|one| one.name() == value);
            let unknown = || QueueError::Unknown { given: value.to_owned() };
            self.discipline = named.ok_or_else(unknown)?;
        } else if let Some(owner) = part.strip_prefix(SHARE) {
            let wrong = || QueueError::Share { given: value.to_owned() };
            let share: f64 = value.parse().map_err(|_| wrong())?;
            let thousandths = (share * 1e3).round();
            if owner.is_empty() || !(1.0..=SHARE_MAX * 1e3).contains(&thousandths) {
                return Err(wrong());
            }
            self.shares.insert(owner.into(), thousandths as u64);
        } else {
            return Ok(false);
        }
        Ok(true)
    }
}

/// The parts that differ from the default, each after a comma.
impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.discipline != Discipline::Any {
            write!(f, ",queue={}", self.discipline.name())?;
        }
        for (owner, share) in &self.shares {
            write!(f, ",{SHARE}{owner}={}", *share as f64 / 1e3)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_who_is_not_named_weighs_one() {
        let mut queue = Queue::default();
        assert_eq!(queue.set("share.ann", "2.5"), Ok(true));
        assert_eq!((queue.share("ann"), queue.share("bob")), (2_500, 1_000));
        assert_eq!(queue.to_string(), ",share.ann=2.5");
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for value in ["0", "-1", "nan", "inf", "much"] {
            let mut queue = Queue::default();
            assert!(queue.set("share.ann", value).is_err(), "{value}");
            assert_eq!(queue, Queue::default());
        }
        assert!(Queue::default().set("share.", "1").is_err());
        assert_eq!(Queue::default().set("alpha", "1"), Ok(false));
    }
}
