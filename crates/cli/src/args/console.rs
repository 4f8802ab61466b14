//! The flags of `bary console`.

use std::path::PathBuf;

use clap::Args;

use crate::args::value;
use crate::console::language::Language;
use crate::console::wrong::CONSOLE_SERVERS_MAX;

/// How many servers there are at first, and how things are shown.
#[derive(Clone, Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "Examples:\n  bary console                 asks for the number of servers, \
                        then takes commands\n  bary console --lang ru       the same in Russian\n  \
                        printf '3\\nadd 5\\nwait all\\n' | bary console\n\n\
                        The command `help` lists the commands."
)]
pub(crate) struct ConsoleArgs {
    /// The number of servers; asked for where absent
    #[arg(long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=CONSOLE_SERVERS_MAX as u64))]
    pub(crate) servers: Option<u64>,
    /// The language; the environment's where absent. Commands are known in all of them
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) lang: Option<Language>,
    /// How tasks are placed at first
    #[arg(long, value_name = "POLICY", default_value = crate::console::cluster::POLICY)]
    pub(crate) policy: String,
    /// Ask and answer in lines, also on a terminal; time goes by a second a command
    #[arg(long)]
    pub(crate) plain: bool,
    /// How many virtual seconds go by in a real one, on a terminal
    #[arg(long, value_name = "X", default_value = "1", value_parser = value::positive)]
    #[arg(conflicts_with_all = ["plain", "processes"])]
    pub(crate) speed: f64,
    /// Let a process of its own stand for each server, in real time
    #[arg(long)]
    pub(crate) processes: bool,
    /// Write a log of JSON lines: all that was typed, happened, and any engine was told or wanted
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
    /// From which all dice are made
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(crate) seed: u64,
}
