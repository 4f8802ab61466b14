//! Every package that ends up in the lock file must be under a licence that lets a program under
//! MIT be shipped with it, and the lock file must be in step with the manifests.

use serde_json::Value;

use crate::check::Outcome;
use crate::metadata::{list, text};
use crate::repo::Repo;
use crate::spdx::Expression;

/// What is welcome. Others, such as Unlicense, pass only as one side of an `OR` whose other side
/// stands here.
const WELCOME: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "MPL-2.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "0BSD",
];

/// Checks the licence of every package in the lock file.
pub(crate) fn licences(repo: &Repo) -> Outcome {
    match repo.ask_cargo(&["--locked"]) {
        Ok(metadata) => Outcome::of(unwelcome(&metadata)),
        Err(complaint) => Outcome::failure(complaint),
    }
}

/// Checks that the lock file needs no change.
pub(crate) fn lockfile(repo: &Repo) -> Outcome {
    match repo.ask_cargo(&["--locked"]) {
        Ok(_) => Outcome::Passed(Vec::new()),
        Err(complaint) => Outcome::failure(complaint),
    }
}

fn unwelcome(metadata: &Value) -> Vec<String> {
    list(metadata, "packages").filter_map(finding).collect()
}

fn finding(package: &Value) -> Option<String> {
    let who = format!("{} {}", text(package, "name"), text(package, "version"));
    let Some(licence) = package["license"].as_str() else {
        return Some(format!("{who}: names no licence"));
    };
    match Expression::parse(licence) {
        Ok(expression) if expression.is_satisfied_by(WELCOME) => None,
        Ok(_) => Some(format!("{who}: its licence is not welcome: {licence}")),
        Err(fault) => Some(format!("{who}: its licence cannot be read: {fault}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::unwelcome;

    #[test]
    fn each_package_that_is_not_welcome_is_named() {
        let metadata = json!({ "packages": [
            { "name": "good", "version": "1.0.0", "license": "Unlicense OR MIT" },
            { "name": "bad", "version": "2.0.0", "license": "AGPL-3.0-only" },
            { "name": "silent", "version": "3.0.0", "license": null },
            { "name": "odd", "version": "4.0.0", "license": "MIT OR" },
        ] });
        let found = unwelcome(&metadata);
        let names: Vec<_> = found.iter().filter_map(|f| f.split_once(' ')).map(|f| f.0).collect();
        assert_eq!(names, ["bad", "silent", "odd"]);
    }
}
