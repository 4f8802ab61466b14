//! What the machine gives: time, open files, control groups.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Check;

/// This program.
pub(super) fn version() -> Check {
    Check::ok("version", env!("CARGO_PKG_VERSION"))
}

/// No clock that is right is before this: 2025-01-01.
const CLOCK_MIN: Duration = Duration::from_secs(1_735_689_600);

/// The calendar, by which jobs are timed and tokens expire.
pub(super) fn clock() -> Check {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let shown = crate::keep::utc::iso(now);
    match now > CLOCK_MIN {
        true => Check::ok("clock", shown),
        false => Check::fail("clock", shown, "set the clock, for instance with timedatectl"),
    }
}

/// Connections and commands each take open files.
#[cfg(unix)]
pub(super) fn files() -> Check {
    use rustix::process::{Resource, getrlimit};
    const ENOUGH: u64 = 8_192;
    const LEAST: u64 = 1_024;
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    let now = limit.current.unwrap_or(u64::MAX);
    let shown =
        |number: u64| if number == u64::MAX { "no limit".to_owned() } else { number.to_string() };
    let found = format!("{} open files at a time, at most {}", shown(now), shown(most));
    let fix = "raise it before bary up: ulimit -n 65536, or LimitNOFILE=65536 in its unit";
    match now {
        ENOUGH.. => Check::ok("files", found),
        LEAST.. => Check::warn("files", found, fix),
        _ => Check::fail("files", found, fix),
    }
}

/// Elsewhere it is not known.
#[cfg(not(unix))]
pub(super) fn files() -> Check {
    Check::ok("files", "no limit is known")
}

/// By control groups memory and processors can be limited.
pub(super) fn cgroups() -> Check {
    let controllers = std::fs::read_to_string("/sys/fs/cgroup/cgroup.controllers");
    match controllers {
        Ok(names) => Check::ok("cgroups", format!("version 2: {}", names.trim())),
        Err(_) => Check::warn(
            "cgroups",
            "version 2 is not there",
            "tasks run all the same; their memory is not limited by groups",
        ),
    }
}
