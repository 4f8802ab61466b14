//! What happens to a task that failed: when it is tried again, and when it no longer is.

pub mod quarantine;
pub mod retry;
