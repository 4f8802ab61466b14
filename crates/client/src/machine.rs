//! Calls about the process that answers: what it is, its copy, its end.

use bary_api::v1::{
    BackupReply, BackupRequest, ChangedReply, InfoReply, InfoRequest, ShutdownRequest,
};

use crate::call::CallError;
use crate::client::Client;

impl Client {
    /// Who answers, which version, how durable its word is, and what is under way.
    ///
    /// # Errors
    /// Where the node cannot be asked.
    pub async fn info(&self) -> Result<InfoReply, CallError> {
        self.answer(self.node().info(self.ask(InfoRequest {})).await)
    }

    /// Writes a copy of the state to a directory on the node's machine, while it runs. Needs an
    /// admin.
    ///
    /// # Errors
    /// Where the directory is something else, or cannot be written; what is in it then is no
    /// backup.
    pub async fn backup(&self, directory: &str) -> Result<BackupReply, CallError> {
        let request = BackupRequest { directory: directory.to_owned() };
        self.answer(self.node().backup(self.ask(request)).await)
    }

    /// Ends the node: once what runs has ended, or at once. Needs an admin.
    ///
    /// # Errors
    /// Where the caller may not.
    pub async fn shutdown(&self, drain: bool) -> Result<ChangedReply, CallError> {
        self.answer(self.node().shutdown(self.ask(ShutdownRequest { drain })).await)
    }
}
