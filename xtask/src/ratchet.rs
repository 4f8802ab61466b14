//! The ratchet: what is longer than the house allows, by path, with how long it may be.
//! An entry may only shrink, so the list of exceptions can only get shorter.

use std::collections::BTreeMap;
use std::fs;

use crate::repo::Repo;

/// Where the ratchet lies, from the root.
pub(crate) const PATH: &str = "xtask/ratchet.toml";

const HEAD: &str = "\
# What is longer than the house allows. An entry may only shrink: `cargo xtask verify` refuses
# one that is larger than needed, and `cargo xtask fix` lowers it.
";

/// Lengths by path; a function's path ends in `#name`.
pub(crate) type Lengths = BTreeMap<String, usize>;

/// One measure of the house with its limit and how to speak of it.
pub(crate) struct Measure {
    /// Its table in the ratchet file.
    pub(crate) table: &'static str,
    /// What is counted.
    pub(crate) unit: &'static str,
    /// The most that needs no exception.
    pub(crate) max: usize,
}

/// The ratchet file's tables.
pub(crate) struct Ratchet(BTreeMap<String, Lengths>);

impl Ratchet {
    /// Reads the ratchet file's text; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let file: toml::Table = text.parse().map_err(|fault| format!("{PATH}: {fault}"))?;
        let mut tables = BTreeMap::new();
        for (name, table) in file {
            let entries = table.as_table().ok_or_else(|| format!("{PATH}: {name} is no table"))?;
            let mut lengths = Lengths::new();
            for (path, allowed) in entries {
                let allowed = allowed.as_integer().and_then(|value| usize::try_from(value).ok());
                let allowed = allowed.ok_or_else(|| format!("{PATH}: {path} is no length"))?;
                lengths.insert(path.clone(), allowed);
            }
            tables.insert(name, lengths);
        }
        Ok(Self(tables))
    }

    /// Reads the project's ratchet.
    pub(crate) fn read(repo: &Repo) -> Result<Self, String> {
        Self::parse(&repo.read(PATH)?)
    }

    /// The entries of one table.
    pub(crate) fn entries(&self, table: &str) -> Lengths {
        self.0.get(table).cloned().unwrap_or_default()
    }

    /// The tables that no measure owns.
    pub(crate) fn strangers(&self, measures: &[Measure]) -> Vec<String> {
        let known = |name: &&String| measures.iter().any(|measure| measure.table == **name);
        let strangers = self.0.keys().filter(|name| !known(name));
        strangers.map(|name| format!("{PATH}: nothing is measured by [{name}]")).collect()
    }
}

/// What is wrong, given all lengths beyond the measure's limit and the ratchet's entries.
pub(crate) fn judge(measure: &Measure, beyond: &Lengths, allowed: &Lengths) -> Vec<String> {
    let Measure { table, unit, max } = measure;
    let mut findings = Vec::new();
    for (path, length) in beyond {
        match allowed.get(path) {
            None => findings.push(format!("{path}: {length} {unit}, the limit is {max}")),
            Some(allowed) if length > allowed => {
                findings.push(format!("{path}: {length} {unit}, its ratchet allows {allowed}"));
            }
            Some(allowed) if length < allowed => {
                findings.push(format!("{PATH}: [{table}] {path}: lower it to {length}"));
            }
            Some(_) => {}
        }
    }
    let spare = allowed.keys().filter(|path| !beyond.contains_key(*path));
    findings.extend(spare.map(|path| format!("{PATH}: [{table}] {path}: no longer needed")));
    findings
}

/// The entries that are still needed, none larger than before.
pub(crate) fn lowered(beyond: &Lengths, allowed: &Lengths) -> Lengths {
    let needed = |(path, allowed): (&String, &usize)| {
        beyond.get(path).map(|length| (path.clone(), *length.min(allowed)))
    };
    allowed.iter().filter_map(needed).collect()
}

/// Writes the ratchet file, if that changes it; says whether it did.
pub(crate) fn write(repo: &Repo, tables: &[(&str, Lengths)]) -> Result<bool, String> {
    let text = print(tables);
    if repo.read(PATH).is_ok_and(|before| before == text) {
        return Ok(false);
    }
    fs::write(repo.root.join(PATH), text).map_err(|cause| format!("{PATH}: {cause}"))?;
    Ok(true)
}

fn print(tables: &[(&str, Lengths)]) -> String {
    let mut text = HEAD.to_owned();
    for (name, entries) in tables {
        text.push_str(&format!("\n[{name}]\n"));
        for (path, length) in entries {
            text.push_str(&format!("{path:?} = {length}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Lengths, Measure, Ratchet, judge, lowered, print};

    const LINES: Measure = Measure { table: "file-lines", unit: "lines", max: 400 };

    fn lengths(entries: &[(&str, usize)]) -> Lengths {
        entries.iter().map(|&(path, length)| (path.to_owned(), length)).collect()
    }

    #[test]
    fn an_exception_holds_exactly_and_not_for_others() {
        let beyond = lengths(&[("a.rs", 450), ("b.rs", 500), ("c.rs", 410)]);
        let allowed = lengths(&[("a.rs", 450), ("b.rs", 460)]);
        let wanted =
            ["b.rs: 500 lines, its ratchet allows 460", "c.rs: 410 lines, the limit is 400"];
        assert_eq!(judge(&LINES, &beyond, &allowed), wanted);
    }

    #[test]
    fn an_entry_larger_than_needed_or_not_needed_is_refused() {
        let findings =
            judge(&LINES, &lengths(&[("a.rs", 420)]), &lengths(&[("a.rs", 450), ("z.rs", 500)]));
        assert!(findings[0].ends_with("a.rs: lower it to 420"), "{findings:?}");
        assert!(findings[1].ends_with("z.rs: no longer needed"), "{findings:?}");
    }

    #[test]
    fn lowering_never_raises_and_drops_what_is_spare() {
        let beyond = lengths(&[("a.rs", 420), ("b.rs", 500), ("new.rs", 600)]);
        let allowed = lengths(&[("a.rs", 450), ("b.rs", 460), ("z.rs", 500)]);
        assert_eq!(lowered(&beyond, &allowed), lengths(&[("a.rs", 420), ("b.rs", 460)]));
    }

    #[test]
    fn what_is_printed_is_read_back() {
        let entries = lengths(&[("a.rs#long", 90)]);
        let text = print(&[("function-lines", entries.clone()), ("file-lines", Lengths::new())]);
        let ratchet = Ratchet::parse(&text).expect("it is our own text");
        assert_eq!(ratchet.entries("function-lines"), entries);
        assert_eq!(ratchet.strangers(&[LINES]).len(), 1);
        assert!(Ratchet::parse("[file-lines]\n\"a.rs\" = -1").is_err());
    }
}
