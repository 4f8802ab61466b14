//! A directory of a task's own: files brought in before it, files collected after it.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use bary_model::action::{FileMove, Surroundings};
use bary_model::outcome::Failure;
use bary_model::template::{Scope, Template};
use tempfile::TempDir;

use super::patience::Refusal;
use super::streams::{failed, path_of};

/// The scratch directory of one task.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    /// Makes the directory and copies the inputs into it; none where the task moves no files.
    /// Inputs are copied rather than linked, so that a command that writes to one changes only
    /// its own.
    pub(crate) fn new(
        surroundings: &Surroundings,
        scope: &Scope<'_>,
        job: &Path,
        parent: &Path,
    ) -> Result<Option<Self>, Refusal> {
        if surroundings.inputs.is_empty() && surroundings.outputs.is_empty() {
            return Ok(None);
        }
        let made = tempfile::Builder::new().prefix("bary-").tempdir_in(parent);
        let scratch = Self(made.map_err(|e| failed("make a scratch directory in", parent, &e))?);
        for FileMove { from, to } in &surroundings.inputs {
            let from = path_of(from, scope, job);
            let to = scratch.path().join(inside(to, scope)?);
            copy(&from, &to).map_err(|e| failed("bring in", &from, &e))?;
        }
        Ok(Some(scratch))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Copies the outputs to where they are wanted. A file that is not in the scratch directory
    /// is looked for in the directory the command ran in.
    pub(crate) fn collect(
        &self,
        surroundings: &Surroundings,
        scope: &Scope<'_>,
        job: &Path,
        ran_in: &Path,
    ) -> Result<(), Refusal> {
        for FileMove { from, to } in &surroundings.outputs {
            let name = inside(from, scope)?;
            let places = [self.path().join(&name), ran_in.join(&name)];
            let Some(there) = places.iter().find(|place| place.exists()) else {
                let text = format!("the command did not make its output `{}`", name.display());
                return Err(Failure::Error(text.into()).into());
            };
            let to = path_of(to, scope, job);
            copy(there, &to).map_err(|error| {
                let (name, to) = (name.display(), to.display());
                let text = format!("could not collect `{name}` as `{to}`: {error}");
                Refusal::of(&error, Failure::Error(text.into()))
            })?;
        }
        Ok(())
    }

    /// Removes the directory with all that is in it.
    pub(crate) fn remove(&self) -> Result<(), Refusal> {
        fs::remove_dir_all(self.path()).map_err(|error| {
            let text = format!("could not remove `{}`: {error}", self.path().display());
            Refusal::of(&error, Failure::Error(text.into()))
        })
    }
}

/// A relative path that stays where it starts.
fn inside(template: &Template, scope: &Scope<'_>) -> Result<PathBuf, Failure> {
    let path = PathBuf::from(OsString::from_vec(template.expand(scope)));
    let stays = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if path.as_os_str().is_empty() || !path.components().all(stays) {
        let text = format!(
            "`{}` leads out of the scratch directory; give a relative path without `..`",
            path.display()
        );
        return Err(Failure::NotStarted(text.into()));
    }
    Ok(path)
}

/// Copies a file or a directory, and makes the directories above it.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    // Copying a file onto itself would leave it empty.
    if let (Ok(from), Ok(to)) = (fs::canonicalize(from), fs::canonicalize(to))
        && from == to
    {
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    if fs::metadata(from)?.is_dir() {
        copy_directory(from, to)
    } else {
        fs::copy(from, to).map(drop)
    }
}

fn copy_directory(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_directory(&entry.path(), &target)?;
        } else if kind.is_symlink() {
            // A link stays a link, so that one which leads upwards does not copy for ever.
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
