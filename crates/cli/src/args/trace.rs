//! The flags of `bary trace`.

use std::path::PathBuf;

use bary_trace::format::Format;
use clap::{Args, Subcommand};

use crate::args::reach::Reach;
use crate::selector::Jobs;

/// What to do with traces.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum TraceVerb {
    /// Read a trace of one format and write it in another
    Convert(ConvertArgs),
    /// Say what a trace comes to: jobs, tasks, work, longest path, owners
    Show(ShowTraceArgs),
    /// Write what was run as a trace: of a node, or of a state that a run or a node has left
    Export(ExportArgs),
}

/// The flags of `bary trace convert`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Formats are bary, stg, wfformat, estee, swf and dax; files may be packed as gzip or as a zip of one
file. Examples:
  bary trace convert NASA-iPSC-1993-3.1-cln.swf.zip nasa.trace
  bary trace convert montage.dax montage.json --to wfformat")]
pub(crate) struct ConvertArgs {
    /// The file to read
    #[arg(value_name = "IN")]
    pub(crate) from_file: PathBuf,
    /// The file to write; - is standard output
    #[arg(value_name = "OUT")]
    pub(crate) to_file: PathBuf,
    /// The format of IN, where it is not to be seen
    #[arg(long, value_name = "FORMAT")]
    pub(crate) from: Option<Format>,
    /// The format of OUT; bary, unless the name of OUT ends in .stg or .swf
    #[arg(long, value_name = "FORMAT")]
    pub(crate) to: Option<Format>,
    /// Write only the job of this name
    #[arg(long, value_name = "NAME")]
    pub(crate) job: Option<String>,
}

/// The flags of `bary trace show`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ShowTraceArgs {
    /// The file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Its format, where it is not to be seen
    #[arg(long, value_name = "FORMAT")]
    pub(crate) from: Option<Format>,
}

/// The flags of `bary trace export`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
A node says it of all jobs that it has details of; a state may be in use. Examples:
  bary run flow.toml --state flow && bary trace export --state flow --out flow.trace
  bary trace export all --since 2026-01-31T00:00:00Z --out week.trace")]
pub(crate) struct ExportArgs {
    /// Jobs: numbers, 1-10,15, last or all; all where none is named
    #[arg(value_name = "JOB")]
    pub(crate) jobs: Vec<Jobs>,
    /// Read the journal of this state, which may be in use, rather than ask a node
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Only jobs that came at this moment or later: as 2026-01-31T13:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) since: Option<bary_model::time::Wall>,
    /// The file to write; standard output where absent
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

fn moment(text: &str) -> Result<bary_model::time::Wall, String> {
    let wrong = || format!("{text:?} is no moment as 2026-01-31T13:00:00Z");
    bary_identity::calendar::parse(text).ok_or_else(wrong)
}
