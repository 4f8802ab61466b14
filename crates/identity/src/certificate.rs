//! The certificate of a member: which node it is, and until when. That an authority signed it is
//! for TLS to check; this only reads.

use bary_model::time::Wall;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use crate::authority::SKEW;
use crate::key;
use crate::name::Name;

/// The name under which every member of a cluster is reached: TLS asks for one, and which member
/// it is stands in the certificate's key.
pub const MEMBER: &str = "member.bary.internal";

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// It in DER.
    pub der: Vec<u8>,
    /// What the node is called.
    pub name: Name,
    /// The node's number, which follows from its key.
    pub number: u64,
    /// From when on it is good.
    pub from: Wall,
    /// Until when, to the second.
    pub until: Wall,
}

/// Why bytes are not the certificate that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// They are none at all.
    #[error("this is no certificate in DER")]
    NotOne,
    /// Its subject is no name of a node.
    #[error("the certificate does not name a node")]
    Name,
    /// It is a member's, not an authority's.
    #[error("the certificate is not of an authority")]
    NoAuthority,
    /// The key beside it is another's.
    #[error("the key is not that of the certificate")]
    OtherKey,
}

impl Certificate {
    /// From when on another should be asked for: half-way from when it was signed to its end.
    #[must_use]
    pub fn renew_at(&self) -> Wall {
        let signed = Wall(self.from.0.saturating_add(SKEW.0)).min(self.until);
        Wall(signed.0 + (self.until.0 - signed.0) / 2)
    }

    /// Reads a member's certificate.
    ///
    /// # Errors
    /// Where it is none.
    pub fn read(der: Vec<u8>) -> Result<Self, CertificateError> {
        let (rest, read) = X509Certificate::from_der(&der).map_err(|_| CertificateError::NotOne)?;
        if !rest.is_empty() {
            return Err(CertificateError::NotOne);
        }
        let subject = read.subject().iter_common_name().next();
        let name =
            subject.and_then(|name| name.as_str().ok()).and_then(|name| Name::new(name).ok());
        let name = name.ok_or(CertificateError::Name)?;
        let number = key::number(&read.public_key().subject_public_key.data);
        let validity = read.validity();
        let (from, until) = (wall(validity.not_before), wall(validity.not_after));
        Ok(Self { name, number, from, until, der })
    }

    /// Reads an authority's certificate.
    ///
    /// # Errors
    /// Where it is none, or a member's.
    pub fn read_authority(der: &[u8]) -> Result<Self, CertificateError> {
        let (_, read) = X509Certificate::from_der(der).map_err(|_| CertificateError::NotOne)?;
        if !read.is_ca() {
            return Err(CertificateError::NoAuthority);
        }
        Self::read(der.to_vec())
    }
}

fn wall(time: ASN1Time) -> Wall {
    let seconds = u64::try_from(time.timestamp()).unwrap_or_default();
    Wall(seconds.saturating_mul(1_000_000_000))
}

#[cfg(test)]
mod tests {
    use super::{Certificate, CertificateError};

    #[test]
    fn bytes_that_are_no_certificate_are_refused() {
        for wrong in [&b""[..], b"certificate", &[0x30, 0x80], &[0x30; 64]] {
            let read = Certificate::read(wrong.to_vec());
            assert_eq!(read.err(), Some(CertificateError::NotOne));
            let read = Certificate::read_authority(wrong);
            assert_eq!(read.err(), Some(CertificateError::NotOne));
        }
    }
}
