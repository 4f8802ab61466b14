//! Large results of a home whose jobs several members keep: they are at as many members as have to
//! have the jobs, so that they are read where their maker is lost, and are given back everywhere.

use std::collections::BTreeSet;
use std::path::Path;

use crate::lab::{Lab, Member};
use crate::replicas::{keepers, three, who_stands_in};
use crate::results::taken;

const MIB: usize = 1 << 20;

/// Has one member run what so many tasks of a job of beta's make, a MiB each, and waits until as
/// many members as are to have all of it. Gives the number of the job.
fn made_by(lab: &Lab, beta: &Member, maker: &str, tasks: usize) -> String {
    let idle = ["alpha", "beta", "gamma", "delta"];
    let shown = lab.ask(beta, &["node", "ls", "-o", "json"]).json();
    let there = shown["nodes"].as_array().expect("there are nodes").clone();
    let is_there = |name: &&&str| there.iter().any(|node| node["name"] == **name);
    let idle: Vec<&str> = idle.iter().filter(is_there).copied().collect();
    let idle: Vec<&str> = idle.into_iter().filter(|name| *name != maker).collect();
    lab.ask(beta, &[&["node", "drain"], &idle[..]].concat()).says(0, "");
    let script = format!("head -c {MIB} /dev/zero | tr '\\0' $(printf %x $(({{}} % 16))); echo");
    let array = format!("1-{tasks}");
    let words = ["submit", "-q", "--array", &array, "--", "sh", "-c", &script];
    let job = lab.ask(beta, &words).says(0, "").out.trim().to_owned();
    lab.ask(beta, &["wait", &job]).says(0, "");
    lab.ask(beta, &[&["node", "undrain"], &idle[..]].concat()).says(0, "");
    while lacking(lab, beta) > 0 {}
    job
}

/// What so many tasks make.
fn made(tasks: usize) -> String {
    let line = |task| format!("{}\n", format!("{:x}", task % 16).repeat(MIB));
    (1..=tasks).map(line).collect()
}

/// How many results of beta's jobs lack copies.
fn lacking(lab: &Lab, asked: &Member) -> u64 {
    let shown = lab.ask(asked, &["node", "show", "beta", "-o", "json"]).json();
    shown["nodes"][0]["results_lacking"].as_u64().expect("it is told")
}

/// The copies of others' results that members have.
fn copies(lab: &Lab, members: &[&str]) -> BTreeSet<String> {
    let files = members.iter().flat_map(|member| {
        std::fs::read_dir(lab.bench.path().join(member).join("copies")).expect("it is there")
    });
    let name = |file: std::io::Result<std::fs::DirEntry>| {
        file.expect("it can be read").file_name().to_string_lossy().into_owned()
    };
    files.map(name).filter(|name| name.ends_with(".kept")).collect()
}

/// Has beta's jobs pruned through a member, and waits until no copy and nothing of what a member
/// made is left.
fn prune(lab: &Lab, asked: &Member, with_copies: &[&str], maker: Option<&Path>) {
    lab.ask(asked, &["prune", "all", "--home", "beta"]).says(0, "");
    let is_left = || {
        let is_large = |place: &Path| taken(place) >= MIB as u64;
        !copies(lab, with_copies).is_empty() || maker.is_some_and(is_large)
    };
    while is_left() {
        let noop = ["submit", "--home", "beta", "--wait", "-q", "--function", "noop"];
        lab.ask(asked, &noop).says(0, "");
    }
}

#[test]
fn what_a_lost_home_made_is_read_from_its_keepers_and_given_back_by_all() {
    const TASKS: usize = 18;
    let lab = Lab::new();
    let [mut alpha, mut beta, mut gamma] = three(&lab);
    let blobs = lab.bench.path().join("beta/blobs");
    // Pruned by a stand-in, while the one that made them is away, or by the home that is back.
    for by_home in [true, false] {
        let job = format!("beta/{}", made_by(&lab, &beta, "beta", TASKS));
        let shown = lab.ask(&alpha, &["node", "show", "beta"]);
        assert!(!shown.says(0, "").out.contains("copies lack"), "{shown:?}");
        assert!(taken(&blobs) >= (TASKS * MIB) as u64);
        let both = copies(&lab, &["alpha", "gamma"]);
        assert_eq!((both.len(), copies(&lab, &["beta"]).len()), (TASKS, 0));
        let each = ["alpha", "gamma"].map(|member| copies(&lab, &[member]).len());
        assert!(each[0] + each[1] == TASKS && !each.contains(&0), "each has its share: {each:?}");
        drop(beta);
        alpha.line("member beta has gone");
        gamma.line("member beta has gone");
        lab.ask(&alpha, &["wait", &job]).says(0, "succeeded");
        let stands = who_stands_in(&lab, &mut alpha, &mut gamma).name;
        for asked in [&alpha, &gamma] {
            let read = lab.ask(asked, &["result", &job]);
            assert!(read.out == made(TASKS), "{} reads all: {}", asked.name, read.err);
        }
        if !by_home {
            prune(&lab, &gamma, &["alpha", "gamma"], None);
        }
        beta = lab.member("beta", &["up"]);
        let stood = if stands == "alpha" { &mut alpha } else { &mut gamma };
        stood.line("no longer stands in for beta");
        beta.meets(&alpha);
        beta.meets(&gamma);
        prune(&lab, &beta, &["alpha", "beta", "gamma"], Some(&blobs));
    }
}

