//! How a node that is no member yet becomes one: it connects to a member, knows it by the authority
//! that signed its certificate, and shows a join token.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tonic::{Code, Request, Response, Status};

use crate::mesh::accept::Member;
use crate::mesh::dial::{DialError, channel, connect};
use crate::mesh::proto::entry_client::EntryClient;
use crate::mesh::proto::entry_server::{Entry, EntryServer};
use crate::mesh::{Mesh, MeshLimits, proto};
use crate::tls::{CredentialsError, Known, Secret, newcomer};

/// Who wants to be let in.
#[derive(Clone, Debug)]
pub struct Newcomer {
    /// The text of its join token.
    pub token: Secret,
    /// A signing request in DER, which names it.
    pub request: Vec<u8>,
    /// Where it will be reached.
    pub addresses: Vec<SocketAddr>,
}

/// What a member needs.
#[derive(Clone, Debug)]
pub struct Papers {
    /// Its certificate in DER.
    pub certificate: Vec<u8>,
    /// The authority's certificate in DER.
    pub authority: Vec<u8>,
    /// The authority's key in PKCS #8, for a member that may let others in.
    pub authority_key: Option<Secret>,
    /// What the cluster's datagrams are sealed with.
    pub secret: Secret,
    /// Some members: number, name, and where they are reached.
    pub members: Vec<(u64, Box<str>, Vec<SocketAddr>)>,
}

/// Lets newcomers in.
pub trait Gate: Send + Sync + 'static {
    /// The papers of a newcomer from an address.
    ///
    /// # Errors
    /// Where it is not let in, and why, in words for whoever runs the newcomer.
    fn admit(&self, newcomer: Newcomer, from: Option<SocketAddr>) -> Result<Papers, String>;

    /// As [`Gate::admit`], of a newcomer that another member hands on, which does not know its
    /// token.
    ///
    /// # Errors
    /// As there. It is handed on no further.
    fn admit_for(&self, member: u64, newcomer: Newcomer) -> Result<Papers, String>;
}

/// Why a node was not let in. It is no member.
#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    /// The member was not reached, or was not of the cluster.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// It could not be tried.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The member refused.
    #[error("the member at {at} refused: {why}")]
    Refused {
        /// Where it is.
        at: SocketAddr,
        /// What it said.
        why: Box<str>,
    },
    /// What it answered makes no sense.
    #[error("the member at {at} gave papers that cannot be read")]
    Papers {
        /// Where it is.
        at: SocketAddr,
    },
}

/// The most bytes of a request, and of its answer.
const BYTES_MAX: usize = 4 << 20;
/// How many members are told to a newcomer at most.
pub const MEMBERS_TOLD_MAX: usize = 64;

/// What answers newcomers.
pub fn router(gate: Arc<dyn Gate>) -> Router {
    tonic::service::Routes::new(server(gate)).into_axum_router()
}

/// What answers members that hand newcomers on; all else goes to `others`.
pub fn router_for_members(others: Router, gate: Arc<dyn Gate>) -> Router {
    tonic::service::Routes::from(others).add_service(server(gate)).into_axum_router()
}

fn server(gate: Arc<dyn Gate>) -> EntryServer<Desk> {
    EntryServer::new(Desk(gate)).max_decoding_message_size(BYTES_MAX)
}

impl Mesh {
    /// Asks another member to let a newcomer in, whose token this one does not know.
    ///
    /// # Errors
    /// Where that one is not reached, or refuses, in words; it may not know the token either.
    pub async fn hand_on(&self, member: u64, who: &Newcomer) -> Result<Papers, String> {
        let channel = self.0.ask(member).await.map_err(|error| error.to_string())?;
        let mut client = EntryClient::new(channel).max_decoding_message_size(BYTES_MAX);
        let answer = tokio::time::timeout(HAND_ON_SPAN, client.join(asked(who))).await;
        let answer = answer.map_err(|_| "no answer came in time".to_owned())?;
        let reply = answer.map_err(|status| status.message().to_owned())?;
        read(reply.into_inner()).ok_or_else(|| "its papers cannot be read".to_owned())
    }
}

/// How long a member may take that a newcomer is handed on to.
const HAND_ON_SPAN: Duration = Duration::from_secs(5);

/// What a newcomer asks.
fn asked(who: &Newcomer) -> proto::JoinRequest {
    proto::JoinRequest {
        token: String::from_utf8_lossy(&who.token.0).into_owned(),
        request: who.request.clone().into(),
        addresses: who.addresses.iter().map(SocketAddr::to_string).collect(),
    }
}

