//! How a request says that it is for another member of a cluster than the one that is asked: with
//! gRPC and over HTTP by a header, over HTTP also by a parameter of the address. The member that is
//! asked hands it on. The same way a read says how sure it wants to be. Both go with every verb, so
//! no message of the contract says them.

/// The header, which holds the name of the member; where it is absent or empty, the one that is
/// asked is meant.
pub const HOME: &str = "bary-home";
/// The parameter.
pub const HOME_PARAMETER: &str = "home";

/// By this header, or the parameter, a read says with the value `true` that it is to see all that
/// was acknowledged before it: it passes through the home first, and is refused where that is away.
/// Else it is answered from what was told so far. What is answered has the header too, with which
/// of the two it is.
pub const CONSISTENT: &str = "bary-consistent";
/// The parameter.
pub const CONSISTENT_PARAMETER: &str = "consistent";
