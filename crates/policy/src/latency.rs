//! One-way latencies between regions, as a person states them: `(eu/us:80ms,eu/asia:120ms)`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bary_model::time::Span;

use crate::parameter::{Value, span};

/// Latencies by pair of regions, the lesser name first. A clone shares them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LatencyMap(Arc<BTreeMap<Pair, Span>>);

/// Two regions, the lesser name first.
type Pair = (Box<str>, Box<str>);

/// More pairs than this are refused.
const PAIRS_MAX: usize = 1_000;

impl LatencyMap {
    /// The latencies of the published example: three regions.
    #[must_use]
    pub fn published() -> Self {
        let pairs = [("us-east", "us-west", 50), ("eu-west", "us-east", 80)];
        let pairs = pairs.into_iter().chain([("eu-west", "us-west", 120)]);
        let entry = |(a, b, ms): (&str, &str, u64)| ((a.into(), b.into()), Span::millis(ms));
        Self(Arc::new(pairs.map(entry).collect()))
    }

    /// The latency between two regions in either direction; none where the map does not say.
    #[must_use]
    pub fn between(&self, a: &str, b: &str) -> Option<Span> {
        let (lesser, greater) = if a <= b { (a, b) } else { (b, a) };
        let mut pairs = self.0.iter();
        pairs.find(|((x, y), _)| (&**x, &**y) == (lesser, greater)).map(|(_, span)| *span)
    }

    /// The map that `text` says; none where it says none.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('(')?.strip_suffix(')')?;
        let mut map = BTreeMap::new();
        for entry in inner.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (pair, latency) = entry.rsplit_once(':')?;
            let (a, b) = pair.split_once('/')?;
            let (a, b) = (a.trim(), b.trim());
            if !(is_region(a) && is_region(b)) || a == b {
                return None;
            }
            let (lesser, greater) = if a <= b { (a, b) } else { (b, a) };
            let before = map.insert((lesser.into(), greater.into()), span(latency.trim())?);
            if before.is_some() || map.len() > PAIRS_MAX {
                return None;
            }
        }
        Some(Self(Arc::new(map)))
    }
}

/// Whether a name can stand in a map and be read again.
fn is_region(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    !name.is_empty() && name.chars().all(plain)
}

impl fmt::Display for LatencyMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = self.0.iter();
        let each = pairs.map(|((a, b), span)| format!("{a}/{b}:{}", Value::Time(*span)));
        write!(f, "({})", each.collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_read_as_it_is_shown_and_knows_both_directions() {
        let shown = "(eu-west/us-east:80ms,eu-west/us-west:120ms,us-east/us-west:50ms)";
        let map = LatencyMap::published();
        assert_eq!(map.to_string(), shown);
        assert_eq!(LatencyMap::read(shown), Some(map.clone()));
        assert_eq!(map.between("us-west", "us-east"), Some(Span::millis(50)));
        assert_eq!(map.between("us-east", "us-west"), Some(Span::millis(50)));
        assert_eq!(map.between("us-east", "asia"), None);
    }

    #[test]
    fn what_is_no_map_is_refused() {
        let wrong = ["a/b:1ms", "(a/b)", "(a:1ms)", "(a/a:1ms)", "(a/b:1)", "(a/b:1ms,b/a:2ms)"];
        assert!(wrong.iter().all(|text| LatencyMap::read(text).is_none()));
        assert_eq!(LatencyMap::read("()"), Some(LatencyMap::default()));
    }
}
