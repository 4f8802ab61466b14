//! Files of this machine behind the disk port.
//!
//! What is deliberately absent: any decision about what is in them, and trying again.

pub mod file;

mod lock;
mod system;
