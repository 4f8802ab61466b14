//! Standard output and standard error as one desk: data never mixes with the progress bar, and
//! a reader that has gone is told apart from a disk that is full.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use crate::args::{Color, Face};

/// Where the run prints. A bar that stepped aside comes back with its next line.
pub(crate) struct Screen {
    out: BufWriter<Stdout>,
    dirty: bool,
    color: bool,
    /// Whether both streams end at a terminal, so that the bar must step aside for data.
    shared: bool,
    /// Whether data ended inside a line, which a bar would overwrite.
    open: bool,
    /// Whether a bar is on the terminal.
    bar: bool,
}

/// Why standard output takes no more. What was written before stays.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrintError {
    /// Its reader has gone, as with `| head`.
    #[error("standard output was closed")]
    Closed,
    #[error("standard output: {0}")]
    Failed(io::Error),
}

impl From<io::Error> for PrintError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Failed(error) }
    }
}

/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 64 << 10;

impl Screen {
    pub(crate) fn new(face: Face) -> Self {
        let shared = io::stdout().is_terminal() && io::stderr().is_terminal();
        let out = BufWriter::with_capacity(BUFFER_BYTES, io::stdout());
        let color = has_color(face.color);
        Self { out, dirty: false, color, shared, open: false, bar: false }
    }

    /// Shows a line at the bottom until the next one or [`Screen::hide_bar`]. The cursor stays
    /// right behind it, so that what the terminal echoes, such as `^C`, goes with it; what is too
    /// wide is cut off by the terminal.
    pub(crate) fn show_bar(&mut self, line: &str) {
        if self.shared && self.open {
            return;
        }
        self.bar = true;
        let text = format!("\r\x1b[?7l{line}\x1b[K\x1b[?7h");
        drop(io::stderr().write_all(text.as_bytes()));
    }

    pub(crate) fn hide_bar(&mut self) {
        if std::mem::take(&mut self.bar) {
            drop(io::stderr().write_all(b"\r\x1b[K"));
        }
    }

    /// Writes data to standard output.
    pub(crate) fn out(&mut self, bytes: &[u8]) -> Result<(), PrintError> {
        let Some(last) = bytes.last() else { return Ok(()) };
        self.open = *last != b'\n';
        self.dirty = true;
        let beside = self.shared && self.bar;
        if beside {
            self.hide_bar();
        }
        self.out.write_all(bytes)?;
        if beside { self.flush() } else { Ok(()) }
    }

    /// Hands on what was gathered.
    pub(crate) fn flush(&mut self) -> Result<(), PrintError> {
        if self.dirty {
            self.dirty = false;
            self.out.flush()?;
        }
        Ok(())
    }

    /// Writes to standard error. Where that fails there is nobody left to tell.
    pub(crate) fn err(&mut self, bytes: &[u8]) {
        // Data that was printed before is seen before.
        drop(self.flush());
        self.hide_bar();
        drop(io::stderr().write_all(bytes));
    }

    /// Writes a line to standard error.
    pub(crate) fn note(&mut self, line: &str) {
        self.err(format!("{line}\n").as_bytes());
    }

    /// The text in bold red where colours are wanted.
    pub(crate) fn alarm(&self, text: &str) -> String {
        if self.color { format!("\x1b[1;31m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// How many characters a line of standard output has, where it ends at a terminal.
pub(crate) fn width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let said = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    said.or_else(columns).filter(|&columns| columns > 0)
}

#[cfg(unix)]
fn columns() -> Option<usize> {
    rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| size.ws_col.into())
}

#[cfg(not(unix))]
fn columns() -> Option<usize> {
    None
}

/// Whether colours are wanted.
pub(crate) fn has_color(color: Color) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if set("NO_COLOR") => false,
        Color::Auto => {
            let forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0");
            forced || io::stderr().is_terminal()
        }
    }
}
