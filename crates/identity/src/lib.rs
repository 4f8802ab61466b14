//! Who calls and what was done: access tokens, the keyring that knows them, and the chain that
//! the lines of an audit log form. Time, dice and bytes are arguments; files are the node's.

pub mod audit;
pub mod calendar;
pub mod keyring;
pub mod name;
pub mod token;
