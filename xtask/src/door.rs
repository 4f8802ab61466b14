//! A node's JSON door, as drivers use it: one connection, one request after another.

use std::fmt;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

/// A caller at the door of one node. It connects when it has something to ask, and anew after the
/// connection broke.
pub(crate) struct Door {
    at: At,
    token: String,
    patience: Duration,
    wire: Option<Wire>,
}

/// Where the door is.
enum At {
    Address(String),
    Socket(PathBuf),
}

/// A connection to it.
type Wire = BufReader<Box<dyn Stream>>;

trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

/// What a node answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Seconds after which trying again may help, where it said so.
    pub(crate) retry_after: Option<f64>,
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// Nobody listens there: nothing was done.
    Closed(io::Error),
    /// The connection broke before the answer: nobody knows whether it was done.
    Lost(io::Error),
    /// Nothing came for as long as the caller waits.
    Silent,
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(cause) => write!(f, "nobody listens: {cause}"),
            Self::Lost(cause) => write!(f, "the answer was lost: {cause}"),
            Self::Silent => write!(f, "no answer came in time"),
        }
    }
}

/// Longer than any answer takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
/// Most bytes of a head, or of the line before a chunk.
const LINE_BYTES_MAX: u64 = 64 << 10;

impl Door {
    /// A caller with this token.
    pub(crate) fn new(address: &str, token: &str) -> Self {
        Self::at(At::Address(address.to_owned()), token)
    }

    /// A caller at a socket of the file system, whose user the node knows.
    pub(crate) fn at_socket(path: &Path) -> Self {
        Self::at(At::Socket(path.to_owned()), "")
    }

    fn at(at: At, token: &str) -> Self {
        Self { at, token: token.to_owned(), patience: PATIENCE, wire: None }
    }

    /// The same, who waits no longer than this for an answer.
    pub(crate) fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Asks for something without a body.
    pub(crate) fn get(&mut self, path: &str) -> Result<Answer, Unanswered> {
        self.ask("GET", path, None)
    }

    /// Asks with a JSON document.
    pub(crate) fn post(&mut self, path: &str, body: &Value) -> Result<Answer, Unanswered> {
        self.ask("POST", path, Some(body))
    }

    /// Asks for something.
    pub(crate) fn ask(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Unanswered> {
        let mut wire = match self.wire.take() {
            Some(wire) => wire,
            None => self.connect().map_err(Unanswered::Closed)?,
        };
        let request = self.request(method, path, body);
        let talked = wire.get_mut().write_all(&request).and_then(|()| answer(&mut wire));
        let (answer, stays) = talked.map_err(|cause| match cause.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Unanswered::Silent,
            _ => Unanswered::Lost(cause),
        })?;
        if stays {
            self.wire = Some(wire);
        }
        Ok(answer)
    }

    fn connect(&self) -> io::Result<Wire> {
        Ok(BufReader::new(match &self.at {
            At::Address(address) => {
                let stream = TcpStream::connect(address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(self.patience))?;
                Box::new(stream)
            }
            #[cfg(unix)]
            At::Socket(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(self.patience))?;
                Box::new(stream)
            }
            #[cfg(not(unix))]
            At::Socket(_) => return Err(ErrorKind::Unsupported.into()),
        }))
    }

    fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Vec<u8> {
        let host = match &self.at {
            At::Address(address) => address,
            At::Socket(_) => "localhost",
        };
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\n\
             Accept: application/json, application/x-ndjson\r\n"
        );
        if !self.token.is_empty() {
            head += &format!("Authorization: Bearer {}\r\n", self.token);
        }
        let body = body.map(Value::to_string);
        if let Some(body) = &body {
            head += "Content-Type: application/json\r\n";
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        [head.as_bytes(), b"\r\n", body.unwrap_or_default().as_bytes()].concat()
    }
}

impl Answer {
    /// Its body as JSON; an error where it is none.
    pub(crate) fn json(&self) -> Result<Value, String> {
        serde_json::from_slice(&self.body).map_err(|error| format!("{error}: {}", self.text()))
    }

    /// Its body as lines of JSON.
    pub(crate) fn lines(&self) -> Result<Vec<Value>, String> {
        let text = self.text();
        let read = |line: &str| serde_json::from_str(line).map_err(|e| format!("{e}: {line}"));
        text.lines().map(read).collect()
    }

    /// Its body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Reads an answer; whether the connection stays open after it.
fn answer(wire: &mut Wire) -> io::Result<(Answer, bool)> {
    let first = line(wire)?;
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| odd(&first))?;
    let (mut length, mut chunked, mut stays, mut retry_after) = (None, false, true, None);
    loop {
        let header = line(wire)?;
        let Some((name, value)) = header.split_once(':') else { break };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse::<usize>().ok(),
            "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
            "connection" => stays = !value.eq_ignore_ascii_case("close"),
            "retry-after" => retry_after = value.parse().ok(),
            _ => {}
        }
    }
    let mut body = Vec::new();
    match (chunked, length) {
        (true, _) => chunks(wire, &mut body)?,
        (false, Some(length)) => {
            body.resize(length, 0);
            wire.read_exact(&mut body)?;
        }
        (false, None) => {
            wire.read_to_end(&mut body)?;
            stays = false;
        }
    }
    Ok((Answer { status, retry_after, body }, stays))
}

fn chunks(wire: &mut Wire, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let size = line(wire)?;
        let size = usize::from_str_radix(&size, 16).map_err(|_| odd(&size))?;
        let before = body.len();
        body.resize(before + size, 0);
        wire.read_exact(&mut body[before..])?;
        // The line end behind a chunk, or the one that ends the answer.
        line(wire)?;
        if size == 0 {
            return Ok(());
        }
    }
}

fn line(wire: &mut Wire) -> io::Result<String> {
    let mut text = String::new();
    wire.by_ref().take(LINE_BYTES_MAX).read_line(&mut text)?;
    match text.strip_suffix("\r\n") {
        Some(line) => Ok(line.to_owned()),
        None if text.is_empty() => Err(ErrorKind::UnexpectedEof.into()),
        None => Err(odd(&text)),
    }
}

fn odd(text: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("`{text}` is no answer"))
}

/// Bytes as the base64 text that JSON carries them in (RFC 4648).
pub(crate) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::{Door, Unanswered, base64};

    #[test]
    fn base64_is_that_of_the_rfc() {
        let table =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")];
        for (plain, coded) in table {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn answers_are_read_whole_one_after_another() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let address = listener.local_addr().expect("it has one").to_string();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("one connects");
            let mut asked = [0; 4096];
            let plain = "HTTP/1.1 429 x\r\nContent-Length: 2\r\nRetry-After: 3\r\n\r\n{}";
            let parts = "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n\
                         2\r\n1\n\r\n1\r\n2\r\n0\r\n\r\n";
            for answer in [plain, parts] {
                assert!(stream.read(&mut asked).is_ok_and(|bytes| bytes > 0));
                stream.write_all(answer.as_bytes()).expect("it is read");
            }
        });
        let mut door = Door::new(&address, "t");
        let first = door.get("/").expect("it answers");
        assert_eq!((first.status, first.retry_after, first.text()), (429, Some(3.0), "{}".into()));
        let second = door.get("/").expect("it answers");
        assert_eq!(second.lines(), Ok(vec![1.into(), 2.into()]));
        server.join().expect("it served");
        assert!(matches!(door.get("/"), Err(Unanswered::Lost(_))), "it hung up");
        assert!(matches!(door.get("/"), Err(Unanswered::Closed(_))), "nobody is there");
    }
}
