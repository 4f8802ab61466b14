//! Members that find each other where nobody says where they are, on this machine only.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bary_identity::join_line::JoinLine;

use crate::lab::{Lab, Member};

/// A line for one node without an address, by a member.
fn line(lab: &Lab, member: &str) -> String {
    let made = lab.bench.bary(&["auth", "join-line", "--no-address", "--state", member]);
    made.says(0, "").out.trim().to_owned()
}

#[test]
fn who_finds_nobody_says_where_he_looked() {
    let lab = Lab::new();
    let (alpha, _) = lab.found("alpha");
    let line = line(&lab, "alpha");
    drop(alpha);
    let words = ["join", &line, "--name", "beta", "--state", "beta", "--no-socket"];
    let listen = ["--listen", "127.0.0.1:0", "--cluster-listen", "127.0.0.1:0"];
    let look = ["--find-for", "1s", "--dht", "127.0.0.1:9"];
    let joined = lab.bench.bary(&[&words[..], &listen, &look].concat());
    joined.says(69, "no member of the cluster `lab` was found in 1 s");
    for way in ["by beacon to 127.255.255.255:8473", "by multicast DNS", "begins at 127.0.0.1:9"] {
        joined.says(69, way);
    }
    let nowhere = lab.bench.bary(&[&words[..], &listen, &["--find", "none"]].concat());
    nowhere.says(1, "the join line has no address");
    assert!(!lab.bench.path().join("beta/cluster/certificate").exists());
}

#[test]
fn a_member_that_did_not_make_a_token_asks_the_one_that_did_or_says_who_may_have() {
    let lab = Lab::new();
    let (mut alpha, first) = lab.found("alpha");
    let mut beta = lab.join("beta", &first);
    alpha.meets(&beta);
    let made = lab.bench.bary(&["auth", "join-line", "--state", "beta"]);
    let at_beta = made.out.split('/').next().expect("it has parts").to_owned();
    // What alpha's lets in, shown to beta alone.
    let mixed = || {
        let bare = line(&lab, "alpha");
        let (_, token) = bare.split_once('/').expect("it has parts");
        format!("{at_beta}/{token}")
    };
    let gamma = lab.join("gamma", &mixed());
    alpha.meets(&gamma);
    beta.meets(&gamma);
    let audit = lab.ask(&alpha, &["audit", "-o", "json"]).out;
    assert!(audit.contains("through beta"), "{audit}");
    let later = mixed();
    drop(alpha);
    beta.line("member alpha has gone");
    let words = ["join", &later, "--name", "delta", "--state", "delta", "--no-socket"];
    let listen = ["--listen", "127.0.0.1:0", "--cluster-listen", "127.0.0.1:0"];
    let refused = lab.bench.bary(&[&words[..], &listen].concat());
    refused.says(1, "is not known here, was revoked, or is used up; it may be of one that is away");
    refused.says(1, "has to be up: alpha");
}

#[test]
fn members_that_all_moved_find_each_other_again() {
    let lab = Lab::new();
    let (mut alpha, line) = lab.found("alpha");
    let beta = lab.join("beta", &line);
    alpha.meets(&beta);
    drop((alpha, beta));
    // Where each listened before, nobody does.
    let mut alpha = lab.member("alpha", &["up", "--cluster-listen", "127.0.0.2:0"]);
    let mut beta = lab.member("beta", &["up", "--cluster-listen", "127.0.0.3:0"]);
    alpha.meets(&beta);
    beta.meets(&alpha);
}

/// Beacons that nobody of the cluster called: some that are none, and some that name places where
/// nobody is, or where somebody else is.
fn forged(cluster: u64, elsewhere: SocketAddr) -> Vec<Vec<u8>> {
    let head = |version: u8, count: u8| {
        [&b"BARY"[..], &[version], &cluster.to_be_bytes(), &[count]].concat()
    };
    let at = |port: u16| [&[4, 127, 0, 0, 1][..], &port.to_be_bytes()].concat();
    vec![
        b"BARY".to_vec(),
        vec![0xff; 1_400],
        head(9, 1),
        head(1, 255),
        [head(1, 2), at(1)].concat(),
        [head(1, 1), at(1), vec![7]].concat(),
        [head(1, 1), at(1)].concat(),
        [head(1, 2), at(elsewhere.port()), at(9)].concat(),
    ]
}

#[test]
fn who_joins_by_beacon_gets_past_forged_ones() {
    let lab = Lab::new();
    let (mut alpha, _) = lab.found("alpha");
    let line = line(&lab, "alpha");
    let meant: JoinLine = line.parse().expect("it is a line");
    let forger = UdpSocket::bind("127.0.0.1:0").expect("there is a port");
    forger.set_broadcast(true).expect("it may");
    forger.set_read_timeout(Some(Duration::from_millis(5))).expect("it is some time");
    // What a page's door answers is not what a member does.
    let forged = forged(meant.fingerprint.number(), alpha.node.at);
    let joined = AtomicBool::new(false);
    let mut beta = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !joined.load(Ordering::Relaxed) {
                for beacon in &forged {
                    forger.send_to(beacon, "127.255.255.255:8473").expect("it is sent");
                }
                // Nobody says anything to it.
                assert!(forger.recv(&mut [0; 64]).is_err());
            }
        });
        let words = ["join", &line, "--name", "beta", "--find", "beacon"];
        let listen = ["--cluster-listen", "127.0.0.1:0"];
        let beta = lab.member("beta", &[&words[..], &listen].concat());
        joined.store(true, Ordering::Relaxed);
        beta
    });
    alpha.meets(&beta);
    beta.meets(&alpha);
    lab.both_run(&beta).says(0, "");
}

/// An address of this machine at which nobody listens for datagrams.
fn free() -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("there is a port");
    socket.local_addr().expect("it has one").to_string()
}

#[test]
fn ten_members_find_each_other_in_a_table_of_their_own_without_a_list() {
    const NAMES: [&str; 9] = ["m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9"];
    let lab = Lab::new();
    let (first, second) = (free(), free());
    let common = ["--cluster-listen", "127.0.0.1:0", "--find", "none", "--dht-listen"];
    let found = ["up", "--cluster", "lab", "--name", "m0"];
    let mut members = vec![lab.member("m0", &[&found[..], &common, &[&first]].concat())];
    let made = ["auth", "join-line", "--no-address", "--uses", "9", "--state", "m0"];
    let line = lab.bench.bary(&made);
    let line = line.says(0, "").out.trim();
    for (at, name) in NAMES.into_iter().enumerate() {
        // The second is a node of the table as well, and the others know that one alone.
        let own = free();
        let (known, own) = if at == 0 { (&first, &second) } else { (&second, &own) };
        let words = ["join", line, "--name", name, "--dht", known];
        members.push(lab.member(name, &[&words[..], &common, &[own]].concat()));
    }
    let all_there = |member: &Member| {
        let listed = lab.ask(member, &["node", "ls", "--format", "{state}"]);
        listed.out.lines().filter(|state| *state == "up").count() == 10
    };
    for member in &members {
        while !all_there(member) {}
    }
}
