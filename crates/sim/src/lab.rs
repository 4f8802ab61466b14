//! The laboratory: a scenario says nodes, network, workload and faults in a file; each policy
//! lives it in virtual time, once a seed; and what came of it is compared. What runs is the very
//! engine that a cluster runs.

pub mod attempts;
pub mod chart;
pub mod compare;
pub mod cut;
mod dial;
mod draw;
pub mod faults;
mod gossip;
pub mod graph;
pub mod keys;
pub mod knob;
pub mod limits;
pub mod load;
pub mod log;
pub mod machines;
pub mod measures;
pub mod named;
pub mod network;
pub mod nodes;
pub mod outlook;
pub mod page;
pub mod sample;
pub mod scaling;
pub mod scenario;
mod setting;
pub mod shape;
pub mod trial;
pub mod tune;
mod wave;
pub mod weights;
pub mod workload;
