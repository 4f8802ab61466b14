//! The flags of `bary map`.

use std::ffi::OsString;
use std::path::PathBuf;

use bary_jobfile::range::Range;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::args::cluster::{ClusterArgs, KeepArgs};
use crate::args::foreign::Foreign;
use crate::args::halt::HaltArg;
use crate::args::task::TaskArgs;
use crate::args::value::{array, count, delimiter, gang, size};

/// What stands below the flags.
const NOTES: &str = "\
Words: a command with placeholders, then sources of inputs. Options come before the command.
  :::  A B C     these values; several sources are combined, the last varies fastest
  :::+ A B C     these values, linked to the source before
  :::: FILE      the lines of a file; ::::+ links them
Where no source is given the lines of standard input are read as they come.
Order of sources: --each-line, --each-file, --array, then those among the words.

Placeholders: {} the value  {.} without extension  {/} base name  {//} directory  {/.} base name
without extension  {1} {2.} columns  {#} number from 1  {%} slot. Where no word has one, {} is
added at the end. A command of one word is split as a shell splits words; none runs without
--shell. Without a command each input is a command line for the shell.

-n groups inputs as xargs -n does: one command for each N of them. -P, -N, -I, -d, --wd, --bar and
--eta are there for hands that know xargs and GNU parallel.

Examples:
  bary map 'sha256sum {}' ::: *.rs
  find . -name '*.log' -print0 | bary map -0 -- gzip -9
  bary map -j 4 --timeout 10m --retries 2 --joblog log 'convert {} {.}.png' ::: *.jpg
  bary map --shell 'sort {} | uniq -c > {.}.counts' ::: *.txt
  bary map --array 1-1_000_000 --function noop";

/// One command or function for each of many inputs.
#[derive(Clone, Debug, Args)]
#[command(
    override_usage = "bary map [OPTIONS] [--] COMMAND... [::: VALUE...]",
    after_help = NOTES
)]
pub(crate) struct MapArgs {
    /// The command and its arguments, then sources of inputs
    #[arg(trailing_var_arg = true, value_name = "WORD")]
    pub(crate) words: Vec<OsString>,
    #[command(flatten)]
    pub(crate) input: InputArgs,
    #[command(flatten)]
    pub(crate) print: PrintArgs,
    #[command(flatten)]
    pub(crate) task: TaskArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    #[command(flatten)]
    pub(crate) keep: KeepArgs,
    #[command(flatten)]
    pub(crate) foreign: Foreign,
}

/// Whether a word is written as one of the long flags of `bary map`.
pub(crate) fn is_flag(word: &[u8]) -> bool {
    let Some(name) = str::from_utf8(word).ok().and_then(|word| word.strip_prefix("--")) else {
        return false;
    };
    let name = name.split_once('=').map_or(name, |(name, _)| name);
    let command = MapArgs::augment_args(clap::Command::new("map"));
    let mut flags = command.get_arguments().filter(|arg| !arg.is_hide_set());
    !name.is_empty() && flags.any(|arg| arg.get_long() == Some(name))
}

