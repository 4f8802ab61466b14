//! Who calls and what was done: access tokens, the keyring that knows them, and the chain that
//! the lines of an audit log form; and who belongs to a cluster: its authority, the certificates
//! of its members, and invitations. Time, dice and bytes are arguments; files are the node's.

pub mod audit;
pub mod authority;
pub mod calendar;
pub mod certificate;
pub mod fingerprint;
pub mod invitation;
pub mod join_line;
pub mod key;
pub mod keyring;
pub mod name;
pub mod revocation;
pub mod sheet;
pub mod token;
