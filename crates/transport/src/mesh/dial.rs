//! Opens a stream to a member: tries its addresses one after the other, and shakes hands.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;

use crate::mesh::proto::peer_client::PeerClient;
use crate::mesh::stream::Inlet;
use crate::mesh::{Inner, MeshLimits, Stream, stream};

/// Why a member was not reached.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// None of its addresses took the connection.
    #[error("no connection to {at}: {cause}")]
    Connect {
        /// The last address.
        at: SocketAddr,
        /// What the system or TLS said.
        #[source]
        cause: io::Error,
    },
    /// There was no address.
    #[error("no address is known")]
    NoAddress,
    /// It took too long.
    #[error("{at} did not answer in time")]
    Late {
        /// The last address.
        at: SocketAddr,
    },
    /// Somebody else answered.
    #[error("{at} is another member than the one that was meant")]
    Other {
        /// The address.
        at: SocketAddr,
    },
    /// The connection was made, and no protocol over it.
    #[error("{at} does not speak as members do: {cause}")]
    Protocol {
        /// The address.
        at: SocketAddr,
        /// What was wrong.
        #[source]
        cause: tonic::transport::Error,
    },
}

impl Inner {
    /// Begins to open a stream. What is sent meanwhile waits.
    pub(super) fn dial(self: &Arc<Self>, member: u64, addresses: &[SocketAddr]) -> Stream {
        let (frames, waiting) = stream::line(self.limits.frames_ahead_max);
        let number = self.next();
        let (inner, addresses) = (Arc::clone(self), addresses.to_vec());
        self.on.spawn(async move { inner.open(member, number, &addresses, waiting).await });
        Stream { number, opener: self.me, since: None, frames }
    }

    async fn open(
        self: Arc<Self>,
        member: u64,
        number: u64,
        addresses: &[SocketAddr],
        waiting: Inlet,
    ) {
        if let Err(error) = self.speak(member, number, addresses, waiting).await {
            self.ears.unreached(member, &error.to_string());
        }
        self.ended(member, number);
    }

    /// Opens the stream and moves frames until it ends.
    async fn speak(
        &self,
        member: u64,
        number: u64,
        addresses: &[SocketAddr],
        waiting: Inlet,
    ) -> Result<(), DialError> {
        let (at, tls) = self.reach(member, addresses).await?;
        let protocol = |cause| DialError::Protocol { at, cause };
        let channel = channel(tls, &self.limits).await.map_err(protocol)?;
        if !self.confirmed(member, number) {
            return Ok(());
        }
        let bytes = self.limits.frame_bytes_max.saturating_mul(2);
        let mut client = PeerClient::new(channel).max_decoding_message_size(bytes);
        let limits = (self.limits.batch_frames_max, self.limits.frame_bytes_max);
        // What is wrong with a stream that was open is that it has ended.
        if let Ok(answer) = client.link(stream::batches(waiting, limits)).await {
            stream::hear(self, member, number, answer.into_inner()).await;
        }
        Ok(())
    }

    /// The first address at which the member answers.
    pub(super) async fn reach(
        &self,
        member: u64,
        addresses: &[SocketAddr],
    ) -> Result<(SocketAddr, TlsStream<TcpStream>), DialError> {
        let configs = self.configs();
        let mut last = DialError::NoAddress;
        for &at in addresses {
            let shake = connect(at, Arc::clone(&configs.client), configs.member.clone());
            match tokio::time::timeout(self.limits.dial_timeout, shake).await {
                Ok(Ok(tls)) => {
                    let shown = tls.get_ref().1.peer_certificates();
                    let who = shown.and_then(|chain| self.ears.welcome(chain.first()?));
                    if who == Some(member) {
                        return Ok((at, tls));
                    }
                    last = DialError::Other { at };
                }
                Ok(Err(cause)) => last = DialError::Connect { at, cause },
                Err(_) => last = DialError::Late { at },
            }
        }
        Err(last)
    }
}

/// A connection to an address on which the other side has shown who it is.
pub(super) async fn connect(
    at: SocketAddr,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
) -> io::Result<TlsStream<TcpStream>> {
    let tcp = TcpStream::connect(at).await?;
    tcp.set_nodelay(true)?;
    TlsConnector::from(config).connect(name, tcp).await
}

/// What speaks gRPC over a connection that is there already; it makes no other.
pub(super) async fn channel(
    tls: TlsStream<TcpStream>,
    limits: &MeshLimits,
) -> Result<Channel, tonic::transport::Error> {
    let mut there = Some(TokioIo::new(tls));
    let connector = service_fn(move |_: Uri| {
        let gone = || io::Error::new(io::ErrorKind::NotConnected, "the connection has ended");
        std::future::ready(there.take().ok_or_else(gone))
    });
    // The name is for HTTP only; TLS has asked for its own.
    Endpoint::from_static("http://member.bary.internal")
        .http2_keep_alive_interval(limits.keep_alive)
        .keep_alive_timeout(limits.keep_alive)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(stream::WINDOW)
        .initial_connection_window_size(stream::WINDOW)
        .connect_with_connector(connector)
        .await
}
