//! A name is imported from the room that defines it, never through its crate's root. Outsiders use
//! the root of `bary`, so that one is free.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::Outcome;
use crate::metadata::Package;
use crate::repo::Repo;
use crate::source::{Source, line_of};
use crate::tidy::modules::modules;
use crate::tidy::use_paths::use_paths;

/// Checks every import and every path that starts at one of our crates.
pub(crate) fn check(repo: &Repo) -> Outcome {
    let (sources, packages) = match (repo.sources(), repo.packages()) {
        (Ok(sources), Ok(packages)) => (sources, packages),
        (Err(complaint), _) | (_, Err(complaint)) => return Outcome::failure(complaint),
    };
    let rooms = rooms(repo, sources, packages);
    Outcome::of(sources.iter().flat_map(|source| findings(source, &rooms)).collect())
}

/// The modules at the root of each library.
type Rooms = BTreeMap<String, BTreeSet<String>>;

fn rooms(repo: &Repo, sources: &[Source], packages: &[Package]) -> Rooms {
    let targets = packages.iter().flat_map(|package| &package.targets);
    let mut rooms = Rooms::new();
    for target in targets.filter(|target| target.is_library()) {
        let root = sources.iter().find(|source| repo.root.join(&source.path) == target.root);
        let declared = root.map(modules).unwrap_or_default();
        let top = declared.into_iter().filter(|module| module.within.is_empty());
        rooms.insert(target.name.clone(), top.map(|module| module.name).collect());
    }
    rooms
}

fn findings(source: &Source, rooms: &Rooms) -> Vec<String> {
    let through_root = |segments: &[String]| match segments {
        [library, name] if library.starts_with("bary_") => {
            !rooms.get(library).is_some_and(|rooms| rooms.contains(name))
        }
        _ => false,
    };
    let paths = use_paths(&source.code, "bary_").into_iter();
    let wrong = paths.filter(|path| through_root(&path.segments));
    let finding = |at, segments: &[String]| {
        let (file, line) = (source.path.display(), line_of(&source.code, at));
        let path = segments.join("::");
        format!("{file}:{line}: `{path}` goes through the crate's root; name the room")
    };
    wrong.map(|path| finding(path.at, &path.segments)).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Rooms, findings};
    use crate::source::Source;

    #[test]
    fn a_name_through_the_root_is_refused_and_a_room_is_not() {
        let rooms = Rooms::from([("bary_model".to_owned(), ["task".to_owned()].into())]);
        let text = "use bary_model::task::TaskSpec;\nuse bary_model::task;\n\
                    use bary_model::{TaskSpec, task::Kind};\nuse bary::Node;\n\
                    fn f(x: bary_model::Kind) {}\n// bary_model::Prose\n";
        let source = Source::new(Path::new("a.rs"), text.to_owned());
        let found = findings(&source, &rooms);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("a.rs:3: `bary_model::TaskSpec`"), "{found:?}");
        assert!(found[1].starts_with("a.rs:5: `bary_model::Kind`"), "{found:?}");
    }
}
