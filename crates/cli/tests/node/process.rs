//! The process of a node: how it comes up, what it refuses, and how it ends.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::process::Stdio;

use crate::bench::Bench;
use crate::standing::Standing;

#[test]
fn jobs_outlive_their_node() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let token = node.token.clone();
    let job = node.submit(r#"{"function":"noop","array":"1-50"}"#);
    assert_eq!(node.wait(job).value()["jobs"][0]["succeeded"], 50);
    // Killed, not drained: nothing is written at the end.
    drop(node);
    let node = Standing::up(&bench, &[]);
    assert_eq!(node.token, token, "a token is made once");
    let jobs = node.ask("GET", "/v1/jobs").send().value();
    assert_eq!((&jobs["total"], &jobs["jobs"][0]["succeeded"]), (&1.into(), &50.into()));
    assert_eq!(node.submit(r#"{"function":"noop"}"#), job + 1);
}

#[test]
fn what_it_keeps_is_for_its_owner_alone() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let mode = |name: &str| {
        let about = std::fs::metadata(bench.path().join(name)).expect("it is there");
        about.permissions().mode() & 0o777
    };
    assert_eq!((mode("s"), mode("state"), mode("state/token")), (0o600, 0o700, 0o600));
    let address = bench.read("state/address");
    assert!(address.contains(&format!("pid {}\ntcp {}\n", node.pid(), node.at)), "{address}");
    let words = std::fs::read(format!("/proc/{}/cmdline", node.pid())).unwrap_or_default();
    assert!(!String::from_utf8_lossy(&words).contains(&node.token));
}

#[test]
fn a_place_that_is_taken_is_told_and_nothing_is_left() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let at = node.at.to_string();
    let taken = bench.bary(&["up", "--state", "other", "--listen", &at, "--no-socket"]);
    assert_eq!(taken.code, Some(75), "{taken:?}");
    assert!(taken.err.contains(&format!("{at} is taken")), "{taken:?}");
    assert!(!bench.path().join("other").exists());
    let free = ["--listen", "127.0.0.1:0"];
    let socket = [&["up", "--state", "other", "--socket", "s"][..], &free].concat();
    let socket = bench.bary(&socket);
    assert_eq!(socket.code, Some(75), "{socket:?}");
    assert!(socket.err.contains(&format!("process {}", node.pid())), "{socket:?}");
    let state = bench.bary(&[&["up", "--state", "state", "--no-socket"][..], &free].concat());
    assert_eq!(state.code, Some(75), "{state:?}");
    assert!(state.err.contains("in use"), "{state:?}");
    let past = bench.bary(&["up", "--state", "other", "--listen", "0.0.0.0:0", "--no-socket"]);
    assert_eq!(past.code, Some(2), "{past:?}");
    assert!(past.err.contains("needs TLS"), "{past:?}");
    assert_eq!(node.ask("GET", "/v1/info").send().status, 200);
}

#[test]
fn a_socket_that_was_left_is_taken_over() {
    let bench = Bench::new();
    drop(UnixListener::bind(bench.path().join("s")).expect("nobody has it"));
    let node = Standing::up(&bench, &[]);
    let plain = crate::http::Ask::new("GET", "/v1/info", node.at).send_to(&node.socket);
    assert_eq!(plain.status, 200);
}

#[test]
fn a_node_in_memory_tells_its_token_and_keeps_nothing() {
    let bench = Bench::new();
    let mut command = bench.command(["dev", "--listen", "127.0.0.1:0", "--socket", "s"]);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let node = Standing::of(&bench, command);
    assert_eq!(node.ask("GET", "/v1/info").send().value()["durability"], "memory");
    node.signal("TERM");
    assert_eq!(node.ended().0, Some(0));
    let left: Vec<_> = std::fs::read_dir(bench.path()).expect("it is there").collect();
    assert!(left.iter().flatten().all(|entry| entry.file_name() == "s.lock"), "{left:?}");
}

