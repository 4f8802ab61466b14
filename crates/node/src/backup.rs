//! Copies of a state: made while it is in use, and made into a state again, as it was at any
//! instant since its log begins.

pub mod restore;

pub(crate) mod copy;
pub mod manifest;

mod place;

#[cfg(test)]
mod tests;
