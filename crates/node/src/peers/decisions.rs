//! What was decided of nodes for the jobs of all homes, so that one that was away meanwhile, or
//! came later, does as the others do. It is told and kept among the settings of the cluster. Each
//! home keeps which of it it follows already: what it alone is asked for after that holds.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bary_identity::sheet::Sheet;
use bary_model::decree::{Decree, Decrees};

use super::file;
use super::roster::Peers;
use super::settings::{Change, SettingsError};

/// Before the name of a node that is drained, or is not.
const DRAIN: &str = "node-drain ";
/// Before a label, and the name of the node that has it, or does not.
const LABEL: &str = "node-label ";
/// The file's name.
const NAME: &str = "followed";
/// Its kind of text: the version of a decision and its key a line.
const SHEET: Sheet = Sheet { magic: "bary-followed", version: 1, what: "list of decisions" };

/// Of two versions of one thing the greater is the later.
type Version = (u64, u64);

/// Whether a setting is a decision.
pub(super) fn is_decision(key: &str) -> bool {
    key.starts_with(DRAIN) || key.starts_with(LABEL)
}

/// Which decisions a home follows, by their keys.
#[derive(Debug)]
pub(crate) struct Followed {
    /// Where it is kept; a home in place of another keeps it with that one's jobs only.
    path: Option<PathBuf>,
    all: Mutex<BTreeMap<Box<str>, Version>>,
}

impl Followed {
    /// Those of a directory; none where there is no file.
    pub(super) fn open(dir: &Path) -> Result<Self, SettingsError> {
        let path = dir.join(NAME);
        let mut all = BTreeMap::new();
        if let Some(text) = file::read_text(&path)? {
            for (at, line) in SHEET.lines(&text)? {
                let (key, version) = read(line).ok_or(SettingsError::Line(at))?;
                all.insert(key, version);
            }
        }
        Ok(Self { path: Some(path), all: Mutex::new(all) })
    }

    /// What is not followed of some decisions.
    fn due(&self, decided: Vec<Change>) -> Vec<Change> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = |one: &Change| all.get(&one.key).is_none_or(|done| *done < one.version());
        decided.into_iter().filter(is_due).collect()
    }

    /// These decisions are followed. Blocks for the disk.
    pub(crate) fn add(&self, done: &[Change]) -> io::Result<()> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let mut with = all.clone();
        for change in done {
            let version = with.entry(change.key.clone()).or_default();
            *version = change.version().max(*version);
        }
        if let Some(path) = &self.path {
            let lines =
                with.iter().map(|(key, (number, member))| format!("{number} {member} {key}"));
            file::write(path, SHEET.print(lines).as_bytes())?;
        }
        *all = with;
        Ok(())
    }
}

fn read(line: &str) -> Option<(Box<str>, Version)> {
    let mut parts = line.splitn(3, ' ');
    let mut number = || parts.next()?.parse().ok();
    let version = (number()?, number()?);
    Some((parts.next()?.into(), version))
}

/// What is decided by a decree: of each thing of a node what it is from now on.
fn told(decree: &Decree) -> Vec<(String, Option<Box<str>>)> {
    match decree {
        Decree::Follow(_) => Vec::new(),
        Decree::Drain { node, drain } => {
            vec![(format!("{DRAIN}{node}"), drain.then(|| "yes".into()))]
        }
        Decree::Label { node, labels } => {
            let key = |label| format!("{LABEL}{label} {node}");
            labels.iter().map(|(label, value)| (key(label), value.clone())).collect()
        }
    }
}

/// The decree that has a home follow a decision; none where it does, or cannot tell what it is.
pub(crate) fn decree(change: &Change, holds: &Decrees) -> Option<Decree> {
    if let Some(node) = change.key.strip_prefix(DRAIN) {
        let drain = change.value.is_some();
        let is_new = holds.drained.contains(node) != drain;
        return is_new.then(|| Decree::Drain { node: node.into(), drain });
    }
    let (label, node) = change.key.strip_prefix(LABEL)?.split_once(' ')?;
    let lies = holds.labels.get(node).and_then(|labels| labels.get(label));
    let labels = || [(label.into(), change.value.clone())].into();
    (lies != Some(&change.value)).then(|| Decree::Label { node: node.into(), labels: labels() })
}

