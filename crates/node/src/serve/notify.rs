//! What the service manager is told: that the node is ready, that it ends, and that it still lives.
//! See `sd_notify(3)`: a datagram of lines to the socket that the environment names.

use std::time::Duration;

/// The way to the service manager, where there is one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notify {
    #[cfg(unix)]
    socket: Option<std::sync::Arc<unix::Manager>>,
}

impl Notify {
    /// The way that the environment names.
    pub(crate) fn from_environment() -> Self {
        Self {
            #[cfg(unix)]
            socket: std::env::var_os("NOTIFY_SOCKET")
                .and_then(|name| unix::Manager::of(&name).map(Into::into)),
        }
    }

    /// Work is taken from now on.
    pub(crate) fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
    }

    /// No more work is taken, and this process ends once what runs has ended.
    pub(crate) fn stopping(&self, status: &str) {
        self.tell(&format!("STOPPING=1\nSTATUS={status}"));
    }

    /// The process lives.
    pub(crate) fn alive(&self) {
        self.tell("WATCHDOG=1");
    }

    #[cfg(unix)]
    fn tell(&self, lines: &str) {
        if let Some(socket) = &self.socket {
            socket.tell(lines);
        }
    }

    #[cfg(not(unix))]
    fn tell(&self, _: &str) {}
}

/// How often the manager wants to hear that this process lives: half of the time after which it
/// takes it for stuck.
pub(crate) fn watchdog_interval() -> Option<Duration> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let meant = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    let micros = number("WATCHDOG_USEC").filter(|&micros| meant && micros > 1)?;
    Some(Duration::from_micros(micros / 2))
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    /// The manager's socket.
    #[derive(Debug)]
    pub(super) struct Manager {
        from: UnixDatagram,
        to: SocketAddr,
    }

    impl Manager {
        /// The one of a name: a path, or an abstract name where it begins with `@`.
        pub(super) fn of(name: &OsStr) -> Option<Self> {
            let to = match name.as_bytes().strip_prefix(b"@") {
                Some(name) => abstract_name(name)?,
                None => SocketAddr::from_pathname(name).ok()?,
            };
            let from = UnixDatagram::unbound().ok()?;
            // A manager that takes nothing in must not hold the node up.
            from.set_nonblocking(true).ok()?;
            Some(Self { from, to })
        }

        pub(super) fn tell(&self, lines: &str) {
            // A manager that has gone, or is behind, needs no telling.
            drop(self.from.send_to_addr(lines.as_bytes(), &self.to));
        }
    }

    #[cfg(target_os = "linux")]
    fn abstract_name(name: &[u8]) -> Option<SocketAddr> {
        use std::os::linux::net::SocketAddrExt;
        SocketAddr::from_abstract_name(name).ok()
    }

    #[cfg(not(target_os = "linux"))]
    fn abstract_name(_: &[u8]) -> Option<SocketAddr> {
        None
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_manager_hears_each_line() {
            let dir = tempfile::tempdir().expect("there is room");
            let path = dir.path().join("notify");
            let manager = UnixDatagram::bind(&path).expect("nobody has it");
            let notify = crate::serve::notify::Notify {
                socket: Manager::of(path.as_os_str()).map(Into::into),
            };
            notify.ready("listens");
            notify.alive();
            let mut buffer = [0; 128];
            let mut heard = || {
                let bytes = manager.recv(&mut buffer).expect("it was told");
                String::from_utf8_lossy(&buffer[..bytes]).into_owned()
            };
            assert_eq!(heard(), "READY=1\nSTATUS=listens");
            assert_eq!(heard(), "WATCHDOG=1");
            drop(manager);
            notify.stopping("nobody listens, and that is no matter");
        }
    }
}
