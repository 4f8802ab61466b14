//! What each task gave, as files: `DIR/SEQ/stdout`, `stderr`, `exitcode` and `input`.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use bary_model::event::Ended;
use bary_model::roster::Roster;
use bary_ports::store::{Store, StoreError};

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
        for (offset, task) in ended.range.tasks().enumerate() {
            let directory = self.path.join(roster.number(task).to_string());
            fs::create_dir_all(&directory).map_err(|cause| failed(&directory, cause))?;
            for (name, payload) in
                [("stdout", &ended.results.at(offset)), ("stderr", &ended.stderr)]
            {
                let path = directory.join(name);
                let mut file = File::create(&path).map_err(|cause| failed(&path, cause))?;
                store.read_payload_to(payload, &mut file).map_err(|error| match error {
                    StoreError::Sink(cause) => failed(&path, cause),
                    error => error.into(),
                })?;
            }
            let exit = format!("{}\n", ended.end.code());
            for (name, bytes) in [("exitcode", exit.into_bytes()), ("input", roster.input(task))] {
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
