//! `bary doctor`: what a node and its users need, each with what to do where it is missing.

use serde::Serialize;

use crate::args::Face;
use crate::args::tend::DoctorArgs;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::listing::{Kind, Wish, column};
use crate::screen::Screen;
use crate::verb;

mod certificate;
mod machine;
mod node;
mod place;

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    name: &'static str,
    /// "ok", "warn" or "fail".
    state: &'static str,
    /// What was found.
    found: String,
    /// What to do about it.
    fix: String,
}

/// Checks as rows.
pub(crate) const CHECKS: Kind<Check> = Kind {
    schema: "bary.doctor/1",
    noun: "checks",
    columns: &[
        column("CHECK", 0, |check: &Check, _| check.name.to_owned()),
        column("STATE", 0, |check, _| check.state.to_owned()),
        column("FOUND", 0, |check, _| check.found.clone()),
        column("FIX", 0, |check, _| check.fix.clone()),
    ],
    id: |check| format!("{} {}", check.name, check.state),
};

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: "ok", found: found.into(), fix: String::new() }
    }

    fn warn(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, state: "warn", found: found.into(), fix: fix.into() }
    }

    fn fail(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, state: "fail", found: found.into(), fix: fix.into() }
    }
}

/// Checks everything. Something that fails makes the code 1.
pub(crate) fn run(args: &DoctorArgs, face: Face) -> Result<Exit, Complaint> {
    let state = verb::remote::audit::state_dir(args.state.as_deref());
    let mut checks = vec![machine::version(), place::settings()];
    checks.extend(node::checks(&args.reach, face));
    checks.extend([place::state(&state), place::token(&state), place::room(&state)]);
    checks.extend(certificate::checks(&state));
    checks.extend([machine::clock(), machine::files(), machine::cgroups()]);
    let text = CHECKS.text(&checks, &Wish::now(face, None))?;
    verb::print(&mut Screen::new(face), &text)?;
    Ok(if checks.iter().any(|check| check.state == "fail") { Exit::FAILED } else { Exit::OK })
}
