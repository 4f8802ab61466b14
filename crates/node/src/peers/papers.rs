//! What makes a node a member of a cluster: its key, the certificate that the cluster's authority
//! gave it, and, where it may let others in, the authority's key. They are files under `cluster/`
//! of its state. The certificate is written last: with it the node is a member, without it not.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use bary_identity::authority::{Authority, SignError};
use bary_identity::certificate::{Certificate, CertificateError, MEMBER};
use bary_identity::fingerprint::Fingerprint;
use bary_identity::join_line::JoinLine;
use bary_identity::key::{Key, KeyError, RequestError};
use bary_identity::name::Name;
use bary_model::time::Span;
use bary_transport::mesh::MeshLimits;
use bary_transport::mesh::entry::{EnterError, Newcomer, Papers as Given, enter};
use bary_transport::tls::{Credentials, Known, Secret};

use super::book::Book;
use super::file;
use super::seeking::NotFound;
use crate::access::chance;
use crate::board::clock;

/// The directory of the papers in a state.
pub(crate) const DIR: &str = "cluster";
const KEY: &str = "key";
const CERTIFICATE: &str = "certificate";
const AUTHORITY: &str = "authority";
const AUTHORITY_KEY: &str = "authority-key";
const SECRET: &str = "secret";
/// The file of the number of lives that the member had so far.
const LIVES: &str = "lives";

/// A member's papers.
#[derive(Debug)]
pub struct Papers {
    pub(super) dir: PathBuf,
    key: Key,
    name: Name,
    number: u64,
    certificate: RwLock<Certificate>,
    authority: Certificate,
    /// What signs, where this member may let others in.
    pub(super) admits: Option<Authority>,
    /// What the cluster's datagrams are to be sealed with.
    pub(super) secret: Secret,
}

/// What a newcomer is called, and where others will reach it.
#[derive(Clone, Debug)]
pub struct Who {
    /// Its name.
    pub name: Name,
    /// Its addresses.
    pub addresses: Vec<SocketAddr>,
}

