//! Members that find each other where nobody says where they are, on this machine only.

use crate::lab::Lab;

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
