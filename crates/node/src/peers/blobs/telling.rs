//! Naming results for other members: the store's own names mean nothing there. A thread does it,
//! since what is named must be on the disk first.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use bary_model::id::NodeId;
use bary_model::message::Frame;
use bary_model::payload::{Kept, Payload};
use bary_ports::transport::Inbox;
use bary_store::durable::DurableStore;
use bary_transport::mesh::Mesh;

use crate::peers::envelope;
use crate::serve::log::{Level, Log};

/// How many frames wait for the disk at a time; one more is lost.
const WAITING_MAX: usize = 4_096;
/// How many of them are told together, after one sync.
const TOGETHER_MAX: usize = 256;

/// A frame that refers to results of this member.
pub(super) struct Telling {
    pub(super) from: NodeId,
    pub(super) to: Whom,
    pub(super) frame: Frame,
}

/// Whom a frame is for.
pub(super) enum Whom {
    /// A node of another member.
    There(NodeId),
    /// One of this process that goes by the names of other members.
    Here(Arc<dyn Inbox>),
}

/// Starts the thread. It ends when nobody can tell it anything any more.
pub(super) fn start(
    me: u64,
    own: Arc<DurableStore>,
    mesh: Mesh,
    log: Log,
) -> io::Result<SyncSender<Telling>> {
    let (told, waiting) = sync_channel(WAITING_MAX);
    let teller = Teller { me, own, mesh, log };
    let named = std::thread::Builder::new().name("bary-tell".into());
    named.spawn(move || teller.run(&waiting)).map(drop)?;
    Ok(told)
}

struct Teller {
    me: u64,
    own: Arc<DurableStore>,
    mesh: Mesh,
    log: Log,
}

impl Teller {
    fn run(&self, waiting: &Receiver<Telling>) {
        while let Ok(first) = waiting.recv() {
            let mut all = vec![first];
            all.extend(waiting.try_iter().take(TOGETHER_MAX));
            if let Err(error) = self.own.sync() {
                let text = format!("results are not told, as they cannot be synced: {error}");
                self.log.say(Level::Error, &text, &[]);
                continue;
            }
            all.into_iter().for_each(|telling| self.tell(telling));
        }
    }

    fn tell(&self, Telling { from, to, mut frame }: Telling) {
        if let Some((_, message)) = &mut frame.body {
            let own = (self.me, &*self.own);
            Arc::make_mut(message).say.payloads(&mut |payload| name(own, payload));
        }
        match to {
            // What cannot be written was never said; links say again what was not heard.
            Whom::There(to) => {
                if let Ok(bytes) = envelope::frame(from, to, &frame) {
                    self.mesh.send(to.member(), bytes);
                }
            }
            Whom::Here(to) => to.deliver(from, frame),
        }
    }
}

/// Has a payload of a member's store mean the same to all members.
pub(super) fn name((member, own): (u64, &DurableStore), payload: &mut Payload) {
    let Payload::Stored(blob) = *payload else { return };
    // What is lost already has a hash that nothing has: its task ends, and reading it says so.
    let hash = own.hash(blob).unwrap_or_default();
    *payload = Payload::Kept(Box::new(Kept { member, blob, hash }));
}
