//! Who asks, and through which door.

use bary_api::role::Role;

/// Whoever asks for something, as a door has made sure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The name of the token, or of the user.
    pub name: Box<str>,
    /// What the caller may do.
    pub role: Role,
    /// Where the caller came in.
    pub door: Door,
    /// Whether what he reads is to hold all that was acknowledged before.
    pub consistent: bool,
}

/// A way into the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Door {
    /// gRPC over TCP.
    Grpc,
    /// JSON over HTTP.
    Http,
    /// The Unix socket.
    Socket,
    /// Another member of the cluster, which has handed it on.
    Member,
    /// The node itself.
    Node,
}

impl Door {
    /// Its name, as audit lines have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Http => "http",
            Self::Socket => "socket",
            Self::Member => "member",
            Self::Node => "node",
        }
    }
}
