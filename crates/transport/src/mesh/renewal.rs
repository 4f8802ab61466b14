//! How a member gets another certificate before its own runs out: it asks one that may sign, and
//! shows the old one by the connection.

use std::sync::Arc;

use axum::Router;
use tonic::{Request, Response, Status};

use crate::mesh::Mesh;
use crate::mesh::accept::Member;
use crate::mesh::dial::DialError;
use crate::mesh::proto::renewal_client::RenewalClient;
use crate::mesh::proto::renewal_server::{Renewal, RenewalServer};
use crate::mesh::proto::{RenewReply, RenewRequest};
use crate::mesh::shelf::FetchError;

/// Signs certificates for members.
pub trait Renews: Send + Sync + 'static {
    /// Another certificate in DER for the member of this number.
    ///
    /// # Errors
    /// Where it gets none, and why, in words for whoever runs it.
    fn renew(&self, member: u64, request: Vec<u8>) -> Result<Vec<u8>, String>;
}

/// Why there is no other certificate.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// The member was not reached.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// It is not known where the member is.
    #[error("the member is not known")]
    Unknown,
    /// The member refused.
    #[error("the member refused: {0}")]
    Refused(Box<str>),
}

/// The most bytes of a request.
const BYTES_MAX: usize = 64 << 10;

/// What answers members, and those too whose certificates run out.
pub fn router(others: Router, renews: Arc<dyn Renews>) -> Router {
    let server = RenewalServer::new(Desk(renews)).max_decoding_message_size(BYTES_MAX);
    tonic::service::Routes::from(others).add_service(server).into_axum_router()
}

impl Mesh {
    /// Asks a member for another certificate.
    ///
    /// # Errors
    /// See [`RenewError`].
    pub async fn renewed(&self, member: u64, request: Vec<u8>) -> Result<Vec<u8>, RenewError> {
        let channel = self.0.ask(member).await.map_err(|error| match error {
            FetchError::Dial(error) => RenewError::Dial(error),
            _ => RenewError::Unknown,
        })?;
        let asked = RenewRequest { request: request.into() };
        let answer = RenewalClient::new(channel).renew(asked).await;
        // The connection may be one that has ended.
        self.0.asking.lock().await.remove(&member);
        let refused = |status: Status| RenewError::Refused(status.message().into());
        Ok(answer.map_err(refused)?.into_inner().certificate.into())
    }
}

/// Answers members.
struct Desk(Arc<dyn Renews>);

#[tonic::async_trait]
impl Renewal for Desk {
    async fn renew(&self, call: Request<RenewRequest>) -> Result<Response<RenewReply>, Status> {
        let who = call.extensions().get::<Member>().copied();
        let Member(member) = who.ok_or_else(|| Status::unauthenticated("it showed nothing"))?;
        let (renews, request) = (Arc::clone(&self.0), call.into_inner().request.into());
        // Signing writes a line of the audit log.
        let signed = tokio::task::spawn_blocking(move || renews.renew(member, request)).await;
        let signed = signed.map_err(|_| Status::internal("signing failed"))?;
        let certificate = signed.map_err(Status::permission_denied)?.into();
        Ok(Response::new(RenewReply { certificate }))
    }
}
