//! A socket for sealed datagrams. Sending never waits: what finds no room is lost, as anywhere on
//! the way.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::UdpSocket;

use crate::seal::{OpenError, Opened, Sealer, Secret};

/// The most bytes of a datagram that is read.
const BYTES_MAX: usize = 65_536;

/// A socket of one node. Clones are the same socket.
#[derive(Clone, Debug)]
pub struct SealedSocket {
    socket: Arc<UdpSocket>,
    /// The same socket for sending, which the runtime need not have found ready before.
    out: Arc<std::net::UdpSocket>,
    sealer: Arc<Sealer>,
}

/// What has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Come {
    /// A member's datagram.
    Said(SocketAddr, Opened),
    /// Something that is dropped.
    Dropped(SocketAddr, OpenError),
}

impl SealedSocket {
    /// A socket at an address.
    ///
    /// # Errors
    /// Where the system gives none.
    pub async fn bind(at: SocketAddr, sealer: Sealer) -> io::Result<Self> {
        Self::of(UdpSocket::bind(at).await?.into_std()?, sealer)
    }

    /// The socket that has been taken already. It must be called on a runtime.
    ///
    /// # Errors
    /// Where the system does not let it be used.
    pub fn of(socket: std::net::UdpSocket, sealer: Sealer) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let (out, sealer) = (Arc::new(socket.try_clone()?), Arc::new(sealer));
        Ok(Self { socket: Arc::new(UdpSocket::from_std(socket)?), out, sealer })
    }

    /// Where it is.
    ///
    /// # Errors
    /// Where the system does not say.
    pub fn at(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Seals with the first of these from now on, and opens what is sealed with any of them.
    pub fn seal_with(&self, secrets: &[Secret]) {
        self.sealer.change(secrets);
    }

    /// Seals a datagram and sends it; false where it is lost at once.
    #[must_use]
    pub fn send(&self, to: SocketAddr, bytes: &[u8]) -> bool {
        let sealed = self.sealer.seal(bytes);
        sealed.is_ok_and(|sealed| self.out.send_to(&sealed, to).is_ok())
    }

    /// Waits for the next datagram.
    ///
    /// # Errors
    /// Where the socket has failed. That an earlier datagram was not taken elsewhere is no failure.
    pub async fn next(&self) -> io::Result<Come> {
        let mut bytes = vec![0; BYTES_MAX];
        loop {
            match self.socket.recv_from(&mut bytes).await {
                Ok((length, from)) => {
                    return Ok(match self.sealer.open(&bytes[..length]) {
                        Ok(opened) => Come::Said(from, opened),
                        Err(error) => Come::Dropped(from, error),
                    });
                }
                // Linux tells here that nobody listened where something was sent before.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(error) => return Err(error),
            }
        }
    }
}
