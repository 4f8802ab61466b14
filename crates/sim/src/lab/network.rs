//! The network of a scenario: how long a message takes within and between regions.

use bary_jobfile::document::{Document, Section};
use bary_jobfile::fault::Fault;
use bary_model::time::Span;

use crate::network::NetworkPlan;

/// What the network is like.
#[derive(Clone, Debug, PartialEq)]
pub struct Web {
    /// How long a message takes one way, from each region to each other.
    pub latencies: Vec<Vec<Span>>,
    /// Whether it sometimes takes longer.
    pub jitter: bool,
    /// How many of a million messages are lost.
    pub loss: u32,
}

impl Web {
    /// A network of so many regions that nothing is said of.
    #[must_use]
    pub fn even(regions: usize, inside: Span, between: Span) -> Self {
        let row = |from| (0..regions).map(|to| if from == to { inside } else { between }).collect();
        Self { latencies: (0..regions).map(row).collect(), jitter: true, loss: 0 }
    }

    pub(crate) fn read(
        document: &Document<'_>,
        from: Option<&Section<'_>>,
        regions: &[Box<str>],
    ) -> Result<Self, Box<Fault>> {
        let time = |key, usual| from.and_then(|from| from.time(key)).unwrap_or(usual);
        let (inside, between) =
            (time("latency", Span::millis(1)), time("between", Span::millis(50)));
        let mut web = Self::even(regions.len(), inside, between);
        let Some(from) = from else { return Ok(web) };
        web.jitter = from.flag("jitter").unwrap_or(true);
        web.loss = (from.number("loss").unwrap_or(0.0) * 1e6).round() as u32;
        if from.has("latencies") {
            web.latencies = from.times("latencies");
            let many = regions.len();
            let square =
                web.latencies.len() == many && web.latencies.iter().all(|row| row.len() == many);
            if !square {
                let names = regions.join(", ");
                let text = format!("`latencies` is not {many} rows of {many} times");
                let fix = format!("there are {many} regions: {names}; write a row for each");
                return Err(document.fault(from.span("latencies"), &text, &fix));
            }
        }
        Ok(web)
    }

    pub(crate) fn plan(&self) -> NetworkPlan {
        NetworkPlan {
            latency: self.latencies.clone(),
            jitter: self.jitter,
            loss: self.loss,
            twice: 0,
            late: 0,
            late_max: Span::ZERO,
        }
    }
}
