//! Results that other specs of the job will read.

use bary_model::id::NodeId;
use bary_model::message::Upstream;
use bary_model::outcome::Results;
use bary_model::payload::Payload;

/// The results of one spec by index; those that did not succeed stay absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kept {
    results: Vec<Option<(Payload, NodeId)>>,
}

impl Kept {
    /// Keeps what the tasks from `first` on gave.
    pub fn keep(&mut self, first: u32, count: u32, results: &Results, node: NodeId) {
        let end = (first + count) as usize;
        if self.results.len() < end {
            self.results.resize(end, None);
        }
        for offset in 0..count as usize {
            self.results[first as usize + offset] = Some((results.at(offset), node));
        }
    }

    /// The results of all indices, or of one, as a task under `name` reads them.
    #[must_use]
    pub fn upstream(&self, name: &str, only: Option<u32>) -> Upstream {
        let mut upstream = Upstream { name: name.into(), ..Upstream::default() };
        let wanted = |index: usize| only.is_none_or(|only| only as usize == index);
        for (index, slot) in self.results.iter().enumerate() {
            if let (true, Some((payload, node))) = (wanted(index), slot) {
                upstream.results.push(payload.clone());
                upstream.indices.push(index as u32);
                upstream.nodes.push(*node);
            }
        }
        upstream
    }
}
