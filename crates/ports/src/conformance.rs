//! The suites that every hand passes, whatever it is built on.

pub mod store;
