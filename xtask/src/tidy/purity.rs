//! The pure crates see no clock, thread, socket or dice: none of the crates that bring those, and
//! a clippy.toml that forbids the standard library's.

use crate::check::Outcome;
use crate::metadata::Package;
use crate::repo::Repo;
use crate::tidy::imports::crate_name;

const PURE: &[&str] =
    &["model", "policy", "policy-spectral", "ledger", "gossip", "engine", "wire", "journal", "sim"];

/// Libraries with a clock, a thread, a socket or dice of their own.
const IMPURE: &[&str] = &[
    "async-std",
    "chrono",
    "crossbeam",
    "fastrand",
    "futures-timer",
    "getrandom",
    "mio",
    "rand",
    "rayon",
    "smol",
    "socket2",
    "tempfile",
    "tokio",
    "tokio-util",
];

/// What each clippy.toml has to forbid.
const FORBIDDEN: &[&str] = &[
    "std::time::Instant::now",
    "std::time::SystemTime::now",
    "std::thread::spawn",
    "std::collections::HashMap",
];

/// Checks the manifests and the clippy.toml of every pure crate that exists.
pub(crate) fn check(repo: &Repo) -> Outcome {
    let packages = match repo.packages() {
        Ok(packages) => packages,
        Err(complaint) => return Outcome::failure(complaint),
    };
    let pure = packages.iter().filter(|package| PURE.contains(&crate_name(&package.name)));
    let findings = pure.flat_map(|package| {
        let lints = repo.read(package.directory.join("clippy.toml"));
        [impure_imports(package), permitted(&package.name, lints.ok().as_deref())].concat()
    });
    Outcome::of(findings.collect())
}

fn impure_imports(package: &Package) -> Vec<String> {
    let wrong = |name: &&str| IMPURE.contains(name);
    let names = package.dependencies.iter().filter(|dependency| !dependency.dev);
    let names = names.map(|dependency| dependency.name.as_str()).filter(wrong);
    names.map(|name| format!("{} is pure and may not depend on {name}", package.name)).collect()
}

fn permitted(package: &str, lints: Option<&str>) -> Vec<String> {
    let Some(lints) = lints else {
        return vec![format!("{package} is pure and needs a clippy.toml")];
    };
    let lacking = FORBIDDEN.iter().filter(|path| !forbids(lints, path));
    lacking.map(|path| format!("{package}: its clippy.toml does not forbid {path}")).collect()
}

fn forbids(lints: &str, path: &str) -> bool {
    let Ok(lints) = lints.parse::<toml::Table>() else { return false };
    let tables = ["disallowed-methods", "disallowed-types"];
    let entries = tables.iter().filter_map(|table| lints.get(*table)?.as_array()).flatten();
    let named = |entry: &toml::Value| match entry {
        toml::Value::String(name) => name == path,
        other => other.get("path").and_then(toml::Value::as_str) == Some(path),
    };
    entries.into_iter().any(named)
}

#[cfg(test)]
mod tests {
    use super::{FORBIDDEN, impure_imports, permitted};
    use crate::metadata::{Dependency, Package};

    #[test]
    fn an_impure_dependency_is_named_unless_only_tests_see_it() {
        let dependency = |name: &str, dev| Dependency { name: name.to_owned(), dev };
        let dependencies =
            vec![dependency("tokio", false), dependency("rand", true), dependency("serde", false)];
        let package = Package { name: "bary-model".into(), dependencies, ..Package::default() };
        assert_eq!(impure_imports(&package).len(), 1);
    }

    #[test]
    fn a_clippy_file_must_forbid_every_path() {
        let lints = "disallowed-types = [\"std::collections::HashMap\"]\n\
                     disallowed-methods = [{ path = \"std::time::Instant::now\" }]";
        let lacking = permitted("bary-model", Some(lints));
        assert_eq!(lacking.len(), 2, "{lacking:?}");
        assert_eq!(permitted("bary-model", None).len(), 1);
        assert_eq!(permitted("bary-model", Some("not toml [")).len(), FORBIDDEN.len());
    }
}
