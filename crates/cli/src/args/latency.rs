//! How long messages between the nodes take: `1ms`, or by region as `eu-us=40ms,1ms`.

use std::collections::BTreeMap;

use bary_model::time::Span;
use bary_node::options::Latency;

use crate::args::value::{self, ValueError};

/// Why a text is no latency. Nothing was changed; the user writes another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LatencyError {
    #[error("latency: {0}")]
    Time(#[from] ValueError),
    #[error("latency `{given}` names no two regions of --regions {known}; write A-B=TIME")]
    Regions { given: String, known: String },
    #[error("latency: `{given}` is given twice")]
    Twice { given: String },
}

/// Reads a latency. A time without regions is the one inside a region and of all other pairs.
pub(crate) fn parse(text: &str, regions: &[String]) -> Result<Latency, LatencyError> {
    let mut between = BTreeMap::new();
    let mut within = None;
    for item in text.split(',') {
        let twice = || LatencyError::Twice { given: item.to_owned() };
        if let Some((ends, time)) = item.split_once('=') {
            let pair = pair(ends, regions)?;
            if between.insert(pair, value::time(time.trim())?).is_some() {
                return Err(twice());
            }
        } else if within.replace(value::time(item.trim())?).is_some() {
            return Err(twice());
        }
    }
    let within = within.unwrap_or(Span::ZERO);
    if between.is_empty() {
        return Ok(Latency::Same(within));
    }
    Ok(Latency::Regions { between, within })
}

/// The two regions that `a-b` names, in order; names may hold dashes themselves.
fn pair(ends: &str, regions: &[String]) -> Result<(Box<str>, Box<str>), LatencyError> {
    let known = |name: &str| regions.iter().any(|region| region == name);
    let cuts = ends.match_indices('-').map(|(at, _)| (ends[..at].trim(), ends[at + 1..].trim()));
    let mut pairs = cuts.filter(|(a, b)| known(a) && known(b));
    let (a, b) = pairs.next().ok_or_else(|| LatencyError::Regions {
        given: ends.to_owned(),
        known: regions.join(","),
    })?;
    Ok(if a <= b { (a.into(), b.into()) } else { (b.into(), a.into()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_may_hold_dashes() {
        let regions = ["eu-west".to_owned(), "us".to_owned()];
        let Ok(Latency::Regions { between, within }) = parse("us-eu-west=40ms,1ms", &regions)
        else {
            panic!("it is a latency by regions");
        };
        assert_eq!(within, Span::millis(1));
        assert_eq!(between.get(&("eu-west".into(), "us".into())), Some(&Span::millis(40)));
        assert_eq!(parse("2ms", &[]), Ok(Latency::Same(Span::millis(2))));
    }

    #[test]
    fn what_is_unknown_or_twice_is_told() {
        let regions = ["a".to_owned(), "b".to_owned()];
        assert!(matches!(parse("a-c=1ms", &regions), Err(LatencyError::Regions { .. })));
        assert!(matches!(parse("a-b=1ms,b-a=2ms", &regions), Err(LatencyError::Twice { .. })));
        assert!(matches!(parse("soon", &regions), Err(LatencyError::Time(_))));
    }
}
