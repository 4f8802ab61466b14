//! `bary journal`: what the journal of a state holds. Nothing is changed, and nothing is locked:
//! the state may be in use.

use std::path::{Path, PathBuf};

use bary_disk::file::FileDisk;
use bary_journal::inspect::{Sight, Summary, inspect};
use bary_journal::recovery::OpenError;

use crate::args::Face;
use crate::args::journal::JournalVerb;
use crate::complaint::Complaint;
use crate::exit::Exit;

mod dump;
mod export;
mod fold;
mod verify;

/// Does what was asked.
pub(crate) fn run(verb: &JournalVerb, face: Face) -> Result<Exit, Complaint> {
    match verb {
        JournalVerb::Verify(args) => verify::run(&Place::find(&args.state)?, face),
        JournalVerb::Dump(args) => dump::run(&Place::find(&args.state)?, face),
        JournalVerb::Export(args) => export::run(&Place::find(&args.state)?, face),
    }
}

/// How often a journal is looked at before what is wrong with it is believed. One that is in use
/// may change while it is read, and be found wrong in a way that the next look does not find.
const LOOKS_MAX: u32 = 5;

/// What to give instead of a directory without a journal.
const WANTED: &str = "give the directory that was given to --state";

/// Where a journal is.
pub(super) struct Place {
    path: PathBuf,
    disk: FileDisk,
}

impl Place {
    /// The journal of the state in a directory, or the one that the directory itself is.
    pub(super) fn find(state: &Path) -> Result<Self, Complaint> {
        let inner = state.join("journal");
        let path = if inner.is_dir() { inner } else { state.to_owned() };
        let there = path.is_dir();
        match FileDisk::peek(&path) {
            Ok(disk) => Ok(Self { path, disk }),
            Err(error) if there => Err(Complaint::failed(error)),
            Err(error) => Err(Complaint::not_found(error).help(WANTED)),
        }
    }

    /// Looks until what is seen is sound, or is wrong in the same way twice; what `see` made of
    /// the last look, and what is wrong.
    pub(super) fn look<S>(
        &self,
        fresh: impl Fn() -> S,
        see: impl Fn(&mut S, Sight<'_>),
    ) -> Result<Looked<S>, Complaint> {
        let mut before: Option<String> = None;
        let mut looks = 0;
        loop {
            let mut seen = fresh();
            let summary = inspect(&self.disk, &mut |sight| see(&mut seen, sight));
            let (summary, refusal) = match summary {
                Ok(mut summary) => {
                    let refusal = summary.refusal.take();
                    (summary, refusal)
                }
                Err(error) => (Summary::default(), Some(error)),
            };
            looks += 1;
            let fault = refusal.map(|refusal| told(&refusal));
            if fault.is_none() || fault == before || looks == LOOKS_MAX {
                if summary.segments + summary.snapshots == 0 && fault.is_none() {
                    let path = self.path.display();
                    let text = format!("`{path}` holds no journal");
                    return Err(Complaint::not_found(text).help(WANTED));
                }
                return Ok(Looked { seen, summary, fault });
            }
            before = fault;
        }
    }

    pub(super) fn damaged(&self, fault: &str) -> Complaint {
        Complaint::failed(format!("{}: {fault}", self.path.display()))
    }
}

fn told(refusal: &OpenError) -> String {
    refusal.to_string()
}

/// What came of looking.
pub(super) struct Looked<S> {
    pub(super) seen: S,
    summary: Summary,
    /// Why the journal would not be opened.
    pub(super) fault: Option<String>,
}
