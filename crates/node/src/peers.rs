//! The other members of a cluster: processes like this one, each with nodes of its own. They are
//! known by certificates of one authority, find each other by what they know of each other, and
//! what a node here says to a node there goes over their streams.

pub mod finding;
pub mod invites;
pub mod pace;
pub mod papers;
pub mod place;
pub mod seeking;

pub(crate) mod about;
pub(crate) mod blobs;
pub(crate) mod decisions;
pub(crate) mod file;
pub(crate) mod gate;
pub(crate) mod holders;
pub(crate) mod homes;
pub(crate) mod post;
pub(crate) mod revoked;
pub(crate) mod roster;
pub(crate) mod settings;

mod address;
mod beat;
mod book;
mod card;
mod census;
pub(crate) mod clocks;
pub(crate) mod dropped;
mod envelope;
mod found;
mod hearing;
mod load;
mod presence;
mod renewal;
mod search;
mod secrets;
mod sight;
mod tries;
mod trips;
pub(crate) mod vitals;
