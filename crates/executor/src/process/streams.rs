//! Opening a command's standard streams: files, pipes, or nothing.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, pipe};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use bary_model::action::{Stdin, Surroundings};
use bary_model::outcome::Failure;
use bary_model::template::{Scope, Template};

use super::capture::Captured;
use super::kernel::set_nonblocking;
use super::patience::{Refusal, is_scarce};
use super::pump::{Feed, Tap, Taps};

/// The command's ends of its streams, closed here once it has them, and our ends.
pub(crate) struct Streams<'a> {
    input: Input<'a>,
    out: OwnedFd,
    /// None where it is the same as standard output.
    err: Option<OwnedFd>,
    pub(crate) taps: Taps,
}

enum Input<'a> {
    /// This process's own.
    Inherited,
    /// The null device, which all commands share.
    Null(&'a File),
    Own(OwnedFd),
}

impl<'a> Streams<'a> {
    /// Opens all streams. Relative paths start from `at`.
    pub(crate) fn open(
        surroundings: &Surroundings,
        scope: &Scope<'_>,
        at: &Path,
        null: Option<&'a File>,
    ) -> Result<Self, Refusal> {
        let mut taps = Taps::default();
        let input = match &surroundings.stdin {
            Stdin::Inherit => Input::Inherited,
            Stdin::Null => match null {
                Some(null) => Input::Null(null),
                None => Input::Own(open("open", Path::new("/dev/null"))?),
            },
            Stdin::File(template) => {
                Input::Own(open("read its input from", &path_of(template, scope, at))?)
            }
            Stdin::Text(template) => {
                let (end, feed) = feed(template.expand(scope)).map_err(|e| no_pipe(&e))?;
                taps.feed = feed;
                Input::Own(end)
            }
        };
        let place = |template: &Option<Template>| template.as_ref().map(|t| path_of(t, scope, at));
        let (out_path, err_path) = (place(&surroundings.stdout), place(&surroundings.stderr));
        let capture = surroundings.capture;
        let (out, tap) = output(out_path.as_deref(), Captured::new(capture))?;
        taps.out = tap;
        let err = if err_path.is_some() && err_path == out_path {
            None
        } else {
            let (err, tap) = output(err_path.as_deref(), Captured::with_tail(capture))?;
            taps.err = tap;
            Some(err)
        };
        Ok(Self { input, out, err, taps })
    }

    /// The command's ends: input (none: this process's own), output and errors.
    pub(crate) fn ends(&self) -> (Option<BorrowedFd<'_>>, BorrowedFd<'_>, BorrowedFd<'_>) {
        let err = self.err.as_ref().unwrap_or(&self.out);
        let input = match &self.input {
            Input::Inherited => None,
            Input::Null(null) => Some(null.as_fd()),
            Input::Own(own) => Some(own.as_fd()),
        };
        (input, self.out.as_fd(), err.as_fd())
    }
}

/// The path that a template stands for, from `at` where it is relative.
pub(crate) fn path_of(template: &Template, scope: &Scope<'_>, at: &Path) -> PathBuf {
    at.join(OsString::from_vec(template.expand(scope)))
}

/// Why something could not be done with a file before the command.
pub(crate) fn failed(what: &str, path: &Path, error: &io::Error) -> Refusal {
    let text = format!("could not {what} `{}`: {error}", path.display()).into();
    // What is scarce passes by and another attempt can help, unlike with what is not there.
    match is_scarce(error) {
        true => Refusal::Scarce(Failure::Error(text)),
        false => Refusal::Final(Failure::NotStarted(text)),
    }
}

fn no_pipe(error: &io::Error) -> Refusal {
    let text = format!("could not make a pipe for the command: {error}");
    Refusal::of(error, Failure::Error(text.into()))
}

fn open(what: &str, path: &Path) -> Result<OwnedFd, Refusal> {
    File::open(path).map(OwnedFd::from).map_err(|error| failed(what, path, &error))
}

fn output(path: Option<&Path>, captured: Captured) -> Result<(OwnedFd, Option<Tap>), Refusal> {
    if let Some(path) = path {
        let file = create(path).map_err(|e| failed("write its output to", path, &e))?;
        return Ok((file.into(), None));
    }
    let (ours, theirs) = pipe().map_err(|e| no_pipe(&e))?;
    set_nonblocking(ours.as_fd()).map_err(|e| no_pipe(&e))?;
    let tap = Tap { pipe: Some(OwnedFd::from(ours).into()), captured };
    Ok((theirs.into(), Some(tap)))
}

/// Makes a file, and its directory where there is none.
fn create(path: &Path) -> io::Result<File> {
    match (File::create(path), path.parent()) {
        (Err(error), Some(parent)) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(parent)?;
            File::create(path)
        }
        (made, _) => made,
    }
}

fn feed(bytes: Vec<u8>) -> io::Result<(OwnedFd, Option<Feed>)> {
    let (theirs, ours) = pipe()?;
    set_nonblocking(ours.as_fd())?;
    let mut feed = Feed { pipe: OwnedFd::from(ours).into(), bytes, written: 0 };
    // A short text is in the pipe before the command starts, and needs no further care.
    let more = feed.go_on();
    Ok((theirs.into(), more.then_some(feed)))
}
