//! foca's messages as bytes.

use bytes::{Buf, BufMut};
use foca::{Header, Member, Message};

use crate::codec::{DecodeError, Reader, put_identity, put_record, put_varint};
use crate::identity::Identity;
use crate::record::Record;

/// Why foca's message was not written. The buffer holds what it held before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SwimCodecError {
    /// There is too little room.
    #[error("the datagram is full")]
    Full,
    /// The bytes are no message.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// The codec that foca is given; it keeps a buffer to work in.
#[derive(Clone, Debug, Default)]
pub(crate) struct SwimCodec {
    scratch: Vec<u8>,
}

impl SwimCodec {
    fn flush(&mut self, mut to: impl BufMut) -> Result<(), SwimCodecError> {
        if to.remaining_mut() < self.scratch.len() {
            return Err(SwimCodecError::Full);
        }
        to.put_slice(&self.scratch);
        Ok(())
    }
}

impl foca::Codec<Identity> for SwimCodec {
    type Error = SwimCodecError;

    fn encode_header(
        &mut self,
        header: &Header<Identity>,
        to: impl BufMut,
    ) -> Result<(), SwimCodecError> {
        self.scratch.clear();
        put_header(header, &mut self.scratch);
        self.flush(to)
    }

    fn decode_header(&mut self, mut from: impl Buf) -> Result<Header<Identity>, SwimCodecError> {
        let mut reader = Reader::new(from.chunk());
        let header = read_header(&mut reader)?;
        let used = from.chunk().len() - reader.rest().len();
        from.advance(used);
        Ok(header)
    }

    fn encode_member(
        &mut self,
        member: &Member<Identity>,
        to: impl BufMut,
    ) -> Result<(), SwimCodecError> {
        self.scratch.clear();
        put_record(&Record::from(member), &mut self.scratch);
        self.flush(to)
    }

    fn decode_member(&mut self, mut from: impl Buf) -> Result<Member<Identity>, SwimCodecError> {
        let mut reader = Reader::new(from.chunk());
        let record = reader.record()?;
        let used = from.chunk().len() - reader.rest().len();
        from.advance(used);
        Ok(record.member())
    }
}

fn put_header(header: &Header<Identity>, to: &mut Vec<u8>) {
    put_identity(&header.src, to);
    put_varint(header.src_incarnation.into(), to);
    put_identity(&header.dst, to);
    let (tag, other, number) = match &header.message {
        Message::Ping(number) => (0, None, *number),
        Message::Ack(number) => (1, None, *number),
        Message::PingReq { target, probe_number } => (2, Some(target), *probe_number),
        Message::IndirectPing { origin, probe_number } => (3, Some(origin), *probe_number),
        Message::IndirectAck { target, probe_number } => (4, Some(target), *probe_number),
        Message::ForwardedAck { origin, probe_number } => (5, Some(origin), *probe_number),
        Message::Announce => (6, None, 0),
        Message::Feed => (7, None, 0),
        Message::Gossip => (8, None, 0),
        Message::Broadcast => (9, None, 0),
        Message::TurnUndead => (10, None, 0),
    };
    to.extend_from_slice(&[tag, number]);
    if let Some(other) = other {
        put_identity(other, to);
    }
}

/// Reads a header and leaves the reader behind it.
pub(crate) fn read_header(reader: &mut Reader<'_>) -> Result<Header<Identity>, DecodeError> {
    let src = reader.identity()?;
    let src_incarnation = reader.narrow()?;
    let dst = reader.identity()?;
    let (tag, probe_number) = (reader.u8()?, reader.u8()?);
    let message = match tag {
        0 => Message::Ping(probe_number),
        1 => Message::Ack(probe_number),
        2 => Message::PingReq { target: reader.identity()?, probe_number },
        3 => Message::IndirectPing { origin: reader.identity()?, probe_number },
        4 => Message::IndirectAck { target: reader.identity()?, probe_number },
        5 => Message::ForwardedAck { origin: reader.identity()?, probe_number },
        6 => Message::Announce,
        7 => Message::Feed,
        8 => Message::Gossip,
        9 => Message::Broadcast,
        10 => Message::TurnUndead,
        _ => return Err(DecodeError::Value { part: "message" }),
    };
    Ok(Header { src, src_incarnation, dst, message })
}

#[cfg(test)]
mod tests {
    use super::{put_header, read_header};
    use crate::codec::Reader;
    use crate::identity::{Address, Identity, Name};
    use foca::{Header, Message};

    #[test]
    fn every_message_comes_back() {
        let src = Identity::new(Name(1), Address::Number(1), 3);
        let dst = Identity::new(Name(2), Address::V4([10, 0, 0, 1], 7), 4);
        let other = Identity::new(Name(3), Address::Number(300), 5);
        let messages = [
            Message::Ping(1),
            Message::Ack(2),
            Message::PingReq { target: other, probe_number: 3 },
            Message::IndirectPing { origin: other, probe_number: 4 },
            Message::IndirectAck { target: other, probe_number: 5 },
            Message::ForwardedAck { origin: other, probe_number: 6 },
            Message::Announce,
            Message::Feed,
            Message::Gossip,
            Message::Broadcast,
            Message::TurnUndead,
        ];
        for message in messages {
            let header = Header { src, src_incarnation: 9, dst, message };
            let mut bytes = Vec::new();
            put_header(&header, &mut bytes);
            let mut reader = Reader::new(&bytes);
            assert_eq!(read_header(&mut reader), Ok(header));
            assert!(reader.is_empty());
        }
    }
}
