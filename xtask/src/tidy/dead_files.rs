//! Every Rust file is reached by `mod` from what cargo compiles; one that is not is never seen by
//! the compiler.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::check::Outcome;
use crate::repo::Repo;
use crate::source::Source;
use crate::tidy::modules::{bodies, modules};

/// Follows `mod` from every target of every package.
pub(crate) fn check(repo: &Repo) -> Outcome {
    let (sources, packages) = match (repo.sources(), repo.packages()) {
        (Ok(sources), Ok(packages)) => (sources, packages),
        (Err(complaint), _) | (_, Err(complaint)) => return Outcome::failure(complaint),
    };
    let targets = packages.iter().flat_map(|package| &package.targets);
    let roots = targets.filter_map(|target| target.root.strip_prefix(&repo.root).ok());
    let mut roots: Vec<PathBuf> = roots.map(Path::to_path_buf).collect();
    match excluded(&|manifest| repo.read(manifest)) {
        Ok(others) => roots.extend(others),
        Err(complaint) => return Outcome::failure(complaint),
    }
    Outcome::of(unreached(sources, roots))
}

/// The programs of the packages that the workspace excludes, such as fuzzers, which another
/// compiler builds.
fn excluded(read: &dyn Fn(&Path) -> Result<String, String>) -> Result<Vec<PathBuf>, String> {
    let manifest = |directory: &Path| {
        let path = directory.join("Cargo.toml");
        let parsed = read(&path)?.parse::<Table>();
        parsed.map_err(|cause| format!("{}: {cause}", path.display()))
    };
    let root = manifest(Path::new(""))?;
    let listed = root.get("workspace").and_then(|workspace| workspace.get("exclude"));
    let mut roots = Vec::new();
    for directory in listed.and_then(Value::as_array).into_iter().flatten() {
        let directory = Path::new(directory.as_str().unwrap_or_default());
        let package = manifest(directory)?;
        let programs = package.get("bin").and_then(Value::as_array).into_iter().flatten();
        let paths = programs.filter_map(|program| program.get("path").and_then(Value::as_str));
        roots.extend(paths.map(|path| directory.join(path)));
    }
    Ok(roots)
}

fn unreached(sources: &[Source], roots: Vec<PathBuf>) -> Vec<String> {
    let by_path: BTreeMap<&Path, &Source> =
        sources.iter().map(|source| (source.path.as_path(), source)).collect();
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<(PathBuf, bool)> = roots.into_iter().map(|root| (root, true)).collect();
    while let Some((path, is_root)) = waiting.pop() {
        let Some(source) = by_path.get(path.as_path()) else { continue };
        if !reached.insert(path.clone()) {
            continue;
        }
        for module in modules(source).iter().filter(|module| module.in_file) {
            waiting.extend(bodies(&path, is_root, module).into_iter().map(|body| (body, false)));
        }
    }
    let dead = by_path.keys().filter(|path| !reached.contains(**path));
    dead.map(|path| format!("{}: no `mod` leads to it", path.display())).collect()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{excluded, unreached};
    use crate::source::Source;

    #[test]
    fn a_file_that_no_mod_leads_to_is_dead_with_all_below_it() {
        let tree = [
            ("src/lib.rs", "mod a;\nmod b { mod c; }"),
            ("src/a.rs", "mod d;"),
            ("src/a/d.rs", ""),
            ("src/b/c.rs", ""),
            ("src/e.rs", "mod f;"),
            ("src/e/f.rs", ""),
        ];
        let tree = tree.map(|(path, text)| Source::new(Path::new(path), text.to_owned()));
        let dead = unreached(&tree, vec![PathBuf::from("src/lib.rs")]);
        let wanted = ["src/e/f.rs", "src/e.rs"].map(|path| format!("{path}: no `mod` leads to it"));
        assert_eq!(dead, wanted);
    }
    #[test]
    fn programs_of_excluded_packages_are_roots() {
        let read = |path: &Path| match path.to_str() {
            Some("Cargo.toml") => Ok("[workspace]\nexclude = ['a/fuzz']".to_owned()),
            Some("a/fuzz/Cargo.toml") => Ok("[[bin]]\nname = 'x'\npath = 'y/x.rs'".to_owned()),
            other => Err(format!("{other:?} is not asked for")),
        };
        assert_eq!(excluded(&read), Ok(vec![PathBuf::from("a/fuzz/y/x.rs")]));
    }
}