/// Finds out whether a member of the cluster is at an address; nothing is said to who is there.
///
/// # Errors
/// Where none is; see [`EnterError`].
pub async fn greet(
    at: SocketAddr,
    member: &str,
    known: Known,
    limits: &MeshLimits,
) -> Result<(), EnterError> {
    shake(at, member, known, limits).await.map(drop)
}

/// Asks a member to be let in. `known` says whether an authority's certificate in DER is the
/// cluster's.
///
/// # Errors
/// See [`EnterError`].
pub async fn enter(
    at: SocketAddr,
    member: &str,
    known: Known,
    who: &Newcomer,
    limits: &MeshLimits,
) -> Result<Papers, EnterError> {
    let tls = shake(at, member, Arc::clone(&known), limits).await?;
    let channel = channel(tls, limits).await;
    let channel = channel.map_err(|cause| DialError::Protocol { at, cause })?;
    let mut client = EntryClient::new(channel).max_decoding_message_size(BYTES_MAX);
    let answer = client.join(asked(who)).await;
    let refused = |status: Status| EnterError::Refused { at, why: status.message().into() };
    let papers = read(answer.map_err(refused)?.into_inner());
    papers.filter(|papers| known(&papers.authority)).ok_or(EnterError::Papers { at })
}

/// Connects to a member, and sees by its certificate that it is one.
async fn shake(
    at: SocketAddr,
    member: &str,
    known: Known,
    limits: &MeshLimits,
) -> Result<TlsStream<TcpStream>, EnterError> {
    let (config, name) = newcomer(member, known)?;
    let shaken = tokio::time::timeout(limits.dial_timeout, connect(at, config, name)).await;
    let tls = shaken.map_err(|_| DialError::Late { at })?;
    Ok(tls.map_err(|cause| DialError::Connect { at, cause })?)
}

fn read(reply: proto::JoinReply) -> Option<Papers> {
    let members = reply.members.into_iter().take(MEMBERS_TOLD_MAX).map(|one| {
        let addresses =
            one.addresses.iter().map(|text| text.parse().ok()).collect::<Option<_>>()?;
        Some((one.number, one.name.into(), addresses))
    });
    let key = reply.authority_key;
    Some(Papers {
        certificate: reply.certificate.into(),
        authority: reply.authority.into(),
        authority_key: (!key.is_empty()).then(|| Secret(key.into())),
        secret: Secret(reply.secret.into()),
        members: members.collect::<Option<_>>()?,
    })
}

/// Answers newcomers.
struct Desk(Arc<dyn Gate>);

#[tonic::async_trait]
impl Entry for Desk {
    async fn join(
        &self,
        call: Request<proto::JoinRequest>,
    ) -> Result<Response<proto::JoinReply>, Status> {
        let from = call.extensions().get::<SocketAddr>().copied();
        let by = call.extensions().get::<Member>().map(|Member(number)| *number);
        let asked = call.into_inner();
        let addresses = asked.addresses.iter().map(|text| text.parse().ok());
        let addresses = addresses.collect::<Option<Vec<SocketAddr>>>();
        let wrong = || Status::new(Code::InvalidArgument, "its addresses cannot be read");
        let newcomer = Newcomer {
            token: Secret(asked.token.into_bytes()),
            request: asked.request.into(),
            addresses: addresses.ok_or_else(wrong)?,
        };
        let gate = Arc::clone(&self.0);
        // Admitting writes files.
        let admit = move || match by {
            Some(member) => gate.admit_for(member, newcomer),
            None => gate.admit(newcomer, from),
        };
        let admitted = tokio::task::spawn_blocking(admit).await;
        let admitted = admitted.map_err(|_| Status::internal("letting it in failed"))?;
        let papers = admitted.map_err(|why| Status::new(Code::PermissionDenied, why))?;
        let members = papers.members.into_iter().take(MEMBERS_TOLD_MAX);
        Ok(Response::new(proto::JoinReply {
            certificate: papers.certificate.into(),
            authority: papers.authority.into(),
            authority_key: papers.authority_key.map(|key| key.0).unwrap_or_default().into(),
            secret: papers.secret.0.into(),
            members: members
                .map(|(number, name, addresses)| proto::Member {
                    number,
                    name: name.into(),
                    addresses: addresses.iter().map(SocketAddr::to_string).collect(),
                })
                .collect(),
        }))
    }
}
