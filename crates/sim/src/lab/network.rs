//! The network of a scenario: how long a message takes within and between regions, and how many
//! bytes go there.

use bary_jobfile::document::{Document, Section};
use bary_jobfile::fault::Fault;
use bary_model::time::Span;

use crate::freight::Bandwidth;
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
    /// How many of a million come twice.
    pub twice: u32,
    /// How many of a million are late, and by how much at most.
    pub late: (u32, Span),
    /// How many bytes a second go from each region to each other; where it is absent, bytes take
    /// no time.
    pub bandwidths: Option<Bandwidth>,
    /// How far nodes take each other to be, one way, before they have measured it; as it is, where
    /// it is absent.
    pub guess: Option<Span>,
}

impl Web {
    /// A network of so many regions that nothing is said of.
    #[must_use]
    pub fn even(regions: usize, inside: Span, between: Span) -> Self {
        let latencies = square(regions, inside, between);
        let late = (0, Span::millis(100));
        let (bandwidths, guess) = (None, None);
        Self { latencies, jitter: true, loss: 0, twice: 0, late, bandwidths, guess }
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
        web.guess = from.time("guess");
        let million = |key| (from.number(key).unwrap_or(0.0) * 1e6).round() as u32;
        (web.loss, web.twice) = (million("loss"), million("twice"));
        web.late = (million("late"), from.time("late_max").unwrap_or(web.late.1));
        if from.has("late_max") && web.late.0 == 0 {
            let text = "`late_max` says how late messages are, and none is late";
            return Err(document.fault(from.span("late_max"), text, "add late = 0.01"));
        }
        let rows = |key: &str, given: Vec<usize>, each: &str| {
            let many = regions.len();
            if given.len() == many && given.iter().all(|row| *row == many) {
                return Ok(());
            }
            let names = regions.join(", ");
            let text = format!("`{key}` is not {many} rows of {many} {each}");
            let fix = format!("there are {many} regions: {names}; write a row for each");
            Err(document.fault(from.span(key), &text, &fix))
        };
        if from.has("latencies") {
            web.latencies = from.times("latencies");
            rows("latencies", web.latencies.iter().map(Vec::len).collect(), "times")?;
        }
        web.bandwidths = bandwidths(from, regions.len());
        if let Some(given) = web.bandwidths.as_ref().filter(|_| from.has("bandwidths")) {
            rows("bandwidths", given.iter().map(Vec::len).collect(), "sizes")?;
        }
        Ok(web)
    }

    /// Whether nothing ever goes wrong on it.
    pub(crate) fn is_sound(&self) -> bool {
        self.loss == 0 && self.twice == 0 && self.late.0 == 0
    }

    pub(crate) fn plan(&self) -> NetworkPlan {
        NetworkPlan {
            latency: self.latencies.clone(),
            jitter: self.jitter,
            loss: self.loss,
            twice: self.twice,
            late: self.late.0,
            late_max: self.late.1,
        }
    }
}

fn square<T: Copy>(regions: usize, inside: T, between: T) -> Vec<Vec<T>> {
    let row = |from| (0..regions).map(|to| if from == to { inside } else { between }).collect();
    (0..regions).map(row).collect()
}

/// How many bytes go between regions, where anything is said of it.
fn bandwidths(from: &Section<'_>, regions: usize) -> Option<Bandwidth> {
    if from.has("bandwidths") {
        return Some(from.sizes("bandwidths"));
    }
    let (inside, between) = (from.size("bandwidth"), from.size("bandwidth_between"));
    let limited = inside.is_some() || between.is_some();
    limited.then(|| square(regions, inside.unwrap_or(u64::MAX), between.unwrap_or(u64::MAX)))
}
