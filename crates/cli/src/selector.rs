//! How jobs and tasks of a node are named: `12`, `1-10,15`, `last`, `all`, `12/count[3]`; and those
//! of another member of its cluster: `beta/12`, `beta/last`, `beta/12/count[3]`.

use std::str::FromStr;

use bary_identity::name::Name;

/// Some jobs of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Jobs {
    /// The member whose jobs they are; that which is asked where absent.
    pub(crate) home: Option<Box<str>>,
    pub(crate) which: Which,
}

/// Which of a member's jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// The one that was submitted last.
    Last,
    All,
    /// From the first number to the last, each with both ends.
    Numbers(Vec<(u32, u32)>),
}

/// Jobs, or some tasks of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) jobs: Jobs,
    /// Names or numbers of tasks; all where empty.
    pub(crate) tasks: Vec<String>,
}

/// Why a text names no jobs. Nothing was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SelectorError {
    #[error("`{0}` names no job; write a number, 1-10,15, last or all, of a member MEMBER/JOB")]
    Job(String),
    #[error("`{0}` names no task; write JOB/NAME, JOB/NAME[INDEX] or JOB/NUMBER")]
    Task(String),
    #[error(
        "{count} tasks are more than one call names (limit tasks_named_max = {TASKS_NAMED_MAX})"
    )]
    TooMany { count: u64 },
}

/// Most tasks that ranges of one word may name.
pub(crate) const TASKS_NAMED_MAX: u64 = 10_000;

impl FromStr for Which {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let wrong = || SelectorError::Job(text.to_owned());
        match text {
            "last" => return Ok(Self::Last),
            "all" => return Ok(Self::All),
            _ => {}
        }
        let ranges = text.split(',').map(|part| {
            let (first, last) = range(part)?;
            Some((u32::try_from(first).ok()?, u32::try_from(last).ok()?))
        });
        let ranges: Option<Vec<_>> = ranges.collect();
        Ok(Self::Numbers(ranges.ok_or_else(wrong)?))
    }
}

impl FromStr for Jobs {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let Some((home, which)) = text.split_once('/') else {
            return Ok(Self { home: None, which: text.parse()? });
        };
        let wrong = || SelectorError::Job(text.to_owned());
        let home = Name::new(home).map_err(|_| wrong())?;
        let which = which.parse().map_err(|_| wrong())?;
        Ok(Self { home: Some(home.as_str().into()), which })
    }
}

impl FromStr for Target {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let jobs = jobs_part(text);
        let tasks = match text[jobs.len()..].strip_prefix('/') {
            None => Vec::new(),
            Some("") => return Err(SelectorError::Task(text.to_owned())),
            Some(tasks) => named(tasks)?,
        };
        Ok(Self { jobs: jobs.parse()?, tasks })
    }
}

/// The part of a target that names its jobs: up to the first slash, or up to the second one where
/// the first part is no number.
fn jobs_part(text: &str) -> &str {
    let mut slashes = text.match_indices('/').map(|(at, _)| at);
    let Some(first) = slashes.next() else { return text };
    if text[..first].parse::<Which>().is_ok() {
        return &text[..first];
    }
    slashes.next().map_or(text, |second| &text[..second])
}

/// Names stay whole, whatever they hold; numbers may be ranges.
fn named(text: &str) -> Result<Vec<String>, SelectorError> {
    let ranges: Option<Vec<(u64, u64)>> = text.split(',').map(range).collect();
    let Some(ranges) = ranges else { return Ok(vec![text.to_owned()]) };
    let count = ranges.iter().map(|(first, last)| last - first + 1).fold(0, u64::saturating_add);
    if count > TASKS_NAMED_MAX {
        return Err(SelectorError::TooMany { count });
    }
    Ok(ranges.iter().flat_map(|(first, last)| *first..=*last).map(|n| n.to_string()).collect())
}

