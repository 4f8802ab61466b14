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
}
