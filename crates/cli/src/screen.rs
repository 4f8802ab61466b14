//! Standard output and standard error as one desk: data never mixes with the progress bar, and
//! a reader that has gone is told apart from a disk that is full.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use indicatif::ProgressBar;

use crate::args::{Color, Face};

/// Where the run prints.
pub(crate) struct Screen {
    out: BufWriter<Stdout>,
    dirty: bool,
    color: bool,
    /// Whether both streams end at a terminal, so that the bar must step aside for data.
    shared: bool,
    bar: Option<ProgressBar>,
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
        Self { out, dirty: false, color: has_color(face.color), shared, bar: None }
    }

    /// Shows a bar until [`Screen::hide_bar`].
    pub(crate) fn show_bar(&mut self, bar: ProgressBar) {
        self.bar = Some(bar);
    }

    pub(crate) fn bar(&self) -> Option<&ProgressBar> {
        self.bar.as_ref()
    }

    pub(crate) fn hide_bar(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Writes data to standard output.
    pub(crate) fn out(&mut self, bytes: &[u8]) -> Result<(), PrintError> {
        self.dirty = true;
        match &self.bar {
            Some(bar) if self.shared => {
                let out = &mut self.out;
                bar.suspend(|| out.write_all(bytes).and_then(|()| out.flush()))?;
                self.dirty = false;
            }
            _ => self.out.write_all(bytes)?,
        }
        Ok(())
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
        let write = || drop(io::stderr().write_all(bytes));
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
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

fn has_color(color: Color) -> bool {
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
