//! When to stop early: `soon,fail=1`, `now,fail=10%`, `now,success=1`, `soon,done=100`, `never`.

use std::str::FromStr;

/// When to stop early.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Halt {
    /// None: never.
    pub(crate) rule: Option<HaltRule>,
}

/// What makes a run stop early, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct HaltRule {
    /// Whether running tasks are stopped too, rather than only no more started.
    pub(crate) now: bool,
    pub(crate) what: HaltOn,
    pub(crate) most: HaltCount,
}

/// Which ends are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HaltOn {
    Fail,
    Success,
    Done,
}

/// How many of them are enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum HaltCount {
    Tasks(u64),
    /// Of all tasks, in percent.
    Percent(f64),
}

/// Why a text is no such rule. Nothing was changed; the user writes another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a rule; write never, or soon|now,fail|success|done=N|N%")]
pub(crate) struct HaltError {
    given: String,
}

/// How many tasks have ended, and how.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ends {
    pub(crate) failed: u64,
    pub(crate) succeeded: u64,
    pub(crate) done: u64,
    pub(crate) all: u64,
}

/// A share says little before so many tasks have ended.
const JUDGED_TASKS_MIN: u64 = 3;

impl HaltRule {
    /// Whether it is time to stop.
    pub(crate) fn is_met(&self, ends: &Ends) -> bool {
        let count = match self.what {
            HaltOn::Fail => ends.failed,
            HaltOn::Success => ends.succeeded,
            HaltOn::Done => ends.done,
        };
        match self.most {
            HaltCount::Tasks(most) => count >= most,
            HaltCount::Percent(percent) => {
                let share = count as f64 * 100.0 >= ends.all as f64 * percent;
                count > 0 && ends.done >= JUDGED_TASKS_MIN.min(ends.all) && share
            }
        }
    }
}

impl FromStr for Halt {
    type Err = HaltError;

    fn from_str(text: &str) -> Result<Self, HaltError> {
        let wrong = || HaltError { given: text.to_owned() };
        if text == "never" {
            return Ok(Self::default());
        }
        let (when, rest) = text.split_once(',').ok_or_else(wrong)?;
        let (what, count) = rest.split_once('=').ok_or_else(wrong)?;
        let now = match when {
            "now" => true,
            "soon" => false,
            _ => return Err(wrong()),
        };
        let what = match what {
            "fail" => HaltOn::Fail,
            "success" => HaltOn::Success,
            "done" => HaltOn::Done,
            _ => return Err(wrong()),
        };
        let most = match count.strip_suffix('%') {
            Some(percent) => HaltCount::Percent(percent.parse().map_err(|_| wrong())?),
            None => HaltCount::Tasks(count.parse().map_err(|_| wrong())?),
        };
        let good = match most {
            HaltCount::Tasks(tasks) => tasks > 0,
            HaltCount::Percent(percent) => percent > 0.0 && percent <= 100.0,
        };
        if good { Ok(Self { rule: Some(HaltRule { now, what, most }) }) } else { Err(wrong()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(rule: &str, failed: u64, done: u64, all: u64) -> bool {
        let halt: Halt = rule.parse().expect("it is a rule");
        let ends = Ends { failed, succeeded: done - failed, done, all };
        halt.rule.is_some_and(|rule| rule.is_met(&ends))
    }

    #[test]
    fn counts_and_shares_are_met() {
        assert!(met("now,fail=1", 1, 1, 10));
        assert!(!met("now,fail=2", 1, 9, 10));
        assert!(met("soon,fail=20%", 2, 3, 10));
        assert!(!met("soon,fail=10%", 1, 2, 10), "too few have ended to judge");
        assert!(met("soon,success=1", 0, 1, 10));
        assert!(met("soon,done=5", 1, 5, 10));
        assert!(!met("never", 10, 10, 10));
    }

    #[test]
    fn other_texts_are_refused() {
        for bad in ["", "now", "now,fail", "now,fail=0", "later,fail=1", "now,fail=101%", "2"] {
            assert!(bad.parse::<Halt>().is_err(), "{bad}");
        }
    }
}
