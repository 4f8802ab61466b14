//! The verbs that ask a node that stays. Each asks through the client, and prints what it answers.

use crate::args::Face;
use crate::args::remote::{JobVerb, RemoteVerb};
use crate::args::scale::ScaleVerb;
use crate::args::tend::{NodeVerb, TokenVerb};
use crate::complaint::Complaint;
use crate::exit::Exit;

pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod cache;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod events;
pub(crate) mod exec;
pub(crate) mod graph;
pub(crate) mod jobs;
pub(crate) mod logs;
pub(crate) mod nodes;
pub(crate) mod open;
pub(crate) mod policy;
pub(crate) mod progress;
pub(crate) mod result;
pub(crate) mod scale;
pub(crate) mod show;
pub(crate) mod steer;
pub(crate) mod submit;
pub(crate) mod tokens;
pub(crate) mod wait;
pub(crate) mod why;

/// Does what the verb says.
pub(crate) fn run(verb: &RemoteVerb, face: Face) -> Result<Exit, Complaint> {
    match verb {
        RemoteVerb::Submit(args) => submit::run(args, face),
        RemoteVerb::Ls(args) => jobs::list(args, face),
        RemoteVerb::Show(args) => show::run(args, face),
        RemoteVerb::Wait(args) => wait::run(args, face),
        RemoteVerb::Progress(args) => progress::run(args, face),
        RemoteVerb::Logs(args) => logs::run(args, face),
        RemoteVerb::Result(args) => result::run(args, face),
        RemoteVerb::Cancel(args) => steer::cancel(args, face),
        RemoteVerb::Hold(args) => steer::hold(args, face),
        RemoteVerb::Release(args) => steer::release(args, face),
        RemoteVerb::Priority(args) => steer::priority(args, face),
        RemoteVerb::Retry(args) => steer::retry(args, face),
        RemoteVerb::Prune(args) => steer::prune(args, face),
        RemoteVerb::Exec(args) => exec::run(args, face),
        RemoteVerb::Events(args) => events::run(args, face),
        RemoteVerb::Job { verb: JobVerb::Open(args) } => open::open(args, face),
        RemoteVerb::Job { verb: JobVerb::Add(args) } => open::add(args, face),
        RemoteVerb::Job { verb: JobVerb::Close(args) } => steer::close(args, face),
        RemoteVerb::Node { verb } => node(verb, face),
        RemoteVerb::Graph(args) => graph::run(args, face),
        RemoteVerb::Scale { verb: ScaleVerb::Show(args) } => scale::show(args, face),
        RemoteVerb::Scale { verb: ScaleVerb::Log(args) } => scale::log(args, face),
        RemoteVerb::Audit(args) => audit::run(args, face),
        RemoteVerb::Token { verb: TokenVerb::New(args) } => tokens::new(args, face),
        RemoteVerb::Token { verb: TokenVerb::Ls(args) } => tokens::list(args, face),
        RemoteVerb::Token { verb: TokenVerb::Revoke(args) } => tokens::revoke(args, face),
        RemoteVerb::Cache(args) => cache::run(args, face),
        RemoteVerb::Backup(args) => backup::run(args, face),
        RemoteVerb::Doctor(args) => doctor::run(args, face),
    }
}

fn node(verb: &NodeVerb, face: Face) -> Result<Exit, Complaint> {
    match verb {
        NodeVerb::Ls(args) => nodes::list(args, face),
        NodeVerb::Show(args) => nodes::show(args, face),
        NodeVerb::Drain(args) => nodes::change(args, "drain", face),
        NodeVerb::Undrain(args) => nodes::change(args, "undrain", face),
        NodeVerb::Label(args) => nodes::label(args, face),
        NodeVerb::Copy(args) => nodes::change(args, "copy", face),
        NodeVerb::Remove(args) => nodes::remove(args, face),
    }
}
