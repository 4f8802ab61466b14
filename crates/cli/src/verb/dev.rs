//! `bary dev`: a node to try things on. It keeps nothing, and prints its token.

use bary_node::serve::member::MemberOptions;

use crate::args::up::DevArgs;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::verb::up::{self, Way};

/// Runs the node to its end.
pub(crate) fn run(args: &DevArgs) -> Result<Exit, Complaint> {
    let member = MemberOptions::default();
    let way = Way { listens: !args.no_listen, until_eof: args.until_eof, member };
    up::stay(&args.doors, &args.cluster, None, way)
}
