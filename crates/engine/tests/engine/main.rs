//! The engine in virtual time.

mod balance;
mod life;
mod world;
