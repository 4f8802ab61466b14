//! The doors without a port: whoever has the service in its own process hands connections over,
//! and answers for who is at their other end.

use std::fmt;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use crate::doors::entrance::Entrance;
use crate::doors::gate::{Gate, Peer};
use crate::doors::limits::DoorLimits;
use crate::doors::{DescribeError, router};
use crate::service::Service;

/// Doors that listen nowhere. Dropping them sees everybody out: requests under way are answered,
/// and none after them.
pub struct Doors {
    entrance: Entrance,
    _open: watch::Sender<bool>,
}

impl Doors {
    /// Doors of a service. To be made within a runtime of tokio that has time.
    ///
    /// # Errors
    /// Where the contract cannot be described.
    pub fn new(service: &Service, limits: DoorLimits) -> Result<Self, DescribeError> {
        let gate = Arc::new(Gate::new(service, limits));
        let (router, _) = router(service.clone(), &gate)?;
        let (open, closed) = watch::channel(false);
        Ok(Self { entrance: Entrance::new(router, gate, closed), _open: open })
    }

    /// Serves one connection, HTTP/1 or HTTP/2, until either end closes it. Requests without a
    /// token are the process's own user's, as on the node's socket. A connection beyond
    /// `connections_max` is closed at once.
    pub fn serve<S>(&self, stream: S) -> impl Future<Output = ()> + Send + 'static
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let user = rustix::process::geteuid().as_raw();
        self.entrance.clone().one(stream, Peer::User(user))
    }
}

impl fmt::Debug for Doors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doors").finish_non_exhaustive()
    }
}
