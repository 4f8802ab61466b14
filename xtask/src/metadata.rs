//! What `cargo metadata` says of the workspace, cut down to what the checks ask.

use std::path::PathBuf;

use serde_json::Value;

/// One package of the workspace.
#[derive(Debug, Clone, Default)]
pub(crate) struct Package {
    /// Its name, such as `bary-model`.
    pub(crate) name: String,
    /// The directory of its manifest.
    pub(crate) directory: PathBuf,
    /// What its manifest depends on.
    pub(crate) dependencies: Vec<Dependency>,
    /// Its library, programs, tests, examples and build script.
    pub(crate) targets: Vec<Target>,
}

/// One dependency of a package.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    /// The name of the package depended on.
    pub(crate) name: String,
    /// Whether only tests, examples and benchmarks see it.
    pub(crate) dev: bool,
}

/// One thing that cargo compiles in a package.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Its name; a library's has underscores.
    pub(crate) name: String,
    /// Its kinds: `lib`, `bin`, `test`, `example`, `bench`, `custom-build`.
    pub(crate) kinds: Vec<String>,
    /// The file it starts from.
    pub(crate) root: PathBuf,
}

impl Target {
    /// Whether this is a package's library, in any of its forms.
    pub(crate) fn is_library(&self) -> bool {
        self.kinds.iter().any(|kind| kind.ends_with("lib") || kind == "proc-macro")
    }
}

/// Reads the packages out of cargo's JSON; what lacks a field is left empty.
pub(crate) fn packages(metadata: &Value) -> Vec<Package> {
    list(metadata, "packages").map(package).collect()
}

fn package(value: &Value) -> Package {
    let manifest = PathBuf::from(text(value, "manifest_path"));
    let dependency =
        |value: &Value| Dependency { name: text(value, "name"), dev: text(value, "kind") == "dev" };
    let target = |value: &Value| Target {
        name: text(value, "name"),
        kinds: list(value, "kind").filter_map(Value::as_str).map(str::to_owned).collect(),
        root: PathBuf::from(text(value, "src_path")),
    };
    Package {
        name: text(value, "name"),
        directory: manifest.parent().map(PathBuf::from).unwrap_or_default(),
        dependencies: list(value, "dependencies").map(dependency).collect(),
        targets: list(value, "targets").map(target).collect(),
    }
}

/// The text under `key`, empty where there is none.
pub(crate) fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// The items under `key`, none where there is no list.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::packages;

    #[test]
    fn a_package_is_read_with_its_dependencies_and_targets() {
        let metadata = json!({ "packages": [{
            "name": "bary-a",
            "manifest_path": "/w/crates/a/Cargo.toml",
            "dependencies": [
                { "name": "bary-model", "kind": null },
                { "name": "tempfile", "kind": "dev" },
            ],
            "targets": [{ "name": "bary_a", "kind": ["lib"], "src_path": "/w/src/lib.rs" }],
        }] });
        let found = packages(&metadata);
        assert_eq!(found[0].directory.to_str(), Some("/w/crates/a"));
        assert_eq!(found[0].dependencies.iter().map(|d| d.dev).collect::<Vec<_>>(), [false, true]);
        assert!(found[0].targets[0].is_library());
    }
}
