//! The messages and services of version 1, as `proto/bary/v1/node.proto` says them.

#![expect(
    missing_docs,
    unused_qualifications,
    clippy::allow_attributes,
    reason = "generated from the contract, which says it all"
)]

tonic::include_proto!("bary.v1");

/// The contract as data, for reflection and for what is generated from it.
pub const DESCRIPTOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/bary.bin"));
