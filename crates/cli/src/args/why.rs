//! The flags of `bary why`.

use std::path::PathBuf;

/// Which task of which kept run.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct WhyArgs {
    /// The task: NAME, NAME[INDEX], or its sequence number from 1; NAME alone sums an array up
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) task: String,
    /// The kept run, by the name of its directory; the last one where absent
    #[arg(long, value_name = "NAME")]
    pub(crate) run: Option<String>,
    /// The directory that runs were kept in
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
}
