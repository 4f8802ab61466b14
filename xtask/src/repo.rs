//! The project's tree as the checks see it: its root, tracked files, sources and packages.

use std::ffi::OsStr;
use std::fs;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::metadata::{Package, packages};
use crate::process::printed;
use crate::source::Source;

/// The project's tree; what is slow to find out is found out once, when first asked for.
pub(crate) struct Repo {
    /// The directory that holds the workspace's manifest.
    pub(crate) root: PathBuf,
    /// Whether to print in colour.
    pub(crate) colour: bool,
    /// The command to take for the released one, where it is not the one that is built.
    pub(crate) bary: Option<PathBuf>,
    files: OnceLock<Result<Vec<PathBuf>, String>>,
    sources: OnceLock<Result<Vec<Source>, String>>,
    metadata: OnceLock<Result<Value, String>>,
    packages: OnceLock<Vec<Package>>,
}

/// The command's program, as far as there is one.
pub(crate) enum Program {
    /// It was built and lies here.
    Ready(PathBuf),
    /// The workspace has no such package yet.
    Absent(&'static str),
    /// It does not build, and this is what cargo said.
    Broken(String),
}

impl Repo {
    /// Finds the tree around the current directory.
    pub(crate) fn open() -> Result<Self, String> {
        let here = std::env::current_dir().map_err(|cause| format!("no directory: {cause}"))?;
        let manifest = |directory: &&Path| {
            let text = fs::read_to_string(directory.join("Cargo.toml"));
            text.is_ok_and(|text| text.lines().any(|line| line.trim() == "[workspace]"))
        };
        let root = here.ancestors().find(manifest).ok_or("not inside the project's workspace")?;
        Ok(Self::at(root.to_path_buf()))
    }

