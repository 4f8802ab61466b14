//! The flags of `bary run`.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::args::cluster::{ClusterArgs, KeepArgs};
use crate::args::task::TaskArgs;

/// A job file, or one command after `--`.
#[derive(Clone, Debug, clap::Args)]
#[command(
    override_usage = "bary run [OPTIONS] JOB.toml\n       bary run [OPTIONS] -- COMMAND...",
    after_help = "One command streams what it prints and ends with its own exit code. The flags \
                  of each task go with one command; a job file says them for each of its tasks."
)]
pub(crate) struct RunArgs {
    /// The job file; see bary docs jobfile
    #[arg(value_name = "JOB.toml", required_unless_present = "command")]
    pub(crate) file: Option<PathBuf>,
    /// A program and its arguments, run as they are
    #[arg(last = true, value_name = "COMMAND", conflicts_with = "file")]
    pub(crate) command: Vec<OsString>,
    #[command(flatten)]
    pub(crate) task: TaskArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    #[command(flatten)]
    pub(crate) keep: KeepArgs,
}
