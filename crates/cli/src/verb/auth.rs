//! `bary auth`: who may become a member of the cluster of a state. No node is asked: whoever may
//! read the state may invite.

use bary_node::peers::invites::{LineError, Terms, invite};
use serde_json::json;

use crate::args::auth::{AuthVerb, JoinLineArgs};
use crate::args::{Face, Form};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::screen::Screen;
use crate::verb::{self, up};

/// Does what was asked.
pub(crate) fn run(asked: &AuthVerb, face: Face) -> Result<Exit, Complaint> {
    match asked {
        AuthVerb::JoinLine(args) => join_line(args, face),
    }
}

fn join_line(args: &JoinLineArgs, face: Face) -> Result<Exit, Complaint> {
    let state = up::state_of(args.state.as_deref())?;
    let (name, uses, span) = (args.name.clone(), Some(args.uses), Some(args.expires));
    let terms = Terms { name, uses, span, admits: !args.no_invite };
    let line = invite(&state, &terms).map_err(complaint)?.reveal();
    let text = match face.output {
        Form::Json | Form::Jsonl => json!({ "line": line }).to_string(),
        _ => line,
    };
    verb::print(&mut Screen::new(face), &format!("{text}\n"))?;
    Ok(Exit::OK)
}

fn complaint(error: LineError) -> Complaint {
    match error {
        error @ LineError::NoMember(_) => Complaint::not_found(error),
        error @ LineError::Invite(_) => Complaint::usage(error),
        error => Complaint::failed(error),
    }
}