    /// The tree whose root is `root`.
    pub(crate) fn at(root: PathBuf) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            root,
            colour: std::io::stdout().is_terminal() && !plain,
            bary: None,
            files: OnceLock::new(),
            sources: OnceLock::new(),
            metadata: OnceLock::new(),
            packages: OnceLock::new(),
        }
    }

    /// `cargo` in the root; it colours its output as we do, unless the caller's
    /// `CARGO_TERM_COLOR` says otherwise.
    pub(crate) fn cargo(&self, words: &[&str]) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(words).current_dir(&self.root);
        if std::env::var_os("CARGO_TERM_COLOR").is_none() {
            command.env("CARGO_TERM_COLOR", if self.colour { "always" } else { "never" });
        }
        command
    }

    /// Every file that git tracks or would track, relative to the root and sorted; in a tree
    /// without git, every file outside `target`.
    pub(crate) fn files(&self) -> Result<&[PathBuf], String> {
        let files = self.files.get_or_init(|| {
            let mut files = if self.root.join(".git").exists() {
                tracked(&self.root)?
            } else {
                walked(&self.root, Path::new(""))?
            };
            files.retain(|file| self.root.join(file).is_file());
            files.sort();
            files.dedup();
            Ok(files)
        });
        files.as_deref().map_err(Clone::clone)
    }

    /// The files whose names end in `.extension`.
    pub(crate) fn with_extension(&self, extension: &str) -> Result<Vec<&Path>, String> {
        let wanted = |file: &&PathBuf| file.extension() == Some(OsStr::new(extension));
        Ok(self.files()?.iter().filter(wanted).map(PathBuf::as_path).collect())
    }

    /// Every Rust file, read.
    pub(crate) fn sources(&self) -> Result<&[Source], String> {
        let sources = self.sources.get_or_init(|| {
            let files = self.with_extension("rs")?.into_iter();
            files.map(|file| Ok(Source::new(file, self.read(file)?))).collect()
        });
        sources.as_deref().map_err(Clone::clone)
    }

    /// The text of one file, named from the root.
    pub(crate) fn read(&self, file: impl AsRef<Path>) -> Result<String, String> {
        let file = file.as_ref();
        fs::read_to_string(self.root.join(file))
            .map_err(|cause| format!("{}: {cause}", file.display()))
    }

    /// What cargo says of the workspace alone.
    fn metadata(&self) -> Result<&Value, String> {
        let metadata = self.metadata.get_or_init(|| self.ask_cargo(&["--no-deps"]));
        metadata.as_ref().map_err(Clone::clone)
    }

    /// Runs `cargo metadata` with these flags.
    pub(crate) fn ask_cargo(&self, flags: &[&str]) -> Result<Value, String> {
        let words = [&["metadata", "--format-version", "1"], flags].concat();
        let bytes = printed(self.cargo(&words))?;
        serde_json::from_slice(&bytes).map_err(|cause| format!("cargo metadata: {cause}"))
    }

    /// The workspace's packages.
    pub(crate) fn packages(&self) -> Result<&[Package], String> {
        let metadata = self.metadata()?;
        Ok(self.packages.get_or_init(|| packages(metadata)))
    }

    /// Builds the command `bary` and says where it lies.
    pub(crate) fn program(&self, profile: &str) -> Program {
        if let (Some(bary), "release") = (&self.bary, profile) {
            return Program::Ready(bary.clone());
        }
        let found = self.packages().map(|all| all.iter().any(|p| p.name == "bary-cli"));
        match found {
            Ok(false) => return Program::Absent("the workspace has no package bary-cli"),
            Err(complaint) => return Program::Broken(complaint),
            Ok(true) => {}
        }
        let words = ["build", "--quiet", "--package", "bary-cli", "--profile", profile];
        if let Err(complaint) = printed(self.cargo(&words)) {
            return Program::Broken(complaint);
        }
        let folder = if profile == "dev" { "debug" } else { profile };
        let name = format!("bary{}", std::env::consts::EXE_SUFFIX);
        match self.target() {
            Ok(target) => Program::Ready(target.join(folder).join(name)),
            Err(complaint) => Program::Broken(complaint),
        }
    }

    /// Where an example lies that was built for release.
    pub(crate) fn example(&self, name: &str) -> Result<PathBuf, String> {
        self.example_of("release", name)
    }

    /// Where an example lies that was built, in this folder of all that is built.
    pub(crate) fn example_of(&self, folder: &str, name: &str) -> Result<PathBuf, String> {
        let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        Ok(self.target()?.join(folder).join("examples").join(file))
    }

    fn target(&self) -> Result<PathBuf, String> {
        let target = self.metadata()?["target_directory"].as_str().unwrap_or("target");
        Ok(self.root.join(target))
    }
}

fn tracked(root: &Path) -> Result<Vec<PathBuf>, String> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let listed = printed(git)?;
    let names = listed.split(|&byte| byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| PathBuf::from(String::from_utf8_lossy(name).into_owned())).collect())
}

fn walked(root: &Path, folder: &Path) -> Result<Vec<PathBuf>, String> {
    let complain = |cause| format!("{}: {cause}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(root.join(folder)).map_err(complain)? {
        let entry = entry.map_err(complain)?;
        let path = folder.join(entry.file_name());
        if !entry.file_type().map_err(complain)?.is_dir() {
            files.push(path);
        } else if path != Path::new("target") {
            files.extend(walked(root, &path)?);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::Repo;

    #[test]
    fn a_tree_without_git_is_walked_and_its_target_left_out() {
        let root = tempfile::tempdir().expect("a temporary directory");
        for folder in ["src", "target"] {
            fs::create_dir(root.path().join(folder)).expect("a new directory");
            fs::write(root.path().join(folder).join("a.rs"), "//! A.\n").expect("a new file");
        }
        let repo = Repo::at(root.path().to_path_buf());
        assert_eq!(repo.files(), Ok([PathBuf::from("src/a.rs")].as_slice()));
        assert_eq!(repo.with_extension("rs"), Ok(vec![Path::new("src/a.rs")]));
        assert_eq!(repo.sources().map(<[_]>::len), Ok(1));
    }
}
