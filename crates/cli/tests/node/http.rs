//! HTTP/1.1 by hand, so that tests can say things that no library would.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// A request.
#[derive(Clone)]
pub(crate) struct Ask {
    head: String,
    body: Vec<u8>,
    at: SocketAddr,
    host: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Longer than any answer takes; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(120);

impl Ask {
    pub(crate) fn new(method: &str, path: &str, at: SocketAddr) -> Self {
        let head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        Self { head, body: Vec::new(), at, host: Some(at.to_string()) }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        write!(self.head, "{name}: {value}\r\n").expect("a string has room");
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// Another host than where it is sent, or none.
    pub(crate) fn host(self, host: Option<&str>) -> Self {
        Self { host: host.map(str::to_owned), ..self }
    }

    pub(crate) fn json(self, body: &str) -> Self {
        self.header("Content-Type", "application/json").body(body.as_bytes())
    }

    pub(crate) fn body(self, body: &[u8]) -> Self {
        let ask = self.header("Content-Length", &body.len().to_string());
        Self { body: body.to_vec(), ..ask }
    }

    /// Its bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let host = self.host.as_ref().map_or_else(String::new, |host| format!("Host: {host}\r\n"));
        [self.head.as_bytes(), host.as_bytes(), b"\r\n", &self.body].concat()
    }

    /// What a node answers over TCP.
    pub(crate) fn send(&self) -> Answer {
        Answer::parse(&exchange(self.at, &self.bytes()))
    }

    /// What a node answers over its socket.
    pub(crate) fn send_to(&self, socket: &Path) -> Answer {
        let stream = UnixStream::connect(socket).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time is allowed");
        Answer::parse(&talk(stream, &self.bytes()))
    }
}

/// Says something over TCP; what comes back until the connection is closed.
pub(crate) fn exchange(at: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    talk(connect(at), bytes)
}

/// A connection that waits no longer than any answer takes.
pub(crate) fn connect(at: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(at).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time is allowed");
    stream
}

fn talk(mut stream: impl Read + Write, bytes: &[u8]) -> Vec<u8> {
    // A node that has heard enough may have closed already.
    drop(stream.write_all(bytes));
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let reset = |error: &std::io::Error| error.kind() == std::io::ErrorKind::ConnectionReset;
    assert!(read.as_ref().err().is_none_or(reset), "{read:?}");
    answer
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("a head: {text}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let head = head.to_ascii_lowercase();
        let body = if head.contains("transfer-encoding: chunked") {
            unchunked(body)
        } else {
            body.to_owned()
        };
        Self { status: status.unwrap_or_else(|| panic!("a status: {text}")), head, body }
    }

    /// Its body as JSON.
    pub(crate) fn value(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a size");
        if size == 0 {
            break;
        }
        whole.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
    }
    whole
}
