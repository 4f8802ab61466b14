//! The authority of a cluster: its key signs the certificates by which members know each other.
//! Nothing here draws numbers or reads clocks; the key and each serial number are arguments.

use std::fmt;

use bary_model::time::{Span, Wall};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyUsagePurpose, SanType, SerialNumber,
};
use rustls_pki_types::{CertificateDer, CertificateSigningRequestDer};
use time::OffsetDateTime;

use crate::certificate::{Certificate, CertificateError, MEMBER};
use crate::fingerprint::Fingerprint;
use crate::key::{Key, called};
use crate::name::Name;

/// How far the clocks of two members may be apart: a certificate is good that long before it was
/// made.
pub const SKEW: Span = Span::secs(3_600);
/// How long an authority is good for: about 20 years.
pub const AUTHORITY_SPAN: Span = Span::secs(20 * 365 * 86_400);
/// How long a member's certificate is good for where nobody says: a week, as members renew theirs
/// at half of it.
pub const MEMBER_SPAN: Span = Span::secs(7 * 86_400);

/// What signs.
pub struct Authority {
    key: Key,
    certificate: Vec<u8>,
}

/// Why no authority was made, or nothing was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The request is none, or does not prove that its key is known.
    #[error("this is no signing request, or its signature is wrong")]
    Request,
    /// The request asks for no name, or for one that cannot be.
    #[error("the signing request names no node, or not as one can be named")]
    Name,
    /// The library refused.
    #[error("nothing was signed: {0}")]
    Library(rcgen::Error),
    /// What was signed cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

impl Authority {
    /// A new authority for a cluster of this name. The key must be a new one.
    ///
    /// # Errors
    /// Where the library refuses.
    pub fn found(cluster: &Name, key: Key, serial: [u8; 16], now: Wall) -> Result<Self, SignError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = called(cluster);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        for_span(&mut params, serial, now, AUTHORITY_SPAN);
        let certificate = params.self_signed(key.pair()).map_err(SignError::Library)?;
        Ok(Self { certificate: certificate.der().to_vec(), key })
    }

    /// The authority of a certificate and its key.
    ///
    /// # Errors
    /// Where they are not of each other.
    pub fn read(certificate: Vec<u8>, key: Key) -> Result<Self, CertificateError> {
        let read = Certificate::read_authority(&certificate)?;
        if read.number != key.number() {
            return Err(CertificateError::OtherKey);
        }
        Ok(Self { key, certificate })
    }

    /// Its certificate in DER, which everybody may have.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Its key, which only those get that may let others in.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// By what the cluster is known.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate)
    }

    /// Signs what a node asks for: a certificate under the name that it asks for, good for `span`
    /// from `now` on. Only key and name are taken from the request.
    ///
    /// # Errors
    /// Where the request is none, or the library refuses.
    pub fn sign(
        &self,
        request: &[u8],
        serial: [u8; 16],
        now: Wall,
        span: Span,
    ) -> Result<Certificate, SignError> {
        let der = CertificateSigningRequestDer::from(request);
        let asked = CertificateSigningRequestParams::from_der(&der);
        let mut asked = asked.map_err(|_| SignError::Request)?;
        let name = wanted(&asked.params)?;
        let params = &mut asked.params;
        *params = CertificateParams::default();
        params.distinguished_name = called(&name);
        let usages = [ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.extended_key_usages = usages.to_vec();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let member = MEMBER.try_into().map_err(SignError::Library)?;
        params.subject_alt_names = vec![SanType::DnsName(member)];
        for_span(params, serial, now, span);
        let authority = CertificateDer::from(self.certificate.as_slice());
        let issuer = Issuer::from_ca_cert_der(&authority, self.key.pair());
        let signed = asked.signed_by(&issuer.map_err(SignError::Library)?);
        let signed = signed.map_err(SignError::Library)?;
        Ok(Certificate::read(signed.der().to_vec())?)
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authority({})", self.fingerprint())
    }
}

