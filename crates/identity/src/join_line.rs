//! The line that lets a node join a cluster: `CLUSTER[@ADDRESS,..]/TOKEN/FINGERPRINT`, one word.
//! Who has it can join, and knows the cluster when he meets it.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use crate::fingerprint::{Fingerprint, FingerprintError};
use crate::name::{Name, NameError};
use crate::token::{Token, TokenError};

/// How many addresses a line has at most.
pub const ADDRESSES_MAX: usize = 16;

/// A join line. `Debug` does not show its token.
#[derive(Debug)]
pub struct JoinLine {
    /// What the cluster is called.
    pub cluster: Name,
    /// Where members of it are reached; none where the network is to be searched.
    pub addresses: Vec<SocketAddr>,
    /// What lets in.
    pub token: Token,
    /// By what the cluster is known.
    pub fingerprint: Fingerprint,
}

/// Why a text is no join line. It does not hold the text, which has a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinLineError {
    /// It has not three parts.
    #[error("a join line is CLUSTER[@ADDRESS,..]/TOKEN/FINGERPRINT, as `bary up` prints it")]
    Parts,
    /// The cluster's name is none.
    #[error("the cluster's name in the join line: {0}")]
    Cluster(#[from] NameError),
    /// An address is none.
    #[error("`{0}` in the join line is no address; write one as 10.0.0.5:8471 or [::1]:8471")]
    Address(Box<str>),
    /// It has too many addresses.
    #[error("the join line has more than {ADDRESSES_MAX} addresses")]
    TooMany,
    /// Its token is none.
    #[error("in the join line, between the slashes: {0}")]
    Token(#[from] TokenError),
    /// Its fingerprint is none.
    #[error("at the end of the join line: {0}")]
    Fingerprint(#[from] FingerprintError),
}

impl JoinLine {
    /// Its text, which has the token in it.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{}/{}/{}", self.place(), self.token.reveal(), self.fingerprint)
    }

    /// The cluster and where it is.
    fn place(&self) -> String {
        let addresses: Vec<String> = self.addresses.iter().map(SocketAddr::to_string).collect();
        let at = if addresses.is_empty() { "" } else { "@" };
        format!("{}{at}{}", self.cluster.as_str(), addresses.join(","))
    }
}

impl FromStr for JoinLine {
    type Err = JoinLineError;

    fn from_str(text: &str) -> Result<Self, JoinLineError> {
        let mut parts = text.trim().split('/');
        let all = (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some(place), Some(token), Some(print), None) = all else {
            return Err(JoinLineError::Parts);
        };
        // A cluster's name may have an `@` in it; no address does.
        let is_address = |text: &str| text.contains(':');
        let place = place
            .rsplit_once('@')
            .filter(|(_, at)| is_address(at))
            .map_or((place, None), |(cluster, addresses)| (cluster, Some(addresses)));
        let (cluster, addresses) = place;
        let addresses = addresses.into_iter().flat_map(|addresses| addresses.split(','));
        let addresses =
            addresses.map(|text| text.parse().map_err(|_| JoinLineError::Address(text.into())));
        let addresses: Vec<SocketAddr> = addresses.collect::<Result<_, _>>()?;
        if addresses.len() > ADDRESSES_MAX {
            return Err(JoinLineError::TooMany);
        }
        Ok(Self {
            cluster: Name::new(cluster)?,
            addresses,
            token: Token::parse(token)?,
            fingerprint: print.parse()?,
        })
    }
}

impl fmt::Display for JoinLine {
    /// Without its token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/bary_***/{}", self.place(), self.fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::{JoinLine, JoinLineError};
    use crate::fingerprint::Fingerprint;
    use crate::name::Name;
    use crate::token::Token;

    fn line(cluster: &str, addresses: &[&str]) -> JoinLine {
        JoinLine {
            cluster: Name::new(cluster).expect("the test names it well"),
            addresses: addresses.iter().map(|text| text.parse().expect("an address")).collect(),
            token: Token::new([7; 32]),
            fingerprint: Fingerprint::of(b"a certificate"),
        }
    }

    #[test]
    fn a_line_is_one_word_and_read_as_it_was_written() {
        let tables: [(&str, &[&str]); 4] = [
            ("lab", &[]),
            ("lab", &["10.0.0.5:8471"]),
            ("a@b", &[]),
            ("a@b", &["[::1]:1", "10.0.0.5:2"]),
        ];
        for (cluster, addresses) in tables {
            let written = line(cluster, addresses);
            let text = written.reveal();
            assert!(!text.contains(char::is_whitespace), "{text}");
            let read: JoinLine = text.parse().expect("it was written as one");
            assert_eq!(read.reveal(), text);
            assert_eq!((&read.cluster, &read.addresses), (&written.cluster, &written.addresses));
        }
    }

    #[test]
    fn a_line_is_shown_without_its_token() {
        let line = line("lab", &["10.0.0.5:8471"]);
        let shown = format!("{line} {line:?}");
        assert!(!shown.contains(&line.token.reveal()[5..15]), "{shown}");
    }

    #[test]
    fn a_fault_names_its_part() {
        let good = line("lab", &["10.0.0.5:8471"]).reveal();
        let parts: Vec<&str> = good.split('/').collect();
        let (token, print) = (parts[1], parts[2]);
        let table = [
            (String::new(), "CLUSTER[@ADDRESS,..]/TOKEN/FINGERPRINT"),
            (format!("lab/{token}"), "CLUSTER[@ADDRESS,..]/TOKEN/FINGERPRINT"),
            (format!("{good}/x"), "CLUSTER[@ADDRESS,..]/TOKEN/FINGERPRINT"),
            (format!("/{token}/{print}"), "the cluster's name"),
            (format!("lab@10.0.0.5:x/{token}/{print}"), "`10.0.0.5:x` in the join line"),
            (format!("lab@10.0.0.5:1,/{token}/{print}"), "`` in the join line"),
            (format!("lab/{}/{print}", &token[1..]), "between the slashes"),
            (format!("lab/{token}/{}", &print[1..]), "at the end of the join line"),
        ];
        for (text, told) in table {
            let error = text.parse::<JoinLine>().expect_err("it is wrong").to_string();
            assert!(error.contains(told), "{text}: {error}");
            assert!(!error.contains(&token[5..15]), "{error}");
        }
        let many = ["10.0.0.5:1"; 17].join(",");
        let many = format!("lab@{many}/{token}/{print}").parse::<JoinLine>();
        assert!(matches!(many, Err(JoinLineError::TooMany)));
    }
}
