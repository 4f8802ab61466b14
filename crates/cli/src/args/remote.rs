//! The verbs that ask a node that stays, and what those about jobs take.

use std::ffi::OsString;

use bary_model::time::Span;
use clap::{Args, Subcommand};

use crate::args::backup::BackupArgs;
use crate::args::cache::CacheArgs;
use crate::args::graph::GraphArgs;
use crate::args::reach::Reach;
use crate::args::scale::ScaleVerb;
use crate::args::submit::{AboutArgs, SubmitArgs, WorkArgs};
use crate::args::tend::{AuditArgs, DoctorArgs, NodeVerb, TokenVerb};
use crate::args::value::{size, some_time, time};
use crate::selector::{Jobs, Target};

/// What to ask of a node.
#[derive(Debug, Subcommand)]
pub(crate) enum RemoteVerb {
    /// Give a node a job: a command, many, a script or a job file
    Submit(Box<SubmitArgs>),
    /// List jobs
    Ls(LsArgs),
    /// Show jobs with their tasks, or single tasks
    Show(ShowArgs),
    /// Wait until jobs have ended, and end with their code
    Wait(WaitArgs),
    /// Show how far jobs are until they have ended
    Progress(WaitArgs),
    /// Print what tasks print
    Logs(LogsArgs),
    /// Print what tasks gave
    Result(ResultArgs),
    /// End jobs: what waits does not run, what runs is stopped
    Cancel(CancelArgs),
    /// Keep what has not started of jobs from starting
    Hold(SteerArgs),
    /// Let held jobs go on
    Release(SteerArgs),
    /// Put jobs ahead of others, or behind
    Priority(PriorityArgs),
    /// Run what did not succeed of finished jobs once more
    Retry(RetryArgs),
    /// Open a shell beside a task that runs, or run another command there
    Exec(ExecArgs),
    /// Print what happens, as it happens
    Events(EventsArgs),
    /// Make jobs that take more tasks later
    Job {
        #[command(subcommand)]
        verb: JobVerb,
    },
    /// Forget finished jobs and what they left behind
    Prune(PruneArgs),
    /// Look at the nodes that run tasks, and change them
    Node {
        #[command(subcommand)]
        verb: NodeVerb,
    },
    /// Show the graph of the cluster: ways, regions, bridges, central members and the leader
    Graph(GraphArgs),
    /// Look at the autoscaler: what it is told, and what it decided and why
    Scale {
        #[command(subcommand)]
        verb: ScaleVerb,
    },
    /// Print who did what, and what was refused
    Audit(AuditArgs),
    /// Mint, list and revoke access tokens
    Token {
        #[command(subcommand)]
        verb: TokenVerb,
    },
    /// Look at the result cache of a node, or clear it
    Cache(CacheArgs),
    /// Copy the state of a node to a directory of its machine, while it runs
    Backup(BackupArgs),
    /// Check what a node and its users need, and say what to do about what is missing
    Doctor(DoctorArgs),
}

/// How rows are chosen and shown.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Rows")]
pub(crate) struct RowArgs {
    /// Only rows that meet a condition, as state=failed, name=al*, tag.team=x or tasks>10. Given
    /// again, all of them
    #[arg(long, value_name = "COND")]
    pub(crate) filter: Vec<String>,
    /// Sort by a field of the JSON form; -FIELD the other way round
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
    pub(crate) sort: Option<String>,
    /// At most so many rows; 0 for all
    #[arg(long, value_name = "N", default_value_t = 100, hide_default_value = true)]
    pub(crate) limit: u32,
    /// Print this text for each row; {FIELD} is a field of the JSON form, as {id} or {tags.team}
    #[arg(long, value_name = "TEXT")]
    pub(crate) format: Option<String>,
}

/// The flags of `bary ls`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
The last 100 jobs of all members of the cluster, the newest at the bottom. Examples:
  bary ls --filter state=running
  bary ls --home beta
  bary ls --sort -cpu_seconds --limit 10 -o wide
  bary ls --filter tag.team=x --format '{id} {name}'")]
