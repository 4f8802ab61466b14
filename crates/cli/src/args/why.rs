//! The flags of `bary why`.

use std::path::PathBuf;

use crate::args::reach::Reach;

/// Which task of which job or kept run.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:\n  bary why 12/count[3]       a task of job 12 of a node\n  \
                        bary why last/1            the first task of the last job\n  \
                        bary why last              why the last job is where it is\n  \
                        bary why count[3]          a task of the last kept run")]
pub(crate) struct WhyArgs {
    /// The task: JOB/NAME, JOB/NAME[INDEX] or JOB/NUMBER of a node, or JOB alone for the task that
    /// tells most of it; NAME without JOB/ is of a kept run, where it sums an array up
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) task: String,
    /// The kept run, by the name of its directory; the last one where absent
    #[arg(long, value_name = "NAME")]
    pub(crate) run: Option<String>,
    /// The directory that runs were kept in
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}
