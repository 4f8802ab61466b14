//! This terminal while a command elsewhere has it: every key goes there as it is.

use std::io;

use bary_api::v1::WindowSize;

use crate::exit::Exit;

#[cfg(unix)]
pub(crate) use unix::{Raw, Resized, ending, size};

#[cfg(not(unix))]
pub(crate) use elsewhere::{Raw, Resized, ending, size};

#[cfg(unix)]
mod unix {
    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::{Exit, WindowSize, io};

    /// The terminal takes keys as they are until this is dropped.
    pub(crate) struct Raw(Termios);

    impl Raw {
        pub(crate) fn set() -> io::Result<Self> {
            let before = tcgetattr(io::stdin())?;
            let mut raw = before.clone();
            raw.make_raw();
            tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
            Ok(Self(before))
        }
    }

    impl Drop for Raw {
        fn drop(&mut self) {
            // A terminal that has gone needs no setting back.
            let _: Result<(), _> = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
        }
    }

    /// Tells when the terminal has another size.
    pub(crate) struct Resized(Signal);

    impl Resized {
        pub(crate) fn listen() -> io::Result<Self> {
            Ok(Self(signal(SignalKind::window_change())?))
        }

        pub(crate) async fn next(&mut self) {
            self.0.recv().await;
        }
    }

    /// The size of the terminal.
    pub(crate) fn size() -> Option<WindowSize> {
        let size = tcgetwinsize(io::stdout()).ok()?;
        Some(WindowSize { rows: size.ws_row.into(), columns: size.ws_col.into() })
    }

    /// Waits until this process is asked to end, so that it can leave the terminal as it was.
    pub(crate) async fn ending() -> Exit {
        let listen =
            || Some((signal(SignalKind::terminate()).ok()?, signal(SignalKind::hangup()).ok()?));
        let Some((mut terminate, mut hang_up)) = listen() else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => Exit::TERMINATED,
            _ = hang_up.recv() => Exit::HUNG_UP,
        }
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use super::{Exit, WindowSize, io};

    /// There is nothing to set.
    pub(crate) struct Raw;

    impl Raw {
        pub(crate) fn set() -> io::Result<Self> {
            Ok(Self)
        }
    }

    /// Tells nothing.
    pub(crate) struct Resized;

    impl Resized {
        pub(crate) fn listen() -> io::Result<Self> {
            Ok(Self)
        }

        pub(crate) async fn next(&mut self) {
            std::future::pending().await
        }
    }

    /// Commands get pipes from here.
    pub(crate) fn size() -> Option<WindowSize> {
        None
    }

    /// The system ends this process by itself.
    pub(crate) async fn ending() -> Exit {
        std::future::pending().await
    }
}
