//! What the bindings that share out tasks by talk among nodes are told: how many nodes are sampled
//! for each task (Ousterhout et al., "Sparrow", SOSP 2013, take two), and how nodes claim.

use bary_model::claim::ClaimRule;
use bary_model::time::Span;

use crate::parameter::given::Given;
use crate::parameter::table::{CLAIM, CLAIM_TIMEOUT, PROBES};

/// The numbers of these bindings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// How many nodes are asked to keep room for each task. Defaults to 2.
    pub probes: u64,
    /// By which rule nodes claim. Defaults to zones.
    pub claim: ClaimRule,
    /// How long what was announced waits for a claim. Defaults to 60 s, as published.
    pub claim_timeout: Span,
}

impl Default for Protocol {
    fn default() -> Self {
        Self::with(&Given::default())
    }
}

impl Protocol {
    /// As the parameters say.
    #[must_use]
    pub fn with(given: &Given) -> Self {
        let claim = match given.word(&CLAIM) {
            "started" => ClaimRule::Started,
            "written" => ClaimRule::Written,
            _ => ClaimRule::Zones,
        };
        let claim_timeout = given.time(&CLAIM_TIMEOUT);
        Self { probes: given.whole(&PROBES), claim, claim_timeout }
    }
}
