//! The flags of `bary auth`.

use std::path::PathBuf;

use bary_identity::name::{Name, NameError};
use bary_model::time::Span;
use clap::{Args, Subcommand};

use crate::args::value::some_time;

/// Who may become a member of the cluster.
#[derive(Debug, Subcommand)]
pub(crate) enum AuthVerb {
    /// Print a line by which another node joins the cluster of a state; the node may run meanwhile
    JoinLine(JoinLineArgs),
    /// Print an invitation: a file to pass on, by which another node joins with bary join FILE
    Invite(JoinLineArgs),
    /// List the invitations that were made at the member of a state and let in still
    Invitations(StateArgs),
    /// Have invitations let nobody in from now on; who came by them stays a member
    Revoke(RevokeArgs),
}

/// The state of the member that is meant.
#[derive(Clone, Debug, Args)]
pub(crate) struct StateArgs {
    /// The directory of the member's state; $XDG_STATE_HOME/bary where absent
    #[arg(long, value_name = "DIR", env = "BARY_STATE", hide_env_values = true)]
    pub(crate) state: Option<PathBuf>,
}

/// The flags of `bary auth revoke`.
#[derive(Clone, Debug, Args)]
pub(crate) struct RevokeArgs {
    /// The invitations, by the names that bary auth invitations shows
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) state: StateArgs,
}

/// The flags of `bary auth join-line` and `bary auth invite`.
#[derive(Clone, Debug, Args)]
pub(crate) struct JoinLineArgs {
    #[command(flatten)]
    pub(crate) state: StateArgs,
    /// What the line is called in the audit log
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub(crate) name: Option<Name>,
    /// How many nodes it lets in
    #[arg(
        long,
        value_name = "N",
        default_value = "1",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub(crate) uses: u32,
    /// How long it lets in
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = some_time)]
    pub(crate) expires: Span,
    /// Do not let who joins let others in
    #[arg(long)]
    pub(crate) no_invite: bool,
    /// Leave the address out: who joins looks for members on its networks, or in the DHT that it
    /// is told
    #[arg(long)]
    pub(crate) no_address: bool,
}

fn name(text: &str) -> Result<Name, NameError> {
    Name::new(text)
}
