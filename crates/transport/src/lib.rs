//! Moves messages between nodes, one kind of network a file; it never looks into them except to
//! count them by kind.

pub mod memory;
