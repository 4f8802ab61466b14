//! A file is named after the one noun it holds, so none may bear a name that could hold anything.

use std::path::Path;

use crate::check::Outcome;
use crate::repo::Repo;

const BANNED: &[&str] =
    &["util", "utils", "common", "types", "errors", "manager", "misc", "helpers", "helper"];

/// Checks the names of Rust files and of the folders they lie in.
pub(crate) fn check(repo: &Repo) -> Outcome {
    match repo.with_extension("rs") {
        Ok(files) => Outcome::of(files.into_iter().filter_map(finding).collect()),
        Err(complaint) => Outcome::failure(complaint),
    }
}

fn finding(file: &Path) -> Option<String> {
    let named = file.with_extension("");
    let mut parts = named.iter().filter_map(|part| part.to_str());
    let banned = parts.find(|part| BANNED.contains(part))?;
    Some(format!("{}: `{banned}` says nothing of what is inside", file.display()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::finding;

    #[test]
    fn a_file_or_folder_that_could_hold_anything_is_refused() {
        assert!(finding(Path::new("crates/a/src/util.rs")).is_some());
        assert!(finding(Path::new("crates/a/src/common/mod.rs")).is_some());
        assert!(finding(Path::new("crates/a/src/utility_bill.rs")).is_none());
    }
}
