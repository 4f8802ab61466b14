//! Groups of three in one process, over a network that can be cut.

mod agreeing;
mod world;
