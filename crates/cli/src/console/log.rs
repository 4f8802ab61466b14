//! The log of a console: a JSON line for each thing that was said, that happened, and that any
//! engine was told or wanted.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use bary_sim::table::{Row, Table};
use serde_json::{Value, json};

use crate::console::seconds;

/// The longest log, in bytes; what comes later is left out, and said to be.
pub(crate) const CONSOLE_LOG_BYTES_MAX: u64 = 1 << 30;

/// A log that several write to, or none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Option<Rc<RefCell<Open>>>);

#[derive(Debug)]
struct Open {
    path: PathBuf,
    to: BufWriter<File>,
    bytes: u64,
    /// Why it takes no more.
    fault: Option<String>,
}

impl Log {
    /// Begins a log in a file that is made anew.
    ///
    /// # Errors
    /// Where the file cannot be made.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let to = BufWriter::new(File::create(path)?);
        let open = Open { path: path.to_owned(), to, bytes: 0, fault: None };
        Ok(Self(Some(Rc::new(RefCell::new(open)))))
    }

    /// Writes one record; what goes wrong is told at the end.
    pub(crate) fn write(&self, record: &Value) {
        let Some(open) = &self.0 else { return };
        let mut open = open.borrow_mut();
        if open.fault.is_some() {
            return;
        }
        let line = format!("{record}\n");
        open.bytes += line.len() as u64;
        if open.bytes > CONSOLE_LOG_BYTES_MAX {
            let most = CONSOLE_LOG_BYTES_MAX;
            open.fault = Some(format!("the rest was left out (console_log_bytes_max = {most})"));
        } else if let Err(cause) = open.to.write_all(line.as_bytes()) {
            open.fault = Some(cause.to_string());
        }
    }

    /// Hands on what was gathered.
    ///
    /// # Errors
    /// Where not everything is in the file.
    pub(crate) fn finish(&self) -> Result<(), String> {
        let Some(open) = &self.0 else { return Ok(()) };
        let mut open = open.borrow_mut();
        let flushed = open.to.flush().err().map(|cause| cause.to_string());
        match open.fault.take().or(flushed) {
            Some(fault) => Err(format!("the log `{}`: {fault}", open.path.display())),
            None => Ok(()),
        }
    }

    pub(crate) fn is_there(&self) -> bool {
        self.0.is_some()
    }
}

impl Table for Log {
    fn row(&mut self, row: &Row) {
        let Row { number, at, node, what, subject, detail } = row;
        self.write(&json!({
            "at": seconds::number(*at), "event": "engine", "number": number, "node": node,
            "what": what, "subject": subject, "detail": detail,
        }));
    }
}
