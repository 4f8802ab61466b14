//! `bary audit`: who did what; and whether the log is as it was written.

use std::path::{Path, PathBuf};

use bary_api::v1::AuditRequest;
use bary_node::audit::verify::{self, Mark, VerifyError};
use serde_json::json;

use crate::args::tend::{self, AuditArgs, AuditVerb};
use crate::args::{Face, Form};
use crate::asking;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::keep;
use crate::kinds::AUDIT;
use crate::listing;
use crate::screen::Screen;
use crate::verb;

/// The schema of the document about a log that is whole.
pub(crate) const VERIFIED: &str = "bary.audit-verify/1";

/// Prints lines, or verifies them all.
pub(crate) fn run(args: &AuditArgs, face: Face) -> Result<Exit, Complaint> {
    match &args.verb {
        Some(AuditVerb::Verify { directory, state, mark }) => {
            let named = directory.as_deref().map(Path::to_owned);
            let directory = named.unwrap_or_else(|| state_dir(state.as_deref()));
            check(&directory, mark.as_ref(), face)
        }
        None => print(args, face),
    }
}

fn print(args: &AuditArgs, face: Face) -> Result<Exit, Complaint> {
    if args.follow && face.is_data() && face.output != Form::Jsonl {
        let complaint = Complaint::usage("lines that go on are no single document");
        return Err(complaint.help("write -o jsonl"));
    }
    asking::run(&args.reach, face, async |asking| {
        let request = AuditRequest { follow: args.follow, after: args.after, limit: args.limit };
        let mut lines = asking.node.audit(request).await?;
        if !args.follow {
            asking.print(&AUDIT, &lines.all().await?, None)?;
            return Ok(Exit::OK);
        }
        let mut screen = Screen::new(face);
        while let Some(line) = lines.next().await? {
            let text = match face.output {
                Form::Jsonl => format!("{}\n", listing::json_of(&line)?),
                _ => {
                    let fields = [
                        &listing::moment::local(&line.at),
                        &line.who,
                        &line.verb,
                        &line.target,
                        &line.outcome,
                        &line.reason,
                    ];
                    let there = fields.into_iter().filter(|field| !field.is_empty());
                    let line = there.map(String::as_str).collect::<Vec<_>>().join("  ");
                    format!("{}\n", listing::clean::line(&line))
                }
            };
            verb::print(&mut screen, &text)?;
        }
        Ok(Exit::OK)
    })
}

/// The state directory where none is named.
pub(crate) fn state_dir(state: Option<&Path>) -> PathBuf {
    // Runs are kept in a directory of the state.
    let runs = keep::runs(state);
    runs.parent().map_or_else(PathBuf::new, Path::to_owned)
}

fn check(directory: &Path, mark: Option<&tend::Mark>, face: Face) -> Result<Exit, Complaint> {
    let mark = mark.map(|mark| Mark { number: mark.number, hash: mark.hash.clone() });
    let log = verify::verify(directory, mark.as_ref()).map_err(|error| match error {
        VerifyError::NoLog(_) => {
            Complaint::not_found(error).help("name the state of the node: bary audit verify DIR")
        }
        _ => Complaint::failed(error),
    })?;
    let (number, hash) = (log.last.number, &log.last.hash);
    let parts = [
        ("files", json!(log.files)),
        ("first", json!(log.first)),
        ("last", json!(number)),
        ("hash", json!(hash)),
    ];
    let text = match listing::data(&listing::document(VERIFIED, parts), face.output) {
        Some(text) if !face.is_quiet() => text,
        _ if face.is_quiet() => String::new(),
        _ => format!(
            "lines {} to {number} are as they were written\nmark {number}:{hash}\n",
            log.first
        ),
    };
    verb::print(&mut Screen::new(face), &text)?;
    Ok(Exit::OK)
}
