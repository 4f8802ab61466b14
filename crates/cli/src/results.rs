//! What each task gave, as files: `DIR/SEQ/stdout`, `stderr`, `exitcode` and `input`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bary_model::event::Ended;
use bary_ports::store::{Store, StoreError};

use crate::record;
use crate::roster::Roster;

/// A directory that results are written to.
#[derive(Debug)]
pub(crate) struct ResultsDir {
    path: PathBuf,
}

/// Why a result could not be written. Those before it stay.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResultsError {
    #[error("{path}: {cause}")]
    Write { path: String, cause: io::Error },
    #[error("a result could not be read: {0}")]
    Store(#[from] StoreError),
}

impl ResultsDir {
    /// Makes the directory where there is none.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Writes the files of tasks that ended.
    pub(crate) fn on_ended(
        &self,
        ended: &Ended,
        roster: &Roster,
        store: &dyn Store,
    ) -> Result<(), ResultsError> {
        let errors = store.read(&ended.stderr)?;
        for (offset, task) in ended.range.tasks().enumerate() {
            let directory = self.path.join(roster.number(task).to_string());
            let output = store.read(&ended.results.at(offset))?;
            let exit = format!("{}\n", record::exit(&ended.end));
            let files: [(&str, &[u8]); 4] = [
                ("stdout", &output),
                ("stderr", &errors),
                ("exitcode", exit.as_bytes()),
                ("input", &roster.input(task)),
            ];
            fs::create_dir_all(&directory).map_err(|cause| failed(&directory, cause))?;
            for (name, bytes) in files {
                let path = directory.join(name);
                fs::write(&path, bytes).map_err(|cause| failed(&path, cause))?;
            }
        }
        Ok(())
    }
}

fn failed(path: &Path, cause: io::Error) -> ResultsError {
    ResultsError::Write { path: path.display().to_string(), cause }
}
