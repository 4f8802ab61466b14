//! Reads a log while it grows, page by page: what is told was written, and holds to the chain.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader};
use std::path::PathBuf;

use bary_identity::audit::Line;
use bary_identity::audit::reader::{ReadError, Reader};

use super::{Audit, Place, memory};
use crate::access::private;

/// How many lines a page has at most.
pub const PAGE_LINES_MAX: usize = 1_000;

/// The lines of a log after one of them.
#[derive(Debug)]
pub struct Pages {
    audit: Audit,
    /// The last line that was given, or passed over.
    after: u64,
    open: Option<Open>,
}

/// The file that is being read.
#[derive(Debug)]
struct Open {
    reader: Reader<BufReader<File>>,
    path: PathBuf,
    first: u64,
}

/// Why there is no page. Lines of earlier pages are as they were written.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// A file is not as it was written.
    #[error("the audit log was changed or damaged: `{}`, {cause}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        cause: ReadError,
    },
    /// A file ends before the next one begins.
    #[error("the audit log was changed or damaged: `{}` ends before line {number}", path.display())]
    Short {
        /// The file.
        path: PathBuf,
        /// The line that it should have.
        number: u64,
    },
    /// A file cannot be opened.
    #[error("the audit log `{}` cannot be read: {cause}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

impl Pages {
    pub(super) fn new(audit: Audit, after: u64) -> Self {
        Self { audit, after, open: None }
    }

    /// The next lines, at most `most` and at most [`PAGE_LINES_MAX`]; none where no more are
    /// written yet. It reads files, and passes over up to one of them.
    ///
    /// # Errors
    /// Where a file cannot be read, or is not as it was written.
    pub fn next_page(&mut self, most: usize) -> Result<Vec<Line>, PageError> {
        let (last, most) = (self.audit.last(), most.min(PAGE_LINES_MAX));
        let place = std::sync::Arc::clone(&self.audit.place);
        let syncer = match &*place {
            Place::Disk(syncer) => syncer,
            Place::Memory(memory) => {
                let page = memory::lock(memory).page(self.after, most);
                self.after = page.last().map_or(self.after, |line| line.number);
                return Ok(page);
            }
        };
        let mut page = Vec::new();
        // Beyond the last line somebody may be writing.
        while page.len() < most && self.after < last {
            let mut open = match self.open.take() {
                Some(open) => open,
                None => Open::at(syncer.files(|files| files.with(self.after + 1)))?,
            };
            let damaged = |cause| PageError::Damaged { path: open.path.clone(), cause };
            match open.reader.next_line().map_err(damaged)? {
                Some(line) => {
                    if line.number > self.after {
                        self.after = line.number;
                        page.push(line);
                    }
                    self.open = Some(open);
                }
                // The next file has it, unless this one should.
                None if syncer.files(|files| files.with(self.after + 1)).1 == open.first => {
                    return Err(PageError::Short { path: open.path, number: self.after + 1 });
                }
                None => {}
            }
        }
        Ok(page)
    }
}

impl Open {
    fn at((path, first): (PathBuf, u64)) -> Result<Self, PageError> {
        let file = match private::guarded(OpenOptions::new().read(true)).open(&path) {
            Ok(file) => file,
            Err(cause) => return Err(PageError::Failed { path, cause }),
        };
        match Reader::new(BufReader::new(file)) {
            Ok(reader) => Ok(Self { reader, path, first }),
            Err(cause) => Err(PageError::Damaged { path, cause }),
        }
    }
}
