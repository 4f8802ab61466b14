//! Mutual TLS between members of a cluster: both show a certificate that the cluster's authority
//! has signed. Only TLS 1.3 is spoken. Whoever is no member yet sees who answers by the authority's
//! certificate, and is asked for none himself.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig,
    SignatureScheme,
};

/// What members call their protocol when they connect (RFC 7301).
pub(crate) const PEER: &[u8] = b"bary-peer/1";
/// What whoever wants to join calls his.
pub(crate) const ENTRY: &[u8] = b"bary-entry/1";

/// Who a member is to the others.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The name under which all members are reached.
    pub member: Box<str>,
    /// Its certificate in DER.
    pub certificate: Vec<u8>,
    /// Its key in PKCS #8.
    pub key: Box<Secret>,
    /// The certificate of the cluster's authority in DER.
    pub authority: Vec<u8>,
}

/// Bytes that are not shown.
#[derive(Clone)]
pub struct Secret(pub Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Says whether an authority's certificate in DER is the one that is expected.
pub type Known = Arc<dyn Fn(&[u8]) -> bool + Send + Sync>;

/// Credentials cannot be used for TLS; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The certificates or the key are none, or not of each other.
    #[error("the certificate, its key or the authority's certificate cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
    /// The authority's certificate verifies nobody.
    #[error("the authority's certificate cannot be used: {0}")]
    Authority(#[from] rustls::server::VerifierBuilderError),
    /// The name of members is none that TLS asks for.
    #[error("`{0}` is no name of a server")]
    Name(Box<str>),
}

/// Credentials, made ready for connections.
#[derive(Clone, Debug)]
pub(crate) struct Configs {
    /// For members that connect.
    pub(crate) peer: Arc<ServerConfig>,
    /// For whoever is no member yet.
    pub(crate) entry: Arc<ServerConfig>,
    /// For connecting to members.
    pub(crate) client: Arc<ClientConfig>,
    /// Whom to ask for.
    pub(crate) member: ServerName<'static>,
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn name(member: &str) -> Result<ServerName<'static>, CredentialsError> {
    let named = ServerName::try_from(member.to_owned());
    named.map_err(|_| CredentialsError::Name(member.into()))
}

impl Configs {
    pub(crate) fn new(own: &Credentials) -> Result<Self, CredentialsError> {
        let authority = CertificateDer::from(own.authority.clone());
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone())?;
        let roots = Arc::new(roots);
        // The authority's comes along, so that a newcomer can tell whose cluster this is.
        let chain = vec![CertificateDer::from(own.certificate.clone()), authority];
        let key = || PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own.key.0.clone()));
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), provider()).build()?;
        let server =
            || ServerConfig::builder_with_provider(provider()).with_protocol_versions(&[&TLS13]);
        let mut peer =
            server()?.with_client_cert_verifier(verifier).with_single_cert(chain.clone(), key())?;
        peer.alpn_protocols = vec![PEER.to_vec()];
        let mut entry = server()?.with_no_client_auth().with_single_cert(chain.clone(), key())?;
        entry.alpn_protocols = vec![ENTRY.to_vec()];
        let mut client = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key())?;
        client.alpn_protocols = vec![PEER.to_vec()];
        let member = name(&own.member)?;
        let (peer, entry, client) = (Arc::new(peer), Arc::new(entry), Arc::new(client));
        Ok(Self { peer, entry, client, member })
    }
}

/// Whether a certificate is for who is reached under this name.
pub(crate) fn is_of(certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
    let read = ParsedCertificate::try_from(certificate);
    read.is_ok_and(|read| verify_server_name(&read, name).is_ok())
}

/// What a newcomer connects with: he takes for a member whoever has a certificate of an authority
/// that `known` knows.
pub(crate) fn newcomer(
    member: &str,
    known: Known,
) -> Result<(Arc<ClientConfig>, ServerName<'static>), CredentialsError> {
    let verifier = Arc::new(Pinned { known, provider: provider() });
    let mut client = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    client.alpn_protocols = vec![ENTRY.to_vec()];
    Ok((Arc::new(client), name(member)?))
}

/// Verifies a server by the authority that it names, where that is the known one.
struct Pinned {
    known: Known,
    provider: Arc<CryptoProvider>,
}

impl std::fmt::Debug for Pinned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pinned")
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let known = intermediates.iter().find(|authority| (self.known)(authority));
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let authority = known.ok_or_else(|| unknown.clone())?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        let provider = Arc::clone(&self.provider);
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = verifier.build().map_err(|_| unknown)?;
        verifier.verify_server_cert(end_entity, &[], server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let schemes = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, schemes)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let schemes = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, schemes)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
