//! Who becomes a member, is seen as one, stays one and is one no more: invitations, what a member
//! shows of the others, certificates that are renewed, and members that are removed.

use serde_json::Value;

use crate::lab::{Lab, Member};

/// What a member shows of a node.
fn node(lab: &Lab, at: &Member, name: &str) -> Value {
    let nodes = lab.ask(at, &["node", "ls", "-o", "json"]).json();
    let nodes = nodes["nodes"].as_array().cloned().unwrap_or_default();
    let found = nodes.into_iter().find(|node| node["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is not shown"))
}

#[test]
fn an_invitation_is_a_file_that_lets_one_node_in() {
    let lab = Lab::new();
    let (mut alpha, _) = lab.found("alpha");
    let state = ["--state", "alpha"];
    let invite = lab.bench.bary(&["auth", "invite", "--name", "ci", "--state", "alpha"]);
    lab.bench.file("lab.invitation", &invite.says(0, "").out);
    let names = |wanted: &str| {
        let listed = lab.bench.bary(&[&["auth", "invitations"][..], &state].concat());
        assert_eq!(listed.says(0, "").out.contains(wanted), wanted == "ci", "{listed:?}");
    };
    names("ci");
    let beta = lab.join("beta", "lab.invitation");
    alpha.meets(&beta);
    let left = lab.bench.bary(&["auth", "invitations", "-o", "json", "--state", "alpha"]).json();
    let left = left["invitations"].as_array().map(Vec::len);
    assert_eq!(left, Some(1), "the founder's own is left");
}

#[test]
fn a_revoked_invitation_lets_nobody_in() {
    let lab = Lab::new();
    let (_alpha, _) = lab.found("alpha");
    let invite = lab.bench.bary(&["auth", "invite", "--name", "ci", "--state", "alpha"]);
    lab.bench.file("lab.invitation", &invite.says(0, "").out);
    let revoke = ["auth", "revoke", "ci", "--state", "alpha"];
    lab.bench.bary(&revoke).says(0, "lets nobody in from now on");
    lab.bench.bary(&revoke).says(3, "there is no invitation `ci`");
    let listen = ["--listen", "127.0.0.1:0", "--cluster-listen", "127.0.0.1:0", "--no-socket"];
    let join = ["join", "lab.invitation", "--name", "beta", "--state", "beta"];
    let joined = lab.bench.bary(&[&join[..], &listen].concat());
    joined.says(1, "is not known here, was revoked, or is used up");
}

#[test]
fn a_member_shows_how_far_the_others_are_and_why_one_is_gone() {
    let lab = Lab::new();
    let (mut alpha, line) = lab.found("alpha");
    let beta = lab.join("beta", &line);
    alpha.meets(&beta);
    let shown = node(&lab, &alpha, "beta");
    assert_eq!(shown["member"], "beta");
    assert!(shown["round_trip_seconds"].as_f64().is_some_and(|trip| trip > 0.0), "{shown}");
    lab.ask(&alpha, &["node", "ls"]).says(0, "2 of 2 nodes are there, of 2 members");
    drop(beta);
    alpha.line("member beta has gone");
    let shown = node(&lab, &alpha, "beta");
    assert_eq!(shown["state"], "down");
    let doubt = shown["doubt"].as_str().unwrap_or_default();
    assert!(doubt.starts_with("its stream has ended since "), "{doubt}");
}

#[test]
fn certificates_are_renewed_while_members_run() {
    let lab = Lab::new();
    let brief = ["--certificates-for", "6s", "--cluster-listen", "127.0.0.1:0"];
    let found = ["up", "--cluster", "lab", "--name", "alpha"];
    let mut alpha = lab.member("alpha", &[&found[..], &brief].concat());
    let line = alpha.line("others join with: bary join ");
    let line = line.rsplit(' ').next().unwrap_or_default().trim();
    let plain = lab.bench.bary(&["auth", "join-line", "--no-invite", "--state", "alpha"]);
    let mut beta = lab.join("beta", plain.says(0, "").out.trim());
    alpha.meets(&beta);
    let until = |state: &str| {
        let shown = lab.bench.bary(&["tls", "-o", "json", "--state", state]).json();
        shown["certificates"][0]["until"].as_str().unwrap_or_default().to_owned()
    };
    let before = [until("alpha"), until("beta")];
    // By the third one, those that they met with are over.
    for member in [&mut alpha, &mut beta] {
        for _ in 0..3 {
            member.line("the certificate was renewed");
        }
    }
    assert!(until("alpha") > before[0] && until("beta") > before[1]);
    let mut gamma = lab.join("gamma", line);
    gamma.meets(&alpha);
    gamma.meets(&beta);
}