/// The name that a request asks for.
fn wanted(params: &CertificateParams) -> Result<Name, SignError> {
    let name = match params.distinguished_name.get(&DnType::CommonName) {
        Some(rcgen::DnValue::Utf8String(name)) => name.as_str(),
        Some(rcgen::DnValue::PrintableString(name)) => name.as_str(),
        _ => return Err(SignError::Name),
    };
    Name::new(name).map_err(|_| SignError::Name)
}

fn for_span(params: &mut CertificateParams, serial: [u8; 16], now: Wall, span: Span) {
    // The first bit stands for a sign, and a serial number is above zero (RFC 5280, 4.1.2.2).
    let mut serial = serial;
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.not_before = calendar(Wall(now.0.saturating_sub(SKEW.0)));
    params.not_after = calendar(Wall(now.0.saturating_add(span.0)));
}

/// The moment to the second, as certificates have it; the beginning of 1970 for one beyond what
/// the calendar knows, which no clock shows.
fn calendar(at: Wall) -> OffsetDateTime {
    let seconds = i64::try_from(at.0 / 1_000_000_000).unwrap_or_default();
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use bary_model::time::{Span, Wall};

    use super::{Authority, MEMBER_SPAN, SKEW, SignError};
    use crate::certificate::CertificateError;
    use crate::key::Key;
    use crate::name::Name;

    const NOW: Wall = Wall(1_763_745_574_000_000_000);

    fn name(text: &str) -> Name {
        Name::new(text).expect("the test names them well")
    }

    fn key(seed: u8) -> Key {
        Key::new([seed; 32]).expect("32 bytes are a key")
    }

    fn authority() -> Authority {
        Authority::found(&name("lab"), key(1), [1; 16], NOW).expect("all is good")
    }

    #[test]
    fn what_is_signed_says_who_it_is_and_until_when() {
        let (authority, node) = (authority(), key(2));
        let request = node.request(&name("alpha")).expect("a key can ask");
        let signed = authority.sign(&request, [7; 16], NOW, MEMBER_SPAN).expect("all is good");
        assert_eq!((signed.name.as_str(), signed.number), ("alpha", node.number()));
        assert_eq!(signed.from, Wall(NOW.0 - SKEW.0));
        assert_eq!(signed.until, Wall(NOW.0 + MEMBER_SPAN.0));
        assert_eq!(signed.renew_at(), Wall(NOW.0 + MEMBER_SPAN.0 / 2));
    }

    #[test]
    fn a_request_whose_key_is_not_known_is_not_signed() {
        let request = key(2).request(&name("alpha")).expect("a key can ask");
        for at in [10, request.len() / 2, request.len() - 1] {
            let mut changed = request.clone();
            changed[at] ^= 1;
            let signed = authority().sign(&changed, [7; 16], NOW, MEMBER_SPAN);
            assert_eq!(signed.err(), Some(SignError::Request), "byte {at}");
        }
    }

    #[test]
    fn an_authority_is_read_with_its_own_key_only() {
        let founded = authority();
        let read = Authority::read(founded.certificate().to_vec(), key(1)).expect("it is its own");
        assert_eq!(read.fingerprint(), founded.fingerprint());
        let other = Authority::read(founded.certificate().to_vec(), key(2));
        assert_eq!(other.err(), Some(CertificateError::OtherKey));
    }

    #[test]
    fn a_member_is_no_authority() {
        let request = key(2).request(&name("alpha")).expect("a key can ask");
        let signed = authority().sign(&request, [7; 16], NOW, Span::secs(60)).expect("all is good");
        let other = Authority::read(signed.der, key(2));
        assert_eq!(other.err(), Some(CertificateError::NoAuthority));
    }

    #[test]
    fn two_clusters_of_one_name_are_not_one() {
        let other = Authority::found(&name("lab"), key(3), [1; 16], NOW).expect("all is good");
        assert_ne!(other.fingerprint(), authority().fingerprint());
    }
}
