//! Calls about who may do what, and who did what: tokens and the audit log.

use bary_api::v1::{
    AuditLine, AuditRequest, ChangedReply, CreateTokenReply, CreateTokenRequest, ListTokensReply,
    ListTokensRequest, RevokeTokenRequest,
};

use crate::call::CallError;
use crate::client::Client;
use crate::streamed::Streamed;

impl Client {
    /// Lines of the audit log. Needs an admin.
    ///
    /// # Errors
    /// Where the caller may not see them.
    pub async fn audit(&self, request: AuditRequest) -> Result<Streamed<AuditLine>, CallError> {
        self.pieces(self.node().audit(self.ask(request)).await)
    }

    /// The access tokens there are, without their secrets. Needs an admin.
    ///
    /// # Errors
    /// Where the caller may not see them.
    pub async fn list_tokens(&self) -> Result<ListTokensReply, CallError> {
        self.answer(self.node().list_tokens(self.ask(ListTokensRequest {})).await)
    }

    /// Mints a token, which is shown this once. Needs an admin.
    ///
    /// # Errors
    /// Where the name is taken, or the role is none; nothing was minted.
    pub async fn create_token(
        &self,
        request: CreateTokenRequest,
    ) -> Result<CreateTokenReply, CallError> {
        self.answer(self.node().create_token(self.ask(request)).await)
    }

    /// Makes a token worthless from now on. Needs an admin.
    ///
    /// # Errors
    /// Where there is none of that name.
    pub async fn revoke_token(&self, name: &str) -> Result<ChangedReply, CallError> {
        let request = RevokeTokenRequest { name: name.to_owned() };
        self.answer(self.node().revoke_token(self.ask(request)).await)
    }
}
