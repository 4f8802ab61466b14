//! When to stop early: `soon,fail=1`, `now,fail=10%`, `now,success=1`, `soon,done=100`, `never`.

use std::str::FromStr;

use bary_model::job::{Enough, Halt, HaltOn};

/// When to stop early.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct HaltArg {
    /// None: never.
    pub(crate) rule: Option<Halt>,
}

/// Why a text is no such rule. Nothing was changed; the user writes another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a rule; write never, or soon|now,fail|success|done=N|N%")]
pub(crate) struct HaltError {
    given: String,
}

impl FromStr for HaltArg {
    type Err = HaltError;

    fn from_str(text: &str) -> Result<Self, HaltError> {
        let wrong = || HaltError { given: text.to_owned() };
        if text == "never" {
            return Ok(Self::default());
        }
        let (when, rest) = text.split_once(',').ok_or_else(wrong)?;
        let (what, count) = rest.split_once('=').ok_or_else(wrong)?;
        let running = match when {
            "now" => true,
            "soon" => false,
            _ => return Err(wrong()),
        };
        let on = match what {
            "fail" => HaltOn::Failed,
            "success" => HaltOn::Succeeded,
            "done" => HaltOn::Ended,
            _ => return Err(wrong()),
        };
        let enough = match count.strip_suffix('%') {
            Some(percent) => Enough::Percent(percent.parse().map_err(|_| wrong())?),
            None => Enough::Tasks(count.parse().map_err(|_| wrong())?),
        };
        let good = match enough {
            Enough::Tasks(tasks) => tasks > 0,
            Enough::Percent(percent) => percent > 0.0 && percent <= 100.0,
        };
        if good { Ok(Self { rule: Some(Halt { on, enough, running }) }) } else { Err(wrong()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_say_what_is_counted_and_what_stops() {
        let rule = |text: &str| text.parse::<HaltArg>().expect("it is a rule").rule;
        let (on, enough) = (HaltOn::Failed, Enough::Tasks(2));
        assert_eq!(rule("now,fail=2"), Some(Halt { on, enough, running: true }));
        let (on, enough) = (HaltOn::Succeeded, Enough::Percent(20.0));
        assert_eq!(rule("soon,success=20%"), Some(Halt { on, enough, running: false }));
        assert_eq!(rule("soon,done=5").map(|rule| rule.on), Some(HaltOn::Ended));
        assert_eq!(rule("never"), None);
    }

    #[test]
    fn other_texts_are_refused() {
        for bad in ["", "now", "now,fail", "now,fail=0", "later,fail=1", "now,fail=101%", "2"] {
            assert!(bad.parse::<HaltArg>().is_err(), "{bad}");
        }
    }
}
