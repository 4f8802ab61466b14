//! Flags of xargs and GNU parallel that there are not: each is refused with what to write instead.

use std::convert::Infallible;

/// Why a flag is refused. Nothing has run; the user writes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such flag here; {0}")]
pub(crate) struct ForeignError(&'static str);

/// Known elsewhere, and not shown.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Foreign {
    #[arg(short = 't', hide = true, num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "", value_parser = no_trace)]
    told: Option<Infallible>,
    #[arg(short = 'L', long = "max-lines", hide = true, value_parser = no_lines)]
    lines: Option<Infallible>,
    #[arg(long, hide = true, value_parser = no_delay)]
    delay: Option<Infallible>,
}

fn no_trace(_: &str) -> Result<Infallible, ForeignError> {
    Err(ForeignError("--dry-run prints the commands, --joblog FILE writes each that has ended"))
}

fn no_lines(_: &str) -> Result<Infallible, ForeignError> {
    Err(ForeignError("-n N gives each command N inputs, and an input is a line"))
}

fn no_delay(_: &str) -> Result<Infallible, ForeignError> {
    Err(ForeignError("-j N limits how many run at a time"))
}
