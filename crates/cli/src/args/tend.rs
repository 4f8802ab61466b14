//! The flags of verbs about nodes, tokens, audit and health.

use std::path::PathBuf;

use bary_model::time::Span;
use clap::{Args, Subcommand, ValueEnum};

use crate::args::pair::{Pair, label_change};
use crate::args::reach::Reach;
use crate::args::value::some_time;

/// What to do with nodes.
#[derive(Debug, Subcommand)]
pub(crate) enum NodeVerb {
    /// List the nodes and workers that run tasks
    Ls(NodeLsArgs),
    /// Show nodes with all that is known of them
    Show(NodeShowArgs),
    /// Start nothing more on a node; what runs goes on
    #[command(visible_alias = "cordon")]
    Drain(NodeChangeArgs),
    /// Take a drained node up again
    #[command(visible_alias = "uncordon")]
    Undrain(NodeChangeArgs),
    /// Give a node labels, or take them away: NAME=VALUE, NAME-
    Label(NodeLabelArgs),
    /// Have homes keep copies of the results that members made, as before such a one goes
    Copy(NodeChangeArgs),
    /// Remove members from the cluster for good: no member lets them in any more
    Remove(NodeChangeArgs),
}

/// The flags of `bary node ls`.
#[derive(Clone, Debug, Args)]
pub(crate) struct NodeLsArgs {
    /// Print this text for each node; {FIELD} is a field of the JSON form
    #[arg(long, value_name = "TEXT")]
    pub(crate) format: Option<String>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary node show`.
#[derive(Clone, Debug, Args)]
pub(crate) struct NodeShowArgs {
    /// The nodes; all where absent
    #[arg(value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary node drain`, `undrain`, `copy` and `remove`.
#[derive(Clone, Debug, Args)]
pub(crate) struct NodeChangeArgs {
    /// The nodes
    #[arg(value_name = "NODE", required = true)]
    pub(crate) nodes: Vec<String>,
    /// Why, for the audit log and for who asks later
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary node label`.
#[derive(Clone, Debug, Args)]
pub(crate) struct NodeLabelArgs {
    /// The node
    #[arg(value_name = "NODE")]
    pub(crate) node: String,
    /// Labels and their values; LABEL- takes one away
    #[arg(value_name = "LABEL=VALUE", required = true, value_parser = label_change)]
    pub(crate) labels: Vec<Pair>,
    /// Why, for the audit log and for who asks later
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary audit`.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    pub(crate) verb: Option<AuditVerb>,
    /// Go on with what happens next
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Only what comes after this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    pub(crate) after: u64,
    /// At most so many lines, the last ones; 0 for all
    #[arg(long, value_name = "N", default_value_t = 100, hide_default_value = true)]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// What to do with the audit log besides printing it.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum AuditVerb {
    /// Check the whole log of a state, and name the first line that was changed
    Verify {
        /// The state of the node, or the directory of its log [default: the usual state]
        #[arg(value_name = "DIR", conflicts_with = "state")]
        directory: Option<PathBuf>,
        /// The same
        #[arg(long, value_name = "DIR")]
        state: Option<PathBuf>,
        /// A line that was noted before: its number and its hash. What was cut off after it shows
        #[arg(long, value_name = "NUMBER:HASH", value_parser = mark)]
        mark: Option<Mark>,
    },
}

/// A line of the audit log that was noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) number: u64,
    pub(crate) hash: String,
}

/// The text is no mark. Nothing was read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no mark; write NUMBER:HASH, as bary audit verify prints it")]
pub(crate) struct MarkError(String);

fn mark(text: &str) -> Result<Mark, MarkError> {
    let (number, hash) = text.split_once(':').ok_or_else(|| MarkError(text.to_owned()))?;
    let good = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    match (number.parse(), good) {
        (Ok(number), true) => Ok(Mark { number, hash: hash.to_ascii_lowercase() }),
        _ => Err(MarkError(text.to_owned())),
    }
}

/// What to do with access tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenVerb {
    /// Mint a token and print it, this once
    New(TokenNewArgs),
    /// List the tokens there are, without their secrets
    Ls(TokenLsArgs),
    /// Make tokens worthless from now on
    Revoke(TokenRevokeArgs),
}

/// What the bearer of a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleArg {
    Viewer,
    Operator,
    Admin,
}

/// The flags of `bary token new`.
#[derive(Clone, Debug, Args)]
pub(crate) struct TokenNewArgs {
    /// Its name, for lists and the audit log
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What its bearer may do: look, steer work, or everything
    #[arg(long, value_name = "ROLE", default_value = "operator")]
    pub(crate) role: RoleArg,
    /// How long it is good for; for ever where absent
    #[arg(long, value_name = "TIME", value_parser = some_time)]
    pub(crate) expires: Option<Span>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary token ls`.
#[derive(Clone, Debug, Args)]
pub(crate) struct TokenLsArgs {
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary token revoke`.
#[derive(Clone, Debug, Args)]
pub(crate) struct TokenRevokeArgs {
    /// The tokens, by name
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary doctor`.
#[derive(Clone, Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The state of the node [default: the usual one]
    #[arg(long, value_name = "DIR", env = "BARY_STATE", hide_env_values = true)]
    pub(crate) state: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}