/// Submits a task that waits for [`release`], and returns once it has begun.
pub(crate) fn begin(bench: &Bench, node: &Standing) -> u64 {
    let began = bench.path().join("began");
    let made = std::process::Command::new("mkfifo").arg(&began).status();
    assert!(made.is_ok_and(|status| status.success()));
    let go = bench.path().join("go");
    let made = std::process::Command::new("mkfifo").arg(&go).status();
    assert!(made.is_ok_and(|status| status.success()));
    let script = "echo > $0; read line < $1";
    let tasks = serde_json::json!({ "command": ["sh", "-c", script, began, go] });
    let job = node.submit(&tasks.to_string());
    std::fs::read(&began).expect("it begins");
    job
}

/// Lets the task of [`begin`] end.
pub(crate) fn release(bench: &Bench) {
    std::fs::write(bench.path().join("go"), "\n").expect("it reads");
}

#[test]
fn a_drain_lets_what_runs_end_and_starts_nothing_more() {
    let bench = Bench::new();
    let mut node = Standing::up(&bench, &["-j1", "--drain-timeout", "60s"]);
    let job = begin(&bench, &node);
    let behind = node.submit(r#"{"function":"noop"}"#);
    node.signal("TERM");
    assert!(node.line().contains("drains"));
    assert_eq!(crate::http::Ask::new("GET", "/readyz", node.at).send().status, 503);
    let late = node.ask("POST", "/v1/jobs").json(r#"{"tasks":{"function":"noop"}}"#).send();
    assert_eq!(late.status, 503, "{late:?}");
    assert!(late.head.contains("retry-after"), "{late:?}");
    release(&bench);
    assert_eq!(node.ended(), (Some(0), String::new()));
    assert!(!bench.path().join("state/address").exists());
    assert!(!bench.path().join("s").exists());
    let node = Standing::up(&bench, &["-j1"]);
    let jobs = node.wait(behind).value();
    assert_eq!(jobs["done"], true);
    let jobs = node.ask("GET", &format!("/v1/jobs/{job},{behind}")).send().value();
    for at in [0, 1] {
        assert_eq!(jobs["jobs"][at]["state"], "succeeded", "{jobs}");
        assert_eq!(jobs["jobs"][at]["attempts"], 1, "{jobs}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let bench = Bench::new();
    let mut node = Standing::up(&bench, &["-j1"]);
    begin(&bench, &node);
    node.signal("TERM");
    assert!(node.line().contains("drains"));
    node.signal("INT");
    assert_eq!(node.ended().0, Some(130));
}

#[test]
fn a_drain_has_a_deadline() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &["-j1", "--drain-timeout", "0s"]);
    let job = begin(&bench, &node);
    node.signal("TERM");
    let (code, log) = node.ended();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("still runs is stopped"), "{log}");
    let node = Standing::up(&bench, &["-j1"]);
    let again = bench.path().join("began");
    std::fs::read(&again).expect("it begins again");
    release(&bench);
    assert_eq!(node.wait(job).value()["jobs"][0]["state"], "succeeded");
}

#[test]
fn the_service_manager_is_told() {
    let bench = Bench::new();
    let manager = UnixDatagram::bind(bench.path().join("notify")).expect("nobody has it");
    let mut command = bench.command(["dev", "--listen", "127.0.0.1:0", "--no-socket"]);
    command.env("NOTIFY_SOCKET", bench.path().join("notify"));
    command.env("WATCHDOG_USEC", "20000");
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let node = Standing::of(&bench, command);
    let heard = || {
        let mut buffer = [0; 4_096];
        let bytes = manager.recv(&mut buffer).expect("it is told");
        String::from_utf8_lossy(&buffer[..bytes]).into_owned()
    };
    let ready = heard();
    assert!(ready.starts_with("READY=1\nSTATUS=up at http://"), "{ready}");
    assert!(!ready.contains(&node.token));
    assert_eq!(heard(), "WATCHDOG=1");
    assert_eq!(heard(), "WATCHDOG=1");
    node.signal("TERM");
    let stopping = std::iter::repeat_with(heard).find(|lines| lines != "WATCHDOG=1");
    assert!(stopping.is_some_and(|lines| lines.starts_with("STOPPING=1")));
    assert_eq!(node.ended().0, Some(0));
}

#[test]
fn a_hang_up_reads_the_tokens_again() {
    let bench = Bench::new();
    let mut node = Standing::up(&bench, &["--log-format", "text"]);
    node.signal("HUP");
    assert!(node.line().contains("tokens were read again"));
    assert_eq!(node.line(), "bary: settings were read again\n");
    assert_eq!(node.ask("GET", "/v1/info").send().status, 200);
}

#[test]
fn a_hang_up_takes_what_may_change_and_names_what_needs_a_restart() {
    let bench = Bench::new();
    bench.file("bary.toml", "drain-timeout = \"1h\"\n");
    let mut node = Standing::up(&bench, &[]);
    bench.file("bary.toml", "drain-timeout = \"7s\"\nstate = \"other\"\nlog-format = \"text\"\n");
    node.signal("HUP");
    assert!(node.line().contains("tokens were read again"));
    // The flag says where the state is, whatever the file does.
    assert_eq!(node.line(), "bary: settings were read again\n");
    bench.file("bary.toml", "drain-timeout = \"soon\"\n");
    node.signal("HUP");
    assert!(node.line().contains("tokens were read again"));
    let wrong = node.line();
    assert!(
        wrong.contains("settings were not read again") && wrong.contains("bary.toml:1"),
        "{wrong}"
    );
    node.signal("TERM");
    let drains = node.line();
    assert!(drains.contains("what runs has 7 s"), "{drains}");
    assert_eq!(node.ended().0, Some(0));
}

#[test]
fn a_setting_that_is_taken_at_the_start_only_is_named() {
    let bench = Bench::new();
    bench.file("bary.toml", "listen = \"127.0.0.1:0\"\n");
    let mut command = bench.command(["dev", "--no-socket"]);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut node = Standing::of(&bench, command);
    bench.file("bary.toml", "listen = \"127.0.0.1:1\"\n");
    node.signal("HUP");
    assert!(node.line().contains("tokens were read again"));
    assert_eq!(node.line(), "bary: settings were read again; a restart is needed for listen\n");
}

#[test]
fn flags_win_over_the_environment_that_says_otherwise() {
    let bench = Bench::new();
    let with = |words: &[&str]| {
        let mut command = bench.command(words);
        command.env("BARY_SOCKET", "from-env").env("BARY_LISTEN", "127.0.0.1:0");
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command
    };
    let node = Standing::of(&bench, with(&["dev", "--no-socket"]));
    assert!(!bench.path().join("from-env").exists());
    drop(node);
    let node = Standing::of(&bench, with(&["dev", "--socket", "from-flag", "--listen", "[::1]:0"]));
    assert!(bench.path().join("from-flag").exists() && !bench.path().join("from-env").exists());
    assert!(node.at.is_ipv6());
    drop(node);
    let mut quiet = with(&["dev", "--no-listen", "--until-eof"]).spawn().expect("it is built");
    let mut line = String::new();
    let mut log = BufReader::new(quiet.stderr.take().expect("it is piped"));
    log.read_line(&mut line).expect("it is text");
    assert!(line.contains("up at ") && !line.contains("http://"), "{line}");
    assert!(quiet.wait().expect("it was started here").success());
}

#[test]
fn a_node_in_memory_has_a_socket_of_its_users_own() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path().join("tmp")).expect("there is room");
    let with = |words: &[&str]| {
        let mut command = bench.command(words);
        command.env("TMPDIR", bench.path().join("tmp"));
        command
    };
    let mut command = with(&["dev", "--listen", "127.0.0.1:0"]);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let _node = Standing::of(&bench, command);
    let user = rustix::process::geteuid().as_raw();
    let place = bench.path().join(format!("tmp/bary-{user}"));
    let mode = std::fs::metadata(&place).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert!(place.join("bary.sock").exists());
    let found = with(&["ls", "-q"]).output().expect("the program is built");
    assert_eq!(found.status.code(), Some(0), "{found:?}");
}