/// Where inputs come from and how they become tasks.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Inputs")]
pub(crate) struct InputArgs {
    /// Inputs are the lines of a file; - is standard input. Given again, another source
    #[arg(short = 'a', long, visible_alias = "arg-file", value_name = "FILE")]
    pub(crate) each_line: Vec<PathBuf>,
    /// Inputs are the files below a directory, or those that match a pattern
    #[arg(long, value_name = "DIR")]
    pub(crate) each_file: Option<PathBuf>,
    /// Inputs are the numbers FIRST-LAST or FIRST-LAST:STEP, or N of them from 0; never stored,
    /// however many
    #[arg(long, value_name = "RANGE", value_parser = array)]
    pub(crate) array: Option<Range>,
    /// Call a built-in function instead of a command; its arguments are the words, as VALUE or
    /// NAME=VALUE, or the input where there are none
    #[arg(long, value_name = "NAME", conflicts_with_all = ["shell", "pipe", "context"])]
    pub(crate) function: Option<String>,
    /// Start so many tasks together, each as a rank that knows where they meet: each N inputs that
    /// follow each other. All inputs are read first
    #[arg(long, value_name = "N", value_parser = gang)]
    #[arg(conflicts_with_all = ["pipe", "distinct", "weight"])]
    pub(crate) gang: Option<u16>,
    /// Split each line into columns at this text; \t is a tab
    #[arg(long, value_name = "TEXT")]
    pub(crate) colsep: Option<String>,
    /// Lines end with a zero byte, as find -print0 writes them
    #[arg(short = '0', long)]
    pub(crate) null: bool,
    /// Inputs end with this character rather than a line end; \n, \t, \0 and \\ may be written
    #[arg(short = 'd', long, value_name = "C", value_parser = delimiter, conflicts_with = "null")]
    pub(crate) delimiter: Option<u8>,
    /// In the command this text stands for {} as well
    #[arg(short = 'I', long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) replace: Option<String>,
    /// Use so many inputs for each command
    #[arg(short = 'n', long, value_name = "N", value_parser = count)]
    #[arg(visible_short_alias = 'N', visible_alias = "max-args", alias = "max-replace-args")]
    pub(crate) inputs: Option<u32>,
    /// Use as many inputs for each command as fit, in equal shares for all slots
    #[arg(short = 'X', long, conflicts_with = "inputs")]
    pub(crate) context: bool,
    /// Give each command a block of whole lines of standard input as its input
    #[arg(long, conflicts_with_all = ["inputs", "context", "colsep"])]
    pub(crate) pipe: bool,
    /// The size of a block of --pipe
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "1M", requires = "pipe")]
    pub(crate) block: u64,
    /// Leave out inputs that are empty or blank
    #[arg(short = 'r', long)]
    pub(crate) no_run_if_empty: bool,
    /// Make each input a task of its own rather than an index of an array
    #[arg(long)]
    pub(crate) distinct: bool,
    /// How much work each task is; with a placeholder each input has its own, as in '{2}'
    #[arg(long, value_name = "N")]
    pub(crate) weight: Option<String>,
}

/// What is printed of the tasks, and what becomes of failures.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Results")]
pub(crate) struct PrintArgs {
    /// Print results in the order of inputs (the default)
    #[arg(short = 'k', long, overrides_with_all = ["unordered", "keep_order"])]
    pub(crate) keep_order: bool,
    /// Print results as they come
    #[arg(short = 'u', long)]
    pub(crate) unordered: bool,
    /// Print each line as it comes, also of tasks that still run
    #[arg(long, visible_alias = "lb", conflicts_with = "keep_order")]
    pub(crate) line_buffer: bool,
    /// Begin each line with the input of its task and a tab
    #[arg(long)]
    pub(crate) tag: bool,
    /// Begin each line with this text, with placeholders, and a tab
    #[arg(long, value_name = "TEXT", conflicts_with = "tag")]
    pub(crate) tagstring: Option<String>,
    /// Print the commands, quoted for a shell, and run nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Stop early: soon|now,fail|success|done=N|N%, or never
    #[arg(long, value_name = "RULE", default_value = "never", hide_default_value = true)]
    pub(crate) halt: HaltArg,
    /// Go on after failures (the default); the same as --halt never
    #[arg(long, conflicts_with = "halt")]
    pub(crate) keep_going: bool,
    /// Write a line for each task: Seq Host Starttime JobRuntime Send Receive Exitval Signal
    /// Command
    #[arg(long, value_name = "FILE")]
    pub(crate) joblog: Option<PathBuf>,
    /// Write what each task gave to DIR/SEQ/stdout, stderr and exitcode, however long it is
    #[arg(long, value_name = "DIR")]
    pub(crate) results: Option<PathBuf>,
}
