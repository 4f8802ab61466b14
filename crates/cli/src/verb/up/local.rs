//! `bary up --local`: several nodes as processes of this machine, each over a state of its own, as
//! one cluster. Each is this program again, with the same flags and its number; it ends with the
//! process that started it, whatever becomes of that one.

use std::fs::DirBuilder;
use std::io::{BufRead as _, Read as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use bary_client::address::SOCKET;
use bary_identity::join_line::JoinLine;
use bary_identity::name::Name;
use bary_node::serve::member::{MemberOptions, Way as Entrance};

use crate::args::cluster::ClusterArgs;
use crate::args::slots::Slots;
use crate::args::up::{DoorArgs, UpArgs};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::verb::up::local::flock::Flock;
use crate::verb::up::{LINE_BYTES_MAX, Way, scaling, state_of, stay, usual_state};

mod flock;

/// What the cluster is called where nobody says.
const USUAL: &str = "local";
/// How long a path may be that a socket has; the system takes a little more.
const SOCKET_PATH_MAX: usize = 100;

/// Starts the nodes, and sees them to their end.
pub(crate) fn run(args: &UpArgs, count: u32) -> Result<Exit, Complaint> {
    let states: Vec<PathBuf> =
        (1..=count).map(|number| state(args, number)).collect::<Result<_, _>>()?;
    Flock::new(states, args.doors.log_format)?.over()
}

/// Is one of the nodes: what it needs to join is a line of its standard input.
pub(crate) fn node(args: &UpArgs, count: u32, number: u32) -> Result<Exit, Complaint> {
    let mut line = String::new();
    let read = std::io::stdin().lock().take(LINE_BYTES_MAX).read_line(&mut line);
    read.map_err(Complaint::failed)?;
    let way = match (number, line.trim()) {
        (1, _) => {
            let cluster = args.found.clone().map_or_else(|| Name::new(USUAL), Ok);
            Some(Entrance::Found(cluster.map_err(Complaint::failed)?))
        }
        (_, "") => None,
        (_, line) => {
            let line: JoinLine = line.parse().map_err(Complaint::failed)?;
            Some(Entrance::Enter(line.into()))
        }
    };
    let member = MemberOptions {
        way,
        name: Some(Name::new(&called(number)).map_err(Complaint::failed)?),
        pace: args.member.pace.clone(),
        certificate_span: args.member.certificates_for,
        usual_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        scale: scaling(&args.member.scale),
        tells_line: false,
        replicas: args.member.replicas,
        ..MemberOptions::default()
    };
    let state = state(args, number)?;
    // Its socket is in it, before anything else is.
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&state);
    made.map_err(|cause| Complaint::failed(format!("{}: {cause}", state.display())))?;
    let doors = doors(&args.doors, &state, number);
    let cluster = share(&args.cluster, count);
    stay(&doors, &cluster, Some(state), Way { listens: true, until_eof: true, member })
}

/// What a node is called, from 1 on.
fn called(number: u32) -> String {
    format!("node-{number}")
}

/// The state of a node, in the directory that the flag names or the usual one for them.
fn state(args: &UpArgs, number: u32) -> Result<PathBuf, Complaint> {
    let all = match &args.state {
        Some(named) => state_of(Some(named))?,
        None => state_of(Some(&usual_state().join(USUAL)))?,
    };
    Ok(all.join(called(number)))
}

/// Where a node listens: the first where one node would, the others at the ports behind it and at
/// sockets in their states.
fn doors(doors: &DoorArgs, state: &Path, number: u32) -> DoorArgs {
    let mut doors = doors.clone();
    if number == 1 {
        return doors;
    }
    let port = doors.listen.port();
    if port != 0 {
        doors.listen.set_port(port.saturating_add((number - 1) as u16));
    }
    let socket = state.join(SOCKET);
    doors.no_socket |= socket.as_os_str().len() > SOCKET_PATH_MAX;
    doors.socket = Some(socket);
    doors
}

/// What one of so many nodes has of this machine.
fn share(cluster: &ClusterArgs, count: u32) -> ClusterArgs {
    let mut cluster = cluster.clone();
    let cores = crate::args::cluster::cores();
    let own = Slots::Count((cores / count / cluster.nodes).max(1));
    cluster.slots = cluster.slots.or(Some(own));
    cluster
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser as _;

    use super::doors;
    use crate::args::up::UpArgs;
    use crate::args::{Args, Verb};

    fn up(words: &[&str]) -> UpArgs {
        let args = Args::try_parse_from([&["bary", "up", "--local", "3"], words].concat());
        match args.expect("the words are right").verb {
            Verb::Up(args) => *args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_nodes_listen_at_ports_in_a_row() {
        let args = up(&["--listen", "127.0.0.1:7000", "--socket", "s"]);
        let at = |number| doors(&args.doors, Path::new("/d"), number);
        assert_eq!((at(1).listen.port(), at(3).listen.port()), (7000, 7002));
        assert_eq!(at(1).socket.as_deref(), Some(Path::new("s")));
        assert_eq!(at(2).socket.as_deref(), Some(Path::new("/d/bary.sock")));
        let free = up(&["--listen", "127.0.0.1:0"]);
        assert_eq!(doors(&free.doors, Path::new("/d"), 2).listen.port(), 0);
    }
}
