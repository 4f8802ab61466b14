//! What is said of a command that could not be started.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bary_model::outcome::Failure;

use super::lookup::{not_executable, not_found};
use super::patience::Refusal;
use super::spawn::{SpawnError, Step};
use super::streams::failed;

/// Why the program `name`, found as `file`, could not be started in `ran_in`.
pub(super) fn not_started(error: &SpawnError, name: &[u8], file: &[u8], ran_in: &Path) -> Refusal {
    let file = Path::new(OsStr::from_bytes(file));
    let at = ran_in.join(file);
    let source = &error.source;
    match (error.step, source.raw_os_error()) {
        (Step::Chdir, _) => failed("run in", ran_in, source),
        (Step::Exec, Some(libc::ENOENT)) if at.exists() => {
            failed("find the interpreter that the first line names of", file, source)
        }
        (Step::Exec, Some(libc::ENOENT | libc::ENOTDIR)) => not_found(name).into(),
        (Step::Exec, Some(libc::EACCES)) => denied(file, &at).into(),
        (Step::Exec, _) => failed("execute", file, source),
        (Step::Clone | Step::SetUp, _) => {
            let text = format!("could not make a process: {source}");
            Refusal::of(source, Failure::Error(text.into()))
        }
    }
}

/// Why the system does not let a file be executed.
fn denied(file: &Path, at: &Path) -> Failure {
    let name = file.display();
    let text = match std::fs::metadata(at) {
        Ok(there) if there.is_dir() => format!("`{name}` is a directory, not a program"),
        Ok(there) if there.permissions().mode() & 0o111 != 0 => {
            format!("`{name}` may not be executed by this user, or not on its file system")
        }
        Ok(_) | Err(_) => return not_executable(file),
    };
    Failure::NotStarted(text.into())
}
