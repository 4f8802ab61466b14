//! The flags of `bary submit`.

use std::ffi::OsString;
use std::path::PathBuf;

use bary_jobfile::range::Range;
use bary_model::time::Span;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

use crate::args::pair::{Pair, pair};
use crate::args::reach::Reach;
use crate::args::task::TaskArgs;
use crate::args::value::{array, gang, some_time};
use crate::selector::Jobs;

/// What stands below the flags.
const NOTES: &str = "\
What is submitted is a command, a job file (.toml, .json, or - for standard input), or a script.
Lines #BARY --flag at the head of a script are flags of it; those of the command line win. A script
for a shell is sent as it is now, another file is run where it lies. After -- it is always a
command.

Tasks run in this directory, as --cwd says or with it. Of this environment they get PATH, HOME, the
language, time zone and what Python and the linker search by; --env NAME adds more, --env-all takes
everything and --env-none nothing. A variable of a task wins over the node's own.

With --array, --each-line or --each-json there is a task for each input; {} stands for it, as do
the other placeholders of bary map. Where no word has one, a line or value is added at the end, and
a number is in BARY_ARRAY_INDEX.

Examples:
  bary submit --cpus 4 --timeout 2h -- make all
  bary submit --array 1-1_000_000 --name sweep -- ./simulate --seed {}
  bary submit --each-line urls.txt --retries 3 -- curl -fsS {}
  bary submit --after 12 --in 1h build.sh
  bary submit --wait -- make test
  bary submit --cache=1h --each-line urls.txt -- curl -fsS {}
  bary submit flow.toml --set n=400";

/// What is submitted, and how.
#[derive(Clone, Debug, Args)]
#[command(
    override_usage = "bary submit [OPTIONS] JOB.toml|SCRIPT|COMMAND...\n       bary submit \
                      [OPTIONS] -- COMMAND...",
    after_help = NOTES,
    args_override_self = true
)]
pub(crate) struct SubmitArgs {
    #[command(flatten)]
    pub(crate) work: WorkArgs,
    #[command(flatten)]
    pub(crate) about: AboutArgs,
    /// More tasks may be added with bary job add until bary job close
    #[arg(long, help_heading = "Job")]
    pub(crate) open: bool,
    /// Give a parameter of the job file a value
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair, help_heading = "Job")]
    pub(crate) set: Vec<Pair>,
    /// What the acknowledgement is to be worth at least; as much as the node can where absent
    #[arg(long, value_name = "WORTH", help_heading = "Job")]
    pub(crate) durability: Option<DurabilityArg>,
    /// Wait for its end; one command prints as it goes, and bary ends with its code
    #[arg(long, help_heading = "Job")]
    pub(crate) wait: bool,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// What an acknowledgement is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DurabilityArg {
    /// It lives as long as the node's process; most nodes do better, and say so
    Memory,
    /// It was synced to a disk before; a node without a state refuses it
    Disk,
    /// It was synced to the disks of most members that keep it; a node whose jobs nobody else keeps
    /// refuses it
    Replicated,
}

/// The tasks of a submission.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct WorkArgs {
    /// A job file, a script with its arguments, or a command
    #[arg(trailing_var_arg = true, value_name = "WORD")]
    pub(crate) words: Vec<OsString>,
    /// Whether `--` stands before the words, which are a command then, whatever they look like.
    #[arg(skip)]
    pub(crate) literal: bool,
    /// One task for each number FIRST-LAST or FIRST-LAST:STEP, or for N of them from 0
    #[arg(long, value_name = "RANGE", value_parser = array, help_heading = "Inputs")]
    pub(crate) array: Option<Range>,
    /// One task for each line of a file; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "array", help_heading = "Inputs")]
    pub(crate) each_line: Option<PathBuf>,
    /// One task for each item of a JSON array, or for each line of JSON; - is standard input
    #[arg(long, visible_alias = "from-json", value_name = "FILE", help_heading = "Inputs")]
    #[arg(conflicts_with_all = ["array", "each_line"])]
    pub(crate) each_json: Option<PathBuf>,
    /// Call a function that a node or worker offers; the words are its arguments, as VALUE or
    /// NAME=VALUE, or the input where there are none
    #[arg(long, value_name = "NAME", conflicts_with = "shell", help_heading = "Inputs")]
    pub(crate) function: Option<String>,
    /// Start so many tasks together, each as a rank that knows where they meet; without inputs
    /// there are N tasks, otherwise each N that follow each other are a gang
    #[arg(long, value_name = "N", value_parser = gang, help_heading = "Inputs")]
    pub(crate) gang: Option<u16>,
    #[command(flatten)]
    pub(crate) task: TaskArgs,
    /// Give tasks all of this environment
    #[arg(long, conflicts_with = "env_none", help_heading = "Each task")]
    pub(crate) env_all: bool,
    /// Give tasks nothing of this environment but what --env names
    #[arg(long, help_heading = "Each task")]
    pub(crate) env_none: bool,
    /// Take the result of equal work that the node has, where it is no older than this (a day with
    /// no time), instead of running; for work that gives the same whenever it is given the same
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true)]
    #[arg(value_parser = some_time, default_missing_value = "1d", help_heading = "Each task")]
    pub(crate) cache: Option<Span>,
    /// Write standard output to a file; placeholders are allowed
    #[arg(long, value_name = "FILE", help_heading = "Each task")]
    pub(crate) stdout: Option<String>,
    /// Write standard error to a file; placeholders are allowed
    #[arg(long, value_name = "FILE", help_heading = "Each task")]
    pub(crate) stderr: Option<String>,
}

/// What is said of a job as a whole.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Job")]
pub(crate) struct AboutArgs {
    /// Its name; else that of what it runs
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) name: Option<String>,
    /// A tag, by which bary ls --filter tag.KEY=VALUE finds it
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) tag: Vec<Pair>,
    /// The jobs that must have succeeded first: numbers, 1-10,15 or last
    #[arg(long, value_name = "JOB")]
    pub(crate) after: Vec<Jobs>,
    /// Not before this moment: 2026-12-24T18:00, with a zone or local time, or 18:00 today
    #[arg(long, value_name = "TIME", conflicts_with = "after_span")]
    pub(crate) at: Option<String>,
    /// Not before so much time has passed
    #[arg(long = "in", id = "after_span", value_name = "TIME", value_parser = some_time)]
    pub(crate) after_span: Option<Span>,
    /// Accept it, and start nothing before bary release
    #[arg(long)]
    pub(crate) hold: bool,
    /// Keep results over 256 bytes at so many members of a cluster: 1, the usual, is where they
    /// were made, 2 the job's home as well, more are others, the nearest first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) copies: Option<u8>,
    /// The same key with the same job gives the first answer again
    #[arg(long, value_name = "KEY", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) idempotency_key: Option<String>,
}
