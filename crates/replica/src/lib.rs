//! Copies of a shard's journal at several members of a cluster, which agree by Raft on what is in
//! it and on who of them writes it. The consensus is openraft's and its log is kept by redb; what
//! is here is how both meet a journal and a network, which are given when a copy is opened.

pub mod carrier;
pub mod copy;
pub mod group;
pub mod limits;
pub mod proposal;

mod answering;
mod machine;
mod packed;
mod sending;
mod store;
