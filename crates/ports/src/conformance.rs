//! The suites that every hand passes, whatever it is built on.

pub mod disk;
pub mod store;
