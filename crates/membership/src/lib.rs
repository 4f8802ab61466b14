//! How members of a cluster speak in datagrams that nobody else can read, and how machines on one
//! network find each other. What datagrams say is opaque here.

pub mod beacon;
pub mod seal;
pub mod socket;

mod replay;
