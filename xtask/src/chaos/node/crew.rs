//! The programs that work beside a node, examples of the client, and how they find the node.

use std::path::PathBuf;

/// What is needed to start any of them.
#[derive(Clone, Debug)]
pub(crate) struct Crew {
    /// The worker that writes down what it runs.
    pub(crate) scribe: PathBuf,
    /// The caller that asks over gRPC.
    pub(crate) caller: PathBuf,
    /// Where the node listens.
    pub(crate) address: String,
    /// The file that holds its token, once it was up.
    pub(crate) token: PathBuf,
}
