//! What nobody should send gets an error, or a closed connection, and the node goes on.

use std::io::{Read, Write};

use crate::bench::Bench;
use crate::http::{Ask, connect, exchange};
use crate::standing::Standing;

/// The node still answers.
fn lives(node: &Standing) {
    assert_eq!(node.ask("GET", "/v1/info").send().status, 200);
}

#[test]
fn garbage_is_no_request() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let oversized = [0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1];
    let smuggled = "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\
                    Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/info HTTP/1.1\r\n\r\n";
    let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(100_000));
    let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "a: b\r\n".repeat(1_000));
    let table: [&[u8]; 8] = [
        b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost : x\r\n\r\n",
        &[&preface[..], &settings, &oversized].concat(),
        &[&preface[..], &[0xaa; 100]].concat(),
        smuggled.as_bytes(),
        long.as_bytes(),
        many.as_bytes(),
    ];
    for bytes in table {
        let answer = exchange(node.at, bytes);
        let answer = String::from_utf8_lossy(&answer);
        assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
        assert!(!answer.contains("\"version\""), "{answer}");
    }
    lives(&node);
}

#[test]
fn bodies_are_judged_before_they_are_held() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let mut large = connect(node.at);
    let head = node
        .ask("POST", "/v1/jobs")
        .header("Content-Type", "application/json")
        .header("Content-Length", "5368709120");
    large.write_all(&head.bytes()).expect("it listens");
    let mut answer = [0; 12];
    large.read_exact(&mut answer).expect("it answers before the body comes");
    assert_eq!(&answer, b"HTTP/1.1 413");
    let nameless = Ask::new("POST", "/v1/jobs", node.at)
        .header("Content-Type", "application/json")
        .header("Content-Length", "5368709120");
    let mut unknown = connect(node.at);
    unknown.write_all(&nameless.bytes()).expect("it listens");
    unknown.read_exact(&mut answer).expect("it answers before the body comes");
    assert_eq!(&answer, b"HTTP/1.1 401", "who asks is judged first");
    lives(&node);
}

#[test]
fn json_that_is_no_request_is_told() {
    let bench = Bench::new();
    let node = Standing::up(&bench, &[]);
    let deep = format!("{{\"tags\":{}", "[".repeat(200_000));
    let table = [
        "",
        "[]",
        "{",
        "nul",
        "{\"tasks\":{\"inputs\":\"x\"}}",
        "{\"unknown\":1}",
        "{\"file\":\"[[task]]\\nname = 1\"}",
        "{\"after\":[4294967296]}",
        &deep,
    ];
    for body in table {
        let answer = node.ask("POST", "/v1/jobs").json(body).send();
        let shown = &body[..body.len().min(40)];
        assert_eq!(answer.status, 400, "{shown}: {answer:?}");
        assert_eq!(answer.value()["type"], "invalid", "{shown}");
    }
    for path in ["/v1/jobs/x", "/v1/jobs/1,,2", "/v1/events?after=-1", "/v1/jobs?nothing=1"] {
        assert_eq!(node.ask("GET", path).send().status, 400, "{path}");
    }
    assert_eq!(node.ask("GET", "/v1/nothing").send().status, 404);
    assert_eq!(node.ask("PATCH", "/v1/jobs").send().status, 405);
    lives(&node);
}
