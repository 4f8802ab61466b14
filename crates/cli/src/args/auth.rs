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
}

/// The flags of `bary auth join-line`.
#[derive(Clone, Debug, Args)]
pub(crate) struct JoinLineArgs {
    /// The directory of the member's state; $XDG_STATE_HOME/bary where absent
    #[arg(long, value_name = "DIR", env = "BARY_STATE", hide_env_values = true)]
    pub(crate) state: Option<PathBuf>,
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
}

fn name(text: &str) -> Result<Name, NameError> {
    Name::new(text)
}
