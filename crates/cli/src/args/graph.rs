//! The flags of `bary graph`.

use std::path::PathBuf;

use clap::Args;

use crate::args::reach::Reach;

/// The flags of `bary graph`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
A way is how long a message to another member and its answer take. LAMBDA_2 says how well all hang
together, and is 0 where they fall apart; a bridge is the shortest way between two regions.
Examples:
  bary graph
  bary graph --svg cluster.svg
  bary graph -o json")]
pub(crate) struct GraphArgs {
    /// Draw it to this file, as SVG
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}
