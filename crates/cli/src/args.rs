//! The command line: verbs, and what all of them take. Each verb's flags are a file of their own.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::args::auth::{AuthVerb, StateArgs};
use crate::args::backup::RestoreArgs;
use crate::args::bench::BenchArgs;
use crate::args::config::{ConfigGetArgs, ConfigSetArgs, ConfigUnsetArgs};
use crate::args::console::ConsoleArgs;
use crate::args::journal::JournalVerb;
use crate::args::map::MapArgs;
use crate::args::plan::PlanArgs;
use crate::args::policy::{PolicyLearntArgs, PolicySetArgs, PolicyShowArgs, PolicyTryArgs};
use crate::args::remote::RemoteVerb;
use crate::args::run::RunArgs;
use crate::args::sim::SimArgs;
use crate::args::trace::TraceVerb;
use crate::args::up::{DevArgs, JoinArgs, UpArgs};
use crate::args::why::WhyArgs;
use crate::complaint::Complaint;

pub(crate) mod auth;
pub(crate) mod backoff;
pub(crate) mod backup;
pub(crate) mod bench;
pub(crate) mod cache;
pub(crate) mod cluster;
pub(crate) mod config;
pub(crate) mod console;
pub(crate) mod foreign;
pub(crate) mod graph;
pub(crate) mod halt;
pub(crate) mod journal;
pub(crate) mod latency;
pub(crate) mod map;
pub(crate) mod pair;
pub(crate) mod plan;
pub(crate) mod policy;
pub(crate) mod reach;
pub(crate) mod remote;
pub(crate) mod run;
pub(crate) mod scale;
pub(crate) mod sim;
pub(crate) mod slots;
pub(crate) mod submit;
pub(crate) mod task;
pub(crate) mod tend;
pub(crate) mod trace;
pub(crate) mod up;
pub(crate) mod value;
pub(crate) mod why;

/// Runs tasks on every machine you can reach.
#[derive(Debug, Parser)]
#[command(
    name = "bary",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Start with: bary map 'wc -l {}' ::: *.txt"
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) face: Face,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What is shown, and how.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Face {
    /// What to print: a table for people, with all columns where it is wide, one document as JSON
    /// or YAML, one JSON line for each thing that happens, rows as CSV, or as little as can be
    #[arg(short, long, global = true, value_name = "FORM", default_value = "table")]
    #[arg(env = "BARY_OUTPUT", hide_env_values = true, hide_default_value = true)]
    pub(crate) output: Form,
    /// Print no progress, no summary and no list of failures; the same as -o quiet
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Tell on standard error of each retry as it happens, and print the report at the end
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// When to use colours; NO_COLOR and CLICOLOR_FORCE are honoured
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    #[arg(hide_default_value = true)]
    pub(crate) color: Color,
}

impl Face {
    pub(crate) fn is_quiet(self) -> bool {
        self.quiet || self.output == Form::Quiet
    }

    /// What a verb without rows makes of the form: wide is a table, and JSON is YAML too.
    ///
    /// # Errors
    /// Where rows are asked for.
    pub(crate) fn without_rows(self) -> Result<Self, Complaint> {
        let output = match self.output {
            Form::Wide => Form::Table,
            Form::Yaml => Form::Json,
            Form::Csv => {
                let complaint = Complaint::usage("this verb has no rows to print as CSV");
                return Err(complaint.help("write -o json or -o jsonl"));
            }
            output => output,
        };
        Ok(Self { output, ..self })
    }

    /// Whether standard output is for programs.
    pub(crate) fn is_data(self) -> bool {
        matches!(self.output, Form::Json | Form::Jsonl | Form::Yaml | Form::Csv)
    }
}

/// What standard output looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    #[default]
    Table,
    Wide,
    Json,
    Jsonl,
    Yaml,
    Csv,
    Quiet,
}

/// When colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a job file, or one command, to its end
    Run(Box<RunArgs>),
    /// Run one command or function for each of many inputs
    Map(Box<MapArgs>),
    /// Bring up a node that stays, for others to submit to
    Up(Box<UpArgs>),
    /// Bring up a node that stays, as a member of a cluster that lets it in
    Join(Box<JoinArgs>),
    /// Say who may become a member of a cluster
    Auth {
        #[command(subcommand)]
        verb: AuthVerb,
    },
    /// Show the certificates of the member of a state, and until when they are good
    Tls(StateArgs),
    /// Bring up a node to try things on, which keeps nothing
    Dev(Box<DevArgs>),
    #[command(flatten)]
    Remote(RemoteVerb),
    /// Explain why a task waited, went where it went, and how it ended
    Why(WhyArgs),
    /// Show the ways of placing tasks
    Policy {
        #[command(subcommand)]
        verb: PolicyVerb,
    },
    /// Make a state of a backup, as it was at any instant; no node is needed
    Restore(RestoreArgs),
    /// Look at the journal of a state without changing it
    Journal {
        #[command(subcommand)]
        verb: JournalVerb,
    },
    /// Foretell what a job file will take with each policy; nothing runs
    Plan(Box<PlanArgs>),
    /// Compare policies on a scenario in virtual time, or run a drawn world with faults and check
    /// what must always hold
    Sim(Box<SimArgs>),
    /// Play scenes of work on real nodes of this machine, and print their figures beside those that
    /// a published system claims
    Bench(BenchArgs),
    /// Give servers tasks by hand, and watch second by second who runs what
    Console(Box<ConsoleArgs>),
    /// Stand for a server of a console that runs processes
    #[command(hide = true)]
    ConsoleWorker,
    /// Read, convert and make traces of work, which the simulator replays
    Trace {
        #[command(subcommand)]
        verb: TraceVerb,
    },
    /// Show the settings, and where each comes from
    Config {
        #[command(subcommand)]
        verb: ConfigVerb,
    },
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write those of all verbs
    Man {
        /// The directory to write them to
        #[arg(value_name = "DIR")]
        directory: Option<PathBuf>,
    },
    /// Print a reference page
    #[command(hide = true)]
    Docs {
        /// Which page; the list of them where absent
        page: Option<String>,
    },
}

impl Verb {
    /// Whether it works although the files of settings are wrong.
    pub(crate) fn needs_no_settings(&self) -> bool {
        matches!(
            self,
            Self::Remote(RemoteVerb::Doctor(_))
                | Self::Config { verb: ConfigVerb::Show { .. } }
                | Self::ConsoleWorker
                | Self::Completions { .. }
                | Self::Man { .. }
                | Self::Docs { .. }
        )
    }
}

/// What to do with settings.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigVerb {
    /// List the settings with their values
    Show {
        /// Say where each value comes from
        #[arg(long)]
        origin: bool,
    },
    /// Show settings of the whole cluster: what holds now
    Get(ConfigGetArgs),
    /// Set a setting of the whole cluster, at all its members
    Set(ConfigSetArgs),
    /// Take a setting of the whole cluster back: each member's own holds again
    Unset(ConfigUnsetArgs),
    /// Show who has changed settings of the whole cluster, when and why
    History(ConfigGetArgs),
}

/// What to do with policies.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyVerb {
    /// List the presets and the parts that they are made of
    Ls,
    /// Show a preset, or what a node follows
    Show(PolicyShowArgs),
    /// Follow another policy from now on, while work goes on
    Set(PolicySetArgs),
    /// Show how long tasks take by what they run, and how far off that was as a prediction
    Learnt(PolicyLearntArgs),
    /// Compute what a force says of one placement, and explain it
    Try(PolicyTryArgs),
}
