//! The flags of `bary run`.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::args::cluster::{ClusterArgs, KeepArgs};
use crate::args::task::TaskArgs;
use crate::args::value::gang;

/// What stands below the flags.
const NOTES: &str = "\
One command streams what it prints and ends with its own exit code. The flags of each task go with
one command; a job file says them for each of its tasks.

The report: balance is 100 (1 - std / mean) of the busy times of all slots. The lower bound of the
makespan is the larger of two: all work over all power, and the longest task on the fastest node.
Work is busy time times cores held times the speed of the node; power is cores times speed.

Examples:
  bary run job.toml --set n=400
  bary run job.toml --nodes 4 --speeds 1,2 --report --keep
  bary run --timeout 1m --retries 2 -- make test
  generate-job | bary run -";

/// A job file, or one command after `--`.
#[derive(Clone, Debug, clap::Args)]
#[command(
    override_usage = "bary run [OPTIONS] JOB.toml\n       bary run [OPTIONS] -- COMMAND...",
    after_help = NOTES
)]
pub(crate) struct RunArgs {
    /// The job file, or - to read it from standard input; see bary docs jobfile
    #[arg(value_name = "JOB.toml", required_unless_present = "command")]
    pub(crate) file: Option<PathBuf>,
    /// A program and its arguments, run as they are
    #[arg(last = true, value_name = "COMMAND", conflicts_with = "file")]
    pub(crate) command: Vec<OsString>,
    /// Run the command N times together, each as a rank that knows where they meet
    #[arg(long, value_name = "N", value_parser = gang, conflicts_with = "file")]
    pub(crate) gang: Option<u16>,
    #[command(flatten)]
    pub(crate) task: TaskArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    #[command(flatten)]
    pub(crate) keep: KeepArgs,
}
