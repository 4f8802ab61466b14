//! Records, snapshots and peer frames as bytes, with a version. What decodes is good inside:
//! whatever no constructor makes is refused here, and no bytes make a decoder panic.

pub mod batch;
pub mod codec;
pub mod frame;
pub mod past;
pub mod snapshot;
