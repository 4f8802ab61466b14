//! `bary restore`: makes a state of a backup. It needs no node, and changes nothing but the new
//! directory.

use bary_identity::calendar;
use bary_model::time::Wall;
use bary_node::backup::restore::{RestoreError, Restored, restore};
use serde_json::json;

use crate::args::backup::RestoreArgs;
use crate::args::{Face, Form};
use crate::complaint::Complaint;
use crate::counted::counted;
use crate::exit::Exit;
use crate::screen::Screen;
use crate::verb;

/// Restores.
pub(crate) fn run(args: &RestoreArgs, face: Face) -> Result<Exit, Complaint> {
    let restored = restore(&args.directory, args.at.moment(), &args.state).map_err(told)?;
    let mut screen = Screen::new(face);
    if face.is_data() {
        let document = document(args, &restored);
        let dense = face.output == Form::Jsonl;
        let text = if dense { format!("{document}\n") } else { format!("{document:#}\n") };
        verb::print(&mut screen, &text)?;
    } else if !face.is_quiet() {
        verb::print(&mut screen, &lines(args, &restored))?;
    }
    Ok(Exit::OK)
}

fn told(error: RestoreError) -> Complaint {
    match &error {
        RestoreError::NotThere(_) => Complaint::not_found(error),
        RestoreError::Taken(_) => Complaint::usage(error),
        RestoreError::TooEarly { first, last } => {
            let range = range((*first, *last));
            Complaint::usage("the backup begins later than that").help(format!("name {range}"))
        }
        RestoreError::Timeless => Complaint::usage(error).help("restore its latest state"),
        RestoreError::Refused { cause, .. }
            if matches!(
                cause.kind(),
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
            ) =>
        {
            Complaint::new(Exit::FULL, error)
        }
        RestoreError::Unsound { .. } | RestoreError::Unreadable { .. } => {
            Complaint::failed(error).help("restore another copy; nothing was made of this one")
        }
        RestoreError::Result(_) | RestoreError::Refused { .. } => Complaint::failed(error),
    }
}

fn range((first, last): (Wall, Wall)) -> String {
    format!("an instant from {} to {}", calendar::text(first), calendar::text(last))
}

fn lines(args: &RestoreArgs, restored: &Restored) -> String {
    let Restored { jobs, tasks, ended, at, range: instants } = restored;
    let state = args.state.display();
    let at = at.map_or_else(|| "at its latest".to_owned(), |at| format!("as of {}", text(at)));
    let (jobs, tasks) = (counted(*jobs, "job"), counted(*tasks, "task"));
    let mut lines =
        format!("restored {state} {at}: {jobs}, {tasks}, {ended} of which have ended\n");
    if let Some(instants) = instants {
        lines += &format!("the backup can be restored to {}\n", range(*instants));
    }
    lines + &format!("go on with it: bary up --state {state}\n")
}

fn text(at: Wall) -> String {
    calendar::text(at)
}

fn document(args: &RestoreArgs, restored: &Restored) -> serde_json::Value {
    let Restored { jobs, tasks, ended, at, range } = restored;
    json!({
        "schema": "bary.restore/1",
        "state": args.state,
        "jobs": jobs,
        "tasks": tasks,
        "ended": ended,
        "at": at.map(text),
        "first": range.map(|(first, _)| text(first)),
        "last": range.map(|(_, last)| text(last)),
    })
}
