//! Where connections come in: accepts them, gives each the protocol that it speaks, and sees them
//! all out when the node ends.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use bary_api::problem::{Kind, Refused};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch::Receiver;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tower::Service as _;

use crate::doors::gate::{Gate, Peer, refuse};
use crate::doors::limits::DoorLimits;
use crate::doors::pass;
#[cfg(unix)]
use crate::doors::socket::{Socket, is_welcome};
use crate::doors::wire::Wire;

/// What all connections share.
#[derive(Clone)]
pub(crate) struct Entrance {
    router: Router,
    gate: Arc<Gate>,
    protocols: Builder<TokioExecutor>,
    connections: Arc<Semaphore>,
    closing: Closing,
}

/// Turns true once no more connections are wanted.
pub(crate) type Closing = Receiver<bool>;

/// A connection of any kind.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// How long to wait where the system gives no connection, as where no file may be opened any more.
const AGAIN_SPAN: Duration = Duration::from_millis(100);
/// What a connection too many is told, in the words of HTTP/1.
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\
                      Connection: close\r\n\r\n";
/// Bytes that a stream, and all streams of a connection together, may send ahead of their reader.
const WINDOW: u32 = 1 << 20;
/// Bytes that wait to be written on one stream of HTTP/2.
const SEND_AHEAD: usize = 256 << 10;
/// The most of one HTTP/2 frame.
const FRAME: u32 = 64 << 10;

impl Entrance {
    /// An entrance to what the router answers.
    pub(crate) fn new(router: Router, gate: Arc<Gate>, closing: Closing) -> Self {
        let connections = Arc::new(Semaphore::new(gate.service.connections_max));
        let protocols = protocols(&gate.limits);
        Self { router, gate, protocols, connections, closing }
    }

    /// Lets in who comes over TCP until the node closes; then sees them out.
    pub(crate) async fn tcp(self, listener: TcpListener) {
        let (mut inside, mut closed) = (JoinSet::new(), pin!(closed(self.closing.clone())));
        loop {
            tokio::select! {
                biased;
                () = &mut closed => break,
                _ = inside.join_next(), if !inside.is_empty() => {}
                come = listener.accept() => self.greet(&mut inside, come).await,
            }
        }
        drop(listener);
        self.see_out(inside).await;
    }

    async fn greet(&self, inside: &mut JoinSet<()>, come: io::Result<(TcpStream, SocketAddr)>) {
        match come {
            Ok((stream, from)) => {
                // Without it answers are only slower.
                drop(stream.set_nodelay(true));
                match self.permit() {
                    Some(permit) => {
                        inside.spawn(self.clone().serve(stream, Peer::Tcp(from), permit));
                    }
                    // Whoever does not read it sees a closed connection.
                    None => drop(stream.try_write(BUSY)),
                }
            }
            Err(_) => tokio::time::sleep(AGAIN_SPAN).await,
        }
    }

    /// As [`Entrance::tcp`], for users of this machine; others than the node's own are sent away.
    #[cfg(unix)]
    pub(crate) async fn socket(self, socket: Socket) {
        let (mut inside, mut closed) = (JoinSet::new(), pin!(closed(self.closing.clone())));
        loop {
            tokio::select! {
                biased;
                () = &mut closed => break,
                _ = inside.join_next(), if !inside.is_empty() => {}
                come = socket.accept() => match come {
                    Ok((stream, user)) if is_welcome(user) => match self.permit() {
                        Some(permit) => {
                            inside.spawn(self.clone().serve(stream, Peer::User(user), permit));
                        }
                        None => drop(stream.try_write(BUSY)),
                    },
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(AGAIN_SPAN).await,
                },
            }
        }
        drop(socket);
        self.see_out(inside).await;
    }

    /// Serves one connection to its end; one too many is closed at once.
    pub(crate) async fn one<S: Stream>(self, stream: S, peer: Peer) {
        if let Some(permit) = self.permit() {
            self.serve(stream, peer, permit).await;
        }
    }

    fn permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.connections).try_acquire_owned().ok()
    }

    /// Waits until all have gone, for as long as they have; cuts off the rest.
    async fn see_out(&self, mut inside: JoinSet<()>) {
        let all_gone = async { while inside.join_next().await.is_some() {} };
        let cut = tokio::time::timeout(self.gate.limits.farewell_timeout, all_gone).await;
        if cut.is_err() {
            inside.shutdown().await;
        }
    }

    async fn serve<S: Stream>(self, stream: S, peer: Peer, permit: OwnedSemaphorePermit) {
        let DoorLimits { header_timeout, stall_timeout, .. } = self.gate.limits;
        let io = TokioIo::new(Wire::new(stream, header_timeout, stall_timeout));
        let Self { router, gate, protocols, closing, .. } = self;
        let service =
            service_fn(move |request| answer(router.clone(), gate.clone(), request, peer.clone()));
        let mut connection = pin!(protocols.serve_connection(io, service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = closed(closing) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        // A client that broke off, or spoke no HTTP, was told so where that was possible.
        drop(ended);
        drop(permit);
    }
}

/// Waits until no more connections are wanted; whoever said otherwise may have gone.
async fn closed(mut closing: Closing) {
    drop(closing.wait_for(|closing| *closing).await);
}

async fn answer(
    mut router: Router,
    gate: Arc<Gate>,
    request: Request<Incoming>,
    peer: Peer,
) -> Result<Response<Body>, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(peer);
    match gate.check(&request).and_then(|()| pass::home(&mut request)) {
        Ok(None) => router.call(request).await,
        Ok(Some(home)) => gate.route(router, &home, request).await,
        Err(refused) => Ok(refuse(&request, refused)),
    }
}

fn protocols(limits: &DoorLimits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(limits.header_bytes_max.max(8 << 10))
        .max_headers(limits.headers_max)
        .half_close(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.connection_streams_max)
        .max_header_list_size(u32::try_from(limits.header_bytes_max).unwrap_or(u32::MAX))
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_frame_size(FRAME)
        .max_send_buf_size(SEND_AHEAD)
        .keep_alive_interval(limits.keep_alive_interval)
        .keep_alive_timeout(limits.keep_alive_interval);
    builder
}

/// Nothing lies at a path.
pub(crate) fn nothing<B>(request: &Request<B>) -> Response<Body> {
    let title = format!("there is nothing at {}", request.uri().path());
    let help = "see /openapi.json for what there is";
    refuse(request, Refused::new(Kind::NotFound, title).help(help))
}
