//! The import table: which crate may import which. Arrows point down only; a crate may import
//! `model`, what its row names, and what its row's imports stand on.

use std::collections::BTreeSet;

use crate::check::Outcome;
use crate::metadata::Package;
use crate::repo::Repo;

/// One crate of the house.
struct Row {
    floor: u8,
    name: &'static str,
    imports: &'static [&'static str],
}

const fn row(floor: u8, name: &'static str, imports: &'static [&'static str]) -> Row {
    Row { floor, name, imports }
}

/// The crates that touch sockets, files, processes or devices; none imports another.
const HANDS: &[&str] = &["disk", "membership", "transport", "executor", "store", "replica"];

#[rustfmt::skip]
const HOUSE: &[Row] = &[
    row(1, "model", &[]),
    row(2, "policy", &["model"]),
    row(2, "ledger", &["model"]),
    row(2, "gossip", &["model"]),
    row(2, "ports", &["model"]),
    row(2, "api", &["model"]),
    row(2, "jobfile", &["model"]),
    row(2, "trace", &["model"]),
    row(3, "engine", &["policy", "ledger", "gossip"]),
    row(3, "wire", &["ledger", "gossip"]),
    row(3, "journal", &["ports"]),
    row(3, "disk", &["ports"]),
    row(3, "membership", &["ports"]),
    row(3, "transport", &["ports"]),
    row(3, "executor", &["ports"]),
    row(3, "store", &["ports"]),
    row(3, "replica", &["ports"]),
    row(3, "policy-spectral", &["policy"]),
    row(3, "identity", &["api"]),
    row(4, "client", &["api", "identity"]),
    row(4, "node", &["engine", "wire", "journal", "disk", "membership", "transport", "executor",
                     "store", "replica", "policy-spectral", "identity", "api", "jobfile", "trace"]),
    row(4, "sim", &["engine", "wire", "journal", "policy-spectral", "jobfile", "trace"]),
    row(5, "bary", &["node", "client", "jobfile"]),
    row(6, "cli", &["bary", "sim"]),
    row(6, "fuzz", &["node", "trace"]),
    row(0, "xtask", &[]),
];

/// What tests may import beyond the table: any crate the ports' conformance suites, and hands the
/// journal, which has no I/O of its own and is judged over real files.
const IN_TESTS: &[&str] = &["ports", "journal"];

/// Holds every manifest of the workspace against the table.
pub(crate) fn check(repo: &Repo) -> Outcome {
    match repo.packages() {
        Ok(packages) => Outcome::of(packages.iter().flat_map(findings).collect()),
        Err(complaint) => Outcome::failure(complaint),
    }
}

fn findings(package: &Package) -> Vec<String> {
    let crate_name = crate_name(&package.name);
    let Some(allowed) = allowed(crate_name) else {
        return vec![format!("{}: the import table has no row for it", package.name)];
    };
    let mut findings = Vec::new();
    for dependency in &package.dependencies {
        let imported = crate_name_of_ours(&dependency.name);
        let Some(imported) = imported.filter(|&imported| imported != crate_name) else { continue };
        let in_tests = dependency.dev && crate_name != "xtask" && IN_TESTS.contains(&imported);
        if !allowed.contains(imported) && !in_tests {
            findings.push(format!("{crate_name} may not import {imported}"));
        }
    }
    findings
}

/// A package's name without the prefix that all of them share.
pub(crate) fn crate_name(package: &str) -> &str {
    package.strip_prefix("bary-").unwrap_or(package)
}

fn crate_name_of_ours(package: &str) -> Option<&str> {
    let ours = package.starts_with("bary-") || matches!(package, "bary" | "xtask");
    ours.then(|| crate_name(package))
}

/// Everything that a crate may import; `None` for a crate without a row.
fn allowed(name: &str) -> Option<BTreeSet<&'static str>> {
    let row = HOUSE.iter().find(|row| row.name == name)?;
    let mut allowed = BTreeSet::new();
    let mut rows = vec![row];
    while let Some(row) = rows.pop() {
        for import in row.imports {
            if allowed.insert(*import) {
                rows.extend(HOUSE.iter().find(|row| row.name == *import));
            }
        }
    }
    if row.floor > 1 {
        allowed.insert("model");
    }
    if HANDS.contains(&name) {
        allowed.retain(|import| *import != "engine" && !HANDS.contains(import));
    }
    Some(allowed)
}

#[cfg(test)]
mod tests {
    use super::{HANDS, HOUSE, allowed, findings};
    use crate::metadata::{Dependency, Package};

    fn package(name: &str, dependencies: &[(&str, bool)]) -> Package {
        let dependency = |&(name, dev): &(&str, bool)| Dependency { name: name.to_owned(), dev };
        let dependencies = dependencies.iter().map(dependency).collect();
        Package { name: name.to_owned(), dependencies, ..Package::default() }
    }

    #[test]
    fn the_tables_arrows_point_down_and_to_rows() {
        for row in HOUSE {
            for import in row.imports {
                let found = HOUSE.iter().find(|row| row.name == *import);
                assert!(found.is_some_and(|below| below.floor < row.floor), "{import}");
            }
        }
    }

    #[test]
    fn a_crate_may_import_what_its_imports_stand_on() {
        let bary = package("bary", &[("bary-engine", false), ("bary-jobfile", false)]);
        assert_eq!(findings(&bary), Vec::<String>::new());
        let node = package("bary-node", &[("bary-ports", false), ("tokio", false)]);
        assert_eq!(findings(&node), Vec::<String>::new());
    }

    #[test]
    fn an_arrow_up_or_across_is_refused() {
        let table = [
            ("bary-policy", "bary-ledger"),
            ("bary-model", "bary-policy"),
            ("bary-executor", "bary-engine"),
            ("bary-store", "bary-disk"),
            ("bary-sim", "bary-executor"),
            ("bary-engine", "bary-jobfile"),
            ("bary-jobfile", "bary"),
            ("xtask", "bary-model"),
        ];
        for (from, to) in table {
            assert_eq!(findings(&package(from, &[(to, false)])).len(), 1, "{from} to {to}");
        }
        assert_eq!(findings(&package("bary-novel", &[])).len(), 1);
    }

    #[test]
    fn tests_may_import_the_ports_and_no_more() {
        let engine = package("bary-engine", &[("bary-ports", true)]);
        assert_eq!(findings(&engine), Vec::<String>::new());
        assert_eq!(findings(&package("bary-engine", &[("bary-ports", false)])).len(), 1);
        assert_eq!(findings(&package("bary-engine", &[("bary-node", true)])).len(), 1);
    }

    #[test]
    fn no_hand_reaches_the_engine_or_another_hand() {
        for hand in HANDS {
            let allowed = allowed(hand).expect("every hand has a row");
            assert!(!allowed.contains("engine"));
            assert!(HANDS.iter().all(|other| !allowed.contains(other)));
        }
    }
}
