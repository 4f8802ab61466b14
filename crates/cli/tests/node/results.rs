//! Large results in a cluster: they stay with the member that made them, are fetched by whoever
//! reads them, wait for a member that is away, and give their space back when nobody can ask for
//! them.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::lab::{Lab, Member};

/// What one task of [`on_beta`] prints: more than rides along, and less than an argument may be.
const BYTES: usize = 100_000;

fn pair(lab: &Lab) -> (Member, Member) {
    let (mut alpha, line) = lab.found("alpha");
    let mut beta = lab.join("beta", &line);
    alpha.meets(&beta);
    beta.meets(&alpha);
    (alpha, beta)
}

/// Has alpha be home of a job of one task that beta runs, which prints so many bytes.
fn on_beta(lab: &Lab, alpha: &Member, bytes: usize) {
    lab.ask(alpha, &["node", "drain", "alpha"]).says(0, "");
    let script = format!("head -c {bytes} /dev/zero | tr '\\0' x");
    // Who waits for a single command is shown what it prints, and so reads it.
    lab.ask(alpha, &["submit", "-q", "--", "sh", "-c", &script]).says(0, "");
    lab.ask(alpha, &["wait", "last"]).says(0, "");
    lab.ask(alpha, &["node", "undrain", "alpha"]).says(0, "");
}

/// Whether something lies in a directory of a member's state.
fn lies_in(lab: &Lab, place: &str) -> bool {
    let mut files = std::fs::read_dir(lab.bench.path().join(place)).expect("it is there");
    files.next().is_some()
}

fn empty(lab: &Lab, place: &str) {
    for entry in std::fs::read_dir(lab.bench.path().join(place)).expect("it is there") {
        std::fs::remove_file(entry.expect("it can be read").path()).expect("nobody has it");
    }
}

/// How many bytes of a disk the files of a directory take.
pub(crate) fn taken(place: &Path) -> u64 {
    let files = std::fs::read_dir(place).expect("it is there");
    let taken = files.map(|entry| entry.and_then(|entry| entry.metadata()).map(|of| of.blocks()));
    taken.map(|blocks| blocks.expect("it can be read") * 512).sum()
}

#[test]
fn a_result_stays_where_it_was_made_and_is_fetched_when_it_is_read() {
    let lab = Lab::new();
    let (mut alpha, beta) = pair(&lab);
    on_beta(&lab, &alpha, BYTES);
    assert!(lies_in(&lab, "beta/blobs") && !lies_in(&lab, "alpha/blobs"));
    assert!(!lies_in(&lab, "alpha/fetched"), "nobody has read it");
    let whole = "x".repeat(BYTES);
    assert!(lab.ask(&alpha, &["result", "1"]).out == whole);
    drop(beta);
    alpha.line("member beta has gone");
    assert!(lab.ask(&alpha, &["result", "1"]).out == whole, "it was read of late");
    empty(&lab, "alpha/fetched");
    let away = lab.ask(&alpha, &["result", "1"]);
    away.says(69, "the result of task 1/").says(69, "it is on beta, which has been away for ");
    let _beta = {
        let beta = lab.member("beta", &["up"]);
        alpha.meets(&beta);
        beta
    };
    assert!(lab.ask(&alpha, &["result", "1"]).out == whole, "it is there again");
}

#[test]
fn a_reader_may_wait_for_a_member_that_is_away() {
    let lab = Lab::new();
    let (mut alpha, beta) = pair(&lab);
    on_beta(&lab, &alpha, BYTES);
    drop(beta);
    alpha.line("member beta has gone");
    let mut command = lab.bench.command(["result", "--follow", "1"]);
    command.env("BARY_ADDR", format!("http://{}", alpha.node.at));
    command.env("BARY_TOKEN", &alpha.node.token).stdout(std::process::Stdio::piped());
    let reader = command.spawn().expect("the program is built");
    let beta = lab.member("beta", &["up"]);
    alpha.meets(&beta);
    let read = reader.wait_with_output().expect("it ends");
    assert!(read.status.success() && read.stdout == "x".repeat(BYTES).as_bytes());
}

#[test]
fn a_task_waits_for_a_result_whose_member_is_away() {
    let lab = Lab::new();
    let (mut alpha, beta) = pair(&lab);
    // Beta makes the result, and alpha's only slot is taken until beta has gone.
    lab.ask(&alpha, &["node", "drain", "beta"]).says(0, "");
    let gate = ["submit", "-q", "--", "sh", "-c", "echo up > ready; read go < gate"];
    lab.ask(&alpha, &gate).says(0, "");
    lab.ready(1);
    lab.ask(&alpha, &["node", "drain", "alpha"]).says(0, "");
    lab.ask(&alpha, &["node", "undrain", "beta"]).says(0, "");
    let flow = format!(
        "[[task]]\nname = \"a\"\ncommand = [\"sh\", \"-c\", \"echo up > ready; read go < gate-1; \
         head -c {BYTES} /dev/zero | tr '\\\\0' x\"]\n\
         [[task]]\nname = \"b\"\nafter = [\"a\"]\n\
         command = [\"sh\", \"-c\", \"printf %s $0 | wc -c\", \"{{result.a}}\"]\n"
    );
    lab.bench.file("flow.toml", flow);
    lab.ask(&alpha, &["submit", "-q", "flow.toml"]).is(0, "2\n");
    lab.ready(1);
    lab.ask(&alpha, &["node", "drain", "beta"]).says(0, "");
    lab.ask(&alpha, &["node", "undrain", "alpha"]).says(0, "");
    let gates = lab.open_gates();
    lab.ask(&alpha, &["result", "--follow", "2/a"]).says(0, "");
    drop((gates, beta));
    alpha.line("member beta has gone");
    empty(&lab, "alpha/fetched");
    lab.bench.file("gate", "go\n");
    lab.ask(&alpha, &["wait", "1"]).says(0, "");
    while !lab.ask(&alpha, &["why", "2/b"]).out.contains("which has been away for ") {}
    let beta = lab.member("beta", &["up"]);
    alpha.meets(&beta);
    lab.ask(&alpha, &["wait", "2"]).says(0, "2 of 2 succeeded");
    assert_eq!(lab.ask(&alpha, &["result", "2/b"]).out.trim(), BYTES.to_string());
}

#[test]
fn a_pruned_result_gives_its_space_back_at_once_or_when_its_member_is_there_again() {
    let lab = Lab::new();
    let (mut alpha, beta) = pair(&lab);
    let mut beta = Some(beta);
    let place = lab.bench.path().join("beta/blobs");
    // From this on the journal is looked at for what nobody reads.
    const LARGE: usize = 17 << 20;
    for is_away in [false, true] {
        on_beta(&lab, &alpha, LARGE);
        assert!(taken(&place) >= LARGE as u64);
        if is_away {
            drop(beta.take());
            alpha.line("member beta has gone");
        }
        lab.ask(&alpha, &["prune", "all"]).says(0, "");
        if is_away {
            let releases = lab.bench.path().join("alpha/releases");
            while std::fs::metadata(&releases).map_or(0, |of| of.len()) == 0 {
                lab.ask(&alpha, &["submit", "--wait", "-q", "--function", "noop"]).says(0, "");
            }
            // It is told by a home that has restarted, too.
            drop(alpha);
            alpha = lab.member("alpha", &["up"]);
            let there = lab.member("beta", &["up"]);
            alpha.meets(&there);
            beta = Some(there);
        }
        while taken(&place) >= LARGE as u64 {
            lab.ask(&alpha, &["submit", "--wait", "-q", "--function", "noop"]).says(0, "");
        }
    }
}
