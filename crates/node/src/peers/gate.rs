//! Lets newcomers in at a member that may: spends their token, signs their certificate, and notes
//! it in the audit log.

use std::net::SocketAddr;
use std::sync::Arc;

use bary_identity::audit::{Entry, Outcome};
use bary_identity::authority::Authority;
use bary_identity::certificate::Certificate;
use bary_identity::invitation::{Invitations, SpendError};
use bary_identity::token::Token;
use bary_model::time::Span;
use bary_transport::mesh::entry::{Gate as Admits, MEMBERS_TOLD_MAX, Newcomer, Papers as Given};
use bary_transport::tls::Secret;
use tokio::sync::Semaphore;

use super::invites::{self, ChangeError};
use super::papers::{Papers, PapersError, serial};
use super::roster::Peers;
use crate::audit::{AppendError, Audit};
use crate::board::clock;

/// The gate of a member.
pub(crate) struct Gate {
    pub(crate) papers: Arc<Papers>,
    pub(crate) peers: Arc<Peers>,
    pub(crate) audit: Audit,
    /// How long the certificates are good for that it signs.
    pub(crate) span: Span,
    /// Places for newcomers that other members are asked to let in.
    pub(crate) handing: Semaphore,
}

/// As many places as there are.
pub(crate) fn places() -> Semaphore {
    Semaphore::new(HANDED_ON_MAX)
}

