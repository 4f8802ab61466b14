//! Hands requests to another member as they came, and its answers back as they come: over a
//! connection of its own, so that neither frames nor results wait for a reader who is slow.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Body;
use axum::http::uri::{Authority, Scheme};
use axum::http::{Request, Response, Uri};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper::rt::Executor;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::mesh::dial::DialError;
use crate::mesh::{Inner, Mesh};

/// Bytes of one answer that may be on their way before they are read.
const STREAM_WINDOW: u32 = 256 << 10;
/// The same of all of one member, and of all that it asks: slow readers do not keep others waiting.
pub(super) const CONNECTION_WINDOW: u32 = 64 << 20;
/// What stands for a member in the addresses of requests; TLS has asked for its own name.
const HOST: &str = "member.bary.internal";

/// Why a member gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// The member was not reached, and has not heard of it.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// It is not known where the member is.
    #[error("the member is not known")]
    Unknown,
    /// Too many requests to it are under way: so many. It has not heard of this one.
    #[error("{0} requests to it are under way")]
    Full(usize),
    /// The connection ended before the answer: nobody knows whether it was done.
    #[error("the connection to it has ended: {0}")]
    Broken(hyper::Error),
    /// The member was taken for gone before the answer: nobody knows whether it was done.
    #[error("it is silent")]
    Gone,
    /// The request cannot be said in HTTP/2. Nothing was sent.
    #[error("the request cannot be handed on: {0}")]
    Malformed(#[from] axum::http::Error),
}

/// The connections over which requests go to members.
pub(super) type Passages = Mutex<BTreeMap<u64, Arc<Passage>>>;

/// The way to one member.
#[derive(Debug)]
pub(super) struct Passage {
    places: Arc<Semaphore>,
    /// Held while the connection is made: nobody makes a second one meanwhile.
    line: tokio::sync::Mutex<Option<SendRequest<Body>>>,
    driver: Driver,
    /// Whether the member is gone.
    gone: watch::Sender<bool>,
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.cut();
    }
}

impl Passage {
    fn new(places: usize, on: Handle) -> Self {
        let driver = Driver { on, tasks: Arc::default() };
        let (line, gone) = (tokio::sync::Mutex::default(), watch::Sender::new(false));
        Self { places: Arc::new(Semaphore::new(places)), line, driver, gone }
    }

    /// Ends the connection, and with it all that is under way: a member that is silent would answer
    /// none of it.
    fn cut(&self) {
        self.gone.send_replace(true);
        lock(&self.driver.tasks).abort_all();
    }
}

/// Runs what drives a connection: hyper has several tasks for one, and it ends with the last of
/// them.
#[derive(Clone, Debug)]
struct Driver {
    on: Handle,
    tasks: Arc<Mutex<JoinSet<()>>>,
}

impl<F> Executor<F> for Driver
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, task: F) {
        let mut tasks = lock(&self.tasks);
        // Those that have ended are let go of; one that panicked has said so.
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(async move { drop(task.await) }, &self.on);
    }
}

/// An answer, and the place that it has among those under way: to be held until it was read.
#[derive(Debug)]
pub struct Passed {
    /// The answer.
    pub answer: Response<Body>,
    /// Its place.
    pub place: OwnedSemaphorePermit,
}

impl Mesh {
    /// Has another member answer a request: its [`Doors::members`](super::accept::Doors::members).
    /// Body and answer go on their way as they come. Dropping the answer ends the request there
    /// too.
    ///
    /// # Errors
    /// See [`PassError`].
    pub async fn pass(&self, member: u64, request: Request<Body>) -> Result<Passed, PassError> {
        let inner = &self.0;
        let most = inner.limits.passes_max;
        let new = || Arc::new(Passage::new(most, inner.on.clone()));
        let passage = Arc::clone(lock(&inner.passages).entry(member).or_insert_with(new));
        let place = Arc::clone(&passage.places).try_acquire_owned();
        let place = place.map_err(|_| PassError::Full(most))?;
        let request = over(request)?;
        let mut gone = passage.gone.subscribe();
        tokio::select! {
            answer = inner.answered(member, &passage, request) => {
                Ok(Passed { answer: answer?, place })
            }
            // Whoever would say so is the passage.
            _ = gone.wait_for(|gone| *gone) => Err(PassError::Gone),
        }
    }
}

impl Inner {
    /// What a member answers.
    async fn answered(
        &self,
        member: u64,
        passage: &Passage,
        request: Request<Body>,
    ) -> Result<Response<Body>, PassError> {
        let sent = self.line(member, passage).await?.try_send_request(request).await;
        let answer = match sent {
            Ok(answer) => answer,
            // A connection that ended unseen gives the request back unsent; another is made, once.
            Err(mut refused) => {
                let Some(unsent) = refused.take_message() else {
                    return Err(PassError::Broken(refused.into_error()));
                };
                passage.line.lock().await.take();
                let mut line = self.line(member, passage).await?;
                line.send_request(unsent).await.map_err(PassError::Broken)?
            }
        };
        Ok(answer.map(Body::new))
    }

    /// The connection to a member; one is made where there is none.
    async fn line(&self, member: u64, passage: &Passage) -> Result<SendRequest<Body>, PassError> {
        let mut line = passage.line.lock().await;
        if let Some(there) = line.as_ref().filter(|there| !there.is_closed()) {
            return Ok(there.clone());
        }
        let addresses = self.members().get(&member).map(|known| known.addresses.clone());
        let addresses = addresses.ok_or(PassError::Unknown)?;
        let (at, tls) = self.reach(member, &addresses).await?;
        let mut builder = Builder::new(passage.driver.clone());
        builder
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .keep_alive_interval(self.limits.keep_alive)
            .keep_alive_timeout(self.limits.keep_alive)
            .keep_alive_while_idle(true);
        let made = builder.handshake(TokioIo::new(tls)).await;
        let (made, driven) = made.map_err(|error| {
            let cause = std::io::Error::other(error);
            PassError::Dial(DialError::Connect { at, cause })
        })?;
        // Who asks over it hears how it ended.
        passage.driver.execute(driven);
        *line = Some(made.clone());
        Ok(made)
    }

    /// A member is gone: what it was asked has no answer any more.
    pub(super) fn cut(&self, member: u64) {
        let passage = lock(&self.passages).remove(&member);
        if let Some(passage) = passage {
            passage.cut();
        }
    }
}

/// The request as it goes over the connection.
fn over(request: Request<Body>) -> Result<Request<Body>, PassError> {
    let (mut head, body) = request.into_parts();
    let mut place = head.uri.into_parts();
    place.scheme = Some(Scheme::HTTP);
    place.authority = Some(Authority::from_static(HOST));
    head.uri = Uri::from_parts(place).map_err(axum::http::Error::from)?;
    head.version = axum::http::Version::HTTP_2;
    Ok(Request::from_parts(head, body))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
