//! Who is a member no more: a file, and what members tell each other of it, so that all of them
//! shut the same ones out.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bary_identity::key::SignError;
use bary_identity::revocation::{self, ParseError, REVOCATIONS_MAX, Revocation};

use super::envelope;
use super::file;
use super::roster::{Peers, lock};
use crate::board::clock;
use crate::serve::log::Level;

/// The file's name.
const NAME: &str = "revoked";

/// All revocations that were heard of.
#[derive(Debug)]
pub(super) struct Revoked {
    path: PathBuf,
    all: Mutex<BTreeMap<u64, Revocation>>,
}

/// Why the file is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RevokedError {
    #[error(transparent)]
    File(#[from] io::Error),
    #[error(transparent)]
    Parse(#[from] ParseError),
}

/// Why a member is not removed. It stays one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RemoveError {
    #[error("the node is in no cluster")]
    NoCluster,
    #[error("there is no member `{0}`")]
    Unknown(String),
    #[error("a member does not remove itself; ask another one")]
    Itself,
    #[error("the member that was asked may not remove others; ask one that may let others in")]
    MayNot,
    #[error("there are {REVOCATIONS_MAX} removed members already")]
    Full,
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error("it cannot be written: {0}")]
    File(#[from] io::Error),
}

impl Revoked {
    /// Those of a directory; only what the authority has signed counts.
    pub(super) fn open(dir: &Path, authority: &[u8]) -> Result<Self, RevokedError> {
        let path = dir.join(NAME);
        let text = file::read_text(&path)?;
        let read = text.map_or_else(|| Ok(Vec::new()), |text| revocation::parse(&text))?;
        let signed = read.into_iter().filter(|one| one.is_signed_by(authority));
        let all = Mutex::new(signed.map(|one| (one.number, one)).collect());
        Ok(Self { path, all })
    }

    pub(super) fn has(&self, number: u64) -> bool {
        self.all().contains_key(&number)
    }

    /// What one that is none any more was called.
    pub(super) fn name(&self, number: u64) -> Option<String> {
        self.all().get(&number).map(|one| one.name.to_string())
    }

    /// Their text; none where there are none.
    pub(super) fn text(&self) -> Option<String> {
        let all = self.all();
        (!all.is_empty()).then(|| revocation::print(all.values()))
    }

    /// Takes in one that is signed, durably; false where it is known, or has no room.
    fn take(&self, one: Revocation) -> io::Result<bool> {
        let mut all = self.all();
        if all.contains_key(&one.number) || all.len() >= REVOCATIONS_MAX {
            return Ok(false);
        }
        let number = one.number;
        all.insert(number, one);
        let written = file::write(&self.path, revocation::print(all.values()).as_bytes());
        if written.is_err() {
            all.remove(&number);
        }
        written.map(|()| true)
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<u64, Revocation>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Peers {
    /// Has a member be none any more, and tells the others; what is told of it. Blocks for the
    /// disk.
    pub(crate) fn remove(&self, name: &str) -> Result<String, RemoveError> {
        if self.papers.name().as_str() == name {
            return Err(RemoveError::Itself);
        }
        let authority = self.papers.admits.as_ref().ok_or(RemoveError::MayNot)?;
        let known = self.book.all().into_iter().find(|(_, known)| known.name.as_str() == name);
        let (number, known) = known.ok_or_else(|| RemoveError::Unknown(name.to_owned()))?;
        let signed = Revocation::sign(authority, number, known.name, clock::now())?;
        if !self.revoked.take(signed)? {
            return Err(RemoveError::Full);
        }
        self.tell_revoked();
        self.shut_out(number, name);
        if let Err(error) = self.renew_secret() {
            let text = format!("{name} still knows how members' datagrams are sealed: {error}");
            self.log.say(Level::Error, &text, &[]);
        }
        Ok(format!("{name} is a member no more"))
    }

    /// Another member says who is none any more.
    pub(super) fn on_revoked(&self, text: &str) {
        // What is no list says nothing.
        let Ok(told) = revocation::parse(text) else { return };
        let mut is_news = false;
        for one in told {
            let (number, name) = (one.number, one.name.to_string());
            if self.revoked.has(number) || !one.is_signed_by(self.papers.authority()) {
                continue;
            }
            match self.revoked.take(one) {
                Ok(true) => {
                    is_news = true;
                    self.shut_out(number, &name);
                }
                Ok(false) => {}
                Err(error) => {
                    let text = format!("that {name} was removed cannot be written: {error}");
                    self.log.say(Level::Error, &text, &[]);
                }
            }
        }
        if is_news {
            self.tell_revoked();
        }
    }

    fn tell_revoked(&self) {
        if let Some(text) = self.revoked.text() {
            let there: Vec<u64> = lock(&self.links).keys().copied().collect();
            for member in there {
                self.mesh.send(member, envelope::revoked(&text));
            }
        }
    }

    fn shut_out(&self, number: u64, name: &str) {
        if number == self.me {
            let text = "this member was removed from the cluster: the others do not let it in";
            return self.log.say(Level::Error, text, &[]);
        }
        self.log.say(Level::Info, &format!("member {name} was removed from the cluster"), &[]);
        self.book.remove(number);
        self.mesh.ban(number);
        self.end(number, "it was removed");
        lock(&self.away).remove(&number);
        lock(&self.standings).remove(&number);
        lock(&self.awaited).retain(|node| node.member() != number);
    }
}
