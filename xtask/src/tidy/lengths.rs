//! Files, functions and lines may only be so long; the ratchet holds the exceptions.

use crate::check::Outcome;
use crate::ratchet::{Lengths, Measure, Ratchet, judge, lowered as lower};
use crate::repo::Repo;
use crate::source::Source;
use crate::tidy::functions::functions;

const FILES: Measure = Measure { table: "file-lines", unit: "lines", max: 400 };
const FUNCTIONS: Measure = Measure { table: "function-lines", unit: "lines", max: 70 };
const COLUMNS: Measure = Measure { table: "line-columns", unit: "columns", max: 100 };
const MEASURES: [Measure; 3] = [FILES, FUNCTIONS, COLUMNS];

/// Holds every Rust file against the three measures and the ratchet.
pub(crate) fn check(repo: &Repo) -> Outcome {
    let (sources, ratchet) = match (repo.sources(), Ratchet::read(repo)) {
        (Ok(sources), Ok(ratchet)) => (sources, ratchet),
        (Err(complaint), _) | (_, Err(complaint)) => return Outcome::failure(complaint),
    };
    let mut findings = ratchet.strangers(&MEASURES);
    for (measure, beyond) in MEASURES.iter().zip(beyond(sources)) {
        findings.extend(judge(measure, &beyond, &ratchet.entries(measure.table)));
    }
    Outcome::of(findings)
}

/// The ratchet's tables with every entry as low as it can be.
pub(crate) fn lowered(repo: &Repo) -> Result<Vec<(&'static str, Lengths)>, String> {
    let ratchet = Ratchet::read(repo)?;
    let beyond = beyond(repo.sources()?);
    let tables = MEASURES.iter().zip(beyond);
    let lower = |(measure, beyond): (&Measure, Lengths)| {
        (measure.table, lower(&beyond, &ratchet.entries(measure.table)))
    };
    Ok(tables.map(lower).collect())
}

/// All that is beyond a limit, in the order of `MEASURES`.
fn beyond(sources: &[Source]) -> [Lengths; 3] {
    let mut beyond = [Lengths::new(), Lengths::new(), Lengths::new()];
    for source in sources {
        let path = source.path.to_string_lossy().replace('\\', "/");
        let [files, long_functions, columns] = &mut beyond;
        note(files, &FILES, path.clone(), source.text.lines().count());
        for function in functions(&source.code) {
            note(long_functions, &FUNCTIONS, format!("{path}#{}", function.name), function.lines);
        }
        let widest = source.text.lines().map(|line| line.chars().count()).max();
        note(columns, &COLUMNS, path, widest.unwrap_or(0));
    }
    beyond
}

/// Keeps the longest of what shares a path.
fn note(lengths: &mut Lengths, measure: &Measure, path: String, length: usize) {
    if length > measure.max {
        let longest = lengths.entry(path).or_insert(0);
        *longest = length.max(*longest);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::beyond;
    use crate::source::Source;

    #[test]
    fn only_what_is_beyond_a_limit_is_noted() {
        let long = format!("fn long() {{\n{}}}\n", "    x();\n".repeat(69));
        let fits = format!("fn fits() {{\n{}}}\n", "    x();\n".repeat(68));
        let text = format!("{long}{fits}// {}\n", "é".repeat(98));
        let [files, functions, columns] = beyond(&[Source::new(Path::new("a.rs"), text)]);
        assert!(files.is_empty());
        assert_eq!(functions.into_iter().collect::<Vec<_>>(), [("a.rs#long".to_owned(), 71)]);
        assert_eq!(columns.into_iter().collect::<Vec<_>>(), [("a.rs".to_owned(), 101)]);
    }
}
