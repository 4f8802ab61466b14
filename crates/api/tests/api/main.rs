//! The contract is only ever added to, and its messages are the same as JSON and as protobuf.

mod contract;
mod doors;
mod json;
mod openapi;
mod random;
mod spec;
