//! What the tasks of a storm over members wrote down, and what of that must not be.

use std::collections::BTreeMap;

use super::book::Entry;

/// Bytes of the file of marks: a moment, as far as tasks are concerned.
pub(crate) type Place = u64;

/// Something was killed, cut off or lost between these places.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mishap {
    pub(crate) what: String,
    pub(crate) from: Place,
    /// None while it goes on.
    pub(crate) until: Option<Place>,
}

/// A start of a task.
#[derive(Clone, Debug, PartialEq)]
struct Start<'a> {
    at: Place,
    /// Under which grant.
    fence: &'a str,
    member: &'a str,
}

/// What came of the marks.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// Starts beyond the first of each task.
    pub(crate) again: u64,
    /// How many tasks each member started.
    pub(crate) by_member: BTreeMap<String, u64>,
    pub(crate) faults: Vec<String>,
}

/// Judges all that was written down: each task of an ended job was started, and none twice without
/// a reason, nor twice under one grant.
pub(crate) fn judge(text: &str, entries: &BTreeMap<String, Entry>, mishaps: &[Mishap]) -> Judged {
    let mut judged = Judged::default();
    let mut starts: BTreeMap<&str, Vec<Start<'_>>> = BTreeMap::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        match line.trim_end().split(' ').collect::<Vec<_>>()[..] {
            ["s", name, fence, member, _] => {
                *judged.by_member.entry(member.to_owned()).or_default() += 1;
                starts.entry(name).or_default().push(Start { at, fence, member });
            }
            _ => judged.faults.push(format!("a mark cannot be read: `{}`", line.trim_end())),
        }
        at += line.len() as Place;
    }
    for (name, all) in &starts {
        judged.again += all.len() as u64 - 1;
        for (first, second) in all.iter().zip(all.iter().skip(1)) {
            if all.iter().filter(|start| start.fence == second.fence).count() > 1 {
                let fence = second.fence;
                judged.faults.push(format!("{name} was started twice under grant {fence}"));
            }
            let explains = |mishap: &&Mishap| {
                mishap.from <= second.at && mishap.until.is_none_or(|until| until >= first.at)
            };
            if !mishaps.iter().any(|mishap| explains(&mishap)) {
                let (here, there) = (first.member, second.member);
                judged.faults.push(format!(
                    "{name} was started at {here} and again at {there}, and nothing was wrong"
                ));
            }
        }
    }
    for (key, entry) in entries.iter().filter(|(_, entry)| entry.ended) {
        let missing = (1..=entry.tasks)
            .filter(|task| !starts.contains_key(format!("{key}/{task}").as_str()))
            .count();
        if missing > 0 {
            let home = entry.home;
            let fault = format!("{missing} tasks of {key} at m{home} succeeded and never started");
            judged.faults.push(fault);
        }
    }
    judged
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Entry, Mishap, judge};

    fn faults(text: &str, mishaps: &[(u64, Option<u64>)]) -> usize {
        let entry = Entry { home: 1, number: 1, tasks: 1, is_large: false, ended: true };
        let entries = BTreeMap::from([("k".to_owned(), entry)]);
        let mishap =
            |&(from, until): &(u64, Option<u64>)| Mishap { what: "a kill".into(), from, until };
        let mishaps: Vec<_> = mishaps.iter().map(mishap).collect();
        judge(text, &entries, &mishaps).faults.len()
    }

    #[test]
    fn a_second_start_needs_a_reason_and_a_grant_of_its_own() {
        let once = "s k/1 1.7 m1 1\n";
        assert_eq!(faults(once, &[]), 0);
        let again = format!("{once}s k/1 1.8 m2 1\n");
        assert_eq!(faults(&again, &[]), 1);
        assert_eq!(faults(&again, &[(0, None)]), 0, "somebody was away");
        assert_eq!(faults(&again, &[(16, Some(17))]), 1, "that was after it");
        let later = format!("s j/1 1.1 m1 1\n{again}");
        assert_eq!(faults(&later, &[(3, Some(9))]), 1, "that was before it");
        let same = format!("{once}s k/1 1.7 m1 1\n");
        assert_eq!(faults(&same, &[(0, None)]), 1);
    }

    #[test]
    fn what_succeeded_was_started() {
        assert_eq!(faults("s j/1 1.7 m1 1\n", &[]), 1);
        assert_eq!(faults("s k/1\ns k/1 1.7 m1 1\n", &[]), 1, "a mark that is none");
    }
}
