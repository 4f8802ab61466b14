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
        match self.let_in(&newcomer, &from) {
            Ok(given) => Ok(given),
            Err(refusal) => {
                let reason = refusal.to_string();
                // A log that takes no lines lets nobody in, which is what happens here.
                drop(self.note("", &from, Outcome::Refused, &reason));
                Err(reason)
            }
        }
    }
}

impl Gate {
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