impl Peers {
    /// Says for all homes what was decided of a node. Blocks for the disk.
    ///
    /// # Errors
    /// Where it cannot be written, or has no room among what was decided before: homes that are
    /// away do not hear of it then.
    pub(crate) fn decide(
        &self,
        decree: &Decree,
        (who, reason): (&str, &str),
        at: &str,
    ) -> io::Result<()> {
        for (key, value) in told(decree) {
            self.set((&key, value.as_deref()), (who, reason), at)?;
        }
        Ok(())
    }

    /// What was decided and a home does not follow yet.
    pub(crate) fn due(&self, followed: &Followed) -> Vec<Change> {
        followed.due(self.decided())
    }

    /// Which decisions the home of this member follows.
    pub(crate) fn followed(&self) -> Arc<Followed> {
        Arc::clone(&self.followed)
    }

    /// For a home in place of another, which followed what was decided before.
    pub(crate) fn followed_by_home(&self) -> Arc<Followed> {
        let all = self.decided().into_iter().map(|change| (change.key.clone(), change.version()));
        Arc::new(Followed { path: None, all: Mutex::new(all.collect()) })
    }

    fn decided(&self) -> Vec<Change> {
        let last = self.changes().into_iter().filter_map(|mut of| of.pop());
        last.filter(|change| is_decision(&change.key)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change((key, value): (&str, Option<&str>), number: u64) -> Change {
        let [at_member, who, at, reason] = ["a", "ann", "now", ""].map(Into::into);
        let (key, value) = (key.into(), value.map(Into::into));
        Change { key, value, number, member: 1, at_member, who, at, reason }
    }

    #[test]
    fn what_was_decided_is_what_homes_are_asked_for() {
        let labels = [("disk".into(), Some("ssd".into())), ("gpu".into(), None)].into();
        let label = Decree::Label { node: "a b".into(), labels };
        for decree in [Decree::Drain { node: "a b".into(), drain: true }, label] {
            let mut holds = Decrees::default();
            for (key, value) in told(&decree) {
                let change = change((&key, value.as_deref()), 1);
                assert!(is_decision(&key));
                let asked = super::decree(&change, &holds).expect("it is not so yet");
                // On record a label says all that lies over a node.
                match asked {
                    Decree::Label { node, labels } => {
                        holds.labels.entry(node).or_default().extend(labels);
                    }
                    other => holds.take_in(&other),
                }
                assert_eq!(super::decree(&change, &holds), None, "it is so now");
            }
            let mut whole = Decrees::default();
            whole.take_in(&decree);
            assert_eq!(holds, whole);
        }
        assert_eq!(decree(&change(("node-other a", None), 1), &Decrees::default()), None);
    }

    #[test]
    fn what_is_followed_is_due_again_only_where_something_else_was_decided() {
        let dir = tempfile::tempdir().expect("there is room");
        let followed = Followed::open(dir.path()).expect("there is none yet");
        let one = change(("node-drain a b", Some("yes")), 4);
        assert_eq!(followed.due(vec![one.clone()]), std::slice::from_ref(&one));
        followed.add(std::slice::from_ref(&one)).expect("there is room");
        let again = Followed::open(dir.path()).expect("it was written");
        for followed in [followed, again] {
            assert_eq!(followed.due(vec![one.clone()]), []);
            assert_eq!(followed.due(vec![change(("node-drain a b", None), 3)]), []);
            let later = change(("node-drain a b", None), 5);
            assert_eq!(followed.due(vec![later.clone()]), [later]);
        }
        std::fs::write(dir.path().join(NAME), "bary-followed 1\nno number\n").expect("it is ours");
        assert!(Followed::open(dir.path()).is_err());
    }
}
