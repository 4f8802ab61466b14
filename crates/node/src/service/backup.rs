//! A copy of the state while the node runs: the journal first, then the results that it refers to.
//! A batch that is being written is cut off when the copy is opened, as after a crash, so that all
//! that was acknowledged before the copy began is in it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use bary_api::problem::{Kind, Refused};
use bary_api::v1::{BackupReply, BackupRequest};
use bary_api::verb::Verb;
use bary_identity::calendar;
use tokio::task::spawn_blocking;

use crate::board::clock;
use crate::service::caller::Caller;
use crate::service::{Inner, Service, tokens};
use crate::state::{BLOBS, JOURNAL, STATE};

/// What is not of the state itself, but of whoever has it open.
const LOCK: &str = "lock";

impl Service {
    /// Writes a copy of the state, while running, to a directory on the node's machine.
    ///
    /// # Errors
    /// Where the node keeps no state, the directory is something else, or the disk refuses; a copy
    /// that was there before stays then.
    pub async fn backup(
        &self,
        caller: &Caller,
        asked: BackupRequest,
    ) -> Result<BackupReply, Refused> {
        let leave = self.admit(caller, Verb::Backup, asked.directory.as_str())?;
        leave.settle(self.0.backup(asked.directory).await)
    }
}

impl Inner {
    async fn backup(&self, directory: String) -> Result<BackupReply, Refused> {
        let Some(state) = self.dir.clone() else {
            let refused = Refused::new(Kind::Conflict, "this node keeps no state");
            return Err(refused.help("bary up keeps one"));
        };
        let to = PathBuf::from(&directory);
        if !to.is_absolute() {
            let refused = Refused::new(Kind::Invalid, "the directory must begin with /");
            return Err(refused.help("it is one of the node's machine"));
        }
        let until = calendar::text(clock::now());
        let copied = spawn_blocking(move || copy(&state, &to)).await.map_err(tokens::broken)?;
        let bytes = copied.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Refused::new(Kind::Conflict, error.to_string()),
            _ => Refused::new(Kind::Internal, format!("the copy failed: {error}")),
        })?;
        Ok(BackupReply { directory, bytes, until })
    }
}

/// Copies a state beside the place where it is wanted, and puts it there when it is whole.
fn copy(state: &Path, to: &Path) -> io::Result<u64> {
    let own = fs::read(state.join(STATE))?;
    if to.exists() && fs::read(to.join(STATE)).ok().as_ref() != Some(&own) {
        let text = format!("`{}` is there and is no copy of this state", to.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
    }
    let (draft, old) = (beside(to, "draft"), beside(to, "old"));
    for left in [&draft, &old] {
        if left.exists() {
            fs::remove_dir_all(left)?;
        }
    }
    fs::create_dir_all(&draft)?;
    let mut bytes = copy_file(&state.join(STATE), &draft.join(STATE))?;
    for part in [JOURNAL, BLOBS] {
        bytes += copy_files(&state.join(part), &draft.join(part))?;
    }
    if to.exists() {
        fs::rename(to, &old)?;
    }
    fs::rename(&draft, to)?;
    if let Some(parent) = to.parent().filter(|_| cfg!(unix)) {
        File::open(parent)?.sync_all()?;
    }
    if old.exists() {
        fs::remove_dir_all(&old)?;
    }
    Ok(bytes)
}

fn beside(to: &Path, what: &str) -> PathBuf {
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(what);
    to.with_file_name(name)
}

/// Copies the files of a directory in the order of their names, which is that of their making.
fn copy_files(from: &Path, to: &Path) -> io::Result<u64> {
    fs::create_dir_all(to)?;
    let mut names = Vec::new();
    if from.exists() {
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            if entry.file_type()?.is_file() && entry.file_name() != LOCK {
                names.push(entry.file_name());
            }
        }
    }
    names.sort();
    let mut bytes = 0;
    for name in names {
        bytes += copy_file(&from.join(&name), &to.join(&name))?;
    }
    if cfg!(unix) {
        File::open(to)?.sync_all()?;
    }
    Ok(bytes)
}

fn copy_file(from: &Path, to: &Path) -> io::Result<u64> {
    let bytes = fs::copy(from, to)?;
    File::open(to)?.sync_all()?;
    Ok(bytes)
}
