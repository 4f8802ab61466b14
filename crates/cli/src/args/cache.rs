//! The flags of `bary cache`.

use bary_model::time::Span;
use clap::{Args, Subcommand};

use crate::args::reach::Reach;
use crate::args::value::some_time;

/// The flags of `bary cache`.
#[derive(Clone, Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Tasks take results from it where they say so: bary submit --cache, or cache = true in a job file.
Examples:
  bary cache
  bary cache clear --older-than 1h"
)]
pub(crate) struct CacheArgs {
    #[command(subcommand)]
    pub(crate) verb: Option<CacheVerb>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// What to do with the cache besides looking at it.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum CacheVerb {
    /// Remove results, so that equal work runs again; says how many
    Clear(CacheClearArgs),
}

/// The flags of `bary cache clear`.
#[derive(Clone, Debug, Args)]
pub(crate) struct CacheClearArgs {
    /// Only results that are so old or older
    #[arg(long, value_name = "TIME", value_parser = some_time)]
    pub(crate) older_than: Option<Span>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}