#[test]
fn a_member_whose_certificate_ran_out_while_it_was_away_is_let_in_again_as_who_it_was() {
    let lab = Lab::new();
    let brief = ["--certificates-for", "6s", "--cluster-listen", "127.0.0.1:0"];
    let found = ["up", "--cluster", "lab", "--name", "alpha"];
    let mut alpha = lab.member("alpha", &[&found[..], &brief].concat());
    let line = alpha.line("others join with: bary join ");
    let line = line.rsplit(' ').next().unwrap_or_default().trim().to_owned();
    let plain = lab.bench.bary(&["auth", "join-line", "--no-invite", "--state", "alpha"]);
    let plain = plain.says(0, "").out.trim().to_owned();
    let beta = lab.join("beta", &plain);
    alpha.meets(&beta);
    lab.ask(&beta, &["submit", "--wait", "-q", "--name", "kept", "--", "true"]).says(0, "");
    drop(beta);
    alpha.line("member beta has gone");
    // Each one is of the half of a certificate's time.
    for _ in 0..3 {
        alpha.line("the certificate was renewed");
    }
    let listen = ["--listen", "127.0.0.1:0", "--no-socket"];
    let up = lab.bench.bary(&[&["up", "--state", "beta"][..], &listen].concat());
    up.says(1, "the certificate of this member has run out; have it let in again: bary join LINE");
    let mut beta = lab.join("beta", &line);
    alpha.meets(&beta);
    beta.meets(&alpha);
    lab.ask(&alpha, &["node", "ls"]).says(0, "2 of 2 nodes are there, of 2 members");
    let listed = lab.ask(&alpha, &["ls"]);
    assert!(listed.says(0, "").out.contains("kept"), "{listed:?}");
    lab.both_run(&alpha).says(0, "");
}

#[test]
fn a_removed_member_is_let_in_nowhere() {
    let lab = Lab::new();
    let (mut alpha, line) = lab.found("alpha");
    let beta = lab.join("beta", &line);
    let mut gamma = lab.join("gamma", &line);
    for (one, other) in [(&mut alpha, &beta), (&mut gamma, &beta)] {
        one.meets(other);
    }
    alpha.meets(&gamma);
    drop(beta);
    let remove = |name: &str| lab.ask(&alpha, &["node", "remove", name]);
    remove("alpha").says(2, "a member does not remove itself");
    remove("delta").says(3, "there is no member `delta`");
    remove("beta").says(0, "beta is a member no more");
    gamma.line("member beta was removed from the cluster");
    gamma.line("datagrams are sealed with another secret");
    lab.both_run(&gamma).says(0, "");
    // The others have a secret that it has not, as has whoever comes later.
    let mut delta = lab.join("delta", &line);
    delta.line("datagrams are sealed with another secret");
    let secret = lab.bench.read("alpha/cluster/secrets");
    assert_eq!(
        [lab.bench.read("gamma/cluster/secrets"), lab.bench.read("delta/cluster/secrets")],
        [secret.clone(), secret]
    );
    assert!(!lab.bench.path().join("beta/cluster/secrets").exists());
    // Its papers open no door any more, and who guards it writes that down.
    let _beta = lab.member("beta", &["up"]);
    alpha.line("its certificate is not welcome any more");
    let audit = lab.ask(&alpha, &["audit", "-o", "json"]).out;
    assert!(audit.contains("its certificate is not welcome any more"), "{audit}");
}

#[test]
fn a_member_hears_that_it_was_removed_and_what_it_ran_runs_elsewhere() {
    let lab = Lab::new();
    let (mut alpha, line) = lab.found("alpha");
    let mut beta = lab.join("beta", &line);
    alpha.meets(&beta);
    lab.ask(&alpha, &["node", "drain", "alpha"]).says(0, "");
    let script = "[ -e again ] && exit; echo up > ready; read go < gate";
    lab.ask(&alpha, &["submit", "-q", "--", "sh", "-c", script]).is(0, "1\n");
    lab.ready(1);
    lab.bench.file("again", "");
    lab.ask(&alpha, &["node", "remove", "beta"]).says(0, "beta is a member no more");
    beta.line("this member was removed from the cluster");
    lab.ask(&alpha, &["node", "undrain", "alpha"]).says(0, "");
    lab.ask(&alpha, &["wait", "1"]).says(0, "1 of 1 succeeded");
}