pub(crate) struct LsArgs {
    /// Jobs: numbers, 1-10,15, last or all; those of another member as MEMBER/JOB. Where none is
    /// named, those of all members
    #[arg(value_name = "JOB")]
    pub(crate) jobs: Vec<Jobs>,
    /// Only jobs of the member that is asked
    #[arg(long, conflicts_with = "home")]
    pub(crate) here: bool,
    #[command(flatten)]
    pub(crate) rows: RowArgs,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary show`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ShowArgs {
    /// Jobs, or tasks as JOB/NAME, JOB/NAME[INDEX] or JOB/NUMBER
    #[arg(value_name = "JOB[/TASK]", default_value = "last", hide_default_value = true)]
    pub(crate) targets: Vec<Target>,
    #[command(flatten)]
    pub(crate) rows: RowArgs,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary wait` and `bary progress`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
The code is that of the task where there is one job of one task; else 0 if all succeeded, and 1.
Ctrl-C leaves the jobs alone and ends with 130.")]
pub(crate) struct WaitArgs {
    /// Jobs: numbers, 1-10,15, last or all
    #[arg(value_name = "JOB", default_value = "last", hide_default_value = true)]
    pub(crate) jobs: Vec<Jobs>,
    /// Give up after this time, with 124; the jobs go on
    #[arg(long, value_name = "TIME", value_parser = some_time)]
    pub(crate) timeout: Option<Span>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary logs`.
#[derive(Clone, Debug, Args)]
pub(crate) struct LogsArgs {
    /// Jobs, or tasks as JOB/NAME, JOB/NAME[INDEX] or JOB/NUMBER
    #[arg(value_name = "JOB[/TASK]", default_value = "last", hide_default_value = true)]
    pub(crate) targets: Vec<Target>,
    /// Go on until the tasks have ended
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Standard error only, on standard output
    #[arg(long, conflicts_with = "stdout")]
    pub(crate) stderr: bool,
    /// Standard output only
    #[arg(long)]
    pub(crate) stdout: bool,
    /// Only so much of the end of each task's
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) tail: Option<u64>,
    /// Begin each line with the name of its task
    #[arg(long)]
    pub(crate) tag: bool,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary result`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ResultArgs {
    /// Jobs, or tasks as JOB/NAME, JOB/NAME[INDEX] or JOB/NUMBER
    #[arg(value_name = "JOB[/TASK]", default_value = "last", hide_default_value = true)]
    pub(crate) targets: Vec<Target>,
    /// Wait for tasks that have not ended
    #[arg(short, long, visible_alias = "wait")]
    pub(crate) follow: bool,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary cancel`.
#[derive(Clone, Debug, Args)]
pub(crate) struct CancelArgs {
    #[command(flatten)]
    pub(crate) steer: SteerArgs,
    /// Leave what runs to its end
    #[arg(long)]
    pub(crate) keep_running: bool,
}

/// The flags of verbs that change jobs.
#[derive(Clone, Debug, Args)]
pub(crate) struct SteerArgs {
    /// Jobs: numbers, 1-10,15, last or all
    #[arg(value_name = "JOB", required = true)]
    pub(crate) jobs: Vec<Jobs>,
    /// Why, for the audit log and for who asks later
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary priority`.
#[derive(Clone, Debug, Args)]
pub(crate) struct PriorityArgs {
    #[command(flatten)]
    pub(crate) steer: SteerArgs,
    /// The new priority; higher runs first
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) to: i32,
}

/// The flags of `bary retry`.
#[derive(Clone, Debug, Args)]
pub(crate) struct RetryArgs {
    #[command(flatten)]
    pub(crate) steer: SteerArgs,
    /// What did not succeed, which is what is always meant
    #[arg(long)]
    pub(crate) failed: bool,
}

/// The flags of `bary exec`.
#[derive(Clone, Debug, Args)]
#[command(
    override_usage = "bary exec [OPTIONS] JOB[/TASK] [-- COMMAND...]",
    after_help = "\
It runs where the task does, in its directory, with its environment and as its user, and ends with
it at the latest. On a terminal it gets one of its own; bary ends with its code. Only an admin may.

Examples:
  bary exec 12/build
  bary exec last -- ps aux"
)]
pub(crate) struct ExecArgs {
    /// The task, as JOB/NAME, JOB/NAME[INDEX] or JOB/NUMBER; of a job of one task the job alone
    #[arg(value_name = "JOB[/TASK]")]
    pub(crate) target: Target,
    /// The command; a shell where absent
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
    /// Use pipes, also on a terminal
    #[arg(short = 'T', long)]
    pub(crate) no_terminal: bool,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary events`.
#[derive(Clone, Debug, Args)]
pub(crate) struct EventsArgs {
    /// Only of these jobs: numbers, 1-10,15, last or all
    #[arg(value_name = "JOB")]
    pub(crate) jobs: Vec<Jobs>,
    /// Go on with what happens next
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Only this kind, as submitted, started, ended or finished. Given again, any of them
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Vec<String>,
    /// Only what comes after this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    pub(crate) after: u64,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// What to do with jobs that take more tasks later.
#[derive(Debug, Subcommand)]
pub(crate) enum JobVerb {
    /// Make a job that has no tasks yet; prints its number
    Open(OpenArgs),
    /// Add tasks to an open job
    Add(Box<AddArgs>),
    /// Say that no more tasks will be added
    Close(SteerArgs),
}

/// The flags of `bary job open`.
#[derive(Clone, Debug, Args)]
pub(crate) struct OpenArgs {
    /// Its name, as with --name
    #[arg(value_name = "NAME", conflicts_with = "name")]
    pub(crate) called: Option<String>,
    #[command(flatten)]
    pub(crate) about: AboutArgs,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary job add`.
#[derive(Clone, Debug, Args)]
#[command(override_usage = "bary job add [OPTIONS] JOB [--] COMMAND...")]
pub(crate) struct AddArgs {
    /// The job
    #[arg(value_name = "JOB")]
    pub(crate) job: Jobs,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// The flags of `bary prune`.
#[derive(Clone, Debug, Args)]
pub(crate) struct PruneArgs {
    /// Finished jobs: numbers, 1-10,15, last, or all that have finished
    #[arg(value_name = "JOB", required = true)]
    pub(crate) jobs: Vec<Jobs>,
    /// Only those that finished so long ago
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) older_than: Option<Span>,
    /// Say what would be forgotten, and forget nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) reach: Reach,
}
