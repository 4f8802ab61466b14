//! Commands beside tasks that run.

use bary_api::v1::exec_input::What;
use bary_api::v1::{ExecInput, ExecOutput, ExecStart, WindowSize};
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::call::CallError;
use crate::client::Client;
use crate::streamed::Streamed;

/// A command beside a task. It is killed when this, and all that was made of it, is dropped.
#[derive(Debug)]
pub struct Exec {
    /// What goes to it.
    pub input: ExecFeed,
    /// What comes from it: that it has started, what it prints, and how it ended.
    pub output: Streamed<ExecOutput>,
}

/// What goes to a command. Clones go to the same one; its input ends with the last of them.
#[derive(Clone, Debug)]
pub struct ExecFeed(mpsc::Sender<ExecInput>);

/// How many messages may be on their way to the command; past it whoever sends waits.
const FEED_MAX: usize = 16;

impl Client {
    /// Runs a command beside a task: where that runs, in its directory and environment. Needs an
    /// admin.
    ///
    /// # Errors
    /// Where the task runs no command that a node started, or this one cannot be started.
    pub async fn exec(&self, start: ExecStart) -> Result<Exec, CallError> {
        let (feed, fed) = mpsc::channel(FEED_MAX);
        let input = ExecFeed(feed);
        input.send(What::Start(start)).await;
        // Without a deadline: the stream lasts as long as the command.
        let output = self.pieces(self.node().exec(ReceiverStream::new(fed)).await)?;
        Ok(Exec { input, output })
    }
}

impl ExecFeed {
    /// Gives the command bytes to read; none are the end of them. One that has ended reads nothing.
    pub async fn stdin(&self, bytes: impl Into<Bytes>) {
        self.send(What::Stdin(bytes.into())).await;
    }

    /// Says that the command's terminal has another size now.
    pub async fn size(&self, size: WindowSize) {
        self.send(What::Size(size)).await;
    }

    async fn send(&self, what: What) {
        // What a command that has ended does not read is nobody's loss.
        drop(self.0.send(ExecInput { what: Some(what) }).await);
    }
}