#[test]
fn a_stand_in_has_made_what_lacks_copies_where_the_home_was_one_that_had_them() {
    let lab = Lab::new();
    let [mut alpha, beta, mut gamma] = three(&lab);
    made_by(&lab, &beta, "alpha", 2);
    assert_eq!((copies(&lab, &["beta"]).len(), copies(&lab, &["gamma"]).len()), (2, 0));
    drop(beta);
    alpha.line("member beta has gone");
    gamma.line("member beta has gone");
    while copies(&lab, &["gamma"]).len() < 2 {}
    let mut beta = lab.member("beta", &["up"]);
    beta.meets(&gamma);
    drop(alpha);
    beta.line("member alpha has gone");
    for asked in [&beta, &gamma] {
        assert!(lab.ask(asked, &["result", "beta/1"]).out == made(2), "{} reads", asked.name);
    }
}

#[test]
fn copies_are_made_anew_where_one_that_had_them_is_a_member_no_more() {
    const TASKS: usize = 16;
    let lab = Lab::new();
    let (alpha, line) = lab.found("alpha");
    let listen = ["--cluster-listen", "127.0.0.2:0", "--name", "beta", "--replicas", "3"];
    let mut beta = lab.member("beta", &[&["join", &*line], &listen[..]].concat());
    let gamma = lab.join_at("gamma", &line, "127.0.0.3:0");
    assert_eq!(keepers(&mut beta), ["alpha", "beta", "gamma"]);
    // Whom it keeps its jobs with it knows a moment before it knows their nodes.
    for member in ["alpha", "gamma"] {
        while lab.ask(&beta, &["node", "show", member]).code != Some(0) {}
    }
    made_by(&lab, &beta, "beta", TASKS);
    let lost = copies(&lab, &["gamma"]).len();
    // One that was slow to take its copy has the other one asked as well.
    assert!(lost > 0 && copies(&lab, &["alpha"]).len() + lost >= TASKS);
    let delta = lab.join_at("delta", &line, "127.0.0.4:0");
    beta.meets(&delta);
    lab.ask(&alpha, &["node", "remove", "gamma"]).says(0, "gamma is a member no more");
    drop(gamma);
    assert_eq!(keepers(&mut beta), ["alpha", "beta", "delta"]);
    while copies(&lab, &["alpha", "delta"]).len() < TASKS {}
}

#[test]
fn it_is_said_that_results_lack_copies_and_why_until_they_have_them() {
    let lab = Lab::new();
    let [mut alpha, mut beta, gamma] = three(&lab);
    drop((alpha, gamma));
    beta.line("member alpha has gone");
    beta.line("member gamma has gone");
    // Nothing counts now; what is made meanwhile has nowhere to go.
    alpha = lab.member("alpha", &["up"]);
    alpha.meets(&beta);
    beta.line("member alpha is there");
    made_by(&lab, &beta, "alpha", 1);
    assert_eq!(copies(&lab, &["beta"]).len(), 1);
    let at = lab.bench.path().join("alpha/copies");
    std::fs::remove_dir_all(&at).expect("it is there");
    made_lacking(&lab, &beta);
    let shown = lab.ask(&alpha, &["node", "show", "beta"]);
    let words = "results      copies lack of 1 large result, 1.0 MiB: alpha is fetching it";
    assert!(shown.says(0, "").out.contains(words), "{shown:?}");
    let info = lab.ask(&beta, &["node", "show", "beta", "-o", "json"]).json();
    assert_eq!(info["nodes"][0]["results_lacking_bytes"], MIB);
    std::fs::create_dir(&at).expect("nothing is there");
    while lacking(&lab, &alpha) > 0 {}
    assert_eq!(copies(&lab, &["alpha"]).len(), 1);
}

/// Has beta make a large result of a job of its own, for which there is no copy yet.
fn made_lacking(lab: &Lab, beta: &Member) {
    lab.ask(beta, &["node", "drain", "alpha"]).says(0, "");
    let script = format!("head -c {MIB} /dev/zero | tr '\\0' x");
    lab.ask(beta, &["submit", "-q", "--", "sh", "-c", &script]).says(0, "");
    lab.ask(beta, &["wait", "last"]).says(0, "");
    while lacking(lab, beta) == 0 {}
}
