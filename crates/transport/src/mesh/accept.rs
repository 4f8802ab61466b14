//! Lets members in: each connection says by its protocol whether a member or a newcomer comes, and
//! nothing it sends is read before TLS has seen who it is.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use rustls::server::Acceptor;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::service::Routes;
use tonic::{Request as Call, Response, Status, Streaming};
use tower::Service as _;

use crate::mesh::proto::Batch;
use crate::mesh::proto::peer_server::{Peer, PeerServer};
use crate::mesh::{Inner, Mesh, pass, stream};
use crate::tls::{self, Configs, ENTRY, PEER};

/// The member at the other end of a connection, as extensions of its requests have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member(pub u64);

/// What is answered to whom.
#[derive(Clone, Debug)]
pub struct Doors {
    /// What members may ask, besides opening a stream. A request has a [`Member`] with it.
    pub members: Router,
    /// What newcomers may ask.
    pub newcomers: Router,
}

/// How long to wait where the system gives no connection, as where no file may be opened any more.
const AGAIN_SPAN: std::time::Duration = std::time::Duration::from_millis(100);

/// How long a connection lasts to one who is no member any more.
const LAST_WORDS_SPAN: std::time::Duration = std::time::Duration::from_secs(1);

/// Who has come.
enum Come {
    Member(u64, TlsStream<TcpStream>),
    Newcomer(TlsStream<TcpStream>),
}

impl Mesh {
    /// Lets in who comes, until `closing` turns true.
    pub async fn serve(self, listener: TcpListener, doors: Doors, closing: watch::Receiver<bool>) {
        let link = PeerServer::new(Link(Arc::clone(&self.0)));
        let link = link.max_decoding_message_size(self.0.limits.frame_bytes_max.saturating_mul(2));
        let members = Routes::from(doors.members).add_service(link).into_axum_router();
        let doors = Doors { members, ..doors };
        let places = Arc::new(Semaphore::new(self.0.limits.connections_max));
        let mut inside = JoinSet::new();
        let mut closed = pin!(closed(closing));
        loop {
            tokio::select! {
                biased;
                () = &mut closed => break,
                _ = inside.join_next(), if !inside.is_empty() => {}
                come = listener.accept() => match come {
                    Ok((tcp, from)) => match Arc::clone(&places).try_acquire_owned() {
                        Ok(place) => {
                            let (inner, doors) = (Arc::clone(&self.0), doors.clone());
                            inside.spawn(async move {
                                inner.let_in(tcp, from, doors).await;
                                drop(place);
                            });
                        }
                        Err(_) => self.0.ears.refused(from, "too many connections"),
                    },
                    Err(_) => tokio::time::sleep(AGAIN_SPAN).await,
                },
            }
        }
        // Whoever hears that a connection has ended may take the address at once.
        drop(listener);
        inside.shutdown().await;
    }
}

impl Inner {
    async fn let_in(&self, tcp: TcpStream, from: SocketAddr, doors: Doors) {
        let shake = self.shake(tcp);
        let come = match tokio::time::timeout(self.limits.dial_timeout, shake).await {
            Ok(Ok(come)) => come,
            Ok(Err(why)) => return self.ears.refused(from, &why),
            Err(_) => return self.ears.refused(from, "it did not show who it is in time"),
        };
        match come {
            Come::Member(member, tls) => {
                let mut banned = self.banned.subscribe();
                let is_banned = banned.wait_for(|banned| banned.contains(&member));
                let mut talk = pin!(self.talk(tls, doors.members, Member(member)));
                tokio::select! {
                    // Whoever would say so lives as long as the mesh.
                    () = async { drop(is_banned.await) } => {
                        // It may hear why.
                        drop(tokio::time::timeout(LAST_WORDS_SPAN, &mut talk).await);
                    }
                    () = &mut talk => {}
                }
            }
            Come::Newcomer(tls) => self.talk(tls, doors.newcomers, from).await,
        }
    }

