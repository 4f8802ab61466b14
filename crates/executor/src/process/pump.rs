//! Feeding a command and reading what it prints, until it ends.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};

use bary_ports::executor::Stream;
use bytes::Bytes;

use super::capture::Captured;
use super::kernel::{self, Status};
use super::memory::Memory;
use super::spawn::Child;
use crate::config::ExecutorConfig;

/// Our end of a stream that is captured.
pub(crate) struct Tap {
    /// The pipe, until its other end is closed.
    pub(crate) pipe: Option<File>,
    pub(crate) captured: Captured,
}

/// Our end of a standard input that is given as bytes.
pub(crate) struct Feed {
    pub(crate) pipe: File,
    pub(crate) bytes: Vec<u8>,
    pub(crate) written: usize,
}

/// Our ends of all streams of a command.
#[derive(Default)]
pub(crate) struct Taps {
    pub(crate) feed: Option<Feed>,
    pub(crate) out: Option<Tap>,
    pub(crate) err: Option<Tap>,
}

/// Takes what was printed as it comes.
pub(crate) type Hand<'a> = dyn FnMut(Stream, Bytes) + 'a;

/// How much is read at once: as much as a pipe holds.
pub(crate) const READ_BYTES: usize = 64 * 1024;

/// How much may still be in a pipe when its writers are dead.
const LEFT_BYTES_MAX: usize = 1024 * 1024;

/// How often an end is looked for where the kernel does not report it.
const LOOK_MS: i32 = 10;

impl Feed {
    /// Writes what the pipe takes; whether there is more to write.
    pub(crate) fn go_on(&mut self) -> bool {
        while let Some(rest) = self.bytes.get(self.written..).filter(|rest| !rest.is_empty()) {
            match self.pipe.write(rest) {
                Ok(n) => self.written += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The command has closed its input; it does not want the rest.
                Err(_) => return false,
            }
        }
        false
    }
}

impl Tap {
    /// Reads once; whether there was something.
    fn read(
        &mut self,
        buffer: &mut [u8],
        config: &ExecutorConfig,
        hand: &mut dyn FnMut(Bytes),
    ) -> usize {
        let Some(pipe) = &mut self.pipe else { return 0 };
        match pipe.read(buffer) {
            Ok(n @ 1..) => {
                self.captured.push(&buffer[..n], config, hand);
                return n;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // All its writers are gone; a pipe that fails gives nothing more either.
            Ok(_) | Err(_) => self.pipe = None,
        }
        0
    }
}

impl Taps {
    /// Moves bytes until the command has ended, and looks at its memory meanwhile. Its status where
    /// it was reaped on the way.
    pub(crate) fn pump(
        &mut self,
        (child, memory): (&Child, &mut Memory),
        buffer: &mut [u8],
        config: &ExecutorConfig,
        hand: &mut Hand<'_>,
        alive: &mut dyn FnMut(),
    ) -> io::Result<Option<Status>> {
        let ended = child.ended.as_ref().map(AsRawFd::as_raw_fd);
        loop {
            let look = memory.look();
            let timeout = if ended.is_some() { look } else { look.min(LOOK_MS) };
            if self.turn((ended, timeout), buffer, config, hand, alive)? {
                return Ok(None);
            }
            if ended.is_none()
                && let Some(status) = kernel::try_wait(child.pid)
            {
                return Ok(Some(status));
            }
        }
    }

    /// Moves bytes of what a command has left behind, for as long as that is wanted.
    pub(crate) fn pump_while(
        &mut self,
        wanted: &mut dyn FnMut() -> bool,
        buffer: &mut [u8],
        config: &ExecutorConfig,
        hand: &mut Hand<'_>,
    ) -> io::Result<()> {
        while wanted() {
            self.turn((None, LOOK_MS), buffer, config, hand, &mut || ())?;
        }
        Ok(())
    }

    /// Waits for something to move and moves it; whether the command has ended.
    fn turn(
        &mut self,
        (ended, timeout_ms): (Option<RawFd>, i32),
        buffer: &mut [u8],
        config: &ExecutorConfig,
        hand: &mut Hand<'_>,
        alive: &mut dyn FnMut(),
    ) -> io::Result<bool> {
        const READ: i16 = libc::POLLIN | libc::POLLHUP | libc::POLLERR;
        let entry =
            |fd: Option<RawFd>, events| libc::pollfd { fd: fd.unwrap_or(-1), events, revents: 0 };
        let pipe = |tap: &Option<Tap>| tap.as_ref()?.pipe.as_ref().map(AsRawFd::as_raw_fd);
        let feed = self.feed.as_ref().map(|feed| feed.pipe.as_raw_fd());
        let mut fds = [
            entry(pipe(&self.out), libc::POLLIN),
            entry(pipe(&self.err), libc::POLLIN),
            entry(feed, libc::POLLOUT),
            entry(ended, libc::POLLIN),
        ];
        kernel::poll(&mut fds, timeout_ms)?;
        let is_ready = |n: usize, events| fds[n].revents & events != 0;
        let mut got = 0;
        if is_ready(0, READ) {
            got += read(&mut self.out, Stream::Out, buffer, config, hand);
        }
        if is_ready(1, READ) {
            got += read(&mut self.err, Stream::Err, buffer, config, hand);
        }
        if got > 0 {
            alive();
        }
        if is_ready(2, libc::POLLOUT | libc::POLLERR | libc::POLLHUP)
            && self.feed.as_mut().is_some_and(|feed| !feed.go_on())
        {
            self.feed = None;
        }
        Ok(is_ready(3, READ))
    }

    /// Reads what is left in the pipes of a command that is dead with its whole tree. Pipes that
    /// a process which got away still holds are not waited for.
    pub(crate) fn drain(
        &mut self,
        buffer: &mut [u8],
        config: &ExecutorConfig,
        hand: &mut Hand<'_>,
    ) {
        self.feed = None;
        for (tap, stream) in [(&mut self.out, Stream::Out), (&mut self.err, Stream::Err)] {
            let mut left = LEFT_BYTES_MAX;
            while left > 0 {
                match read(tap, stream, buffer, config, hand) {
                    0 => break,
                    n => left = left.saturating_sub(n),
                }
            }
            if let Some(tap) = tap {
                tap.captured.flush(&mut |bytes| hand(stream, bytes));
            }
        }
    }
}

fn read(
    tap: &mut Option<Tap>,
    stream: Stream,
    buffer: &mut [u8],
    config: &ExecutorConfig,
    hand: &mut Hand<'_>,
) -> usize {
    let Some(tap) = tap else { return 0 };
    tap.read(buffer, config, &mut |bytes| hand(stream, bytes))
}
