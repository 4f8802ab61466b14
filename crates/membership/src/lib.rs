//! How members of a cluster speak in datagrams that nobody else can read, and how they are found:
//! on one network by beacons and multicast DNS, elsewhere under a key in a DHT of their own. What
//! datagrams say is opaque here, and what is found is only addresses to try.

pub mod beacon;
pub mod lan;
pub mod mdns;
pub mod rendezvous;
pub mod seal;
pub mod socket;

mod replay;