    /// Shakes hands with who has come, in the way that it asks for.
    async fn shake(&self, tcp: TcpStream) -> Result<Come, String> {
        tcp.set_nodelay(true).map_err(|error| error.to_string())?;
        let hello = LazyConfigAcceptor::new(Acceptor::default(), tcp).await;
        let hello = hello.map_err(|error| error.to_string())?;
        let speaks = |protocol: &[u8]| {
            let mut wanted = hello.client_hello().alpn().into_iter().flatten();
            wanted.any(|one| one == protocol)
        };
        let (is_newcomer, is_member) = (speaks(ENTRY), speaks(PEER));
        let Configs { entry, peer, member, .. } = self.configs();
        if !(is_newcomer || is_member) {
            return Err("it speaks no protocol of members".into());
        }
        let config = if is_newcomer { entry } else { peer };
        let tls = hello.into_stream(config).await.map_err(|error| error.to_string())?;
        if is_newcomer {
            return Ok(Come::Newcomer(tls));
        }
        let shown = tls.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        // TLS asks for the name of who is called, and not of who calls.
        let named = shown.is_some_and(|shown| tls::is_of(shown, &member));
        if !named {
            return Err("its certificate is not for members".into());
        }
        let who = shown.and_then(|shown| self.ears.welcome(shown));
        let who = who.ok_or("its certificate is not welcome any more")?;
        Ok(Come::Member(who, tls))
    }

    /// Answers what comes over a connection, each request with who asks.
    async fn talk<T: Clone + Send + Sync + 'static>(
        &self,
        tls: TlsStream<TcpStream>,
        router: Router,
        who: T,
    ) {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http2()
            .timer(TokioTimer::new())
            .initial_stream_window_size(stream::WINDOW)
            .initial_connection_window_size(pass::CONNECTION_WINDOW)
            .max_concurrent_streams(u32::try_from(self.limits.passes_max).unwrap_or(u32::MAX))
            .keep_alive_interval(self.limits.keep_alive)
            .keep_alive_timeout(self.limits.keep_alive);
        let service = service_fn(move |request: Request<Incoming>| {
            let (mut router, who) = (router.clone(), who.clone());
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(who);
            async move { router.call(request).await }
        });
        // One that broke off has ended all the same.
        drop(builder.serve_connection(TokioIo::new(tls), service).await);
    }

    /// Whether a stream is still the one to a member.
    pub(super) fn is_kept(&self, member: u64, number: u64) -> bool {
        let members = self.members();
        let stream = members.get(&member).and_then(|known| known.stream.as_ref());
        stream.is_some_and(|stream| stream.number == number)
    }
}

/// Waits until nobody more is to be let in; whoever said otherwise may have gone.
async fn closed(mut closing: watch::Receiver<bool>) {
    drop(closing.wait_for(|closing| *closing).await);
}

/// Opens streams for members that ask for one.
struct Link(Arc<Inner>);

#[tonic::async_trait]
impl Peer for Link {
    type LinkStream =
        tokio_stream::adapters::Map<stream::Batches, fn(Batch) -> Result<Batch, Status>>;

    async fn link(
        &self,
        call: Call<Streaming<Batch>>,
    ) -> Result<Response<Self::LinkStream>, Status> {
        let who = call.extensions().get::<Member>().copied();
        let Member(member) = who.ok_or_else(|| Status::unauthenticated("it showed nothing"))?;
        let inner = Arc::clone(&self.0);
        let Some((number, waiting)) = inner.accepted(member) else {
            return Err(Status::already_exists("there is a stream to this member"));
        };
        let limits = (inner.limits.batch_frames_max, inner.limits.frame_bytes_max);
        inner.on.clone().spawn(async move {
            stream::hear(&inner, member, number, call.into_inner()).await;
            inner.ended(member, number);
        });
        let batches = stream::batches(waiting, limits);
        let good: fn(Batch) -> Result<Batch, Status> = Ok;
        Ok(Response::new(tokio_stream::StreamExt::map(batches, good)))
    }
}
