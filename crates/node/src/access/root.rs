//! The token file: it holds the administrator's token, made at the first start.

use std::path::Path;

use bary_api::role::Role;
use bary_identity::keyring::Keyring;
use bary_identity::name::Name;
use bary_identity::token::{Token, overwrite};
use bary_model::time::Wall;

use super::{DrawError, OpenError, ROOT, chance, private};

/// The token file in a state.
pub(crate) const TOKEN: &str = "token";
/// How many bytes it may have: a token, and blanks that an editor left.
const BYTES_MAX: usize = 256;

/// What is in a state's token file, which is made where there is none.
pub(super) fn open(state: &Path, now: Wall) -> Result<Keyring, OpenError> {
    let path = state.join(TOKEN);
    let Some(secret) = private::read(&path, BYTES_MAX)? else {
        let token = Token::new(chance::draw().map_err(DrawError)?);
        let mut text = String::with_capacity(token.reveal().len() + 1);
        text.push_str(token.reveal());
        text.push('\n');
        let written = private::write(state, TOKEN, &text);
        overwrite(&mut text.into_bytes());
        written?;
        return Ok(keyring(&token, now));
    };
    let token = Token::parse(secret.text.trim());
    overwrite(&mut secret.text.into_bytes());
    let token = token.map_err(|_| OpenError::NoToken(path))?;
    Ok(keyring(&token, secret.modified))
}

/// A keyring of the administrator's token alone.
pub(super) fn keyring(token: &Token, created: Wall) -> Keyring {
    let mut keyring = Keyring::default();
    let name = Name::new(ROOT).expect("it is letters");
    keyring.add(name, Role::Admin, token, created, None).expect("it is the first");
    keyring
}
