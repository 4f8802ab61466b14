//! The simulated disk alone, and a log over it at every kind of crash.

mod crashes;
mod file;
mod full;
mod fuse;
mod world;
