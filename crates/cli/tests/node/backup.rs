//! A node that is copied while it runs, and one that is made of the copy.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::bench::{Bench, Run};
use crate::standing::Standing;

fn bary(bench: &Bench, words: &[&str]) -> Run {
    let mut command = bench.command(words);
    command.env("BARY_ADDR", bench.path().join("s"));
    Run::of(command.output().expect("the program is built"))
}

#[test]
fn a_node_is_made_of_a_copy_and_knows_what_the_first_knew() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &["-j", "2"]);
    let much = "x".repeat(500);
    bary(&bench, &["submit", "--wait", "-q", "--", "echo", &much]).says(0, "");
    let copied = bary(&bench, &["backup", "copy"]);
    copied.says(0, "holds all that was acknowledged by");
    let document = bary(&bench, &["backup", "copy", "-o", "json"]).json();
    assert_eq!(document["directory"], bench.path().join("copy").display().to_string());
    bary(&bench, &["submit", "-q", "--", "true"]).says(0, "");
    let restored = bary(&bench, &["restore", "copy", "--state", "new"]);
    assert!(restored.out.contains("1 job, 1 task, 1 of which have ended"), "{restored:?}");
    bary(&bench, &["restore", "copy", "--state", "new"]).says(2, "is not empty");
    bary(&bench, &["restore", "copy", "--at", "1999-01-01T00:00:00Z", "--state", "old"])
        .says(2, "begins later");
    bary(&bench, &["restore", "none", "--state", "old"]).says(3, "there is no backup");
    bary(&bench, &["up", "--state", "copy"]).says(2, "bary restore");
    assert!(bary(&bench, &["journal", "verify", "copy"]).out.starts_with("sound: "));
    drop(node);
    let words = ["up", "--state", "new", "--listen", "127.0.0.1:0", "--socket", "s"];
    let mut command = bench.command(words);
    command.env_remove("NOTIFY_SOCKET").stdout(Stdio::null()).stderr(Stdio::piped());
    let node = Standing::of(&bench, command);
    bary(&bench, &["result", "1"]).is(0, &format!("{much}\n"));
    assert_eq!(bench.read("new/token"), bench.read("state/token"));
    drop(node);
    let path = bench.path().join("copy/state");
    let mut spoilt = fs::read(&path).expect("it is there");
    spoilt[20] ^= 1;
    fs::write(&path, spoilt).expect("there is room");
    bary(&bench, &["restore", "copy", "--state", "old"]).says(1, "`state` is not what was copied");
    assert!(!bench.path().join("old").exists());
}

#[test]
fn copies_are_made_until_somebody_wants_the_end() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let mut command = bench.command(["backup", "copy", "--every", "1h"]);
    command.env("BARY_ADDR", bench.path().join("s")).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program is built");
    let mut line = String::new();
    let mut told = BufReader::new(child.stderr.take().expect("it is piped"));
    told.read_line(&mut line).expect("it is text");
    assert!(line.contains("holds all that was acknowledged by"), "{line}");
    let pid = child.id().to_string();
    let sent = std::process::Command::new("kill").args(["-s", "INT", &pid]).status();
    assert!(sent.is_ok_and(|status| status.success()));
    assert_eq!(child.wait().expect("it was started here").code(), Some(130));
    assert!(bench.path().join("copy/manifest").exists());
    drop(node);
}
