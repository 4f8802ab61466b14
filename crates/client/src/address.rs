//! Where a node listens: a Unix socket or a TCP port, as a person writes it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where a node listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A Unix socket. Its user needs no token.
    Socket(PathBuf),
    /// A host and a port, `HOST:PORT`. A token is always needed.
    Tcp(Box<str>),
}

/// Why a text is no address. Nothing was tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It asks for encryption, which no node offers yet.
    #[error("`{0}` asks for TLS, which nodes do not speak; write http://HOST:PORT or HOST:PORT")]
    Tls(String),
    /// It is neither a path nor a host and port.
    #[error("`{0}` is no address; write HOST:PORT, or the path of a socket")]
    Malformed(String),
}

/// The port of a node where none is said.
pub const PORT: u16 = 9_876;
/// The name of the socket in the directories where it is looked for.
pub const SOCKET: &str = "bary.sock";

impl Address {
    /// Where a node of this user listens when nothing else was said: the socket in
    /// `$XDG_RUNTIME_DIR`, else the one in the state directory, else the one in this user's own
    /// temporary directory, else port 9876 of this machine.
    #[must_use]
    pub fn usual() -> Self {
        let there = Self::sockets().into_iter().find(|path| path.exists());
        there.map_or_else(|| Self::Tcp(format!("127.0.0.1:{PORT}").into()), Self::Socket)
    }

    /// Where the socket of a node of this user may be, the likeliest first.
    #[must_use]
    pub fn sockets() -> Vec<PathBuf> {
        let runtime = absolute("XDG_RUNTIME_DIR");
        let home = || absolute("HOME").map(|home| home.join(".local/state"));
        let state = absolute("XDG_STATE_HOME").or_else(home).map(|state| state.join("bary"));
        let there = runtime.into_iter().chain(state).chain(private_directory(false));
        there.map(|directory| directory.join(SOCKET)).collect()
    }

    /// The socket's path, where it is one.
    #[must_use]
    pub fn socket(&self) -> Option<&Path> {
        match self {
            Self::Socket(path) => Some(path),
            Self::Tcp(_) => None,
        }
    }
}

/// The directory in the temporary one that only this user can look into, where there is one: for
/// the socket of a node without a state, where the system has made no better place. It is made
/// where `make` says so. None where somebody else has made it, or may look into it.
#[cfg(unix)]
#[must_use]
pub fn private_directory(make: bool) -> Option<PathBuf> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    let user = rustix::process::geteuid().as_raw();
    let path = std::env::temp_dir().join(format!("bary-{user}"));
    if make {
        // What is there already is judged below.
        drop(std::fs::DirBuilder::new().mode(0o700).create(&path));
    }
    let about = std::fs::symlink_metadata(&path).ok()?;
    let own = about.is_dir() && about.uid() == user && about.mode() & 0o077 == 0;
    own.then_some(path)
}

/// Elsewhere there are no such sockets.
#[cfg(not(unix))]
#[must_use]
pub fn private_directory(_make: bool) -> Option<PathBuf> {
    None
}

/// A directory that a variable names, where it names an absolute one.
fn absolute(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(place) => f.write_str(place),
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    /// Reads `unix:PATH`, a path with a slash, `http://HOST:PORT`, `HOST:PORT`, `HOST` or `:PORT`.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let malformed = || AddressError::Malformed(text.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() { Err(malformed()) } else { Ok(Self::Socket(path.into())) };
        }
        if text.starts_with("https://") {
            return Err(AddressError::Tls(text.to_owned()));
        }
        if text.starts_with(['/', '.']) {
            return Ok(Self::Socket(text.into()));
        }
        let place = text.strip_prefix("http://").unwrap_or(text);
        let place = place.strip_suffix('/').unwrap_or(place);
        let (host, port) = split(place).ok_or_else(malformed)?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_:[]%".contains(c);
        if !host.chars().all(allowed) {
            return Err(malformed());
        }
        let host = if host.is_empty() { "127.0.0.1" } else { host };
        Ok(Self::Tcp(format!("{host}:{port}").into()))
    }
}

/// Host and port; an address in brackets keeps them.
fn split(place: &str) -> Option<(&str, u16)> {
    if place.is_empty() {
        return None;
    }
    if let (true, Some(end)) = (place.starts_with('['), place.find(']')) {
        let (host, rest) = place.split_at(end + 1);
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, number(port)?)),
            None => rest.is_empty().then_some((host, PORT)),
        };
    }
    match place.split_once(':') {
        Some((host, port)) => Some((host, number(port)?)),
        None => Some((place, PORT)),
    }
}

fn number(port: &str) -> Option<u16> {
    port.parse().ok().filter(|&port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let table = [
            ("unix:/run/bary.sock", "unix:/run/bary.sock"),
            ("unix:///run/bary.sock", "unix:/run/bary.sock"),
            ("/run/bary.sock", "unix:/run/bary.sock"),
            ("./bary.sock", "unix:./bary.sock"),
            ("http://localhost:80/", "localhost:80"),
            ("example.org", "example.org:9876"),
            (":1234", "127.0.0.1:1234"),
            ("[::1]", "[::1]:9876"),
            ("[::1]:80", "[::1]:80"),
        ];
        for (text, shown) in table {
            assert_eq!(text.parse::<Address>().map(|a| a.to_string()), Ok(shown.into()), "{text}");
        }
        for text in ["", "unix:", "a:b", "a:0", "[::1]x", "a b", "a:99999"] {
            assert!(matches!(text.parse::<Address>(), Err(AddressError::Malformed(_))), "{text}");
        }
        let tls = "https://example.org".parse::<Address>();
        assert!(matches!(tls, Err(AddressError::Tls(_))));
    }
}
