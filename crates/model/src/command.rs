//! A command, or the call of a function, as a person would type it.

use crate::action::Action;
use crate::template::{Scope, Template};

/// An action as a person would type it, quoted for a shell.
#[must_use]
pub fn line(what: &Action, scope: &Scope<'_>) -> Vec<u8> {
    match what {
        Action::Command { argv } => quoted(&Template::expand_argv(argv, scope)),
        Action::Function { name, args } => {
            let mut words = vec![name.as_bytes().to_vec()];
            words.extend(args.iter().map(|arg| {
                let value = arg.value.expand(scope);
                match &arg.name {
                    Some(name) => [name.as_bytes(), b"=", &value].concat(),
                    None => value,
                }
            }));
            quoted(&words)
        }
    }
}

/// Words as a person would type them: each quoted where a shell would read more into it.
#[must_use]
pub fn quoted(argv: &[Vec<u8>]) -> Vec<u8> {
    let words = argv.iter().map(|word| {
        let quoted = shlex::bytes::try_quote(word).map(|quoted| quoted.into_owned());
        // Only a zero byte cannot be quoted, and no word that runs holds one.
        quoted.unwrap_or_else(|_| word.clone())
    });
    words.collect::<Vec<_>>().join(&b' ')
}