/// Why a newcomer is not let in, in words for whoever runs it.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("this member may not let others in; use a join line of one that may")]
    MayNot,
    #[error("that is no join token")]
    NoToken,
    #[error(transparent)]
    Spend(#[from] SpendError),
    #[error("there is a member `{0}` already; name this one otherwise with --name")]
    NameTaken(Box<str>),
    #[error("the signing request was refused: {0}")]
    Sign(String),
    #[error("the member cannot read or write what it needs for it")]
    Change(#[source] ChangeError),
    #[error("the member cannot write whom it knows: {0}")]
    Book(#[source] std::io::Error),
    #[error("it was removed from the cluster; have it join with a state of its own anew")]
    Revoked,
    #[error("the member cannot write that it let a node in")]
    Audit,
}

impl From<ChangeError> for Refusal {
    fn from(error: ChangeError) -> Self {
        Self::Change(error)
    }
}

impl Admits for Gate {
    fn admit(&self, newcomer: Newcomer, from: Option<SocketAddr>) -> Result<Given, String> {
        let from = from.map_or_else(String::new, |from| from.to_string());
        let mut refusal = match self.let_in(&newcomer, &from) {
            Ok(given) => return Ok(given),
            Err(refusal) => refusal.to_string(),
        };
        if is_elsewhere(&refusal) {
            match self.hand_on(&newcomer, &from) {
                Ok(given) => return Ok(given),
                Err(why) => refusal.push_str(&why),
            }
        }
        // A log that takes no lines lets nobody in, which is what happens here.
        drop(self.note("", &from, Outcome::Refused, &refusal));
        Err(refusal)
    }

    /// Who has handed it on has a line of it where it is not let in.
    fn admit_for(&self, member: u64, newcomer: Newcomer) -> Result<Given, String> {
        let by = self.peers.member_name(member).unwrap_or_default();
        self.let_in(&newcomer, &format!("through {by}")).map_err(|refusal| refusal.to_string())
    }
}

/// How many members are asked whether they know a token, the nearest first.
const ASKED_MAX: usize = 16;
/// How many newcomers are handed on at a time; of one more the token counts as unknown.
const HANDED_ON_MAX: usize = 4;

/// Whether another member may know the token that this one refused.
fn is_elsewhere(refusal: &str) -> bool {
    refusal == SpendError::Unknown.to_string() || refusal == Refusal::MayNot.to_string()
}

impl Gate {
    /// Asks the others for a newcomer whose token is not known here: whoever made it lets it in.
    /// Otherwise, in words, what another may try.
    fn hand_on(&self, newcomer: &Newcomer, from: &str) -> Result<Given, String> {
        let Ok(_place) = self.handing.try_acquire() else {
            return Err("; too many are let in at a time to ask other members".to_owned());
        };
        let mut why = None;
        for member in self.peers.nearest().into_iter().take(ASKED_MAX) {
            let asked = self.peers.on.block_on(self.peers.mesh.hand_on(member, newcomer));
            let name = self.peers.member_name(member).unwrap_or_default();
            match asked {
                Ok(given) => {
                    let reason = format!("by a join token of {name}");
                    let noted = self.note("", from, Outcome::Done, &reason);
                    return noted.map(|()| given).map_err(|refusal| format!("; {refusal}"));
                }
                Err(refusal) if is_elsewhere(&refusal) => {}
                Err(refusal) => why = Some(format!("; {name}: {refusal}")),
            }
        }
        Err(why.unwrap_or_else(|| self.may_be_of()))
    }

    /// Whose a token may be that nobody knows who is there, in words.
    fn may_be_of(&self) -> String {
        let near = self.peers.nearest();
        let is_away = |member: &u64| *member != self.peers.me() && !near.contains(member);
        let away = self.peers.members().into_iter().filter(is_away);
        let away: Vec<String> = away.filter_map(|one| self.peers.member_name(one)).collect();
        match away.as_slice() {
            [] => "; no other member that is there knows it either".to_owned(),
            away => {
                let names = away.join(", ");
                format!("; it may be of one that is away and has to be up: {names}")
            }
        }
    }

    fn let_in(&self, newcomer: &Newcomer, from: &str) -> Result<Given, Refusal> {
        let authority = self.papers.admits.as_ref().ok_or(Refusal::MayNot)?;
        let token = std::str::from_utf8(&newcomer.token.0).ok();
        let token = token.and_then(|text| Token::parse(text).ok()).ok_or(Refusal::NoToken)?;
        let admitted =
            |all: &mut Invitations| self.admitted(authority, all, &token, newcomer, from);
        let (signed, admits) = invites::change(&self.papers.dir, admitted)?;
        let members = self.peers.members_to_tell().into_iter();
        let key = admits.then(|| Secret(authority.key().reveal().to_vec()));
        self.peers.expect(signed.number, &signed.name, &newcomer.addresses);
        // What it will hold must not be taken for lost where this process dies just now.
        self.peers.book.save().map_err(Refusal::Book)?;
        Ok(Given {
            certificate: signed.der,
            authority: self.papers.authority().to_vec(),
            authority_key: key,
            secret: self.papers.secret.clone(),
            members: members.take(MEMBERS_TOLD_MAX).collect(),
        })
    }

    /// Spends the token and signs; nothing is spent where anything is wrong.
    fn admitted(
        &self,
        authority: &Authority,
        all: &mut Invitations,
        token: &Token,
        newcomer: &Newcomer,
        from: &str,
    ) -> Result<(Certificate, bool), Refusal> {
        let now = clock::now();
        let spent = all.spend(&token.hash(), now)?;
        let sign = |error: PapersError| Refusal::Sign(error.to_string());
        let serial = serial().map_err(sign)?;
        let signed = authority.sign(&newcomer.request, serial, now, self.span);
        let signed = signed.map_err(|error| Refusal::Sign(error.to_string()))?;
        if self.peers.revoked.has(signed.number) {
            return Err(Refusal::Revoked);
        }
        let name = signed.name.as_str();
        if self.peers.has_name(name, signed.number) {
            return Err(Refusal::NameTaken(name.into()));
        }
        let reason = format!("by the join token {}, from {from}", spent.name);
        self.note(name, from, Outcome::Done, &reason)?;
        Ok((signed, spent.admits))
    }

    fn note(&self, who: &str, at: &str, outcome: Outcome, reason: &str) -> Result<(), Refusal> {
        self.note_as("join", who, at, outcome, reason).map_err(|_| Refusal::Audit)
    }

    /// Writes a line of the audit log.
    pub(super) fn note_as(
        &self,
        verb: &str,
        who: &str,
        at: &str,
        outcome: Outcome,
        reason: &str,
    ) -> Result<(), AppendError> {
        let entry = Entry {
            at: clock::now(),
            who,
            role: None,
            door: "member",
            verb,
            target: at,
            outcome,
            reason,
        };
        self.audit.append(&entry).map(drop)
    }
}