/// `7` or `1-10`, with underscores where wanted; numbers start at 1.
fn range(text: &str) -> Option<(u64, u64)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some((first, last))
}

fn number(text: &str) -> Option<u64> {
    let digits = text.replace('_', "");
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|&number| plain && number > 0)
}

impl Which {
    /// The numbers, where each is written out.
    pub(crate) fn written_out(&self) -> Option<Vec<u32>> {
        let Self::Numbers(ranges) = self else { return None };
        ranges.iter().map(|(first, last)| (first == last).then_some(*first)).collect()
    }

    /// Whether ranges hold a number.
    pub(crate) fn has(&self, job: u32) -> bool {
        match self {
            Self::Last => false,
            Self::All => true,
            Self::Numbers(ranges) => {
                ranges.iter().any(|(first, last)| (*first..=*last).contains(&job))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_named_as_people_write_them() {
        let table = [
            ("last", Which::Last),
            ("all", Which::All),
            ("12", Which::Numbers(vec![(12, 12)])),
            ("1-10,15", Which::Numbers(vec![(1, 10), (15, 15)])),
            ("1_000", Which::Numbers(vec![(1_000, 1_000)])),
        ];
        for (text, which) in table {
            let of = |home: Option<&str>| Jobs { home: home.map(Into::into), which: which.clone() };
            assert_eq!(text.parse(), Ok(of(None)), "{text}");
            assert_eq!(format!("beta/{text}").parse(), Ok(of(Some("beta"))), "{text}");
        }
        for text in ["", "0", "-1", "2-1", "1,", "a", "1-", "+1", "99999999999"] {
            assert!(text.parse::<Jobs>().is_err(), "{text}");
            assert!(format!("beta/{text}").parse::<Jobs>().is_err(), "beta/{text}");
        }
        for text in ["/1", "a b/1", "beta/1/2"] {
            assert!(text.parse::<Jobs>().is_err(), "{text}");
        }
    }

    #[test]
    fn tasks_are_names_or_numbers() {
        let tasks = |text: &str| text.parse::<Target>().map(|target| target.tasks);
        assert_eq!(tasks("7"), Ok(vec![]));
        assert_eq!(tasks("7/count[3]"), Ok(vec!["count[3]".to_owned()]));
        assert_eq!(tasks("7/a/b"), Ok(vec!["a/b".to_owned()]));
        assert_eq!(tasks("last/2-3,9"), Ok(vec!["2".into(), "3".into(), "9".into()]));
        assert!(matches!(tasks("7/"), Err(SelectorError::Task(_))));
        assert!(matches!(tasks("7/1-20_000"), Err(SelectorError::TooMany { count: 20_000 })));
    }

    #[test]
    fn tasks_of_another_member_have_its_name_before_them() {
        let target = |text: &str| text.parse::<Target>().expect("it is good");
        for (text, job, tasks) in [
            ("beta/7", "beta/7", &[][..]),
            ("beta/last/count[3]", "beta/last", &["count[3]"]),
            ("beta/1-2/a/b", "beta/1-2", &["a/b"]),
            ("7/7/7", "7", &["7/7"]),
        ] {
            assert_eq!(target(text).jobs, job.parse().expect("it is good"), "{text}");
            assert_eq!(target(text).tasks, tasks, "{text}");
        }
        assert!(matches!("beta/7/".parse::<Target>(), Err(SelectorError::Task(_))));
        assert!(matches!("beta/x".parse::<Target>(), Err(SelectorError::Job(_))));
    }

    #[test]
    fn only_plain_numbers_need_no_look_up() {
        let jobs = |text: &str| text.parse::<Which>().expect("it is good");
        assert_eq!(jobs("1,5").written_out(), Some(vec![1, 5]));
        assert_eq!(jobs("1-2").written_out(), None);
        assert!(jobs("1-3,9").has(2) && !jobs("1-3,9").has(4));
    }
}
