//! The door for users of this machine: a Unix socket that only its owner can open. Who connects is
//! asked of the kernel, so it needs no token.

use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

/// The most bytes of a path that every Unix takes.
const PATH_BYTES_MAX: usize = 100;

/// Why there is no socket. Nothing listens, and no other process's socket was touched.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Another process listens there.
    #[error("the socket `{}` is in use by {holder}", path.display())]
    InUse {
        /// The socket.
        path: PathBuf,
        /// Who, as far as it said.
        holder: String,
    },
    /// No system takes a path of that length.
    #[error("the path of the socket, `{}`, has more than {PATH_BYTES_MAX} bytes", .0.display())]
    TooLong(PathBuf),
    /// The system refused.
    #[error("the socket `{}` cannot be made: {cause}", path.display())]
    Refused {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

/// A socket that is listened to; it is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Socket {
    listener: UnixListener,
    path: PathBuf,
    /// Locked as long as the socket is ours; whoever takes it over has locked it before.
    _lock: File,
}

impl Socket {
    /// Listens at a path. What a process that has ended left there is replaced.
    ///
    /// # Errors
    /// See [`SocketError`].
    pub(crate) fn bind(path: &Path) -> Result<Self, SocketError> {
        if path.as_os_str().len() > PATH_BYTES_MAX {
            return Err(SocketError::TooLong(path.to_owned()));
        }
        let refused = |cause| SocketError::Refused { path: path.to_owned(), cause };
        let lock = lock(path)?;
        // It becomes visible under its name only once nobody else may open it.
        let draft = beside(path, ".draft");
        remove(&draft).map_err(refused)?;
        let listener = UnixListener::bind(&draft).map_err(refused)?;
        fs::set_permissions(&draft, Permissions::from_mode(0o600)).map_err(refused)?;
        fs::rename(&draft, path).map_err(refused)?;
        Ok(Self { listener, path: path.to_owned(), _lock: lock })
    }

    /// Waits for the next one to connect, and says whose it is: the number of the user.
    ///
    /// # Errors
    /// Where the system gives no connection now, or the connection has broken already.
    pub(crate) async fn accept(&self) -> io::Result<(UnixStream, u32)> {
        let (stream, _) = self.listener.accept().await?;
        let user = stream.peer_cred()?.uid();
        Ok((stream, user))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // What cannot be removed is replaced by whoever listens here next.
        drop(fs::remove_file(&self.path));
    }
}

/// Whether a user may use the socket: who owns this process, and root.
pub(crate) fn is_welcome(user: u32) -> bool {
    user == 0 || user == rustix::process::geteuid().as_raw()
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Locks the name for this process, and says in the file who that is.
fn lock(path: &Path) -> Result<File, SocketError> {
    let refused = |cause| SocketError::Refused { path: path.to_owned(), cause };
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(beside(path, ".lock")).map_err(refused)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let said = file.read_to_string(&mut holder).is_ok() && !holder.trim().is_empty();
            let holder = match holder.trim() {
                pid if said => format!("process {pid}"),
                _ => "another process".to_owned(),
            };
            return Err(SocketError::InUse { path: path.to_owned(), holder });
        }
        Err(TryLockError::Error(cause)) => return Err(refused(cause)),
    }
    let note = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    note(&mut file).map_err(refused)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_a_runtime<T>(run: impl FnOnce() -> T) -> T {
        let builder = tokio::runtime::Builder::new_current_thread().enable_all().build();
        builder.expect("a runtime").block_on(async { run() })
    }

    #[test]
    fn only_its_owner_may_open_it_and_it_goes_with_its_process() {
        let dir = tempfile::tempdir().expect("there is room");
        let path = dir.path().join("bary.sock");
        on_a_runtime(|| {
            let socket = Socket::bind(&path).expect("nobody has it");
            let mode = fs::metadata(&path).expect("it is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            drop(socket);
        });
        assert!(!path.exists());
        assert!(is_welcome(0) && is_welcome(rustix::process::geteuid().as_raw()));
        assert!(!is_welcome(rustix::process::geteuid().as_raw() + 1));
    }

    #[test]
    fn one_that_was_left_is_replaced_and_one_in_use_is_not() {
        let dir = tempfile::tempdir().expect("there is room");
        let path = dir.path().join("bary.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).expect("nobody has it"));
        assert!(path.exists(), "its process has ended and left it");
        on_a_runtime(|| {
            let _first = Socket::bind(&path).expect("nobody has it");
            let error = Socket::bind(&path).expect_err("the first has it").to_string();
            assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
            std::os::unix::net::UnixStream::connect(&path).expect("the first still listens");
        });
    }

    #[test]
    fn a_path_that_no_system_takes_is_told() {
        let long = PathBuf::from(format!("/{}", "x".repeat(PATH_BYTES_MAX)));
        on_a_runtime(|| {
            assert!(matches!(Socket::bind(&long), Err(SocketError::TooLong(_))));
        });
    }
}
