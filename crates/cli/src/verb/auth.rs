//! `bary auth`: who may become a member of the cluster of a state. No node is asked: whoever may
//! read the state may invite.

use bary_identity::calendar;
use bary_node::peers::invites::{self, LineError, Terms, invite};
use serde_json::json;

use crate::args::auth::{AuthVerb, JoinLineArgs, RevokeArgs, StateArgs};
use crate::args::{Face, Form};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::kinds::{INVITATIONS, Invitation};
use crate::listing::Wish;
use crate::screen::Screen;
use crate::verb::{self, up};

/// Does what was asked.
pub(crate) fn run(asked: &AuthVerb, face: Face) -> Result<Exit, Complaint> {
    match asked {
        AuthVerb::JoinLine(args) => join_line(args, face.without_rows()?),
        AuthVerb::Invite(args) => invitation(args, face.without_rows()?),
        AuthVerb::Invitations(args) => list(args, face),
        AuthVerb::Revoke(args) => revoke(args, face),
    }
}

fn join_line(args: &JoinLineArgs, face: Face) -> Result<Exit, Complaint> {
    let line = made(args)?;
    let text = match face.output {
        Form::Json | Form::Jsonl => json!({ "line": line }).to_string(),
        _ => line,
    };
    verb::print(&mut Screen::new(face), &format!("{text}\n"))?;
    Ok(Exit::OK)
}

/// The invitation as a file that says what it is.
fn invitation(args: &JoinLineArgs, face: Face) -> Result<Exit, Complaint> {
    if face.is_data() {
        return join_line(args, face);
    }
    let line = made(args)?;
    let cluster = line.split(['@', '/']).next().unwrap_or_default();
    let nodes = if args.uses == 1 { "one node".into() } else { format!("{} nodes", args.uses) };
    let text = format!(
        "# An invitation to the cluster {cluster}, for {nodes}. Who has it can join: keep it safe\n\
         # With this file at hand: bary join FILE\n{line}\n"
    );
    verb::print(&mut Screen::new(face), &text)?;
    Ok(Exit::OK)
}

/// The line of a new invitation.
fn made(args: &JoinLineArgs) -> Result<String, Complaint> {
    let state = up::state_of(args.state.state.as_deref())?;
    let (name, uses, span) = (args.name.clone(), Some(args.uses), Some(args.expires));
    let terms = Terms { name, uses, span, admits: !args.no_invite };
    let mut line = invite(&state, &terms).map_err(complaint)?;
    if args.no_address {
        line.addresses.clear();
    }
    Ok(line.reveal())
}

fn list(args: &StateArgs, face: Face) -> Result<Exit, Complaint> {
    let state = up::state_of(args.state.as_deref())?;
    let all = invites::all(&state).map_err(complaint)?.into_iter();
    let rows: Vec<Invitation> = all
        .map(|one| Invitation {
            name: one.name.to_string(),
            created: calendar::text(one.created),
            expires: one.expires.map(calendar::text).unwrap_or_default(),
            uses: one.uses,
            may_invite: one.admits,
        })
        .collect();
    let text = INVITATIONS.text(&rows, &Wish::now(face, None))?;
    verb::print(&mut Screen::new(face), &text)?;
    Ok(Exit::OK)
}

fn revoke(args: &RevokeArgs, face: Face) -> Result<Exit, Complaint> {
    let state = up::state_of(args.state.state.as_deref())?;
    for name in &args.names {
        if !invites::revoke(&state, name).map_err(complaint)? {
            let complaint = Complaint::not_found(format!("there is no invitation `{name}`"));
            return Err(complaint.help("bary auth invitations lists them"));
        }
        if !face.is_quiet() {
            let text = format!("bary: the invitation {name} lets nobody in from now on");
            Screen::new(face).note(&text);
        }
    }
    Ok(Exit::OK)
}

fn complaint(error: LineError) -> Complaint {
    match error {
        error @ LineError::NoMember(_) => Complaint::not_found(error),
        error @ LineError::Invite(_) => Complaint::usage(error),
        error => Complaint::failed(error),
    }
}
