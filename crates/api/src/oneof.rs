//! How messages with a choice look as JSON: each alternative is a field of its own, of which one
//! may be there. The forms and the ways to and from them are generated from the contract.

include!(concat!(env!("OUT_DIR"), "/oneof.rs"));

/// More than one alternative was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("only one of {0} may be there")]
pub(crate) struct TwoOf(&'static str);

/// The only alternative that is there.
fn only<T, const N: usize>(all: [Option<T>; N], names: &'static str) -> Result<Option<T>, TwoOf> {
    let mut there = all.into_iter().flatten();
    let found = there.next();
    if there.next().is_some() { Err(TwoOf(names)) } else { Ok(found) }
}
