//! What the tasks of a storm wrote down, and what of that must not be.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Bytes of the file of marks: a moment, as far as tasks are concerned.
pub(crate) type Place = u64;

/// Who started a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// A node, in an epoch, by a grant.
    Node { epoch: u64, grant: u64 },
    /// A worker, over its connection of this number.
    Worker { name: String, connection: u64 },
}

/// A start of a task.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) at: Place,
    pub(crate) by: By,
    pub(crate) attempt: u64,
    /// The number of the job, from 1.
    pub(crate) job: u64,
}

/// Something was killed between these places: the node, or a worker of this name.
#[derive(Clone, Debug)]
pub(crate) struct Kill {
    pub(crate) from: Place,
    pub(crate) until: Place,
    pub(crate) worker: Option<String>,
}

/// What is known of a job's tasks otherwise.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// The number of its job, from 1.
    pub(crate) job: u64,
    /// Where the request began that was answered with this number.
    pub(crate) asked: Place,
    /// Whether attempts of it fail by themselves.
    pub(crate) fails: bool,
    /// Whether it was cancelled: it has ended at once then, while what was being started may still
    /// be about to begin.
    pub(crate) cancelled: bool,
    /// From where to where nothing of it may start: it had ended, and was not retried yet.
    pub(crate) quiet: Vec<(Place, Place)>,
}

/// All that was written down.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    pub(crate) starts: BTreeMap<String, Vec<Start>>,
    /// Where each connection of a worker began.
    registered: BTreeMap<(String, u64), Place>,
    pub(crate) faults: Vec<String>,
}

impl Marks {
    /// How much has been written down by now.
    pub(crate) fn place(file: &Path) -> Place {
        fs::metadata(file).map_or(0, |about| about.len())
    }

    /// Reads all; nothing where there is no file yet.
    pub(crate) fn read(file: &Path) -> Self {
        Self::parse(&String::from_utf8_lossy(&fs::read(file).unwrap_or_default()))
    }

    /// Lines are in the order in which they were written, since each is one append.
    fn parse(text: &str) -> Self {
        let mut marks = Self::default();
        let (mut latest, mut at) = (0, 0);
        for line in text.split_inclusive('\n') {
            marks.line(line.trim_end(), at, &mut latest);
            at += line.len() as Place;
        }
        marks
    }

