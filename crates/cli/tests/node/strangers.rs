//! Whoever shows a member a certificate that is not good is told nothing, and the audit log says
//! that he came and why he was not let in.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use bary_identity::certificate::MEMBER;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};

use crate::lab::{Lab, Member};

/// A certificate and its key.
struct Papers {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

/// A member, and where others reach it.
fn member(lab: &Lab) -> (Member, SocketAddr, String) {
    let (alpha, line) = lab.found("alpha");
    let at = line.split(['@', '/']).nth(1).unwrap_or_default();
    (alpha, at.parse().expect("a line has an address"), line)
}

fn file(lab: &Lab, name: &str) -> Vec<u8> {
    std::fs::read(lab.bench.path().join(name)).expect("members keep it")
}

/// Papers under a name, good until a year, that an authority with this key has signed.
fn signed(authority: &Issuer<'_, KeyPair>, name: &str, year: i32) -> Papers {
    let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("the system has dice");
    let mut params = CertificateParams::new([name.to_owned()]).expect("a good name");
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.not_after = date_time_ymd(year, 1, 1);
    let certificate = params.signed_by(&key, authority).expect("it can be signed");
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    Papers { certificate: certificate.der().clone(), key }
}

/// The authority of alpha's cluster: who has its key can make such papers.
fn authority(lab: &Lab) -> Issuer<'static, KeyPair> {
    let key = KeyPair::try_from(file(lab, "alpha/cluster/authority-key")).expect("it is a key");
    let of = CertificateDer::from(file(lab, "alpha/cluster/authority"));
    Issuer::from_ca_cert_der(&of, key).expect("they are of each other")
}

/// What a member answers to somebody with these papers who asks for something at once.
fn answer(lab: &Lab, at: SocketAddr, papers: Papers) -> Vec<u8> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(file(lab, "alpha/cluster/authority"))).expect("it is one");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .expect("it is spoken")
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![papers.certificate], papers.key);
    let mut config = config.expect("they are of each other");
    config.alpn_protocols = vec![b"bary-peer/1".to_vec()];
    let name = ServerName::try_from(MEMBER).expect("a good name");
    let mut tls = ClientConnection::new(Arc::new(config), name).expect("all is said");
    let mut tcp = TcpStream::connect(at).expect("it listens");
    let mut stream = Stream::new(&mut tls, &mut tcp);
    let (preface, settings) = (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [0, 0, 0, 4, 0, 0, 0, 0, 0]);
    let mut heard = Vec::new();
    // It may be told off while it still speaks.
    let said = stream.write_all(preface).and_then(|()| stream.write_all(&settings));
    if said.and_then(|()| stream.flush()).is_ok() {
        // The end of the connection is what is waited for, however it comes.
        drop(stream.read_to_end(&mut heard));
    }
    heard
}

/// The reason in the only line of the audit log about somebody who was not let in.
fn reason(lab: &Lab, alpha: &mut Member) -> String {
    alpha.line("was not let in");
    let audit = lab.ask(alpha, &["audit", "-o", "json"]).json();
    let lines = audit["lines"].as_array().into_iter().flatten();
    let mut refused = lines.filter(|line| line["verb"] == "connect");
    let line = refused.next().expect("it is written down");
    assert_eq!((&line["door"], &line["outcome"]), (&"member".into(), &"refused".into()), "{line}");
    assert!(refused.next().is_none(), "{audit}");
    line["reason"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_certificate_that_has_run_out_opens_nothing() {
    let lab = Lab::new();
    let (mut alpha, at, _) = member(&lab);
    let papers = signed(&authority(&lab), MEMBER, 2_000);
    assert_eq!(answer(&lab, at, papers), b"");
    let reason = reason(&lab, &mut alpha);
    assert!(reason.contains("xpired"), "{reason}");
}

#[test]
fn a_certificate_of_another_authority_opens_nothing() {
    let lab = Lab::new();
    let (mut alpha, at, _) = member(&lab);
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("the system has dice");
    let papers = signed(&Issuer::new(params, key), MEMBER, 4_000);
    assert_eq!(answer(&lab, at, papers), b"");
    let reason = reason(&lab, &mut alpha);
    assert!(reason.contains("UnknownIssuer"), "{reason}");
}

#[test]
fn a_certificate_under_another_name_opens_nothing() {
    let lab = Lab::new();
    let (mut alpha, at, _) = member(&lab);
    let papers = signed(&authority(&lab), "printer.bary.internal", 4_000);
    assert_eq!(answer(&lab, at, papers), b"");
    assert_eq!(reason(&lab, &mut alpha), "its certificate is not for members");
}

#[test]
fn a_certificate_that_was_revoked_opens_nothing() {
    let lab = Lab::new();
    let (mut alpha, at, line) = member(&lab);
    let beta = lab.join("beta", &line);
    alpha.meets(&beta);
    let papers = || Papers {
        certificate: file(&lab, "beta/cluster/certificate").into(),
        key: PrivatePkcs8KeyDer::from(file(&lab, "beta/cluster/key")).into(),
    };
    drop(beta);
    alpha.line("member beta has gone");
    assert_ne!(answer(&lab, at, papers()), b"", "it is good so far");
    lab.ask(&alpha, &["node", "remove", "beta"]).says(0, "beta is a member no more");
    assert_eq!(answer(&lab, at, papers()), b"");
    assert_eq!(reason(&lab, &mut alpha), "its certificate is not welcome any more");
}
