//! A copy of the state while the node runs. All that was acknowledged before it began is in it.

use std::path::PathBuf;
use std::sync::PoisonError;

use bary_api::problem::{Kind, Refused};
use bary_api::v1::{BackupReply, BackupRequest};
use bary_api::verb::Verb;
use bary_identity::calendar;
use tokio::task::spawn_blocking;

use crate::backup::copy::{CopyError, copy};
use crate::board::clock;
use crate::service::caller::Caller;
use crate::service::{Inner, Service, tokens};

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
        let still = std::sync::Arc::clone(&self.still);
        let copied = spawn_blocking(move || {
            // What the lock guards is on the disk.
            let _still = still.lock().unwrap_or_else(PoisonError::into_inner);
            copy(&state, &to)
        });
        let copied = copied.await.map_err(tokens::broken)?.map_err(|error| match error {
            CopyError::Taken(_) | CopyError::Within(_) => {
                Refused::new(Kind::Conflict, error.to_string())
            }
            CopyError::Refused { .. } => {
                Refused::new(Kind::Internal, format!("the copy failed: {error}"))
            }
        })?;
        Ok(BackupReply { directory, bytes: copied.bytes, until, copied: copied.anew })
    }
}
