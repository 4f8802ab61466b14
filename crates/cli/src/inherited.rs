//! What this process was started with. The runtime of the language puts `/dev/null` in the place
//! of a closed standard output, so that it has to be looked at before.

use std::sync::atomic::{AtomicBool, Ordering};

static STDOUT_CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether standard output was closed when the process started; what is printed is lost then.
pub(crate) fn is_stdout_closed() -> bool {
    STDOUT_CLOSED.load(Ordering::Relaxed)
}

#[cfg(target_os = "linux")]
#[used]
#[expect(unsafe_code, reason = "only what is listed in this section runs before the runtime")]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

#[cfg(target_os = "linux")]
extern "C" fn look() {
    let is_there = |path| std::fs::symlink_metadata(path).is_ok();
    let closed = is_there("/proc/self/fd") && !is_there("/proc/self/fd/1");
    STDOUT_CLOSED.store(closed, Ordering::Relaxed);
}
