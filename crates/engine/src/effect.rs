//! What an engine wants done. The driver does each in order and decides nothing.

use std::sync::Arc;

use bary_ledger::record::Record;
use bary_model::event::Event;
use bary_model::id::{Epoch, JobNo, Lsn, NodeId, RunNo, ShardId};
use bary_model::message::{Frame, GrantItem};
use bary_model::time::{Span, Wall};
use bary_policy::layout::Question;
use bary_policy::topology::Probe;

use crate::input::Reply;

/// One thing to be done.
#[derive(Debug)]
pub enum Effect {
    /// Append a batch to a shard's journal and say when it is durable.
    Append {
        /// The shard.
        shard: ShardId,
        /// The reign that writes it; readers ignore batches of a lower one than the last opened.
        epoch: Epoch,
        /// The number of the batch.
        lsn: Lsn,
        /// When it was written, by the engine's calendar; no earlier than any batch before.
        at: Wall,
        /// The records.
        records: Vec<Record>,
    },
    /// Send a frame. It may be lost, doubled, late or out of order, never changed.
    Send {
        /// To this node; never the engine's own.
        to: NodeId,
        /// What.
        frame: Frame,
    },
    /// Start a run.
    Start {
        /// The run.
        run: RunNo,
        /// On this slot.
        slot: u32,
        /// What to run, one after another.
        items: Arc<[GrantItem]>,
        /// After how long no further task of the run may be begun.
        budget: Span,
    },
    /// Ask or force a run to end.
    Stop {
        /// The run.
        run: RunNo,
        /// Whether by force.
        force: bool,
        /// Why.
        why: Why,
    },
    /// Find where these nodes are in the graph of the cluster, beside the engine, and give the
    /// answer as [`Input::Planned`](crate::input::Input::Planned). A question that is not answered
    /// is never asked again.
    Plan {
        /// The question's number.
        number: u64,
        /// All nodes, this one too, and how far each is from here, there and back.
        nodes: Vec<(NodeId, Span)>,
        /// What some of them measured of others.
        probes: Vec<Probe>,
    },
    /// Find how a job lies over regions, beside the engine, and give the answer as
    /// [`Input::Laid`](crate::input::Input::Laid).
    Lay {
        /// The shard of the job.
        shard: ShardId,
        /// The job.
        job: JobNo,
        /// What is to be laid out.
        question: Box<Question>,
    },
    /// Measure how busy the machine is, and give the answer as
    /// [`Input::Gauged`](crate::input::Input::Gauged). What is not answered is never asked again.
    Gauge,
    /// Tell whoever listens what happened.
    Tell(Event),
    /// Answer a request.
    Reply {
        /// The request's ticket.
        ticket: u64,
        /// The answer.
        reply: Reply,
    },
}

/// Why a run is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It took too long.
    Timeout,
    /// It was silent for too long.
    Silent,
    /// Its task was cancelled.
    Cancel,
}
