//! Who is here: members, suspicion, and what each member says of itself, without a socket or a
//! clock. Membership is SWIM, from the foca library; around it stand an accrual detector, values
//! with versions, and anti-entropy that mends what rumours miss and brings newcomers up to date.
//!
//! A driver hands datagrams and the time to [`gossip::Gossip::step`] and does what it answers.
//! Deliberately absent: encryption and authentication, which wrap each datagram from outside;
//! durable incarnations, which are an argument; and views of a part of the cluster: every node
//! knows every other, up to `nodes_max`.

pub mod config;
pub mod event;
pub mod gossip;
pub mod identity;
pub mod record;
pub mod tally;
pub mod values;

mod allowance;
mod codec;
mod contact;
mod dice;
mod doubts;
mod hearsay;
mod items;
mod join;
mod parcel;
mod pulse;
mod reconcile;
mod swim;
mod swim_codec;
mod sync;
mod view;