    fn line(&mut self, line: &str, at: Place, latest: &mut u64) {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok());
        let pair = words.get(2).and_then(|word| word.rsplit_once('.'));
        let second = pair.and_then(|(_, second)| second.parse::<u64>().ok());
        let (Some((first, _)), Some(second)) = (pair, second) else {
            return self.faults.push(format!("a mark cannot be read: `{line}`"));
        };
        let epoch = first.parse::<u64>().unwrap_or_default();
        let of_node = matches!(words[0], "s" | "z");
        if of_node && epoch < *latest {
            self.faults.push(format!(
                "a process that epoch {epoch} left behind was at work in epoch {latest}: `{line}`"
            ));
        }
        if words[0] == "s" {
            *latest = epoch.max(*latest);
        }
        let worker = (first.to_owned(), second);
        let by = match words[0] {
            "z" => return,
            "c" => {
                self.registered.insert(worker, at);
                return;
            }
            "s" => By::Node { epoch, grant: second },
            _ => By::Worker { name: worker.0, connection: second },
        };
        let (Some(attempt), Some(job)) = (number(3), number(4)) else {
            return self.faults.push(format!("a mark cannot be read: `{line}`"));
        };
        // The variable counts from 0, the message to workers from 1.
        let job = job + u64::from(of_node);
        self.starts.entry(words[1].to_owned()).or_default().push(Start { at, by, attempt, job });
    }

    /// How many starts there were beyond the first of each task.
    pub(crate) fn repeated(&self) -> u64 {
        self.starts.values().map(|starts| starts.len() as u64 - 1).sum()
    }

    /// Starts that nothing called for.
    pub(crate) fn unwanted(&self, known: &BTreeMap<String, Known>, kills: &[Kill]) -> Vec<String> {
        let mut faults = Vec::new();
        for (task, starts) in &self.starts {
            let Some(known) = task.split_once('/').and_then(|(key, _)| known.get(key)) else {
                continue;
            };
            for start in starts {
                if start.job != known.job && !self.is_unacknowledged(start, known, kills) {
                    faults.push(format!(
                        "{task} was acknowledged as of job {} and started as of job {}",
                        known.job, start.job
                    ));
                }
                let late = known.quiet.iter().find(|(from, to)| (*from..*to).contains(&start.at));
                let late = late.filter(|(from, _)| {
                    let mut since = kills.iter().filter(|kill| kill.worker.is_none());
                    !known.cancelled
                        || since.any(|kill| kill.from >= *from && kill.until <= start.at)
                });
                if late.is_some() && !self.is_stale(start, kills) {
                    faults.push(format!("{task} had ended and was started: {start:?}"));
                }
            }
            for pair in starts.windows(2) {
                if !self.explained(&pair[0], &pair[1], known, kills) {
                    faults.push(format!(
                        "{task} was started twice, and nothing had failed: {pair:?}"
                    ));
                }
            }
        }
        faults
    }

    /// Whether this was started for a submission of which nothing was durable when a node was
    /// killed: nobody was told of it, and submitted anew it has another number.
    fn is_unacknowledged(&self, start: &Start, known: &Known, kills: &[Kill]) -> bool {
        let mut of_node = kills.iter().filter(|kill| kill.worker.is_none());
        of_node.any(|kill| kill.until > self.since(start) && kill.from <= known.asked)
    }

    /// Whether a worker was given this before a node was killed, and began it after: nobody can
    /// take that back, and its outcome finds nobody.
    fn is_stale(&self, start: &Start, kills: &[Kill]) -> bool {
        let mut of_node = kills.iter().filter(|kill| kill.worker.is_none());
        matches!(start.by, By::Worker { .. })
            && of_node.any(|kill| kill.until > self.since(start) && kill.from <= start.at)
    }

    /// Whether a task may have been started a second time: what ran it was killed, it failed, or
    /// its job was retried.
    fn explained(&self, first: &Start, second: &Start, known: &Known, kills: &[Kill]) -> bool {
        let retried = known.quiet.iter().any(|(_, to)| (first.at..=second.at).contains(to));
        let failed = known.fails && second.attempt > first.attempt;
        match (&first.by, &second.by) {
            (By::Node { epoch, grant }, By::Node { epoch: next, grant: other }) => {
                epoch < next || (epoch == next && grant != other && (failed || retried))
            }
            (By::Worker { name, .. }, By::Worker { .. }) if first.by != second.by => {
                let of_it = |kill: &Kill| kill.worker.as_ref().is_none_or(|killed| killed == name);
                let since = self.since(first);
                let meanwhile = |kill: &Kill| kill.until > since && kill.from <= second.at;
                self.is_stale(second, kills)
                    || kills.iter().any(|kill| of_it(kill) && meanwhile(kill))
            }
            _ => false,
        }
    }

    /// Where the connection began over which a task was started; a connection is of one life of
    /// the node.
    fn since(&self, start: &Start) -> Place {
        match &start.by {
            By::Worker { name, connection } => {
                let place = self.registered.get(&(name.clone(), *connection));
                place.copied().unwrap_or_default()
            }
            By::Node { .. } => start.at,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Kill, Known, Marks, Place};

    fn known(fails: bool, quiet: &[(Place, Place)]) -> BTreeMap<String, Known> {
        BTreeMap::from([(
            "k".to_owned(),
            Known { job: 1, fails, quiet: quiet.to_vec(), ..Known::default() },
        )])
    }

    fn faults(text: &str, known: &BTreeMap<String, Known>, kills: &[Kill]) -> usize {
        let marks = Marks::parse(text);
        marks.faults.len() + marks.unwanted(known, kills).len()
    }

    #[test]
    fn a_second_start_needs_a_reason() {
        let plain = known(false, &[]);
        assert_eq!(faults("s k/1 1.7 1 0\ns k/2 1.7 1 0\n", &plain, &[]), 0);
        assert_eq!(faults("s k/1 1.7 1 0\ns k/1 1.8 1 0\n", &plain, &[]), 1);
        assert_eq!(faults("s k/1 1.7 1 0\ns k/1 2.1 1 0\n", &plain, &[]), 0, "a node was killed");
        assert_eq!(faults("s k/1 1.7 1 0\ns k/1 1.8 2 0\n", &plain, &[]), 1, "it does not fail");
        assert_eq!(faults("s k/1 1.7 1 0\ns k/1 1.8 2 0\n", &known(true, &[]), &[]), 0);
        assert_eq!(faults("s k/1 1.7 1 0\ns k/1 1.7 2 0\n", &known(true, &[]), &[]), 1);
        assert_eq!(faults("s k/1 1.7 1 5\n", &plain, &[]), 1, "another job");
        assert_eq!(faults("s k/1 1.7\n", &plain, &[]), 1);
    }

    #[test]
    fn what_had_ended_is_not_started_unless_it_is_retried() {
        let text = "s k/1 1.7 1 0\ns k/1 2.1 1 0\n";
        assert_eq!(faults(text, &known(false, &[(14, Place::MAX)]), &[]), 1);
        assert_eq!(faults(text, &known(false, &[(5, 14)]), &[]), 0);
        let text = "s k/1 1.7 1 0\ns k/1 1.8 1 0\n";
        assert_eq!(faults(text, &known(false, &[(5, 14)]), &[]), 0, "a retry explains it");
        let mut cancelled = known(false, &[(0, Place::MAX)]);
        cancelled.values_mut().for_each(|known| known.cancelled = true);
        assert_eq!(faults("s k/1 1.7 1 0\n", &cancelled, &[]), 0, "it was being started");
        let kill = Kill { from: 1, until: 14, worker: None };
        assert_eq!(faults("s k/2 1.7 1 0\ns k/1 2.7 1 0\n", &cancelled, &[kill]), 1);
    }

    #[test]
    fn another_number_is_that_of_a_submission_which_was_lost_before_it_was_acknowledged() {
        let text = "s k/1 1.7 1 4\ns k/1 2.7 1 0\n";
        let asked = |asked| {
            let mut known = known(false, &[]);
            known.values_mut().for_each(|known| known.asked = asked);
            known
        };
        let kill =
            |worker: Option<&str>| [Kill { from: 5, until: 14, worker: worker.map(str::to_owned) }];
        assert_eq!(faults(text, &asked(14), &kill(None)), 0);
        assert_eq!(faults(text, &asked(14), &[]), 1, "nothing was killed");
        assert_eq!(faults(text, &asked(14), &kill(Some("a"))), 1, "the node went on");
        assert_eq!(faults(text, &asked(4), &kill(None)), 1, "it was acknowledged before");
        let later = [Kill { from: 0, until: 0, worker: None }];
        assert_eq!(faults(text, &asked(14), &later), 1, "it was started after");
    }

    #[test]
    fn a_process_of_an_earlier_life_is_found_at_work() {
        let plain = known(false, &[]);
        assert_eq!(faults("s k/1 1.7 1 0\nz - 1.7\ns k/2 2.1 1 0\nz - 2.1\n", &plain, &[]), 0);
        assert_eq!(faults("s k/1 1.7 1 0\ns k/2 2.1 1 0\nz - 1.7\n", &plain, &[]), 1);
    }

    #[test]
    fn a_worker_begins_again_where_something_was_killed() {
        let text = "c - a.0\nw k/1 a.0 1 1\nw k/1 b.0 1 1\n";
        let kill = |worker: Option<&str>| {
            let worker = worker.map(str::to_owned);
            [Kill { from: 10, until: 30, worker }]
        };
        let plain = known(false, &[]);
        assert_eq!(faults(text, &plain, &[]), 1);
        assert_eq!(faults(text, &plain, &kill(None)), 0);
        assert_eq!(faults(text, &plain, &kill(Some("a"))), 0);
        assert_eq!(faults(text, &plain, &kill(Some("b"))), 1);
        let ended = known(false, &[(20, Place::MAX)]);
        assert_eq!(faults(text, &ended, &kill(Some("a"))), 1, "it had ended");
        assert_eq!(faults(text, &ended, &kill(None)), 0, "it was on its way when a node died");
    }
}
