//! Moves messages between nodes: of one process in memory, and of one cluster over mutual TLS.

pub mod count;
pub mod memory;
pub mod mesh;
pub mod tls;

mod delay;
