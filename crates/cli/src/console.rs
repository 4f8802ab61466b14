//! `bary console`: servers and tasks in virtual time at a person's word, in their language. The
//! engine that decides is the one that clusters run; here are only words and pictures.

pub(crate) mod cluster;
pub(crate) mod command;
pub(crate) mod language;
pub(crate) mod lines;
pub(crate) mod log;
pub(crate) mod notice;
pub(crate) mod phrases;
pub(crate) mod plain;
pub(crate) mod seconds;
pub(crate) mod state;
pub(crate) mod summary;
pub(crate) mod wrong;
