//! A connection to a node, shared by all who ask over it.

use std::time::Duration;

use bary_api::home::{CONSISTENT, HOME};
use bary_api::v1::node_client::NodeClient;
use hyper_util::rt::TokioIo;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

use crate::address::Address;
use crate::call::{self, CallError, Unreachable};
use crate::streamed::Streamed;

/// A node, as a program asks it. Clones share one connection, on which any number of calls go on
/// at a time; it is made anew when it breaks.
#[derive(Clone, Debug)]
pub struct Client {
    channel: Channel,
    marks: Marks,
    address: Address,
    patience: Duration,
}

/// The generated client with what is added to every call.
pub(crate) type Wire = NodeClient<InterceptedService<Channel, Marks>>;

/// How long a call waits for its answer where nothing else was said; a node gives up on one after
/// the same time.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How long a connection may take.
const CONNECT_SPAN_MAX: Duration = Duration::from_secs(10);
/// The largest message that is sent or taken, in bytes; a node takes none that is larger.
pub const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// How many bytes of one answer may be on their way before the reader has taken them.
const WINDOW_BYTES: u32 = 4 << 20;

/// What is added to each call: who asks, and whose jobs are meant.
#[derive(Clone, Debug)]
pub(crate) struct Marks {
    bearer: Option<MetadataValue<Ascii>>,
    home: Option<MetadataValue<Ascii>>,
    consistent: bool,
}

impl Interceptor for Marks {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.bearer {
            request.metadata_mut().insert("authorization", token.clone());
        }
        if let Some(home) = &self.home {
            request.metadata_mut().insert(HOME, home.clone());
        }
        if self.consistent {
            request.metadata_mut().insert(CONSISTENT, MetadataValue::from_static("true"));
        }
        Ok(request)
    }
}

impl Client {
    /// Connects to a node. Over a Unix socket a node knows its own user without a token.
    ///
    /// # Errors
    /// Where nothing listens there, or it may not be asked.
    pub async fn connect(address: &Address, token: Option<&str>) -> Result<Self, Unreachable> {
        let bearer = token.map(bearer).transpose()?;
        let channel = match address {
            Address::Tcp(place) => tcp(place).await,
            Address::Socket(path) => socket(path.clone()).await,
        };
        let channel = channel.map_err(|error| Unreachable::of(address, &error))?;
        let marks = Marks { bearer, home: None, consistent: false };
        Ok(Self { channel, marks, address: address.clone(), patience: PATIENCE })
    }

    /// A client that asks, by the same connection, for the jobs and all else of another member of
    /// the node's cluster. The node hands its calls on to that one.
    ///
    /// # Errors
    /// Where the name is none that a member can have. Whether there is such a member is told by the
    /// calls.
    pub fn at(&self, member: &str) -> Result<Self, Unreachable> {
        let home = member.parse().map_err(|_| Unreachable::Member(member.to_owned()))?;
        Ok(Self { marks: Marks { home: Some(home), ..self.marks.clone() }, ..self.clone() })
    }

    /// A client whose reads see all that was acknowledged before them: they pass through the home
    /// first, and are refused where that is away.
    #[must_use]
    pub fn consistent(&self) -> Self {
        Self { marks: Marks { consistent: true, ..self.marks.clone() }, ..self.clone() }
    }

    /// The same client with another patience: how long each call waits for its answer. The
    /// pieces of an answer in pieces may take any time.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Where the node listens.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    pub(crate) fn node(&self) -> Wire {
        NodeClient::with_interceptor(self.channel.clone(), self.marks.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// A request with the time that it has.
    pub(crate) fn ask<T>(&self, message: T) -> Request<T> {
        self.ask_within(message, self.patience)
    }

    /// A request that is given up on after this time.
    pub(crate) fn ask_within<T>(&self, message: T, span: Duration) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(span);
        request
    }

    pub(crate) fn answer<T>(&self, answer: Result<Response<T>, Status>) -> Result<T, CallError> {
        answer.map(Response::into_inner).map_err(|status| call::failure(&self.address, status))
    }

    pub(crate) fn pieces<T>(
        &self,
        answer: Result<Response<tonic::Streaming<T>>, Status>,
    ) -> Result<Streamed<T>, CallError> {
        Ok(Streamed::new(self.answer(answer)?, self.address.clone()))
    }
}

fn bearer(token: &str) -> Result<MetadataValue<Ascii>, Unreachable> {
    let mut value: MetadataValue<Ascii> =
        format!("Bearer {}", token.trim()).parse().map_err(|_| Unreachable::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

async fn tcp(place: &str) -> Result<Channel, tonic::transport::Error> {
    tuned(Endpoint::from_shared(format!("http://{place}"))?).connect().await
}

#[cfg(unix)]
async fn socket(path: std::path::PathBuf) -> Result<Channel, tonic::transport::Error> {
    let connect = move |_: tonic::transport::Uri| {
        let path = path.clone();
        async move {
            Ok::<_, std::io::Error>(TokioIo::new(tokio::net::UnixStream::connect(path).await?))
        }
    };
    // The name stands for the other end in headers; nothing looks it up.
    let endpoint = tuned(Endpoint::from_static("http://localhost"));
    endpoint.connect_with_connector(tower::service_fn(connect)).await
}

/// Elsewhere there are no such sockets.
#[cfg(not(unix))]
async fn socket(_: std::path::PathBuf) -> Result<Channel, tonic::transport::Error> {
    let refuse = |_: tonic::transport::Uri| async {
        Err::<TokioIo<tokio::net::TcpStream>, _>(std::io::Error::from(
            std::io::ErrorKind::Unsupported,
        ))
    };
    let endpoint = tuned(Endpoint::from_static("http://localhost"));
    endpoint.connect_with_connector(tower::service_fn(refuse)).await
}

fn tuned(endpoint: Endpoint) -> Endpoint {
    endpoint
        .connect_timeout(CONNECT_SPAN_MAX)
        .tcp_nodelay(true)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .http2_keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20))
}
