//! Access tokens, and the lines of the audit log.

use bary_api::problem::{Kind, Refused};
use bary_api::role::Role;
use bary_api::v1::{
    AuditLine, AuditRequest, ChangedReply, CreateTokenReply, CreateTokenRequest, ListTokensReply,
    ListTokensRequest, RevokeTokenRequest, TokenInfo,
};
use bary_api::verb::Verb;
use bary_identity::audit::Line;
use bary_identity::calendar;
use bary_identity::keyring::Entry;
use bary_model::time::Span;
use tokio::task::spawn_blocking;

use crate::board::clock;
use crate::service::caller::Caller;
use crate::service::emit::{self, Emit};
use crate::service::{Service, Streamed};

/// How many lines of the audit log are read at a time.
const LINES_AT_ONCE: usize = 256;

impl Service {
    /// Lists the access tokens.
    ///
    /// # Errors
    /// Where the caller may not ask.
    pub async fn list_tokens(
        &self,
        caller: &Caller,
        _asked: ListTokensRequest,
    ) -> Result<ListTokensReply, Refused> {
        let _leave = self.admit(caller, Verb::ListTokens, "")?;
        Ok(ListTokensReply { tokens: self.0.access.list().iter().map(info).collect() })
    }

    /// Mints an access token; the reply is the only place where it is ever shown.
    ///
    /// # Errors
    /// Where the name or the role is none, or the name is taken.
    pub async fn create_token(
        &self,
        caller: &Caller,
        asked: CreateTokenRequest,
    ) -> Result<CreateTokenReply, Refused> {
        let target = format!("{} {}", asked.role, asked.name);
        let leave = self.admit(caller, Verb::CreateToken, target)?;
        let minted = leave.settle(self.mint(asked).await)?;
        self.sync_audit().await?;
        Ok(minted)
    }

    /// Revokes an access token, at once.
    ///
    /// # Errors
    /// Where there is none of that name.
    pub async fn revoke_token(
        &self,
        caller: &Caller,
        asked: RevokeTokenRequest,
    ) -> Result<ChangedReply, Refused> {
        let leave = self.admit(caller, Verb::RevokeToken, asked.name.as_str())?;
        let revoked = leave.settle(self.revoke(asked.name).await)?;
        self.sync_audit().await?;
        Ok(revoked)
    }

    /// Waits until the audit log is on the disk.
    async fn sync_audit(&self) -> Result<(), Refused> {
        let service = self.clone();
        let synced = spawn_blocking(move || service.0.audit.sync());
        Ok(synced.await.map_err(broken)??)
    }

    async fn mint(&self, asked: CreateTokenRequest) -> Result<CreateTokenReply, Refused> {
        let role: Role = asked.role.parse().map_err(|error: bary_api::role::UnknownRole| {
            Refused::new(Kind::Invalid, error.to_string())
        })?;
        if !(asked.lifetime.is_finite() && asked.lifetime >= 0.0) {
            return Err(Refused::new(Kind::Invalid, "a lifetime is a number of seconds"));
        }
        let lifetime = Some(asked.lifetime).filter(|seconds| *seconds > 0.0);
        let (service, name) = (self.clone(), asked.name);
        let made = spawn_blocking(move || {
            let inner = &service.0;
            let lifetime = lifetime.map(Span::from_secs_f64);
            Ok::<_, Refused>(inner.access.create(&name, role, lifetime, clock::now())?)
        });
        let (token, entry) = made.await.map_err(broken)??;
        Ok(CreateTokenReply { token: token.reveal().to_owned(), info: Some(info(&entry)) })
    }

    async fn revoke(&self, name: String) -> Result<ChangedReply, Refused> {
        let service = self.clone();
        let note = format!("token {name} opens nothing any more");
        let revoked = spawn_blocking(move || {
            let inner = &service.0;
            Ok::<_, Refused>(inner.access.revoke(&name)?)
        });
        revoked.await.map_err(broken)??;
        Ok(ChangedReply { note, ..ChangedReply::default() })
    }

    /// Lines of the audit log, from the first that is wanted on.
    ///
    /// # Errors
    /// Where the caller may not ask; a page that cannot be read ends the stream with an error.
    pub async fn audit(
        &self,
        caller: &Caller,
        asked: AuditRequest,
    ) -> Result<Streamed<AuditLine>, Refused> {
        let leave = self.admit(caller, Verb::Audit, "")?;
        let (emit, streamed) = emit::stream(leave.permit);
        let service = self.clone();
        tokio::spawn(async move {
            if let Err(refused) = lines(&service, &asked, &emit).await {
                emit.fail(refused).await;
            }
        });
        Ok(streamed)
    }
}

async fn lines(
    service: &Service,
    asked: &AuditRequest,
    emit: &Emit<AuditLine>,
) -> Result<(), Refused> {
    let audit = &service.0.audit;
    let mut news = audit.watch();
    let mut pages = audit.pages(asked.after);
    let mut left = if asked.limit == 0 { u32::MAX } else { asked.limit };
    loop {
        news.mark_unchanged();
        let (page, read) = spawn_blocking(move || {
            let page = pages.next_page(LINES_AT_ONCE);
            (page, pages)
        })
        .await
        .map_err(broken)?;
        pages = read;
        let page = page.map_err(|error| Refused::new(Kind::Internal, error.to_string()))?;
        let is_end = page.is_empty();
        for line in page {
            if left == 0 || emit.give(shown(line)).await.is_err() {
                return Ok(());
            }
            left -= 1;
        }
        if is_end && (!asked.follow || left == 0) {
            return Ok(());
        }
        if is_end {
            tokio::select! {
                changed = news.changed() => if changed.is_err() { return Ok(()) },
                () = emit.closed() => return Ok(()),
            }
        }
    }
}

fn shown(line: Line) -> AuditLine {
    AuditLine {
        number: line.number,
        at: line.at,
        who: line.who,
        role: line.role,
        door: line.door,
        verb: line.verb,
        target: line.target,
        outcome: line.outcome.name().to_owned(),
        reason: line.reason,
        hash: line.hash,
    }
}

fn info(entry: &Entry) -> TokenInfo {
    TokenInfo {
        name: entry.name.to_string(),
        role: entry.role.name().to_owned(),
        created: calendar::text(entry.created),
        expires: entry.expires.map(calendar::text).unwrap_or_default(),
        last_used: entry.used.map(calendar::text).unwrap_or_default(),
    }
}

/// A thread of the node panicked; that was printed when it happened.
pub(super) fn broken(_: tokio::task::JoinError) -> Refused {
    Refused::new(Kind::Internal, "the node failed at this; its own output says how")
}
