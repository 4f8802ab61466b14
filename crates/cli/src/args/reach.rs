//! The flags that say which node is asked, and as whom.

use std::path::PathBuf;

use bary_client::address::Address;

/// Which node is asked, and as whom.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Node")]
pub(crate) struct Reach {
    /// The node to ask: HOST:PORT, or the path of its socket. Where absent, the socket in
    /// $XDG_RUNTIME_DIR or in the state directory, else 127.0.0.1:9876
    #[arg(long, value_name = "ADDRESS", env = "BARY_ADDR", hide_env_values = true)]
    pub(crate) addr: Option<Address>,
    /// The file that holds the token; over a socket of one's own none is needed. BARY_TOKEN may
    /// hold the token itself
    #[arg(long, value_name = "FILE", env = "BARY_TOKEN_FILE", hide_env_values = true)]
    pub(crate) token_file: Option<PathBuf>,
    /// The member of the node's cluster whose jobs are meant, where they do not say so as
    /// MEMBER/JOB; the node hands on what is asked
    #[arg(long, value_name = "MEMBER", env = "BARY_HOME", hide_env_values = true)]
    pub(crate) home: Option<Box<str>>,
    /// Read what is true now rather than what was told so far: ask the home itself, and fail where
    /// it is away
    #[arg(long)]
    pub(crate) consistent: bool,
}
