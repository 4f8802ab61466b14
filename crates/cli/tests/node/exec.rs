//! `bary exec`: with pipes, and on a terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::bench::Bench;
use crate::standing::Standing;

/// A node with a task that stays.
fn busy() -> (Bench, Standing) {
    let bench = Bench::new();
    let node = Standing::up(&bench, &["-j", "2"]);
    let began = bench.path().join("began");
    let made = Command::new("mkfifo").arg(&began).status();
    assert!(made.is_ok_and(|status| status.success()));
    node.submit(
        &serde_json::json!({
            "command": ["sh", "-c", "echo > $0; exec sleep 1000", began],
            "env": { "MINE": "of the task" },
            "cwd": "/",
        })
        .to_string(),
    );
    std::fs::read(&began).expect("it begins");
    // The board hears of the start a moment after the task has begun.
    let told = node.ask("GET", "/v1/events?jobs=1&kinds=started&follow=true");
    let mut events = crate::http::connect(node.at);
    events.write_all(&told.bytes()).expect("it listens");
    let mut heard = Vec::new();
    while !String::from_utf8_lossy(&heard).contains("\"started\"") {
        let mut buffer = [0; 4_096];
        let bytes = events.read(&mut buffer).expect("it answers");
        assert!(bytes > 0, "{}", String::from_utf8_lossy(&heard));
        heard.extend_from_slice(&buffer[..bytes]);
    }
    (bench, node)
}

fn exec(bench: &Bench, words: &[&str]) -> Command {
    let mut command = bench.command([&["exec"][..], words].concat());
    command.env("BARY_ADDR", bench.path().join("s"));
    command
}

#[test]
fn with_pipes_streams_and_code_are_those_of_the_command() {
    let (bench, _node) = busy();
    let script = "pwd; echo $MINE; cat; echo no >&2; exit 3";
    let mut command = exec(&bench, &["1", "--", "sh", "-c", script]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program is built");
    child.stdin.take().expect("it is piped").write_all(b"hi\n").expect("it reads");
    let output = child.wait_with_output().expect("it was started here");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "/\nof the task\nhi\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "no\n");
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn what_cannot_be_is_told_with_its_code() {
    let (bench, _node) = busy();
    let code = |words: &[&str]| exec(&bench, words).output().expect("it is built").status.code();
    assert_eq!(code(&["9", "--", "true"]), Some(3));
    assert_eq!(code(&["1/nothing", "--", "true"]), Some(3));
    assert_eq!(code(&["1", "--", "no-such-program"]), Some(2));
}

/// A terminal: our end and that of the program.
fn terminal() -> (File, OwnedFd) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there are terminals");
    grantpt(&ours).and_then(|()| unlockpt(&ours)).expect("it is ours");
    let name = ptsname(&ours, Vec::new()).expect("it has a name");
    let flags = OFlags::RDWR | OFlags::NOCTTY;
    let theirs = rustix::fs::open(name, flags, Mode::empty()).expect("it is there");
    let size = Winsize { ws_row: 33, ws_col: 77, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&ours, size).expect("it has a size");
    (File::from(ours), theirs)
}

#[test]
fn on_a_terminal_the_command_has_one_of_its_own() {
    let (bench, _node) = busy();
    let (mut ours, theirs) = terminal();
    let clone = || Stdio::from(theirs.try_clone().expect("there is room"));
    let mut command = exec(&bench, &["1"]);
    command.env("SHELL", "/bin/sh").env("TERM", "dumb");
    command.stdin(clone()).stdout(clone()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the program is built");
    let mut keys = ours.try_clone().expect("there is room");
    let mut shown = String::new();
    let mut until = |wanted: &str| {
        while !shown.contains(wanted) {
            let mut buffer = [0; 1_024];
            let bytes = ours.read(&mut buffer).expect("the terminal is open");
            shown += &String::from_utf8_lossy(&buffer[..bytes]);
        }
    };
    keys.write_all(b"stty size; tty; echo $TERM-$MINE\r").expect("it reads");
    until("dumb-of the task\r\n");
    let raw = tcgetattr(&theirs).expect("it is a terminal").local_modes;
    assert!(!raw.intersects(LocalModes::ICANON | LocalModes::ECHO), "keys go on as they are");
    keys.write_all(b"exit 5\r").expect("it reads");
    assert_eq!(child.wait().expect("it was started here").code(), Some(5));
    assert!(shown.contains("33 77") && shown.contains("/dev/pts/"), "{shown}");
    let cooked = tcgetattr(&theirs).expect("it is a terminal").local_modes;
    assert!(cooked.contains(LocalModes::ICANON | LocalModes::ECHO), "the terminal is as it was");
}
