//! A rate that rises and falls: in even steps from a tenth of its peak to the peak within half of
//! a period, and back.

use bary_model::time::Span;

/// In how many steps it goes up, and down again.
const STEPS: u64 = 72;
/// The mean height of all steps.
const MEAN: f64 = (STEPS + 9 * (STEPS - 1) / 2) as f64 + 0.5;

fn height(step: u64) -> f64 {
    let place = step % (2 * STEPS);
    (STEPS + 9 * place.min(2 * STEPS - 1 - place)) as f64
}

/// The time, from the first wave's beginning, by which as much has come after `since` as comes in
/// `calm` seconds on average.
pub(crate) fn after(since: Span, calm: f64, period: Span) -> Span {
    let step = (period.0 / (2 * STEPS)).max(1);
    let (mut at, mut left) = (since.0, calm);
    // A wave brings as much as its own length on average: whole ones are passed at once.
    let whole = (left / (step * 2 * STEPS) as f64 * 1e9).floor();
    at = at.saturating_add(whole as u64 * step * 2 * STEPS);
    left -= whole * (step * 2 * STEPS) as f64 / 1e9;
    loop {
        let rate = height(at / step) / MEAN;
        let rest = step - at % step;
        let brings = rest as f64 / 1e9 * rate;
        if left <= brings || at > u64::MAX / 2 {
            return Span(at.saturating_add((left.max(0.0) / rate * 1e9) as u64));
        }
        left -= brings;
        at += rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_brings_as_much_as_its_length_and_most_of_it_in_the_middle() {
        let mean = (0..2 * STEPS).map(height).sum::<f64>() / (2 * STEPS) as f64;
        assert!((mean - MEAN).abs() < 1e-9, "{mean}");
        let period = Span::secs(144);
        let took = |since: u64, calm: f64| after(Span::secs(since), calm, period).as_secs_f64();
        assert!((took(0, 144.0) - 144.0).abs() < 1e-6);
        assert!((took(0, 72.0) - 72.0).abs() < 1e-6, "half of it in half of it");
        assert!((took(30, 1_440.0) - 1_470.0).abs() < 1e-6);
        assert!(took(0, 1.0) > 3.0 && took(71, 1.0) - 71.0 < 0.6);
    }
}
