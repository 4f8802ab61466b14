//! Where a node can be reached: where it listens, and the file `address` of its state that says so.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

/// The port of a node.
pub const PORT: u16 = 9876;
/// The file's name.
const NAME: &str = "address";

/// Why a node does not listen. Nothing was started.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Others than this machine could reach it.
    #[error("{0} is past this machine, and that needs TLS, which is not there yet")]
    PastLoopback(SocketAddr),
    /// Another program listens there.
    #[error("{0} is taken by another program")]
    Taken(SocketAddr),
    /// The system refused.
    #[error("{at} cannot be listened on: {cause}")]
    Refused {
        /// Where.
        at: SocketAddr,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

/// Listens on an address of this machine, and only on that one.
///
/// # Errors
/// See [`ListenError`].
pub(crate) fn listen(at: SocketAddr) -> Result<TcpListener, ListenError> {
    if !at.ip().is_loopback() {
        return Err(ListenError::PastLoopback(at));
    }
    let listen = || {
        let listener = TcpListener::bind(at)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    listen().map_err(|cause: io::Error| match cause.kind() {
        io::ErrorKind::AddrInUse => ListenError::Taken(at),
        _ => ListenError::Refused { at, cause },
    })
}

/// Where a node that runs can be reached. The file goes when this is dropped.
#[derive(Debug)]
pub(crate) struct AddressFile {
    path: PathBuf,
}

impl AddressFile {
    /// Writes it into a state.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn write(state: &Path, tcp: SocketAddr, socket: Option<&Path>) -> io::Result<Self> {
        let path = state.join(NAME);
        let mut text = format!("pid {}\ntcp {tcp}\n", std::process::id());
        if let Some(socket) = socket {
            text.push_str(&format!("socket {}\n", socket.display()));
        }
        let draft = state.join("address.draft");
        match fs::write(&draft, &text) {
            // What an earlier process has left there has room for it.
            Err(cause) if is_full(&cause) => {
                // An empty file takes no room, and the next start takes it away.
                drop(fs::remove_file(&draft));
                fs::write(&path, text)?;
            }
            written => {
                written?;
                fs::rename(&draft, &path)?;
            }
        }
        Ok(Self { path })
    }
}

/// Whether there was no space.
pub(crate) fn is_full(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

impl Drop for AddressFile {
    fn drop(&mut self) {
        // One that stays names a process that has ended.
        drop(fs::remove_file(&self.path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_listened_to_and_no_port_twice() {
        let outside = "0.0.0.0:0".parse().expect("it is an address");
        assert!(matches!(listen(outside), Err(ListenError::PastLoopback(_))));
        let free = "127.0.0.1:0".parse().expect("it is an address");
        let first = listen(free).expect("there is a port");
        let taken = first.local_addr().expect("it has one");
        assert!(matches!(listen(taken), Err(ListenError::Taken(_))));
    }

    #[test]
    fn the_file_goes_with_the_node() {
        let dir = tempfile::tempdir().expect("there is room");
        let tcp = "127.0.0.1:9876".parse().expect("it is an address");
        let file = AddressFile::write(dir.path(), tcp, Some(Path::new("/run/x.sock")));
        let file = file.expect("there is room");
        let text = fs::read_to_string(dir.path().join(NAME)).expect("it is there");
        assert!(text.ends_with("tcp 127.0.0.1:9876\nsocket /run/x.sock\n"), "{text}");
        drop(file);
        assert!(!dir.path().join(NAME).exists());
    }
}
