//! The places that a node and its users keep things in.

use std::path::Path;

use super::Check;
use crate::settings::Settings;

/// The files of settings.
pub(super) fn settings() -> Check {
    match Settings::load() {
        Ok(_) => Check::ok("settings", "every file can be read"),
        Err(faults) => {
            let first = faults.first().map(ToString::to_string).unwrap_or_default();
            let first = first.lines().next().unwrap_or_default().to_owned();
            Check::fail("settings", first, "bary config show tells what to write instead")
        }
    }
}

/// The state of a durable node.
pub(super) fn state(path: &Path) -> Check {
    let shown = path.display();
    match std::fs::metadata(path) {
        Err(_) => Check::ok("state", format!("{shown} is not there; bary up makes it")),
        Ok(of) if !of.is_dir() => {
            Check::fail("state", format!("{shown} is no directory"), "name another: --state DIR")
        }
        Ok(_) => match is_writable(path) {
            true => Check::ok("state", shown.to_string()),
            false => Check::fail(
                "state",
                format!("{shown} cannot be written"),
                "give it to this user, or name another: --state DIR",
            ),
        },
    }
}

#[cfg(unix)]
fn is_writable(path: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(path, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn is_writable(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|of| !of.permissions().readonly())
}

/// The token that the node made at its first start.
#[cfg(unix)]
pub(super) fn token(state: &Path) -> Check {
    use std::os::unix::fs::PermissionsExt;
    let path = state.join("token");
    let shown = path.display();
    match std::fs::metadata(&path) {
        Err(_) => Check::ok("token", "the node has made none yet"),
        Ok(of) if of.permissions().mode() & 0o077 != 0 => Check::fail(
            "token",
            format!("{shown} can be read by others"),
            format!("chmod 600 {shown}; then bary token new, and revoke the old one"),
        ),
        Ok(_) => Check::ok("token", shown.to_string()),
    }
}

/// Elsewhere a file has no such mode.
#[cfg(not(unix))]
pub(super) fn token(_: &Path) -> Check {
    Check::ok("token", "not checked on this system")
}

/// Space for the journal and for results.
#[cfg(unix)]
pub(super) fn room(state: &Path) -> Check {
    const ENOUGH: u64 = 1 << 30;
    const LEAST: u64 = 64 << 20;
    let there = state.ancestors().find(|path| path.exists()).unwrap_or_else(|| Path::new("/"));
    let Ok(disk) = rustix::fs::statvfs(there) else {
        return Check::warn("disk", "its space cannot be told", "look at it with df");
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let found = format!("{} free for {}", crate::listing::amount::size(free), state.display());
    let fix = "free space, forget old jobs (bary prune all --older-than 7d), or move the state";
    match free {
        ENOUGH.. => Check::ok("disk", found),
        LEAST.. => Check::warn("disk", found, fix),
        _ => Check::fail("disk", found, fix),
    }
}

/// Elsewhere it is not known.
#[cfg(not(unix))]
pub(super) fn room(_: &Path) -> Check {
    Check::ok("disk", "not checked on this system")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_token_that_others_can_read_fails() {
        let made = tempfile::TempDir::new().expect("the system has room for a directory");
        assert_eq!(token(made.path()).state, "ok");
        let path = made.path().join("token");
        std::fs::write(&path, "x").expect("it can be written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644))
            .expect("it is ours");
        assert_eq!(token(made.path()).state, "fail");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
            .expect("it is ours");
        assert_eq!(token(made.path()).state, "ok");
    }

    #[test]
    fn a_state_that_is_a_file_fails() {
        let file = tempfile::NamedTempFile::new().expect("the system has room for a file");
        assert_eq!(state(file.path()).state, "fail");
        assert_eq!(state(Path::new("/nonexistent/state")).state, "ok");
        assert_eq!(room(file.path()).name, "disk");
    }
}
