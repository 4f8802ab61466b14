//! Peer frames as bytes: what one node sends another at a time.

use bary_model::message::{Frame, Retract, Say};
use bary_model::payload::Payload;

use crate::codec::{self, DecodeError, EncodeError};

/// The newest version that [`decode`] reads.
pub const KNOWN: u8 = 7;
/// The oldest version that [`decode`] reads.
pub const OLDEST: u8 = 2;
/// The version that [`encode`] writes for all that readers of version 2 know.
pub const WRITTEN: u8 = 2;
/// The version that it writes for what is said only where nodes sample, claim or steal by count.
pub const WIDER: u8 = 3;
/// The version that it writes for what is said only where distances are measured.
pub const MEASURED: u8 = 4;
/// The version that it writes for what is said only where a policy looks at how busy nodes are.
pub const GAUGED: u8 = 5;
/// The version that it writes for what refers to bytes that a member of a cluster keeps.
pub const REFERRING: u8 = 6;
/// The version that it writes for grants of gangs.
pub const GANGED: u8 = 7;

/// Adds a frame to `out`.
///
/// # Errors
/// Where its message holds what no reader takes; `out` is then as it was.
pub fn encode(frame: &Frame, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let version = frame.body.as_ref().map_or(WRITTEN, |(_, message)| version_of(&message.say));
    codec::write(version, frame, out)
}

/// The version whose readers know what is said.
fn version_of(say: &Say) -> u8 {
    if let Say::Grant(grant) = say
        && grant.items.iter().any(|item| item.seat.is_some())
    {
        return GANGED;
    }
    if say.any_payload(&mut |payload| matches!(payload, Payload::Kept(_))) {
        return REFERRING;
    }
    match say {
        Say::Survey { .. } | Say::Distances { .. } | Say::Probe { .. } | Say::Echo { .. } => {
            MEASURED
        }
        Say::Gauge | Say::Busy(_) => GAUGED,
        say if is_wider(say) => WIDER,
        _ => WRITTEN,
    }
}

/// Whether readers of version 2 do not know what is said.
fn is_wider(say: &Say) -> bool {
    matches!(
        say,
        Say::Reserve { .. }
            | Say::Release
            | Say::Announce(_)
            | Say::Claim(_)
            | Say::Yield { .. }
            | Say::Retract(Retract::Few { .. })
    )
}

/// The frame that bytes are.
///
/// # Errors
/// Where they are none, or of a later version.
pub fn decode(bytes: &[u8]) -> Result<Frame, DecodeError> {
    let (_only, rest) = codec::version(bytes, OLDEST, KNOWN)?;
    codec::read(rest)
}
