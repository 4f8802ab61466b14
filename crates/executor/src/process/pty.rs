//! Terminals that are made for commands, and the sizes that they have.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::beside::Size;

/// A new terminal: our end, and that of the command. Neither is handed down by itself.
pub(crate) fn open(size: Size) -> io::Result<(OwnedFd, OwnedFd)> {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let name = ptsname(&ours, Vec::new())?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = rustix::fs::open(name, flags, Mode::empty())?;
    resize(std::os::fd::AsFd::as_fd(&ours), size)?;
    Ok((ours, theirs))
}

/// Sets the size of a terminal; who is in front on it gets SIGWINCH.
pub(crate) fn resize(terminal: BorrowedFd<'_>, size: Size) -> io::Result<()> {
    let Size { rows, columns } = size;
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    Ok(tcsetwinsize(terminal, size)?)
}