/// Why there are no papers. The state is as it was.
#[derive(Debug, thiserror::Error)]
pub enum PapersError {
    /// A file cannot be read or written.
    #[error("`{}`: {cause}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// A file is not what was written.
    #[error("`{}` is damaged: {what}; restore it from a copy", file.display())]
    Damaged {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The state is a member of another cluster.
    #[error("the state is a member of the cluster `{mine}`, not of `{asked}`")]
    Other {
        /// Of which it is.
        mine: Name,
        /// Of which it is to be.
        asked: Name,
    },
    /// The certificate's time is over.
    #[error("the certificate of this member has run out; have it let in again: bary join LINE")]
    RanOut,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Chance(#[source] io::Error),
    /// No certificate was made.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// No certificate was asked for.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The join line names no address, and none is looked for.
    #[error("the join line has no address; write one behind the cluster's name, as lab@HOST:PORT")]
    NoAddress,
    /// Nobody was found.
    #[error(transparent)]
    NotFound(#[from] NotFound),
    /// No member let this node in.
    #[error("no member let this node in: {0}")]
    Enter(#[from] EnterError),
}

fn failed(file: &Path) -> impl FnOnce(io::Error) -> PapersError {
    move |cause| PapersError::File { file: file.to_owned(), cause }
}

fn damaged(file: &Path, what: impl ToString) -> PapersError {
    PapersError::Damaged { file: file.to_owned(), what: what.to_string() }
}

impl Papers {
    /// Those of a state; none where it is in no cluster.
    ///
    /// # Errors
    /// Where there are some that cannot be used.
    pub fn of(state: &Path) -> Result<Option<Self>, PapersError> {
        let dir = state.join(DIR);
        let at = dir.join(CERTIFICATE);
        let Some(certificate) = file::read(&at).map_err(failed(&at))? else { return Ok(None) };
        let certificate = Certificate::read(certificate).map_err(|error| damaged(&at, error))?;
        let need = |name: &str| {
            let at = dir.join(name);
            let bytes = file::read(&at).map_err(failed(&at))?;
            bytes.ok_or_else(|| damaged(&at, "it is missing"))
        };
        let key = key(&dir, KEY, need(KEY)?)?;
        if key.number() != certificate.number {
            return Err(damaged(&at, CertificateError::OtherKey));
        }
        let authority = need(AUTHORITY)?;
        let path = dir.join(AUTHORITY_KEY);
        let admits = match file::read(&path).map_err(failed(&path))? {
            None => None,
            Some(bytes) => {
                let key = self::key(&dir, AUTHORITY_KEY, bytes)?;
                let read = Authority::read(authority.clone(), key);
                Some(read.map_err(|error| damaged(&path, error))?)
            }
        };
        let read = Certificate::read_authority(&authority);
        let authority = read.map_err(|error| damaged(&dir.join(AUTHORITY), error))?;
        let secret = Secret(need(SECRET)?);
        let (name, number) = (certificate.name.clone(), certificate.number);
        let certificate = RwLock::new(certificate);
        Ok(Some(Self { dir, key, name, number, certificate, authority, admits, secret }))
    }

    /// Founds a cluster, of which this node is the first member and may let others in.
    ///
    /// # Errors
    /// Where files cannot be written, or nothing can be drawn.
    pub fn found(
        state: &Path,
        cluster: &Name,
        name: &Name,
        span: Span,
    ) -> Result<Self, PapersError> {
        let now = clock::now();
        let authority = Authority::found(cluster, new_key()?, serial()?, now)?;
        let key = new_key()?;
        let signed = authority.sign(&key.request(name)?, serial()?, now, span)?;
        let given = Given {
            certificate: signed.der,
            authority: authority.certificate().to_vec(),
            authority_key: Some(Secret(authority.key().reveal().to_vec())),
            secret: Secret(draw()?.to_vec()),
            members: Vec::new(),
        };
        Self::keep(state, &key, &given)
    }

    /// Has a member let this node in, and keeps what it gives. Members `at` these addresses are
    /// tried in turn: one that refuses may not know of an invitation that another made.
    ///
    /// # Errors
    /// Where none does.
    pub async fn enter(
        state: &Path,
        line: &JoinLine,
        at: &[SocketAddr],
        who: &Who,
    ) -> Result<Self, PapersError> {
        let key = match Self::of(state)? {
            // Who was a member before is the same one again.
            Some(papers) => papers.key,
            None => new_key()?,
        };
        let addresses = who.addresses.clone();
        let token = Secret(line.token.reveal().as_bytes().to_vec());
        let who = Newcomer { token, request: key.request(&who.name)?, addresses };
        let fingerprint = line.fingerprint;
        let known: Known = Arc::new(move |der: &[u8]| Fingerprint::of(der) == fingerprint);
        let mut why = PapersError::NoAddress;
        for &at in at {
            match enter(at, MEMBER, Arc::clone(&known), &who, &MeshLimits::default()).await {
                Ok(given) => return Self::keep(state, &key, &given),
                // What the first one says that refuses tells more than what the others do.
                Err(_) if matches!(why, PapersError::Enter(EnterError::Refused { .. })) => {}
                Err(error) => why = error.into(),
            }
        }
        Err(why)
    }

    pub(super) fn keep(state: &Path, key: &Key, given: &Given) -> Result<Self, PapersError> {
        let dir = state.join(DIR);
        file::directory(&dir).map_err(failed(&dir))?;
        let keep = |name: &str, bytes: &[u8]| {
            let at = dir.join(name);
            file::write(&at, bytes).map_err(failed(&at))
        };
        keep(KEY, key.reveal())?;
        keep(AUTHORITY, &given.authority)?;
        if let Some(key) = &given.authority_key {
            keep(AUTHORITY_KEY, &key.0)?;
        }
        keep(SECRET, &given.secret.0)?;
        let book = Book::open(&dir).map_err(|error| damaged(&dir, error))?;
        // One that is let in again is in the list that it is given.
        let others = given.members.iter().filter(|(number, ..)| *number != key.number());
        for (number, name, addresses) in others {
            if let Ok(name) = Name::new(name) {
                book.note(*number, &name, addresses);
            }
        }
        book.save().map_err(failed(&dir))?;
        keep(CERTIFICATE, &given.certificate)?;
        Self::of(state)?.ok_or_else(|| damaged(&dir, "it was not kept"))
    }

    /// That this is the cluster that is asked for.
    ///
    /// # Errors
    /// Where it is another.
    pub fn check(&self, cluster: &Name, print: Option<Fingerprint>) -> Result<(), PapersError> {
        let is_other = print.is_some_and(|print| print != self.fingerprint());
        if is_other || *cluster != self.authority.name {
            let (mine, asked) = (self.authority.name.clone(), cluster.clone());
            return Err(PapersError::Other { mine, asked });
        }
        Ok(())
    }

    /// The number of the member.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// What the member is called.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Its certificate.
    #[must_use]
    pub fn certificate(&self) -> Certificate {
        self.certificate.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The certificate of the cluster's authority.
    #[must_use]
    pub fn authority_certificate(&self) -> &Certificate {
        &self.authority
    }

    /// Whether this member may let others in.
    #[must_use]
    pub fn may_admit(&self) -> bool {
        self.admits.is_some()
    }

    /// Whether its certificate's time is over.
    #[must_use]
    pub fn has_run_out(&self) -> bool {
        self.certificate().until <= clock::now()
    }

    /// Asks for another certificate.
    pub(super) fn request(&self) -> Result<Vec<u8>, PapersError> {
        Ok(self.key.request(&self.name)?)
    }

    /// Signs another certificate for this member, where it may sign any, and keeps it.
    pub(crate) fn sign_own(&self, span: Span) -> Result<(), PapersError> {
        let authority = self.admits.as_ref().ok_or(PapersError::RanOut)?;
        let signed = authority.sign(&self.request()?, serial()?, clock::now(), span)?;
        self.renew(signed.der)
    }

    /// Keeps another certificate of this member.
    pub(super) fn renew(&self, der: Vec<u8>) -> Result<(), PapersError> {
        let at = self.dir.join(CERTIFICATE);
        let certificate = Certificate::read(der).map_err(|error| damaged(&at, error))?;
        if certificate.number != self.number || certificate.name != self.name {
            return Err(damaged(&at, CertificateError::OtherKey));
        }
        file::write(&at, &certificate.der).map_err(failed(&at))?;
        *self.certificate.write().unwrap_or_else(PoisonError::into_inner) = certificate;
        Ok(())
    }

    /// What the cluster is called.
    #[must_use]
    pub fn cluster(&self) -> &Name {
        &self.authority.name
    }

    /// By what the cluster is known.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.authority.der)
    }

    /// The authority's certificate in DER.
    pub(super) fn authority(&self) -> &[u8] {
        &self.authority.der
    }

    /// What the member proves itself by.
    pub(super) fn credentials(&self) -> Credentials {
        Credentials {
            member: MEMBER.into(),
            certificate: self.certificate().der,
            key: Box::new(Secret(self.key.reveal().to_vec())),
            authority: self.authority.der.clone(),
        }
    }

    /// The number of the life that begins now, higher than any before and than `least`, and
    /// durable.
    pub(super) fn begin_life(&self, least: u32) -> Result<u32, PapersError> {
        let at = self.dir.join(LIVES);
        let text = file::read_text(&at).map_err(failed(&at))?.unwrap_or_default();
        let before = match text.trim() {
            "" => 0,
            text => text.parse::<u32>().map_err(|error| damaged(&at, error))?,
        };
        let life = before.saturating_add(1).max(least);
        file::write(&at, format!("{life}\n").as_bytes()).map_err(failed(&at))?;
        Ok(life)
    }
}

fn key(dir: &Path, name: &str, bytes: Vec<u8>) -> Result<Key, PapersError> {
    Key::read(bytes).map_err(|error: KeyError| damaged(&dir.join(name), error))
}

fn draw() -> Result<[u8; 32], PapersError> {
    chance::draw().map_err(PapersError::Chance)
}

/// A new key.
fn new_key() -> Result<Key, PapersError> {
    let key = Key::new(draw()?);
    key.map_err(|error| PapersError::Chance(io::Error::other(error)))
}

/// A new serial number.
pub(super) fn serial() -> Result<[u8; 16], PapersError> {
    let mut serial = [0; 16];
    serial.copy_from_slice(&draw()?[..16]);
    Ok(serial)
}
