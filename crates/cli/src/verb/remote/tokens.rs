//! `bary token`: access tokens. A secret is printed once, when it is minted.

use bary_api::v1::CreateTokenRequest;
use serde_json::json;

use crate::args::Face;
use crate::args::tend::{RoleArg, TokenLsArgs, TokenNewArgs, TokenRevokeArgs};
use crate::asking;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::kinds::TOKENS;
use crate::listing;

/// The schema of the document with a new token.
pub(crate) const MINTED: &str = "bary.token/1";

/// Mints one.
pub(crate) fn new(args: &TokenNewArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        let role = match args.role {
            RoleArg::Viewer => "viewer",
            RoleArg::Operator => "operator",
            RoleArg::Admin => "admin",
        };
        let request = CreateTokenRequest {
            name: args.name.clone(),
            role: role.to_owned(),
            lifetime: args.expires.map_or(0.0, |span| span.as_secs_f64()),
        };
        let reply = asking.node.create_token(request).await?;
        let info = listing::json_of(&reply.info.unwrap_or_default())?;
        let parts = [("token", json!(reply.token)), ("info", info)];
        match listing::data(&listing::document(MINTED, parts), face.output) {
            Some(text) if !face.is_quiet() => asking.say(&text)?,
            _ => {
                asking.say(&format!("{}\n", reply.token))?;
                asking.note("keep it in a file of mode 0600; it is not shown again");
            }
        }
        Ok(Exit::OK)
    })
}

/// Lists them.
pub(crate) fn list(args: &TokenLsArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        asking.print(&TOKENS, &asking.node.list_tokens().await?.tokens, None)?;
        Ok(Exit::OK)
    })
}

/// Revokes them.
pub(crate) fn revoke(args: &TokenRevokeArgs, face: Face) -> Result<Exit, Complaint> {
    asking::run(&args.reach, face, async |asking| {
        for name in &args.names {
            asking.node.revoke_token(name).await?;
            asking.note(&format!("token {name} is worthless from now on"));
        }
        Ok(Exit::OK)
    })
}
