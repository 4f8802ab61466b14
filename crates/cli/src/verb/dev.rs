//! `bary dev`: a node to try things on. It keeps nothing, and prints its token.

use crate::args::up::DevArgs;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::verb::up::{self, Way};

/// Runs the node to its end.
pub(crate) fn run(args: &DevArgs) -> Result<Exit, Complaint> {
    let way = Way { listens: !args.no_listen, until_eof: args.until_eof };
    up::stay(&args.doors, &args.cluster, None, way)
}
