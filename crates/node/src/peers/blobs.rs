//! Results that are too large to ride along: a reference means bytes in the store of whoever has
//! it, so that a frame of another member is handed on once what it refers to has been fetched from
//! there and is kept here. Until then, and where that fails, the frame counts as lost, and links
//! say it again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bary_model::id::{Birth, NodeId};
use bary_model::message::{Frame, GrantItem, OutcomeItem, Outcomes, Say};
use bary_model::outcome::{Outcome, Results};
use bary_model::payload::{BlobRef, Payload};
use bary_ports::store::Store;
use bary_transport::memory::Network;
use bary_transport::mesh::Mesh;
use bary_transport::mesh::shelf::FetchError;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::serve::log::{Level, Log};

/// How many results are fetched at a time.
const FETCHES_MAX: usize = 16;
/// How many frames wait for results at a time; one more is lost.
const WAITING_MAX: usize = 4_096;
/// How many results are known here by the name that another member has for them.
const KNOWN_MAX: usize = 65_536;

/// A result as a member calls it: the member, its name for it, and how long it is.
type Theirs = (u64, u64, u64);
/// A frame that waits: its ends, and which message of which link it is.
type Waiting = (NodeId, NodeId, Birth, u64);

/// Fetches results for frames.
pub(crate) struct Blobs {
    store: Arc<dyn Store>,
    mesh: Mesh,
    on: Handle,
    log: Log,
    state: Mutex<State>,
    places: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    known: BTreeMap<Theirs, BlobRef>,
    waiting: BTreeSet<Waiting>,
}

impl Blobs {
    pub(crate) fn new(store: Arc<dyn Store>, mesh: Mesh, on: Handle, log: Log) -> Self {
        let places = Semaphore::new(FETCHES_MAX);
        Self { store, mesh, on, log, state: Mutex::default(), places }
    }

    /// Hands a frame of a member to a node here, once all that it refers to is here.
    pub(super) fn take_in(
        self: &Arc<Self>,
        member: u64,
        from: NodeId,
        to: NodeId,
        mut frame: Frame,
        network: &Arc<Network>,
    ) {
        let wanted = wanted(&mut frame);
        if wanted.is_empty() {
            return network.deliver(from, to, frame);
        }
        let number = frame.body.as_ref().map_or(0, |(number, _)| *number);
        let waiting = (from, to, frame.from, number);
        let mut state = self.state();
        if state.waiting.len() >= WAITING_MAX || !state.waiting.insert(waiting) {
            return;
        }
        drop(state);
        let (blobs, network) = (Arc::clone(self), Arc::clone(network));
        drop(self.on.spawn(async move {
            let fetched = blobs.fetch(member, &wanted).await;
            blobs.state().waiting.remove(&waiting);
            match fetched {
                Ok(here) => network.deliver(from, to, renamed(frame, &here)),
                Err(error) => {
                    let text = format!("a result of another member was not fetched: {error}");
                    blobs.log.say(Level::Warning, &text, &[]);
                }
            }
        }));
    }

    /// A member began anew, and may use its names for other results.
    pub(super) fn forget(&self, member: u64) {
        self.state().known.retain(|(of, ..), _| *of != member);
    }

    /// What these results of a member are called here.
    async fn fetch(
        &self,
        member: u64,
        wanted: &[BlobRef],
    ) -> Result<BTreeMap<u64, BlobRef>, FetchError> {
        let mut here = BTreeMap::new();
        for blob in wanted {
            // It is closed with the process.
            let _place = self.places.acquire().await;
            let theirs = (member, blob.id, blob.len);
            let known = self.state().known.get(&theirs).copied();
            let own = match known {
                Some(own) => own,
                None => self.mesh.fetch(member, *blob, Arc::clone(&self.store)).await?,
            };
            let mut state = self.state();
            if state.known.len() >= KNOWN_MAX {
                state.known.pop_first();
            }
            state.known.insert(theirs, own);
            here.insert(blob.id, own);
        }
        Ok(here)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The results that a frame refers to, each once.
fn wanted(frame: &mut Frame) -> Vec<BlobRef> {
    let mut wanted = Vec::new();
    each_payload(frame, &mut |payload| {
        if let Payload::Stored(blob) = payload
            && !wanted.contains(blob)
        {
            wanted.push(*blob);
        }
    });
    wanted
}

/// The frame, with what its results are called here.
fn renamed(mut frame: Frame, here: &BTreeMap<u64, BlobRef>) -> Frame {
    each_payload(&mut frame, &mut |payload| {
        if let Payload::Stored(blob) = payload
            && let Some(own) = here.get(&blob.id)
        {
            *blob = *own;
        }
    });
    frame
}

/// Visits every payload of a frame. A frame that has just come shares nothing with others, so that
/// nothing is copied.
fn each_payload(frame: &mut Frame, visit: &mut dyn FnMut(&mut Payload)) {
    let Some((_, message)) = &mut frame.body else { return };
    if !may_have_payloads(&message.say) {
        return;
    }
    match &mut Arc::make_mut(message).say {
        Say::Checkpoint { payload, .. } => visit(payload),
        Say::Grant(grant) => grant.items.iter_mut().for_each(|item| of_grant(item, visit)),
        Say::Announce(told) => told.items.iter_mut().for_each(|item| of_grant(item, visit)),
        Say::Outcomes(outcomes) => of_outcomes(outcomes, visit),
        Say::Repeat(all) => all.iter_mut().for_each(|outcomes| of_outcomes(outcomes, visit)),
        _ => {}
    }
}

fn may_have_payloads(say: &Say) -> bool {
    matches!(
        say,
        Say::Checkpoint { .. }
            | Say::Grant(_)
            | Say::Announce(_)
            | Say::Outcomes(_)
            | Say::Repeat(_)
    )
}

fn of_grant(item: &mut GrantItem, visit: &mut dyn FnMut(&mut Payload)) {
    if let Some(upstream) = &mut item.upstream {
        let all = Arc::make_mut(upstream).iter_mut();
        all.flat_map(|upstream| &mut upstream.results).for_each(&mut *visit);
    }
    if let Some((_, payload)) = &mut item.checkpoint {
        visit(payload);
    }
}

fn of_outcomes(outcomes: &mut Outcomes, visit: &mut dyn FnMut(&mut Payload)) {
    let items = Arc::make_mut(&mut outcomes.items).iter_mut();
    for OutcomeItem { outcome, stderr, .. } in items {
        visit(stderr);
        match outcome {
            Outcome::Succeeded(Results::Each(each)) => each.iter_mut().for_each(&mut *visit),
            Outcome::Failed { output, .. } => visit(output),
            Outcome::Succeeded(Results::Nothing) | Outcome::Stopped | Outcome::Returned => {}
        }
    }
}
