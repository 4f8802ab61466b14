//! The public contract: what a node is asked and answers, the same for gRPC and JSON, and which
//! verb needs which role.

mod base64;
pub mod bind;
pub mod chunks;
pub mod home;
mod oneof;
pub mod openapi;
pub mod page;
pub mod problem;
pub mod role;
pub mod shape;
pub mod spec;
pub mod sse;
pub mod status;
pub mod v1;
pub mod verb;
