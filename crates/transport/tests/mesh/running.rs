//! Members that run, for the tests of what they do together.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bary_transport::mesh::accept::Doors;
use bary_transport::mesh::{Ears, Mesh, MeshLimits};
use bary_transport::tls::{Credentials, Secret};
use bytes::Bytes;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

pub(crate) const MEMBER: &str = "member.test.internal";

/// Something that a mesh has told.
#[derive(Debug, PartialEq)]
pub(crate) enum Told {
    Frame(u64, Bytes),
    Linked(u64, bool),
    Refused(String),
    /// It was asked what it never answers.
    Asked,
}

/// A cluster's authority.
pub(crate) struct Authority {
    pub(crate) params: CertificateParams,
    pub(crate) key: KeyPair,
    pub(crate) der: Vec<u8>,
}

/// Tells all, and knows members by the number that their certificates begin their serial with.
pub(crate) struct Listening {
    pub(crate) told: UnboundedSender<Told>,
    pub(crate) strict: AtomicBool,
    pub(crate) known: Mutex<Vec<(Vec<u8>, u64)>>,
}

/// A member that runs.
pub(crate) struct Running {
    pub(crate) mesh: Mesh,
    pub(crate) ears: Arc<Listening>,
    pub(crate) told: UnboundedReceiver<Told>,
    pub(crate) at: SocketAddr,
    pub(crate) closing: watch::Sender<bool>,
}

impl Ears for Listening {
    fn welcome(&self, certificate: &[u8]) -> Option<u64> {
        let known = self.known.lock().expect("nobody panics with it");
        let known = known.iter().find(|(der, _)| der == certificate).map(|(_, number)| *number);
        known.filter(|_| !self.strict.load(Ordering::Relaxed))
    }

    fn frame(&self, from: u64, frame: Bytes) {
        // Whoever does not listen any more has seen enough.
        drop(self.told.send(Told::Frame(from, frame)));
    }

    fn linked(&self, member: u64, there: bool) {
        drop(self.told.send(Told::Linked(member, there)));
    }

    fn refused(&self, _: SocketAddr, why: &str) {
        drop(self.told.send(Told::Refused(why.to_owned())));
    }

    fn unreached(&self, _: u64, why: &str) {
        drop(self.told.send(Told::Refused(why.to_owned())));
    }
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("the system has dice");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let der = params.self_signed(&key).expect("it can be signed").der().to_vec();
        Self { params, key, der }
    }

    pub(crate) fn credentials(&self) -> Credentials {
        self.until(4_000)
    }

    pub(crate) fn until(&self, year: i32) -> Credentials {
        self.signed(MEMBER, year)
    }

    pub(crate) fn signed(&self, name: &str, year: i32) -> Credentials {
        let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("the system has dice");
        let mut params = CertificateParams::new([name.to_owned()]).expect("a good name");
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.not_after = date_time_ymd(year, 1, 1);
        let issuer = Issuer::from_params(&self.params, &self.key);
        let signed = params.signed_by(&key, &issuer).expect("it can be signed");
        Credentials {
            member: MEMBER.into(),
            certificate: signed.der().to_vec(),
            key: Box::new(Secret(key.serialize_der())),
            authority: self.der.clone(),
        }
    }
}

impl Running {
    pub(crate) async fn start(
        number: u64,
        own: &Credentials,
        at: SocketAddr,
        newcomers: Router,
    ) -> Self {
        let (tell, told) = unbounded_channel();
        let known = Mutex::default();
        let ears = Arc::new(Listening { told: tell, strict: AtomicBool::new(false), known });
        let heard = Arc::clone(&ears) as Arc<dyn Ears>;
        let mesh = Mesh::new(number, own, MeshLimits::default(), heard, Handle::current());
        let mesh = mesh.expect("the credentials are good");
        let listener = TcpListener::bind(at).await.expect("loopback has a port");
        let at = listener.local_addr().expect("it is bound");
        let (closing, closed) = watch::channel(false);
        let silent = || Body::from_stream(tokio_stream::pending::<Result<Bytes, Infallible>>());
        let asked = ears.told.clone();
        let never = async move || {
            // Whoever does not listen any more has seen enough.
            drop(asked.send(Told::Asked));
            std::future::pending::<()>().await;
        };
        let members =
            Router::new().route("/never", get(never)).route("/begun", get(async move || silent()));
        let doors = Doors { members, newcomers };
        tokio::spawn(mesh.clone().serve(listener, doors, closed));
        Self { mesh, ears, told, at, closing }
    }

    /// Takes `other` for the member `number`.
    pub(crate) fn know(&self, number: u64, other: &Credentials) {
        let mut known = self.ears.known.lock().expect("nobody panics with it");
        known.push((other.certificate.clone(), number));
    }

    pub(crate) async fn next(&mut self) -> Told {
        let told = tokio::time::timeout(Duration::from_secs(60), self.told.recv()).await;
        told.expect("it is told in a minute").expect("it is there")
    }

    /// The next frame.
    pub(crate) async fn frame(&mut self) -> (u64, Bytes) {
        loop {
            match self.next().await {
                Told::Frame(from, frame) => return (from, frame),
                Told::Linked(..) | Told::Asked => {}
                Told::Refused(why) => panic!("{why}"),
            }
        }
    }
}

pub(crate) fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Two members that know each other.
pub(crate) async fn pair() -> (Running, Running) {
    let authority = Authority::new();
    let own = [authority.credentials(), authority.credentials()];
    let one = Running::start(1, &own[0], loopback(), Router::new()).await;
    let two = Running::start(2, &own[1], loopback(), Router::new()).await;
    one.know(2, &own[1]);
    two.know(1, &own[0]);
    one.mesh.place(2, vec![two.at]);
    two.mesh.place(1, vec![one.at]);
    (one, two)
}
