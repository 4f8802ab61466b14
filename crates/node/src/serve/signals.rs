//! What the system asks of the process while the node runs.

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To end; the number of the signal.
    End(i32),
    /// To read again what may have changed on disk.
    Reload,
}

/// The signals of this process, listened to from when this is made.
#[derive(Debug)]
pub(crate) struct Signals {
    #[cfg(unix)]
    hang_up: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Listens; on a runtime only.
    ///
    /// # Errors
    /// Where the system lets nobody listen.
    pub(crate) fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::End(15),
            _ = self.interrupt.recv() => Asked::End(2),
            _ = self.hang_up.recv() => Asked::Reload,
        }
    }

    /// Waits for the next one that asks for the end.
    pub(crate) async fn end(&mut self) -> i32 {
        loop {
            if let Asked::End(signal) = self.next().await {
                return signal;
            }
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    /// Listens.
    ///
    /// # Errors
    /// None.
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Asked {
        // A console that cannot be listened to never asks.
        match tokio::signal::ctrl_c().await {
            Ok(()) => Asked::End(2),
            Err(_) => std::future::pending().await,
        }
    }

    /// Waits for the next one that asks for the end.
    pub(crate) async fn end(&mut self) -> i32 {
        match self.next().await {
            Asked::End(signal) => signal,
            Asked::Reload => std::future::pending().await,
        }
    }
}
